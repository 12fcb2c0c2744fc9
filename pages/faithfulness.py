"""Trust: the checks of an explanation as a list, every method beside it, and agreement with a reader's words."""

from collections.abc import Mapping, Sequence

import streamlit as st

from explain.analyses.method_tests import MethodTests
from explain.analyses.parameter_randomization import ParameterRandomization, cost, known
from explain.analyses.word_interactions import WordInteractions
from explain.core.guide import definition
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import MetricResult, Randomization, Report, Tokens
from explain.methods.base import Method
from explain.metrics.base import METRICS, TrialSettings
from explain.models.analysis import ExplainedText
from explain.models.base import TextModel
from explain.report.record import report_of, to_json
from explain.run.results import Results
from explain.views import randomization_table
from explain.views.agreement_matrix import FIGURES
from explain.views.token_heatmap import shared_scales
from explain.views.verdicts import LEGEND, rows
from pages.shared import checklist, forms, hero, history, links, screen, session, show, trust
from pages.shared.asked import asked_for, button
from pages.shared.own_rationale import own_rationale
from pages.shared.selection import Selection, current_selection
from pages.shared.work import Work, awaited, follow, has_ended

PAIRS = WordInteractions(budget=2000)  # enough for every two of 28 words; longer texts go by phrase
GROUP = hero.GROUP
ON_DEMAND = (
    "reference_robustness",
    "symmetric_relevance_gain",
    "comprehensiveness",
    "sufficiency",
    "monotonicity",
    "normalized_aopc",
    "infidelity",
    "max_sensitivity",
)


PARAMETERS = {
    *links.OF_A_TEXT,
    *("test", "metrics", "orders", "random_weights", "pairs", "figure"),
    *forms.parameters_of_methods(),
}


def page() -> None:
    """Draw the page."""
    selection = current_selection()
    model = selection.model
    with selection.settings:
        methods = forms.methods_form(model)
    if selection.problem:
        selection.draw_problem()
        history.menu(selection.bar)
        return
    plan = selection.plan(
        methods=methods,
        analyses=(
            *tests(selection, methods),
            *map(ParameterRandomization, weights_tested(selection, methods)),
            *pairs_searched(selection),
        ),
    )
    follow(plan, model, draw, hero.above(selection.boxes, model, selection.contrasts))
    history.menu(selection.bar)


def tests(selection: Selection, methods: Sequence[Method]) -> list[MethodTests]:
    """Draw the settings of the tests and their cost; return those of all methods, or of the methods asked for.

    All have the same settings, so that one record holds them.
    """
    model, names = selection.model, asked_for(selection)
    with selection.settings:
        on = links.toggle("Compare with measured effects", key="test", help=definition("measured effect"))
        more = links.multiselect(
            "Further metrics",
            ON_DEMAND,
            key="metrics",
            format_func=lambda name: METRICS[name].title,
        )
        orders = links.slider("Random orders", 20, 200, 40, step=20, key="orders", help=definition("random order"))
        if checklist.REFERENCE in names:
            more = [*more, checklist.REFERENCE]
        settings = TrialSettings.from_names(more, orders)
        tokens = model.encode(selection.text, selection.pair)
        passes = settings.cost(model, tokens, methods)
        st.caption(f"At most {passes:,} passes, for {len(tokens.words)} words.", help=definition("pass"))
    return [MethodTests(method, settings) for method in methods if on or method.name in names]


def weights_tested(selection: Selection, methods: Sequence[Method]) -> list[Method]:
    """Return the methods to compare on random weights: those measured before, and on demand the rest."""
    model = selection.model
    if "random_layers" not in model.capabilities:
        return []
    fresh = [method for method in methods if known(model, method) is None]
    if not fresh:
        return list(methods)
    with selection.settings:
        on = links.toggle(
            "Compare with random weights",
            key="random_weights",
            help=f"{definition('random weights')} It is measured once for a model and a method, on "
            f"{len(REFERENCE_TEXTS)} reference texts, and kept.",
        )
        passes = sum(cost(model, method) for method in fresh)
        st.caption(f"At most {passes:,} passes, once: {', '.join(method.title for method in fresh)}.")
    names = asked_for(selection)
    return [each for each in methods if on or each not in fresh or checklist.weights_name(each) in names]


def pairs_searched(selection: Selection) -> tuple[WordInteractions, ...]:
    """Draw the switch of the search for interactions, and return the analysis where it is on."""
    with selection.settings:
        on = links.toggle(
            "Search for words that act together",
            key="pairs",
            help=definition("interaction"),
        )
        st.caption(pairs_cost(selection.model, selection.model.encode(selection.text, selection.pair)))
    return (PAIRS,) if on or PAIRS.name in asked_for(selection) else ()


def pairs_cost(model: TextModel, tokens: Tokens) -> str:
    """Return what the search for interactions costs, as a sentence."""
    return trust.cost(PAIRS.passes(model, ExplainedText.untargeted(tokens)), tokens)


def draw(results: Results, model: TextModel) -> None:
    """Draw the parts of the page that are computed."""
    show.warnings(results.prediction, model)
    if results.target is None:
        return
    report = report_of(results, model, edges=False)
    titles = show.method_titles()
    with st.container():  # it grows while methods are computed; the elements below keep their place
        hero.method_tiles(results, report)
        with st.container(key="checklist", gap="xsmall"):
            checks(results, model, report, titles)
            interactions(results, model)
        every_method(results, model, titles)
        show.views(report, key="report", titled=True, group=GROUP, titles=titles)
    own_rationale(report, titles)
    hero.inspector(results, model)
    if results.has((*results.plan.methods, *results.plan.tests)):
        with show.export_menu():
            take_away(results, model)


def checks(results: Results, model: TextModel, report: Report, titles: Mapping[str, str]) -> None:
    """Draw the checks of the scores that are shown."""
    method = hero.method_shown(results)
    attribution = hero.shown_attribution(results)
    if method is None or attribution is None or attribution.partial:
        awaited(280)
        return
    measured = results.of_type(ParameterRandomization)

    def effects() -> None:
        if report.metrics:
            show.view("removal_curves", report, key="curves", titles=titles)
            figures(report.metrics, titles)

    details = {
        "effects": effects,
        "reference": lambda: whiskers(report, method, titles),
        checklist.WEIGHTS: lambda: weights(measured, titles),
        "agreement": lambda: agreement(results, report, titles),
    }
    checklist.draw(results, model, method, details)


def agreement(results: Results, report: Report, titles: Mapping[str, str]) -> None:
    """Draw how far the methods agree, and the heatmap of each."""
    if len(report.attributions) > 1:
        figure = links.segmented_control(
            "Figure",
            list(FIGURES),
            default="spearman",
            key="figure",
            format_func=lambda name: name.replace("_", " "),
            label_visibility="collapsed",
        )
        show.view("agreement_matrix", report, key="agreement", figure=figure, titles=titles)
    heatmaps(results, report)


def interactions(results: Results, model: TextModel) -> None:
    """Draw the words that act together, or a button that searches for them."""
    interacting = results.of_type(WordInteractions)
    if interacting:
        with st.expander(f":gray[:material/info:] {PAIRS.title}", expanded=True):
            show.views(interacting[0], key="pair_bars", group=GROUP)
        return
    with checklist.row("pairs", "open", "Which words act together?"):
        if PAIRS not in results.plan.others:
            help = f"{definition('interaction')} {pairs_cost(model, results.prediction.tokens)}"
            button("Search", PAIRS.name, help=help)
        elif not has_ended(Work(results.plan, model)):
            st.caption("running …", width="content")


def every_method(results: Results, model: TextModel, titles: Mapping[str, str]) -> None:
    """Draw a row of checks for each method."""
    judged = [
        trust.judged(results, model, method)
        for method in results.plan.methods
        if (attribution := results.attribution(method)) is not None and not attribution.partial
    ]
    if len(results.plan.methods) > 1 and judged:
        st.header("Every method", anchor=False)
        st.table(rows(judged, titles), border="horizontal", hide_index=True)
        st.caption(LEGEND)
    with st.expander("What a verdict says"):
        st.caption(
            "*It holds* does not prove that the model reasons this way. On film reviews that it was not tuned on, "
            "it was said of no random explanation and of seven in eight of the default ones; on pairs of sentences, of "
            "about half of the default ones. *Don't rely on it* does not prove that an explanation is wrong. "
            "[How often the verdict is right](help?topic=docs%2Fverdict)"
        )


def heatmaps(results: Results, report: Report) -> None:
    """Draw the heatmap of each method."""
    scales = shared_scales(report.attributions, "word", report.prediction)
    for method in results.plan.methods:
        attribution = results.attribution(method)
        if attribution is None:
            continue
        st.markdown(f"**{method.title}**", help=show.limits_of(method))
        show.views(
            attribution,
            key=f"heatmap_{method.name}",
            by="word",
            title=method.title,
            group=GROUP,
            without=("waterfall",),
            largest=scales[attribution.scale],
            prediction=report.prediction,
        )


def whiskers(report: Report, method: Method, titles: Mapping[str, str]) -> None:
    """Draw the range of a method's scores over several references, where they were computed."""
    if any(figure.metric == checklist.REFERENCE and figure.method == method.name for figure in report.metrics):
        title = titles[method.name]
        show.view("reference_whiskers", report, key=f"whiskers_{method.name}", method=method.name, title=title)


def weights(measured: Sequence[Randomization], titles: Mapping[str, str]) -> None:
    """Draw the correlations of scores with those on random weights."""
    if measured:
        st.dataframe(randomization_table.rows(measured, titles), hide_index=True)
        st.caption(randomization_table.note(measured))


def figures(metrics: tuple[MetricResult, ...], titles: Mapping[str, str]) -> None:
    """Draw a table of all metrics and the meaning of each."""
    rows = [
        {
            "method": titles[figure.method],
            "metric": METRICS[figure.metric].title,
            "figure": figure.value,
            "better": "higher" if figure.higher_is_better else "lower",
            "beats random, %": figure.percentile,
            "measured in": figure.scale.replace("_", " "),
            "removed by": figure.operator or "–",
        }
        for figure in metrics
    ]
    numbers = {
        "figure": st.column_config.NumberColumn(format="%.3f"),
        "beats random, %": st.column_config.NumberColumn(format="%.0f"),
    }
    st.dataframe(rows, hide_index=True, column_config=numbers, placeholder="–")
    for name in dict.fromkeys(figure.metric for figure in metrics):
        metric = METRICS[name]
        st.caption(f"**{metric.title}.** {metric.meaning} {metric.limits}")


def take_away(results: Results, model: TextModel) -> None:
    """Draw the file of the report and a link."""
    marks = session.marks()
    with st.container():
        st.download_button(
            "JSON, to replay",
            lambda: to_json(marks.add_to(report_of(results, model))),
            "explanation.json",
            "application/json",
            on_click="ignore",
        )
    show.links(results.plan.text.text, results.plan.text.text_pair)
    st.caption("Each picture has SVG and PNG buttons in its corner.")


screen.draw("faithfulness", "", page, PARAMETERS)

"""Faithfulness of explanations of one text: verdicts, agreement of methods, measured effects, removal curves.

And plausibility: agreement with words that a reader marks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explain.analyses.parameter_randomization import ParameterRandomization, cost, known
from explain.analyses.word_interactions import WordInteractions
from explain.core.guide import definition
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import MetricResult, Randomization, Report
from explain.evaluation.verdict import verdict
from explain.methods.base import Method
from explain.metrics.base import METRICS, TrialSettings
from explain.models.analysis import Analysis, ExplainedText
from explain.models.base import TextModel
from explain.report.record import report_of, to_json
from explain.run.plan import Plan
from explain.run.results import Results
from explain.views import randomization_table
from explain.views.agreement_matrix import FIGURES
from explain.views.token_heatmap import shared_scales
from pages.shared import forms, links, screen, session, show
from pages.shared.own_rationale import own_rationale
from pages.shared.selection import current_selection
from pages.shared.work import Work, follow, has_ended

PAIR_PASSES = 2000  # enough for every two of 28 words; longer texts go by phrase
GROUP = "faithfulness"  # a word picked in one picture is marked in all
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
    model, text, pair = selection.model, selection.text, selection.pair
    with st.sidebar:
        st.subheader("What is compared", anchor=False)
        methods = forms.methods_form(model)
    if selection.problem:
        show.advice(selection.problem)
        return
    plan = Plan.for_text(
        text,
        pair,
        methods=methods,
        tests=tests(model, text, pair, methods),
        analyses=(*map(ParameterRandomization, weights_tested(model, methods)), *pairs_searched(model, text, pair)),
        **selection.target_options,
    )
    follow(plan, model, draw)


def tests(model: TextModel, text: str, pair: str | None, methods: Sequence[Method]) -> TrialSettings | None:
    """Draw the settings of the tests and their cost; return them where tests are switched on."""
    with st.sidebar:
        st.subheader("How it is tested", anchor=False)
        on = links.toggle("Compare with measured effects", key="test", help=definition("measured effect"))
        more = links.multiselect(
            "Further metrics",
            ON_DEMAND,
            key="metrics",
            format_func=lambda name: METRICS[name].title,
        )
        orders = links.slider("Random orders", 20, 200, 40, step=20, key="orders", help=definition("random order"))
        settings = TrialSettings.from_names(more, orders)
        tokens = model.encode(text, pair)
        passes = settings.cost(model, tokens, methods)
        st.caption(f"At most {passes:,} passes, for {len(tokens.words)} words.", help=definition("pass"))
    return settings if on else None


def weights_tested(model: TextModel, methods: Sequence[Method]) -> list[Method]:
    """Return the methods to compare on random weights: those measured before, and on demand the rest."""
    if "random_layers" not in model.capabilities:
        return []
    fresh = [method for method in methods if known(model, method) is None]
    if not fresh:
        return list(methods)
    with st.sidebar:
        on = links.toggle(
            "Compare with random weights",
            key="random_weights",
            help=f"{definition('random weights')} It is measured once for a model and a method, on "
            f"{len(REFERENCE_TEXTS)} reference texts, and kept.",
        )
        passes = sum(cost(model, method) for method in fresh)
        st.caption(f"At most {passes:,} passes, once: {', '.join(method.title for method in fresh)}.")
    return list(methods) if on else [method for method in methods if method not in fresh]


def pairs_searched(model: TextModel, text: str, pair: str | None) -> tuple[WordInteractions, ...]:
    """Draw the switch of the search for interactions, and return the analysis where it is on."""
    pairs = WordInteractions(budget=PAIR_PASSES)
    with st.sidebar:
        on = links.toggle(
            "Search for words that act together",
            key="pairs",
            help=definition("interaction"),
        )
        st.caption(f"At most {pairs.passes(model, ExplainedText.untargeted(model.encode(text, pair))):,} passes.")
    return (pairs,) if on else ()


def draw(results: Results, model: TextModel) -> None:
    """Draw the parts of the page that are computed."""
    show.prediction(results.prediction, model, results.target, most=5)
    if results.target is None:
        return
    report = report_of(results, model, edges=False)
    titles = show.method_titles()
    with st.container():  # it grows while methods are computed; the elements below keep their place
        faithfulness(results, model, report, titles)
    own_rationale(report, titles)
    if results.has((*results.plan.methods, *results.plan.tests)):
        take_away(results, model)


def faithfulness(results: Results, model: TextModel, report: Report, titles: Mapping[str, str]) -> None:
    """Draw verdicts, heatmaps, agreement and tests of the methods."""
    verdicts(results, model, titles)
    heatmaps(results, report)
    if len(report.attributions) > 1:
        st.subheader("Do the methods agree?", anchor=False)
        figure = links.segmented_control(
            "Figure",
            list(FIGURES),
            default="spearman",
            key="figure",
            format_func=lambda name: name.replace("_", " "),
            label_visibility="collapsed",
        )
        show.view("agreement_matrix", report, key="agreement", figure=figure, titles=titles)
    for interactions in results.of_type(WordInteractions):
        st.subheader("What acts together", anchor=False)
        show.views(interactions, key="pair_bars", group=GROUP)
    weights(results.of_type(ParameterRandomization), titles)
    if not results.plan.tests:
        show.advice("Switch on the test in the sidebar to compare each explanation with effects measured on the model.")
    elif report.metrics:
        whiskers(report, titles)
        st.subheader("Output while words are removed", anchor=False)
        show.view("removal_curves", report, key="curves", titles=titles)
        figures(report.metrics, titles)
    show.views(report, key="report", titled=True, group=GROUP, titles=titles)


def verdicts(results: Results, model: TextModel, titles: Mapping[str, str]) -> None:
    """Draw the verdict on each method."""
    st.subheader("Verdicts", anchor=False, help=definition("verdict"))
    for method in results.plan.methods:
        attribution = results.attribution(method)
        if attribution is None or attribution.partial:
            st.skeleton(height=28)
            continue
        others = [other for other in results.attributions if other is not attribution]
        randomization = results.answer(ParameterRandomization(method)) or known(model, method)
        judged = verdict(
            attribution, others, results.tests(method), randomization, still_running(results, model, method)
        )
        show.verdict(judged, titles[method.name])
    st.caption(
        "*It holds* does not prove that the model reasons this way. On film reviews that it was not tuned on, it was "
        "said of no random explanation and of seven in eight of the default ones; on pairs of sentences, of about half "
        "of the default ones. *Don't rely on it* does not prove that an explanation is wrong. "
        "[How often the verdict is right](help?topic=docs%2Fverdict)"
    )


def still_running(results: Results, model: TextModel, method: Method) -> list[str]:
    """Return what a verdict waits for, in words; nothing comes any more where the work was stopped or has failed."""
    if has_ended(Work(results.plan, model)):
        return []
    planned = results.plan.analyses
    waits: dict[str, Sequence[Analysis[Any, Any]]] = {
        "the other methods": results.plan.methods,
        "the comparison with measured effects": [tests for tests in results.plan.tests if tests.method == method],
        "random weights": [each for each in (ParameterRandomization(method),) if each in planned],
    }
    return [words for words, analyses in waits.items() if not results.has(analyses)]


def heatmaps(results: Results, report: Report) -> None:
    """Draw the heatmap of each method."""
    st.subheader("The same words, method by method", anchor=False)
    show.context(report)
    scales = shared_scales(report.attributions, "word")
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
            largest=scales[attribution.scale],
        )


def whiskers(report: Report, titles: Mapping[str, str]) -> None:
    """Draw the range of scores over several references, for each method."""
    tested = [figure.method for figure in report.metrics if figure.metric == "reference_robustness"]
    if tested:
        st.subheader("From another empty text", anchor=False)
    for method in tested:
        st.markdown(f"**{titles[method]}**")
        show.view("reference_whiskers", report, key=f"whiskers_{method}", method=method, title=titles[method])


def weights(measured: Sequence[Randomization], titles: Mapping[str, str]) -> None:
    """Draw the correlations of scores with those on random weights."""
    if not measured:
        return
    st.subheader("With random weights", anchor=False)
    st.dataframe(randomization_table.rows(measured, titles), hide_index=True)
    st.caption(randomization_table.note(measured))


def figures(metrics: tuple[MetricResult, ...], titles: Mapping[str, str]) -> None:
    """Draw a table of all metrics and the meaning of each."""
    st.subheader("Figures", anchor=False)
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
    with st.expander("What each figure means"):
        for name in dict.fromkeys(figure.metric for figure in metrics):
            metric = METRICS[name]
            st.markdown(f"**{metric.title}.** {metric.meaning} {metric.limits}")


def take_away(results: Results, model: TextModel) -> None:
    """Draw the file of the report and a link."""
    st.subheader("Take it with you", anchor=False)
    marks = session.marks()
    with st.container(horizontal=True):
        st.download_button(
            "JSON, to replay",
            lambda: to_json(marks.add_to(report_of(results, model))),
            "explanation.json",
            "application/json",
            on_click="ignore",
        )
    show.links(results.plan.text.text, results.plan.text.text_pair)
    st.caption("Each picture has SVG and PNG buttons in its corner.")


screen.draw("faithfulness", "Is the explanation right?", page, PARAMETERS)

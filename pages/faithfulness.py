"""Is an explanation right? Methods side by side on one text: verdicts, agreement, removal beside random orders.

And, apart from that, whether it is what a reader would have said: words marked by hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from explain.analyses.questions import ShapleyInteractions
from explain.run.pipeline import Request, Tested

from explain.analyses.parameter_randomization import ParameterRandomization, cost, known
from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import Attribution, MetricResult, Randomization, Report
from explain.evaluation.verdict import verdict
from explain.methods.base import Method
from explain.metrics.base import METRICS, TrialSettings
from explain.models.base import TextModel
from explain.report.replay import to_json
from explain.run import pipeline
from explain.views import randomization_table
from explain.views.agreement_matrix import FIGURES
from explain.views.token_heatmap import shared_scales
from pages.shared import controls, show, state
from pages.shared.follow import follow
from pages.shared.own_rationale import own_rationale

PAIR_PASSES = 2000  # enough for every two of 28 words; longer texts go by phrase
GROUP = "faithfulness"  # a word picked in one drawing is marked in all
ON_DEMAND = (
    "reference_robustness",
    "comprehensiveness",
    "sufficiency",
    "monotonicity",
    "normalized_aopc",
    "infidelity",
    "max_sensitivity",
)


def page() -> None:
    state.carry_over("faithfulness")
    st.title("Is the explanation right?", anchor=False)
    subject = controls.subject()
    model, text, pair = subject.model, subject.text, subject.pair
    with st.sidebar:
        st.subheader("What is compared", anchor=False)
        methods = controls.methods(model)
    if subject.lacking:
        show.advice(subject.lacking)
        return
    tested = tests(model, text, pair, methods)
    questions = (*map(ParameterRandomization, weights_asked(model, methods)), *pairs_asked(model, text, pair))
    follow(
        Request(text, methods, pair, phrases=None, tests=tested, questions=questions, **subject.question), model, draw
    )


def tests(model: TextModel, text: str, pair: str | None, methods: Sequence[Method]) -> TrialSettings | None:
    """What explanations are put to, once that is asked for; what it costs is said before."""
    with st.sidebar:
        st.subheader("How it is tested", anchor=False)
        on = st.toggle("Compare with random orders", key="test", bind="query-params", help=definition("random order"))
        more = st.multiselect(
            "Further metrics",
            ON_DEMAND,
            key="metrics",
            bind="query-params",
            format_func=lambda name: METRICS[name].title,
        )
        orders = st.slider("Random orders", 20, 200, 40, step=20, key="orders", bind="query-params")
        chosen = pipeline.tests_from(more, orders)
        tokens = model.encode(text, pair)
        passes = chosen.cost(model, tokens, methods)
        st.caption(f"At most {passes:,} passes, for {len(tokens.words)} words.", help=definition("pass"))
    return chosen if on else None


def weights_asked(model: TextModel, methods: Sequence[Method]) -> list[Method]:
    """The methods that are tried on the model with its weights drawn anew: those that were, and on demand the rest."""
    if "random_layers" not in model.capabilities:
        return []
    fresh = [method for method in methods if known(model, method) is None]
    if not fresh:
        return list(methods)
    with st.sidebar:
        on = st.toggle(
            "Compare with random weights",
            key="random_weights",
            bind="query-params",
            help=f"{definition('random weights')} It is measured once for a model and a method, on "
            f"{len(REFERENCE_TEXTS)} texts of ours, and kept.",
        )
        passes = sum(cost(model, method) for method in fresh)
        st.caption(f"At most {passes:,} passes, once: {', '.join(method.title for method in fresh)}.")
    return list(methods) if on else [method for method in methods if method not in fresh]


def pairs_asked(model: TextModel, text: str, pair: str | None) -> tuple[ShapleyInteractions, ...]:
    """Whether the words that act together are looked for."""
    pairs = ShapleyInteractions(budget=PAIR_PASSES)
    with st.sidebar:
        on = st.toggle(
            "Look for what acts together",
            key="pairs",
            bind="query-params",
            help=definition("interaction"),
        )
        st.caption(f"At most {pairs.cost(model, model.encode(text, pair)):,} passes.")
    return (pairs,) if on else ()


def draw(request: Request, model: TextModel, found: Mapping[Any, Any]) -> None:
    prediction = found["observation"].prediction
    show.prediction(prediction, model, found.get("target"), most=5)
    if "target" not in found:
        return
    report = pipeline.report(request, model, found, edges=False)
    titles = state.titles()
    with st.container():  # it grows while methods are computed; what stands below stays the same element
        faithfulness(request, report, found, titles)
    own_rationale(report, titles)
    if set(found) >= {*request.methods, *(map(Tested, request.methods) if request.tests else ())}:
        take_away(request, model, found)


def faithfulness(request: Request, report: Report, found: Mapping[Any, Any], titles: Mapping[str, str]) -> None:
    verdicts(request, found, titles)
    heatmaps(request, report, found)
    if len(report.attributions) > 1:
        st.subheader("Do the methods agree?", anchor=False)
        figure = st.segmented_control(
            "Figure",
            list(FIGURES),
            default="spearman",
            required=True,
            key="figure",
            bind="query-params",
            format_func=lambda name: name.replace("_", " "),
            label_visibility="collapsed",
        )
        show.view("agreement_matrix", report, key="agreement", figure=figure, titles=titles)
    for question in request.questions:
        if isinstance(question, ShapleyInteractions) and question in found:
            st.subheader("What acts together", anchor=False)
            show.view("pair_bars", found[question], key="pair_bars", group=GROUP)
    weights(
        [found[one] for one in request.questions if isinstance(one, ParameterRandomization) and one in found], titles
    )
    if request.tests is None:
        show.advice("Switch on the test in the sidebar to compare each explanation with random orders of its words.")
    elif report.metrics:
        whiskers(report, titles)
        st.subheader("What removing words does", anchor=False)
        show.view("removal_curves", report, key="curves", titles=titles)
        figures(report.metrics, titles)


def verdicts(request: Request, found: Mapping[Any, Any], titles: Mapping[str, str]) -> None:
    st.subheader("Verdicts", anchor=False, help=definition("verdict"))
    attributions = [found[method] for method in request.methods if method in found]
    for method in request.methods:
        if method not in found or state.unfinished(found[method]):
            st.skeleton(height=28)
            continue
        others = [one for one in attributions if one is not found[method]]
        show.verdict(
            verdict(found[method], others, found.get(Tested(method)), found.get(ParameterRandomization(method))),
            titles[method.name],
        )
    st.caption(
        "*It holds* does not prove that the model reasons this way. On 400 sentences it was said of one in twenty "
        "random explanations, and of seven in eight of the default ones. *Don't rely on it* does not prove that an "
        "explanation is wrong: in a short text many random orders are nearly as good. "
        "[How often the verdict is right](help?topic=docs%2Fverdict)"
    )


def heatmaps(request: Request, report: Report, found: Mapping[Any, Any]) -> None:
    st.subheader("The same words, method by method", anchor=False)
    scales = shared_scales(report.attributions, "word")
    for method in request.methods:
        if method not in found:
            continue
        one: Attribution = found[method]
        st.markdown(f"**{method.title}**", help=method.limits)
        show.view(
            "token_heatmap",
            one,
            key=f"heatmap_{method.name}",
            by="word",
            title=method.title,
            group=GROUP,
            largest=scales[one.scale],
        )


def whiskers(report: Report, titles: Mapping[str, str]) -> None:
    tested = [one.method for one in report.metrics if one.metric == "reference_robustness"]
    if tested:
        st.subheader("From another empty text", anchor=False)
    for method in tested:
        st.markdown(f"**{titles[method]}**")
        show.view("reference_whiskers", report, key=f"whiskers_{method}", method=method, title=titles[method])


def weights(measured: Sequence[Randomization], titles: Mapping[str, str]) -> None:
    if not measured:
        return
    st.subheader("With the model's weights drawn anew", anchor=False)
    st.dataframe(randomization_table.rows(measured, titles), hide_index=True)
    st.caption(randomization_table.note(measured))


def figures(metrics: tuple[MetricResult, ...], titles: Mapping[str, str]) -> None:
    st.subheader("Figures", anchor=False)
    rows = [
        {
            "method": titles[one.method],
            "metric": METRICS[one.metric].title,
            "figure": one.value,
            "better": "higher" if one.higher_is_better else "lower",
            "beats random, %": one.percentile,
            "measured in": one.scale.replace("_", " "),
            "removed by": one.operator or "–",
        }
        for one in metrics
    ]
    numbers = {
        "figure": st.column_config.NumberColumn(format="%.3f"),
        "beats random, %": st.column_config.NumberColumn(format="%.0f"),
    }
    st.dataframe(rows, hide_index=True, column_config=numbers, placeholder="–")
    with st.expander("What each figure is"):
        for name in dict.fromkeys(one.metric for one in metrics):
            metric = METRICS[name]
            st.markdown(f"**{metric.title}.** {metric.meaning} {metric.limits}")


def take_away(request: Request, model: TextModel, found: Mapping[Any, Any]) -> None:
    st.subheader("Take it with you", anchor=False)
    marks = state.marks()
    with st.container(horizontal=True):
        st.download_button(
            "JSON, to replay",
            lambda: to_json(marks.add_to(pipeline.report(request, model, found))),
            "explanation.json",
            "application/json",
            on_click="ignore",
        )
    show.links(request.text, request.text_pair)
    st.caption("Pictures: each drawing has SVG and PNG buttons in its corner.")


try:
    page()
except ExplainError as problem:
    show.problem(str(problem))

"""Explain one text: what the model decided, which words moved it, which phrases matter, where attention went."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from explain.run.pipeline import Request

from explain.analyses.parameter_randomization import known
from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.datatypes import AttentionMaps, Prediction, Report, Verdict
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS, Method
from explain.models.base import TextModel
from explain.report.replay import to_json
from explain.run import pipeline
from explain.views.base import VIEWS
from explain.views.document import document
from explain.views.scores_table import matrix_to_csv, to_csv
from explain.views.token_heatmap import shared_scales
from pages.shared import controls, show, state
from pages.shared.follow import follow

GROUP = "explain_text"  # a word picked in one drawing is marked in all


def page() -> None:
    state.carry_over("explain_text")
    st.title("Why did the model say that?", anchor=False)
    subject = controls.subject()
    with st.sidebar:
        st.subheader("How it is explained", anchor=False)
        methods = controls.methods(subject.model)
        phrases = controls.phrase_settings()
    if subject.lacking:
        show.advice(subject.lacking)
        return
    asked = pipeline.questions_of(subject.model)
    request = Request(subject.text, methods, subject.pair, phrases=phrases, questions=asked, **subject.question)
    follow(request, subject.model, draw)


def draw(request: Request, model: TextModel, found: Mapping[Any, Any]) -> None:
    prediction: Prediction = found["observation"].prediction
    show.prediction(prediction, model, found.get("target"), unread="the rest is struck through below")
    if "target" not in found:
        return
    report = pipeline.report(request, model, found, edges=False)
    heatmaps(request, model, report, found)
    alike(request, report)
    key_phrases(request, report, found)
    attention(found["observation"].maps)
    partial = any(map(state.unfinished, report.attributions))
    asked = {*request.methods, *(("phrases",) if request.phrases else ()), *request.questions}
    if set(found) >= asked and not partial:
        take_away(request, model, report, found)


def heatmaps(request: Request, model: TextModel, report: Report, found: Mapping[Any, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Which words", anchor=False, width="content", help=definition("piece"))
        by = controls.unit_picker()
    scales = shared_scales(report.attributions, by)
    for method in request.methods:
        st.markdown(f"**{method.title}** {method.meaning}", help=method.limits)
        if method not in found:
            st.skeleton(height=60)
            continue
        show.view(
            "token_heatmap",
            found[method],
            key=f"heatmap_{method.name}",
            by=by,
            title=method.title,
            group=GROUP,
            largest=scales[found[method].scale],
            special=True,
        )
        if not state.unfinished(found[method]):
            show.verdict(judged(method, report, found, model))
    st.caption("The page *Is it right?* compares each with random orders of the words.")
    show.view("word_details", report, key="details", group=GROUP, titles=state.titles(), unknown=model.unk_id)


def judged(method: Method, report: Report, found: Mapping[Any, Any], model: TextModel) -> Verdict:
    """Whether an explanation holds, as far as that costs nothing."""
    others = [one for one in report.attributions if one is not found[method]]
    return verdict(found[method], others, weights=known(model, method))


def alike(request: Request, report: Report) -> None:
    """Of two texts that are compared, which words of them are alike."""
    if not request.questions:
        return
    st.subheader(VIEWS["similarity_matrix"].title, anchor=False)
    if report.similarity is None:
        st.skeleton(height=240)
    else:
        show.view("similarity_matrix", report.similarity, key="similarity_matrix", group=GROUP)


def key_phrases(request: Request, report: Report, found: Mapping[Any, Any]) -> None:
    if request.phrases is None:
        return
    st.subheader("Key phrases", anchor=False, help=definition("key phrase"))
    if "phrases" not in found:
        st.skeleton(height=120)
    elif not report.phrases:
        st.caption("There is no word here that could be taken out.")
    else:
        show.view("phrase_bars", report, key="phrases", group=GROUP)


def attention(maps: AttentionMaps) -> None:
    st.subheader("Attention, layer by layer", anchor=False, help=definition("attention weight"))
    layers, heads, per_layer, special = controls.graph_form(maps.layers, len(maps.groups), len(maps.tokens))
    show.view(
        "layer_graph", maps, key="graph", layers=layers, heads=heads, per_layer=per_layer, special=special, group=GROUP
    )


def take_away(request: Request, model: TextModel, report: Report, found: Mapping[Any, Any]) -> None:
    st.subheader("Take it with you", anchor=False)

    def whole() -> Report:
        return pipeline.report(request, model, found)

    def page_alone() -> str:
        all_of_it = whole()
        about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
        return document(
            all_of_it,
            about,
            found["observation"].maps,
            verdicts={method.name: judged(method, report, found, model) for method in request.methods},
            unknown=model.unk_id,
            record=to_json(all_of_it),
        )

    files = [
        ("HTML, opens offline", page_alone, "explanation.html", "text/html"),
        ("JSON, to replay", lambda: to_json(whole()), "explanation.json", "application/json"),
        ("CSV of the scores", lambda: to_csv(whole()), "scores.csv", "text/csv"),
    ]
    if (matrix := report.similarity) is not None:
        files.append(("CSV of the pairs", lambda: matrix_to_csv(matrix), "pairs.csv", "text/csv"))
    with st.container(horizontal=True):
        for label, make, file, kind in files:
            st.download_button(label, make, file, kind, on_click="ignore")
    show.links(request.text, request.text_pair)
    st.caption("Pictures: each drawing has SVG and PNG buttons in its corner.")
    with st.expander("The Python that gives this page"):
        st.code(pipeline.as_python(request, model), language="python")


try:
    page()
except ExplainError as problem:
    show.problem(str(problem))

"""Explain one text: prediction, scores of words by method, key phrases, attention layer by layer."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explain.analyses.parameter_randomization import known
from explain.analyses.similarity import SimilarityAttribution
from explain.core.guide import definition
from explain.datatypes import AttentionMaps, Attribution, Report, Verdict
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS, Method
from explain.models.base import TextModel
from explain.report.as_python import as_python
from explain.report.record import report_of, to_json
from explain.run.plan import Plan, similarity_of
from explain.run.results import Results
from explain.text.phrases import PhraseSettings
from explain.views.document import document
from explain.views.phrase_notes import nothing_for
from explain.views.scores_table import matrix_to_csv, to_csv
from explain.views.token_heatmap import shared_scales
from pages.shared import forms, links, pickers, screen, show
from pages.shared.selection import current_selection
from pages.shared.work import Work, follow, has_ended

GROUP = "explain_text"  # a word picked in one picture is marked in all


PARAMETERS = {
    *links.OF_A_TEXT,
    *("show", "layers", "heads", "lines", "special"),
    *forms.parameters_of_methods(),
    *forms.parameters_of(PhraseSettings, "phrases"),
}


def page() -> None:
    """Draw the page."""
    selection = current_selection()
    with st.sidebar:
        st.subheader("How it is explained", anchor=False)
        methods = forms.methods_form(selection.model)
        phrases = forms.phrase_form()
    if selection.problem:
        show.advice(selection.problem)
        return
    plan = Plan.for_text(
        selection.text,
        selection.pair,
        methods=methods,
        phrases=phrases,
        analyses=similarity_of(selection.model),
        **selection.target_options,
    )
    follow(plan, selection.model, draw)


def draw(results: Results, model: TextModel) -> None:
    """Draw the parts of the page that are computed."""
    show.prediction(results.prediction, model, results.target, unread="the rest is struck through below")
    if results.target is None:
        return
    report = report_of(results, model, edges=False)
    heatmaps(results, model, report)
    alike(results)
    key_phrases(results, report)
    show.views(report, key="report", titled=True, group=GROUP, titles=show.method_titles())
    attention(results.maps)
    show.views(results.maps, key="maps", titled=True, group=GROUP)
    if results.complete:
        take_away(results, model)


def heatmaps(results: Results, model: TextModel, report: Report) -> None:
    """Draw the heatmap and the verdict of each method, and the word that is picked."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Which words", anchor=False, width="content", help=definition("piece"))
        by = pickers.unit_picker()
    show.context(report)
    scales = shared_scales(report.attributions, by)
    for method in results.plan.methods:
        st.markdown(f"**{method.title}** {method.meaning}", help=show.limits_of(method))
        attribution = results.attribution(method)
        if attribution is None:
            st.skeleton(height=60)
            continue
        show.views(
            attribution,
            key=f"heatmap_{method.name}",
            by=by,
            title=method.title,
            group=GROUP,
            largest=scales[attribution.scale],
            special=True,
        )
        if not attribution.partial:
            over = results.has(results.plan.methods) or has_ended(Work(results.plan, model))
            running = () if over else ("the other methods",)
            show.verdict(judged(method, attribution, report, model, running))
    st.caption("The page *Is it right?* compares each explanation with word effects measured on the model.")
    show.view("word_details", report, key="details", group=GROUP, titles=show.method_titles(), unknown=model.unk_id)


def judged(
    method: Method, attribution: Attribution, report: Report, model: TextModel, running: Sequence[str] = ()
) -> Verdict:
    """Return the verdict on an explanation, as far as that costs no pass; grey where something is `running`."""
    others = [other for other in report.attributions if other is not attribution]
    return verdict(attribution, others, weights=known(model, method), pending=running)


def alike(results: Results) -> None:
    """Draw the answers of analyses beside methods and key phrases."""
    for analysis in results.plan.others:
        st.subheader(analysis.title, anchor=False)
        matrix = results.answer(analysis)
        if matrix is None:
            st.skeleton(height=240)
        else:
            show.views(matrix, key="answer", group=GROUP)


def key_phrases(results: Results, report: Report) -> None:
    """Draw the key phrases."""
    if results.plan.phrases is None:
        return
    st.subheader("Key phrases", anchor=False, help=definition("key phrase"))
    if results.phrases is None:
        st.skeleton(height=120)
    elif not report.phrases:
        st.caption(show.plain(nothing_for(report)) or "The text has no word that could be removed.")
    else:
        show.view("phrase_bars", report, key="phrases", group=GROUP)


def attention(maps: AttentionMaps) -> None:
    """Draw the attention graph."""
    st.subheader("Attention, layer by layer", anchor=False, help=definition("attention weight"))
    layers, heads, per_layer, special = pickers.graph_form(maps.layers, len(maps.groups), len(maps.tokens))
    show.view(
        "layer_graph", maps, key="graph", layers=layers, heads=heads, per_layer=per_layer, special=special, group=GROUP
    )


def take_away(results: Results, model: TextModel) -> None:
    """Draw files, links and the Python of the page."""
    st.subheader("Take it with you", anchor=False)

    def report() -> Report:
        return report_of(results, model)

    def html() -> str:
        whole = report()
        about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
        verdicts = {
            method.name: judged(method, whole.attribution(method.name), whole, model) for method in results.plan.methods
        }
        return document(whole, about, results.maps, verdicts=verdicts, unknown=model.unk_id, record=to_json(whole))

    files = [
        ("HTML, opens offline", html, "explanation.html", "text/html"),
        ("JSON, to replay", lambda: to_json(report()), "explanation.json", "application/json"),
        ("CSV of the scores", lambda: to_csv(report()), "scores.csv", "text/csv"),
    ]
    for matrix in results.of_type(SimilarityAttribution):
        files.append(("CSV of the pairs", partial(matrix_to_csv, matrix), "pairs.csv", "text/csv"))
    with st.container(horizontal=True):
        for label, make, file, kind in files:
            st.download_button(label, make, file, kind, on_click="ignore")
    show.links(results.plan.text.text, results.plan.text.text_pair)
    st.caption("Each picture has SVG and PNG buttons in its corner.")
    with st.expander("The Python that gives this page"):
        st.code(as_python(results.plan, model), language="python")


screen.draw("explain_text", "Why did the model say that?", page, PARAMETERS)

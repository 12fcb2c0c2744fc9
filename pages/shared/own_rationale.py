"""A reader's own rationale on a page: words are marked by hand, and methods compared with the marks."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explain.datatypes import Rationale, Report
from explain.rationale import markable
from explain.views.word_marks import fingerprint
from pages.shared import show, state


@st.fragment
def own_rationale(report: Report, titles: Mapping[str, str]) -> None:
    """Words marked by hand, and how far each method names the same ones; a mark runs this part alone."""
    st.divider()
    st.subheader("Would you have said the same?", anchor=False)
    st.markdown(
        "Mark the words that you find decisive: your own *rationale*. How far a method names the same ones is its "
        "*plausibility*. That is not faithfulness, which all above is about: a true picture of a model that reads "
        "wrongly looks implausible."
    )
    tokens, marks = report.prediction.tokens, state.marks()
    among = markable(tokens, report.target)

    def mark(chosen: Mapping[str, Any]) -> None:
        if chosen["of"] == fingerprint(tokens, among):
            marks.mark(report, chosen["words"])

    marked = marks.words(report)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.view("word_marks", tokens, key="marks_drawing", on_chosen=mark, page=False, among=among, marked=marked)
    with right:
        if not marked:
            st.caption("Nothing is marked yet. It is best done before looking at the heatmaps: they sway.")
        elif len(marked) == len(among):
            st.caption("Every word is marked, so no method could be wrong. Leave out those that do not decide.")
        else:
            report = marks.add_to(report)
            marks.keep(report)
            plausible(report, titles)
    if report.rationale is not None:
        st.caption(how_to_read(report.rationale, len(report.attributions)))
    if len(marks):
        with st.container(horizontal=True):
            st.download_button("All marks, JSON", marks.to_json, "marks.json", "application/json", on_click="ignore")
            st.download_button("Figures, CSV", marks.to_csv, "plausibility.csv", "text/csv", on_click="ignore")
        st.caption("Of every text marked in this visit; marks are gone when the page is closed.")


def plausible(report: Report, titles: Mapping[str, str]) -> None:
    rationale = report.rationale
    assert rationale is not None and rationale.chance is not None
    found = {one.method: one for one in rationale.figures}
    named = [(titles[one.method], found.get(one.method)) for one in report.attributions]
    st.table(
        [
            {
                "Method": name,
                "F1": "–" if one is None else f"{one.f1:.2f}",
                "IOU": "–" if one is None else f"{one.iou:.2f}",
                "AUPRC": "–" if one is None else f"{one.auprc:.2f}",
            }
            for name, one in [*named, ("Random order", rationale.chance)]
        ],
        border="horizontal",
        hide_index=True,
    )


def how_to_read(rationale: Rationale, methods: int) -> str:
    count = len(rationale.words)
    words = "the highest-scored word" if count == 1 else f"the {count} highest-scored words"
    windows = " Windows overlap, so they put words in no order (–)." if len(rationale.figures) < methods else ""
    return (
        f"F1 and IOU: {words} of each method, as many as you marked, against yours. AUPRC (average precision): all "
        "scores, in their order. Where scores have signs, those for the explained label come first. Random order: the "
        f"mean over all orders of the words.{windows}"
    )

"""A reader's rationale on a page: words are marked by hand, and methods are compared with the marks."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explain.core.guide import definition
from explain.datatypes import Rationale, Report
from explain.evaluation.plausibility import markable
from explain.views.word_marks import fingerprint
from pages.shared import session, show


@st.fragment
def own_rationale(report: Report, titles: Mapping[str, str]) -> None:
    """Draw the words to mark and how far each method agrees with the marks; a mark reruns this part only."""
    st.divider()
    st.header("Would you have said the same?", anchor=False, help=definition("plausibility"))
    st.markdown(
        "Mark the words that you find decisive. Each method is compared with your words. This is plausibility; "
        "everything above is about faithfulness.",
        help=definition("rationale"),
    )
    tokens, marks = report.prediction.tokens, session.marks()
    among = markable(tokens, report.target)

    def mark(clicked: Mapping[str, Any]) -> None:
        if clicked["of"] == fingerprint(tokens, among):
            marks.mark(report, clicked["words"])

    marked = marks.words(report)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.view("word_marks", tokens, key="marks_drawing", on_chosen=mark, page=False, among=among, marked=marked)
    with right:
        if not marked:
            st.caption(
                "No word is marked yet. Mark words before you look at the heatmaps, since they may influence you."
            )
        elif len(marked) == len(among):
            st.caption("Every word is marked, so every method agrees. Leave out the words that do not decide.")
        else:
            report = marks.add_to(report)
            marks.keep(report)
            plausible(report, titles)
    if report.rationale is not None:
        figures = {"F1": definition("token F1"), "IOU": definition("IOU"), "AUPRC": definition("AUPRC")}
        help = "\n\n".join(f"**{name}**: {meaning}" for name, meaning in figures.items())
        st.caption(how_to_read(report.rationale, len(report.attributions)), help=help)
    if len(marks):
        with st.container(horizontal=True):
            st.download_button("All marks, JSON", marks.to_json, "marks.json", "application/json", on_click="ignore")
            st.download_button("Figures, CSV", marks.to_csv, "plausibility.csv", "text/csv", on_click="ignore")
        st.caption("The files hold every text you marked in this visit. Marks are lost when the page is closed.")


def plausible(report: Report, titles: Mapping[str, str]) -> None:
    """Draw a table of the agreement of each method with the marks."""
    rationale = report.rationale
    assert rationale is not None and rationale.chance is not None
    figures = {figure.method: figure for figure in rationale.figures}
    named = [(titles[figure.method], figures.get(figure.method)) for figure in report.attributions]
    st.table(
        [
            {
                "Method": name,
                "F1": "–" if figure is None else f"{figure.f1:.2f}",
                "IOU": "–" if figure is None else f"{figure.iou:.2f}",
                "AUPRC": "–" if figure is None else f"{figure.auprc:.2f}",
            }
            for name, figure in [*named, ("Random order", rationale.chance)]
        ],
        border="horizontal",
        hide_index=True,
    )


def how_to_read(rationale: Rationale, methods: int) -> str:
    """Return a caption that explains the table."""
    count = len(rationale.words)
    words = "the highest-scored word" if count == 1 else f"the {count} highest-scored words"
    windows = " Windows overlap, so they do not order the words (–)." if len(rationale.figures) < methods else ""
    return (
        f"F1 and IOU compare {words} of each method with yours. AUPRC uses all scores. Signed scores are ranked "
        f"from the most positive. The last row is the mean over all orders of the words.{windows}"
    )

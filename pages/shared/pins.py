"""A pinned result, and the result of the page beside it."""

import streamlit as st

from explain.core.errors import ExplainError
from explain.datatypes import Report
from explain.report.comparison_record import to_json
from explain.report.side_by_side import compare_reports
from explain.views.comparison_page import comparison_document
from pages.shared import changes, pickers, show
from pages.shared.work import CLICKED

_PINNED = "pinned"  # in the session: the pinned report
_FIXED = "target_fixed_by_pin"


def pin_button(report: Report) -> None:
    """Draw a button that pins the result of the page, so that the next one stands beside it."""

    def pin() -> None:
        memory = st.session_state
        memory[_PINNED] = report
        if memory.get("target") in (None, pickers.DECIDED) and report.target.scale != "value":
            # Both are explained for one label; else a change of the decision would change what scores mean.
            memory.target, memory[_FIXED] = report.target.label, True
        memory[CLICKED] = True

    st.button("Pin", key="pin", on_click=pin, type="tertiary", help="Keep this result beside the next one.")


def _unpin() -> None:
    memory = st.session_state
    memory[_PINNED] = None
    if memory.pop(_FIXED, False):
        memory.target = pickers.DECIDED
    memory[CLICKED] = True


def beside_the_pinned(report: Report, method: str) -> None:
    """Draw the pinned result and that of the page side by side, where one is pinned."""
    pinned: Report | None = st.session_state.get(_PINNED)
    if pinned is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Beside the pinned one", anchor=False, width="content")
        st.button("Unpin", key="unpin", on_click=_unpin, type="tertiary")
    if _is_same(pinned, report):
        show.advice("This result is pinned. Change the text, the model or the label, and both stand side by side.")
        return
    try:
        comparison = compare_reports(pinned, report)
    except ExplainError as problem:
        show.advice(str(problem))
        return
    compared = [scores.method for scores in comparison.scores]
    methods = [method] if method in compared else None
    titles = show.method_titles()
    show.views(comparison, key="compare", titles=titles, methods=methods)
    files = [
        ("JSON of both", lambda: to_json(comparison), "comparison.json", "application/json"),
        (
            "HTML of both",
            lambda: comparison_document(comparison, titles, record=to_json(comparison)),
            "comparison.html",
            "text/html",
        ),
    ]
    with st.container(horizontal=True):
        for label, make, file, kind in files:
            st.download_button(label, make, file, kind, on_click="ignore")


def is_pinned_former() -> bool:
    """Return whether the pinned result is about the text before the last change; then it is drawn already."""
    pinned: Report | None = st.session_state.get(_PINNED)
    return pinned is not None and (pinned.text, pinned.text_pair or "") == changes.former()


def _is_same(pinned: Report, report: Report) -> bool:
    return (pinned.text, pinned.text_pair, pinned.model, pinned.target) == (
        report.text,
        report.text_pair,
        report.model,
        report.target,
    )

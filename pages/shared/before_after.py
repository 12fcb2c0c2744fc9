"""The effect of the last change of the text: the answer before and after, and the difference of each word's score."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explain.core.errors import ExplainError
from explain.datatypes import Comparison
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.report.record import report_of
from explain.report.side_by_side import compare_reports, for_other_label
from explain.run.plan import TextItem
from explain.run.results import Results, is_partial
from explain.views.base import visible
from explain.views.before_after import answers_of, moved_words
from pages.shared import changes, show
from pages.shared.work import Work


def draw(results: Results, model: TextModel, method: Method | None) -> None:
    """Draw what the last change did, where there was one; known results are in the cache, so it costs no pass."""
    before = known_before(results, model)
    if before is None:
        return
    comparison, note = compared(before, results, model, method)
    drawn = answers_of((before.prediction, before.target), (results.prediction, results.target), sends=True, note=note)
    if comparison is not None and method is not None:
        drawn["words"] = moved_words(comparison, method.name, show.method_titles())
    with st.container(key="before_after"):
        show.component("before_after", drawn, key="before_after_view", chosen=_dismiss)


def known_before(results: Results, model: TextModel) -> Results | None:
    """Return what is known of the text before the last change; None where nothing is, or no label can be named."""
    former = changes.former()
    if former is None or not results.observed or results.target is None:
        return None
    text, pair = former
    texts = TextItem(text, pair if model.pair != "never" and pair.strip() else None)
    known, _ = Work(replace(results.plan, item=texts, analyses=results.plan.methods), model).known()
    return known if known.observed and known.target is not None else None


def compared(before: Results, after: Results, model: TextModel, method: Method | None) -> tuple[Comparison | None, str]:
    """Return the scores of a method before and after, or None and why there is no comparison."""
    parts = [] if method is None else [results.attribution(method) for results in (before, after)]
    if method is None or any(part is None or is_partial(part) for part in parts):
        return None, ""  # not yet
    plans = [replace(results.plan, analyses=(method,)) for results in (before, after)]
    reports = [report_of(one.of_plan(plan), model, edges=False) for one, plan in zip((before, after), plans)]
    first, second = reports
    labels = first.target.label, second.target.label
    if labels[0] != labels[1]:
        turned = for_other_label(first, labels[1])
        if turned is None or not turned.attributions:
            return None, (
                f"Before, the scores were about {visible(labels[0])}; now they are about {visible(labels[1])}. So they "
                "have no difference. Choose one label in the menu of the model."
            )
        first = turned
    try:
        return compare_reports(first, second), ""
    except ExplainError as problem:
        return None, str(problem)


def _dismiss(clicked: Mapping[str, Any]) -> None:
    changes.dismiss()

"""The examples as a playlist while presenting: those that come next are computed before anyone asks for them."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import streamlit as st

from explain.core.errors import Cancelled, ExplainError
from explain.core.meter import Meter
from explain.models.base import TextModel
from explain.run.plan import Plan, TargetChoice, TextItem, similarity_of
from pages.shared import links, session
from pages.shared.examples import examples
from pages.shared.work import Work, edits_of_strongest


def is_presenting() -> bool:
    """Return whether the page is in present mode, with only the decision and the text in sight."""
    return st.query_params.get(links.PRESENT) == "1"


def prepare(plan: Plan, model: TextModel) -> None:
    """Compute the examples that come next in the background, where the visitor presents; of a page that is complete.

    All together cost no more passes than one request may.
    """
    if not is_presenting():
        return
    works = coming(plan, model)
    missing = within([work for work in works if not work.known()[1]], session.most_passes())
    if not missing:
        return

    def parts(meter: Meter) -> Iterator[tuple[Hashable, Any]]:
        yield from _in_turn(missing, meter)

    key = ("playlist", model.record, frozenset(work.plan for work in works))  # wherever in the list the visitor is
    cost = sum(work.cost() for work in missing)
    try:
        session.jobs().submit(key, parts, cost, session.visitor(), background=True)
    except ExplainError:
        return  # the queue is full: others come first


def coming(plan: Plan, model: TextModel) -> list[Work]:
    """Return the work of each example, from the one after that of a plan on, around to it."""
    search = () if plan.phrases is None else (plan.phrases,)
    analyses = (*plan.methods, *search, *similarity_of(model), *edits_of_strongest(model, plan.methods))
    target = TargetChoice(plan.target.label, plan.target.against, plan.target.scale)  # a position is of one text
    offered = [TextItem(text, next(iter(second), None)) for text, *second in examples(model).values()]
    at = offered.index(plan.text) + 1 if plan.text in offered else 0
    return [Work(Plan(example, analyses, target), model) for example in (*offered[at:], *offered[:at])]


def within(works: Sequence[Work], most: int | None) -> list[Work]:
    """Return the first works that together take at most so many passes; all without a limit."""
    kept, total = [], 0
    for work in works:
        total += work.cost()
        if most is not None and total > most:
            break
        kept.append(work)
    return kept


def _in_turn(works: Sequence[Work], meter: Meter) -> Iterator[tuple[Hashable, Any]]:
    """Compute works one after the other; what they hold is in the cache, not in the job."""
    for number, work in enumerate(works):
        try:
            for name, _ in work.parts(meter):
                yield (number, name), None
        except Cancelled:
            raise
        except ExplainError:
            continue  # an example that can't be explained says so when it is shown

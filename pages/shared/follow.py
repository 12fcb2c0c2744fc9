"""Work that takes a while, followed on a page: what is found is drawn at once, the rest as it comes."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from explain.run.pipeline import Request

from explain.core.errors import ExplainError
from explain.models.base import TextModel
from explain.run.jobs import Job
from pages.shared import show, state

POLL_SECONDS = 0.4
CLICKED = "clicked"

Draw = Callable[[Request, TextModel, Mapping[Any, Any]], None]


def follow(request: Request, model: TextModel, draw: Draw) -> None:
    """Find a request's parts and draw them; ask again and again while a job runs."""

    def draw_parts(parts: Mapping[Any, Any]) -> None:
        if "observation" in parts:
            draw(request, model, parts)

    follow_work(state.explained(request, model), draw_parts)


def follow_work(
    asked: state.Asked, draw: Callable[[Mapping[Any, Any]], None], told: Callable[[Job], str] | None = None
) -> None:
    """The same of any work; `told` says how far a job that runs is, where that is not so many passes."""
    st.session_state.pop(CLICKED, None)  # this run heeds it
    found = [state.find(asked)]  # used once; when only the part below runs again, it asks again
    pending = found[0].job is not None
    st.fragment(_results, run_every=POLL_SECONDS if pending else None)(asked, draw, told, found, polled=pending)


def _results(
    asked: state.Asked,
    draw: Callable[[Mapping[Any, Any]], None],
    told: Callable[[Job], str] | None,
    handed: list[state.Found],
    polled: bool,
) -> None:
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # a click in a drawing runs this part alone; what it chose concerns the page
    try:
        found = handed.pop() if handed else state.find(asked)
        if polled and found.job is None:
            state.hand_over(asked, found)
            st.rerun()  # the page once more, without asking again and again
        if found.job is not None and not polled:
            st.rerun()  # the page once more, so that it asks again and again
        with st.container():  # what is drawn below keeps its place, and so its focus, when this goes
            if found.job is not None:
                show.progress(found.job, told)
            show.ended(found)
        draw(found.parts)
    except ExplainError as error:
        show.problem(str(error))

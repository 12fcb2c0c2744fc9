"""Work that takes a while, followed on a page: what is found is drawn at once, the rest as it comes."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explain.errors import ExplainError
from explain.models.base import TextModel
from explain.pipeline import Request
from pages.shared import show, state

POLL_SECONDS = 0.4
CLICKED = "clicked"

Draw = Callable[[Request, TextModel, Mapping[Any, Any]], None]


def follow(request: Request, model: TextModel, draw: Draw) -> None:
    """Find a request's parts and draw them; ask again and again while a job runs."""
    st.session_state.pop(CLICKED, None)  # this run heeds it
    found = [state.find(request, model)]  # used once; when only the part below runs again, it asks again
    pending = found[0].job is not None
    st.fragment(_results, run_every=POLL_SECONDS if pending else None)(request, model, draw, found, polled=pending)


def _results(request: Request, model: TextModel, draw: Draw, handed: list[state.Found], polled: bool) -> None:
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # a click in a drawing runs this part alone; what it chose concerns the page
    try:
        found = handed.pop() if handed else state.find(request, model)
        if polled and found.job is None:
            state.hand_over(request, model, found)
            st.rerun()  # the page once more, without asking again and again
        if found.job is not None and not polled:
            st.rerun()  # the page once more, so that it asks again and again
        with st.container():  # what is drawn below keeps its place, and so its focus, when this goes
            if found.job is not None:
                show.progress(found.job)
            show.ended(found)
        if "observation" in found.parts:
            draw(request, model, found.parts)
    except ExplainError as error:
        show.problem(str(error))

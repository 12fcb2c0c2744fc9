"""Work that takes a while, followed on a page: results are drawn as they come."""

from collections.abc import Callable

import streamlit as st

from explain.core.errors import ExplainError
from explain.models.base import TextModel
from explain.run.jobs import Job
from explain.run.plan import Plan
from explain.run.results import Results
from pages.shared import show, state

POLL_SECONDS = 0.4
CLICKED = "clicked"

Draw = Callable[[Results, TextModel], None]


def follow(plan: Plan, model: TextModel, draw: Draw) -> None:
    """Compute a plan about one text and draw its results, again and again while a job runs."""

    def draw_results(results: Results) -> None:
        if results.observed:
            draw(results, model)

    follow_work(state.Work(plan, model), draw_results)


def follow_work(
    work: state.Work, draw: Callable[[Results], None], progress_text: Callable[[Job], str] | None = None
) -> None:
    """Do the same for any work; `progress_text` says how far a job is, where that is not so many passes."""
    st.session_state.pop(CLICKED, None)  # this run heeds it
    progress = [state.advance(work)]  # used once; when only the part below runs again, it asks again
    pending = progress[0].job is not None
    st.fragment(_results, run_every=POLL_SECONDS if pending else None)(
        work, draw, progress_text, progress, polled=pending
    )


def _results(
    work: state.Work,
    draw: Callable[[Results], None],
    progress_text: Callable[[Job], str] | None,
    handed: list[state.Progress],
    polled: bool,
) -> None:
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # a click in a drawing runs this part alone; what it chose concerns the page
    try:
        progress = handed.pop() if handed else state.advance(work)
        if polled and progress.job is None:
            state.hand_over(work, progress)
            st.rerun()  # the page once more, without asking again and again
        if progress.job is not None and not polled:
            st.rerun()  # the page once more, so that it asks again and again
        with st.container():  # what is drawn below keeps its place, and so its focus, when this goes
            if progress.job is not None:
                show.progress(progress.job, progress_text)
            show.ended(progress)
        draw(progress.results)
    except ExplainError as error:
        show.problem(str(error))

"""A whole data set explained: begin a run, follow it, and look at its figures, rows and words."""

import contextlib
import datetime
from collections.abc import Mapping

import streamlit as st

from explain.report import kept_runs
from explain.report.kept_runs import KeptRun, RunElsewhere
from explain.run import background
from explain.run.run_table import RunTable
from pages.data_set import new, runs
from pages.data_set.filters import FILTERS, restore
from pages.data_set.library import library_menu
from pages.data_set.map import rows_map
from pages.data_set.overview import overview
from pages.data_set.rows import rows
from pages.data_set.words import words
from pages.shared import forms, links, screen, session, show, stored
from pages.shared.work import in_words

POLL_SECONDS = 1.5
GROWN = 1.1  # the page is drawn anew where there are so many times more rows
PAGE, NEW = "data_set", "a new one"
VIEWS = {"overview": "Overview", "rows": "Rows", "words": "Words", "map": "Map"}
PARAMETERS = {"run_of_data", "data_view", stored.PARAMETER, "model", *FILTERS, *forms.parameters_of_methods()}


def come_back() -> None:
    """Go to where the visitor was on this page before another one; called before the page is drawn.

    The browser's "back" and the link in the navigation lead to an address without this page's parameters.
    """
    memory = st.session_state
    asks = {"run_of_data", stored.PARAMETER}.intersection(st.query_params) or stored.NEXT_RUN in memory
    if memory.get("page") != PAGE and not asks and memory.get("data_address"):
        links.go_to(memory.data_address)


def page() -> None:
    """Draw the page."""
    try:
        _draw()
    finally:
        st.session_state.data_address = {key: words for key, words in st.session_state.link_values.items() if words}


def _draw() -> None:
    known = runs.visible()
    name = _choice(known)
    if name is None:
        new.form()
        session.remember()
    else:
        _follow(known[name])


def _choice(known: Mapping[str, KeptRun]) -> str | None:
    """Draw the choice of a run and return its name; None for a new one."""
    memory = st.session_state
    if stored.NEXT_RUN in memory:  # a button can't set a widget that is drawn above it
        memory.run_of_data = memory.pop(stored.NEXT_RUN)
    restore("run_of_data")
    if memory.get("run_of_data") not in (None, NEW, *known):
        del memory.run_of_data
    if not known:
        return None
    with st.container(key="data_head", horizontal=True, vertical_alignment="bottom"):
        name = links.selectbox("Run", [NEW, *known], key="run_of_data", ids={NEW: "new"}, width=360)
        if name != NEW:
            _menu(known[name])
    return None if name == NEW else name


def _follow(run: KeptRun) -> None:
    """Draw a run: its state, and what its rows say."""
    working = run.status.state == background.ACTIVE
    table = runs.table(run) if run.has_rows else None
    count = 0 if table is None else table.count()
    st.fragment(_state, run_every=POLL_SECONDS if working else None)(run, run.status.state, count)
    if table is None or not count:
        return
    _apply_clicks()
    restore("data_view")
    view = links.segmented_control(
        "View", list(VIEWS), default="overview", key="data_view", format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )  # fmt: skip
    {"overview": overview, "rows": rows, "words": words, "map": rows_map}[view](run, table)


def _apply_clicks() -> None:
    """Set the widgets that a click on a figure or a word concerns, before they are drawn."""
    for key, state in st.session_state.pop("data_clicked", {}).items():
        st.session_state[key] = state


def _state(run: KeptRun, before: str, drawn: int) -> None:
    """Draw the state of a run, and run the page again when it changes."""
    run = runs.look_again(run)
    if run.status.state != before:
        session.rerun()
    table = runs.table(run) if run.has_rows else None
    count = 0 if table is None else table.count()
    if count > drawn * GROWN:
        session.rerun()
    st.markdown(f":{show.BADGES[run.status.state]} {_about(run, table, count)}")
    if run.status.state == background.ACTIVE:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(run.status.fraction, text=_doing(run))
            st.button("Stop", key="stop_run", on_click=background.cancel, args=(run.folder,))
        st.caption("The run goes on when you close this page or the app.")
    elif isinstance(run, RunElsewhere):
        if run.status.can_go_on:
            show.advice("Not all rows are there. The command that began this run goes on with it by --resume.")
    elif run.status.can_go_on:
        show.advice(f"{run.status.message} It continues where it stopped.".strip())


def _about(run: KeptRun, table: RunTable | None, count: int) -> str:
    """Return what a run is, in a line."""
    request = run.request
    methods = ", ".join(str(method["name"]).replace("_", " ") for method in request.get("methods", ()))
    parts = [f"**{show.plain(str(request.get('model')))}** on {show.plain(str(request.get('data')))}"]
    if table is not None:
        whole = table.run.manifest["data"]["rows"]
        parts.append(f"{count:,} rows" if count >= whole else f"{count:,} of {whole:,} rows")
    parts.append(methods or "predictions only")
    begun = str(request.get("created", ""))
    with contextlib.suppress(ValueError):
        parts.append(f"{datetime.datetime.fromisoformat(begun):%-d %B %Y, %H:%M} UTC")
    return " · ".join(parts)


def _doing(run: KeptRun) -> str:
    """Return the current activity with the time left, and what the whole run takes."""
    details = run.status.details
    text = run.status.doing or "Finishing"
    left, cost = details.get("seconds_left"), details.get("cost")
    if left:
        text += f" … about {in_words(left)} left"
    elif cost:
        text += f" … about {in_words(cost['seconds'])}"
    if cost:
        text += f". By the first {cost['tried']} rows: {cost['passes']:,} passes, {cost['bytes'] / 1e6:,.1f} MB in all"
    return text


def _menu(run: KeptRun) -> None:
    """Draw what can be done with a run that is not at work: continue or delete it."""
    if run.status.state == background.ACTIVE:
        return
    if isinstance(run, RunElsewhere):
        library_menu(run)
        return
    if not runs.is_open_to_visitor(run.name, run.name):  # opened by a link that the library made
        return
    if run.status.can_go_on and st.button("Continue", type="primary", key="continue_run"):
        kept_runs.start(run.folder)
        session.rerun()
    library_menu(run)
    with st.popover("Delete"):
        st.markdown(f"This deletes {show.plain(run.name)} with its rows from this machine.")
        if st.button("Delete it", key="delete_data_run"):
            kept_runs.delete(run.folder)
            st.session_state.next_data_run = NEW
            st.rerun()


come_back()
screen.draw(PAGE, "Data set", page, PARAMETERS)

"""The menu of the library: a run is kept under a name, with notes, for some days or for ever."""

import streamlit as st

from explain.core.errors import ExplainError
from explain.library.entry import LONGEST_NAME, RUN, LibraryEntry
from explain.library.saving import LISTED
from explain.report.kept_runs import KeptRun
from explain.run import background
from pages.shared import entry, library, show


def library_menu(run: KeptRun) -> None:
    """Draw the menu; nothing where the visitor may not keep things, or the run is at work."""
    working = run.status.state == background.ACTIVE
    if working or not run.has_rows or library.saving_here() != LISTED:
        return
    menu = st.popover("Library", key="run_library", on_change="rerun")
    if menu.open:
        with menu:
            library.draw_failure()
            try:
                _menu(run)
            except ExplainError as problem:
                show.problem(str(problem))
            library.to_library("run_to_library")


def _menu(run: KeptRun) -> None:
    place = str(run.path.resolve())
    entries = library.library().listed(kind=RUN, most=10_000)
    kept = next((known for known in entries if known.place == place), None)
    if kept is None:
        _keep(run)
    else:
        _entry(kept)


def _keep(run: KeptRun) -> None:
    st.markdown("Keep this run under a name, and find it again in the library.")
    with st.form("library_form", border=False):
        st.text_input("Name", value=run.name, key="library_name", max_chars=LONGEST_NAME)
        library.days_input("library_days")
        st.form_submit_button("Keep", type="primary", on_click=_keep_now, args=(run,))


def _keep_now(run: KeptRun) -> None:
    memory = st.session_state
    with library.failures():
        library.library().keep_run(run.path, name=memory.library_name or "", days=memory.get("library_days"))


def _entry(kept: LibraryEntry) -> None:
    st.markdown(f"Kept as **{show.plain(library.short(kept))}**{library.until(kept.expires)}.")
    entry.notes(kept)
    entry.name_form(kept)

"""The menu of the library: a run is kept under a name, with notes, for some days or for ever."""

import datetime
from pathlib import Path

import streamlit as st

from explain.core.installation import index_address, library_folder
from explain.library.entry import RUN, LibraryEntry
from explain.library.library import Library
from explain.library.saving import LISTED, saving
from explain.report.kept_runs import KeptRun
from explain.run import background
from pages.shared import session, show

MOST_DAYS = 3_650


def library_menu(run: KeptRun) -> None:
    """Draw the menu; nothing where the visitor may not keep things, or the run is at work."""
    working = run.status.state == background.ACTIVE
    if working or not run.has_rows or saving(visitor_is_here=session.visitor_is_here()) != LISTED:
        return
    folder = library_folder()
    if folder is None:  # EXPLAIN_LIBRARY or EXPLAIN_HISTORY says that nothing is kept
        return
    menu = st.popover("Library", key="run_library", on_change="rerun")
    if menu.open:
        with menu:
            library = _library(folder, index_address())
            place = str(run.path.resolve())
            kept = next((entry for entry in library.listed(kind=RUN, most=10_000) if entry.place == place), None)
            if kept is None:
                _keep(library, run)
            else:
                _entry(library, kept)


@st.cache_resource
def _library(folder: Path, address: str) -> Library:
    return Library(folder, address=address)


def _keep(library: Library, run: KeptRun) -> None:
    st.markdown("Keep this run under a name, and find it again: `explain library search WORDS`.")
    name = st.text_input("Name", value=run.name, key="library_name", max_chars=200)
    days = st.number_input(
        "Days until it is deleted, with its rows", 1, MOST_DAYS, value=None, placeholder="never", key="library_days"
    )
    if st.button("Keep", type="primary", key="library_keep"):
        library.keep_run(run.path, name=name, days=days)
        st.rerun()


def _entry(library: Library, kept: LibraryEntry) -> None:
    end = ""
    if kept.expires is not None:
        end = f", until {datetime.datetime.fromtimestamp(kept.expires, datetime.UTC):%-d %B %Y}"
    st.markdown(f"Kept as **{show.plain(kept.title)}**{end}.")
    for note in kept.notes:
        when = datetime.datetime.fromtimestamp(note.time, datetime.UTC)
        author = f"{show.plain(note.author)}, " if note.author else ""
        st.markdown(f"{show.plain(note.text)}")
        st.caption(f"{author}{when:%-d %B %Y, %H:%M} UTC")
    with st.form("library_form", border=False, clear_on_submit=True):
        text = st.text_area("Note", key="library_note", height=80, max_chars=5_000)
        if st.form_submit_button("Add the note") and text.strip():
            library.annotate(kept.id, text)
            st.rerun()
    with st.form("library_rename", border=False):
        name = st.text_input("Name", value=kept.name, key="library_new_name", max_chars=200)
        if st.form_submit_button("Rename"):
            library.rename(kept.id, name, revision=kept.revision)
            st.rerun()

"""The library on pages: who may keep what, and the menu that keeps the explanation of a page, or saves it by link."""

import contextlib
import datetime
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from explain.core.errors import Busy, ExplainError
from explain.core.installation import index_address, library_folder
from explain.library.entry import LONGEST_NAME, LONGEST_NOTE, LibraryEntry
from explain.library.library import Library
from explain.library.saving import LISTED, OFF, SavedByLink, save_by_link, saving, saving_days
from explain.models.base import TextModel
from explain.report.record import report_of
from explain.run.results import Results
from explain.views.base import visible
from pages.shared import hero, links, session, show

PAGE = "library"  # lists what is kept
DELETES = "delete"  # the parameter of a link that deletes
OPENS = "saved"  # the parameter of a link that opens
MOST_SAVES = 20  # of one visit, by link
MOST_DAYS = 3_650
MOST_AT_ONCE = 20  # entries of a page of the list
_KEPT = "library_kept"  # in the session: what was kept last, and its entry
_SAVED = "library_saved"  # what was saved by link last, and its links
_SAVES = "library_saves"  # how often this visit has saved by link
_FAILURE = "library_failure"  # why the last click did nothing
_DAY = 86_400  # seconds


def saving_here() -> str:
    """Return how the visitor may save: "listed", "by_link" or "off".

    Raises:
        DataError: a variable of the environment names no possible folder.
    """
    return OFF if library_folder() is None else saving(visitor_is_here=session.visitor_is_here())


def library() -> Library:
    """Return the library of this server; see `Library` for errors."""
    folder = library_folder()
    assert folder is not None, "the caller has looked whether things are kept"
    return _library(folder, index_address())


@st.cache_resource
def _library(folder: Path, address: str) -> Library:
    return Library(folder, address=address)


def keep_menu(results: Results, model: TextModel) -> None:
    """Draw the part of a menu that keeps the explanation of the page; nothing where nothing may be kept."""
    try:
        how = saving_here()
    except ExplainError:  # the history says what is wrong with the folder
        return
    if how == OFF:
        return
    results = hero.without_edits(results)
    part = st.expander(
        "Keep in the library" if how == LISTED else "Save by link", key="library_part", on_change="rerun"
    )
    if part.open:
        with part:
            draw_failure()
            (_keep if how == LISTED else _save)(results, model)


def _keep(results: Results, model: TextModel) -> None:
    about, entry = st.session_state.get(_KEPT, (None, None))
    if about == _about(results, model):
        st.markdown(f"Kept as **{show.plain(short(entry))}**{until(entry.expires)}.")
        to_library("kept_to_library")
        return
    with st.form("keep_form", border=False):
        st.text_input("Name", key="keep_name", max_chars=LONGEST_NAME, placeholder="the beginning of the text")
        st.text_area("Note", key="keep_note", max_chars=LONGEST_NOTE, height=80)
        days_input("keep_days")
        st.form_submit_button("Keep", type="primary", on_click=_keep_now, args=(results, model))


def _keep_now(results: Results, model: TextModel) -> None:
    memory = st.session_state
    with failures():
        entry = library().keep_explanation(
            report_of(results, model), name=memory.keep_name or "", days=memory.get("keep_days")
        )
        memory[_KEPT] = (_about(results, model), entry)
        if (memory.keep_note or "").strip():
            library().annotate(entry.id, memory.keep_note)


def _save(results: Results, model: TextModel) -> None:
    memory = st.session_state
    about, saved = memory.get(_SAVED, (None, None))
    if about == _about(results, model):
        show.addresses(
            ("This link opens it", "/", {OPENS: saved.opens}),
            ("This link deletes it", f"/{PAGE}", {DELETES: saved.deletes}),
            key="saved_links",
        )
        st.caption(f"Copy both now: they can't be shown again. It ends on {day(saved.expires)}.")
        return
    st.markdown(
        f"The server keeps this explanation, text included, for {saving_days()} days. It is listed nowhere: whoever "
        "has its first link opens it, and whoever has its second link deletes it."
    )
    st.button("Save", key="save_by_link", type="primary", on_click=_save_now, args=(results, model))


def _save_now(results: Results, model: TextModel) -> None:
    memory = st.session_state
    with failures():
        if memory.get(_SAVES, 0) >= MOST_SAVES:
            raise Busy(f"A visitor may save {MOST_SAVES} explanations here. Download this one as a file.")
        saved: SavedByLink = save_by_link(library(), report_of(results, model))
        memory[_SAVES] = memory.get(_SAVES, 0) + 1
        memory[_SAVED] = (_about(results, model), saved)


def _about(results: Results, model: TextModel) -> Any:
    return model.record, results.plan


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Hold the block of a click, whose error the next drawing shows."""
    st.session_state.pop(_FAILURE, None)
    try:
        yield
    except ExplainError as problem:
        st.session_state[_FAILURE] = str(problem)


def draw_failure() -> None:
    """Draw why the last click did nothing, once."""
    if failure := st.session_state.pop(_FAILURE, ""):
        show.problem(failure)


def to_library(key: str, label: str = "Open the library") -> None:
    """Draw a button that leads to the page of the library."""
    if st.button(label, key=key, type="tertiary"):
        links.turn_to(PAGE)


def link_of_menu() -> None:
    """Draw the way to the library below the history, where things are kept."""
    with contextlib.suppress(ExplainError):  # the history says what is wrong with the folder
        if saving_here() == LISTED:
            to_library("history_to_library", "Library: what you named and keep")


def days_input(key: str, expires: float | None = None) -> None:
    """Draw the number of days that something is kept, empty for ever; it starts with what is left of them."""
    left = None if expires is None else min(MOST_DAYS, max(1, _days(expires)))
    st.number_input(
        "Days until it is deleted", 1, MOST_DAYS, value=left, placeholder="never", key=key, help="Empty: never."
    )


def day(seconds: float) -> str:
    """Return the day of a time in seconds since 1970, in UTC."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%-d %B %Y}"


def until(expires: float | None) -> str:
    """Return when something ends as the end of a sentence; empty for never."""
    return "" if expires is None else f", until {day(expires)}"


def days_left(expires: float | None) -> str:
    """Return how long something is kept yet; empty for ever."""
    if expires is None:
        return ""
    left = _days(expires)
    return "ends within a day" if left <= 1 else f"{left:,} days left"


def _days(expires: float) -> int:
    return math.ceil((expires - time.time()) / _DAY)


def short(entry: LibraryEntry, longest: int = 90) -> str:
    """Return the title of an entry as a line of limited length, with what would reverse the line made visible."""
    return shortened(entry.title, longest) or entry.id[:8]


def shortened(text: str, longest: int) -> str:
    """Return the beginning of a text as a line."""
    line = visible(" ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest else f"{line[:longest]}…"

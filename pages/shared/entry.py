"""An entry of the library and its controls: name, notes, days, a link, a file, deletion."""

import datetime

import streamlit as st

from explain.library.entry import LONGEST_NAME, LONGEST_NOTE, RUN, LibraryEntry
from explain.views.base import visible
from pages.shared import library, session, show
from pages.shared.library import OPENS, failures

LARGEST_FILE = 200_000_000  # bytes of a run that a browser is handed, which lie in memory meanwhile
_LINK = "library_link"  # in the session: an entry, and the random part of a link that was just made
_LEFT = "library_left"  # in the session: what was deleted, and what stays of it


def name_form(entry: LibraryEntry) -> None:
    """Draw the name of an entry and let it be changed, unless somebody else has changed the entry meanwhile."""
    key = f"entry_name_{entry.id}_{entry.revision}"
    with st.form(f"entry_rename_{entry.id}", border=False), _line():
        st.text_input("Name", value=entry.name, key=key, max_chars=LONGEST_NAME, placeholder="none")
        st.form_submit_button("Rename", on_click=_rename, args=(entry.id, entry.revision, key))


def _rename(id: str, revision: int, key: str) -> None:
    with failures():
        library.library().rename(id, st.session_state[key] or "", revision=revision)


def notes(entry: LibraryEntry) -> None:
    """Draw the notes of an entry, the oldest first, and let some be added or removed."""
    for note in entry.notes:
        when = datetime.datetime.fromtimestamp(note.time, datetime.UTC)
        author = f"{show.plain(visible(note.author))}, " if note.author else ""
        st.markdown(show.plain(visible(note.text)))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{author}{when:%-d %B %Y, %H:%M} UTC", width="content")
            st.button("Remove", key=f"note_{note.id}", type="tertiary", on_click=_remove_note, args=(entry.id, note.id))
    key = f"entry_note_{entry.id}"
    with st.form(f"entry_notes_{entry.id}", border=False, clear_on_submit=True):
        st.text_area("Note", key=key, height=80, max_chars=LONGEST_NOTE)
        st.form_submit_button("Add the note", on_click=_annotate, args=(entry.id, key))


def _annotate(id: str, key: str) -> None:
    with failures():
        library.library().annotate(id, st.session_state[key] or "")


def _remove_note(id: str, note: str) -> None:
    with failures():
        library.library().remove_note(id, note)


def days_form(entry: LibraryEntry) -> None:
    """Draw how long an entry is kept, and let it be changed."""
    key = f"entry_days_{entry.id}_{entry.revision}"
    with st.form(f"entry_keep_{entry.id}", border=False), _line():
        library.days_input(key, entry.expires)
        st.form_submit_button("Set", on_click=_keep_for, args=(entry.id, key))


def _keep_for(id: str, key: str) -> None:
    with failures():
        library.library().keep_for(id, st.session_state[key])


def link(entry: LibraryEntry) -> None:
    """Draw the link that was just made to an entry, and how many there are."""
    id, secret = st.session_state.get(_LINK, ("", ""))
    if id == entry.id:
        path = "/data" if entry.kind == RUN else "/"
        show.addresses(("Link", path, {OPENS: secret}), key=f"link_{entry.id}")
        where = " It works on this machine." if session.visitor_is_here() else ""
        st.caption(f"Copy it now: it can't be shown again.{where}")
    if entry.links:
        with st.container(horizontal=True, vertical_alignment="center"):
            count = "1 link opens" if entry.links == 1 else f"{entry.links:,} links open"
            st.markdown(f"{count} this entry.", width="content")
            st.button("End all links", key=f"unshare_{entry.id}", type="tertiary", on_click=_unshare, args=(entry.id,))


def link_button(entry: LibraryEntry) -> None:
    """Draw a button that makes a link to an entry."""
    st.button("Make a link", key=f"share_{entry.id}", on_click=_share, args=(entry.id,))


def _share(id: str) -> None:
    with failures():
        st.session_state[_LINK] = (id, library.library().share(id))


def _unshare(id: str) -> None:
    st.session_state.pop(_LINK, None)
    with failures():
        library.library().unshare(id)


def file_button(entry: LibraryEntry) -> None:
    """Draw a button that saves an entry as a ZIP file, where it is not too large for a browser."""
    if entry.bytes > LARGEST_FILE:
        st.caption(f"Too large to download; `explain library export {entry.id[:8]} --out FILE` writes it.")
        return
    stem = "".join(letter for letter in entry.title[:40] if letter.isalnum() or letter in " -_").strip() or entry.id[:8]
    st.download_button(
        "Download",
        lambda: library.library().archive(entry.id),
        f"{stem}.zip",
        "application/zip",
        key=f"file_{entry.id}",
        on_click="ignore",
        help="A ZIP file with name and notes, as `explain library export` writes it.",
    )


def delete_button(entry: LibraryEntry) -> None:
    """Draw a button that deletes an entry, once it is pressed again."""
    with st.popover("Delete"):
        what = f"the run with its {entry.rows:,} rows" if entry.kind == RUN else "the explanation"
        st.markdown(f"This deletes {what}, notes and links from this machine. It can't be undone.")
        st.button("Delete it", key=f"delete_{entry.id}", on_click=_delete, args=(entry,))


def _delete(entry: LibraryEntry) -> None:
    with failures():
        left = library.library().delete(entry.id)
        stays = f" Other files stay in {entry.place}: {', '.join(left[:10])}." if left else ""
        st.session_state[_LEFT] = f"Deleted: {library.short(entry)}.{visible(stays)}"


def draw_deletion() -> None:
    """Draw what was deleted by the last click, once."""
    if sentence := st.session_state.pop(_LEFT, ""):
        st.success(show.plain(sentence))


def _line() -> st.delta_generator.DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom")

"""The library: runs and explanations that are kept on this machine; and what a link deletes that was saved by link."""

from pathlib import Path

import streamlit as st

from explain.core.errors import ExplainError
from explain.library.database import DamagedIndex
from explain.library.entry import EXPLANATION, RUN, LibraryEntry
from explain.library.library import Library, Rebuilt
from explain.library.saving import BY_LINK, LISTED, OFF
from explain.report.record import from_json
from explain.views.base import visible
from pages.shared import entry, library, links, screen, session, show, stored
from pages.shared.library import DELETES, PAGE

KINDS = {"all": None, "explanations": EXPLANATION, "runs": RUN}
PARAMETERS = {"find", "kept_kind", "kept_page", stored.PARAMETER, DELETES}
_OPEN = "library_entry"  # in the session: the entry whose details are drawn
_REBUILT = "library_rebuilt"  # in the session: what the last rebuild of the index says
_DELETED = "library_deleted"  # in the session: the random part of the last link that deleted


def page() -> None:
    """Draw the page."""
    secret = st.query_params.get(DELETES)
    how = library.saving_here()
    if secret is not None:
        deletion(secret, how)
    elif how == LISTED:
        own_library()
    else:
        elsewhere(how)
    session.remember()


def elsewhere(how: str) -> None:
    """Draw why nothing is listed here."""
    if session.visitor_is_here():
        show.advice("Nothing is kept on this machine: EXPLAIN_HISTORY or EXPLAIN_LIBRARY is off.")
    elif how == BY_LINK:
        show.advice(
            "What is saved on this server is listed nowhere; its links open it. To save an explanation, open Export on "
            "the page Words, and then Save by link."
        )
    else:
        show.advice("Saving is off on this server. Export on the page Words saves an explanation as a file.")


def deletion(secret: str, how: str) -> None:
    """Draw what a link deletes, with the button that does it; opening the link alone deletes nothing."""
    if st.session_state.get(_DELETED) == secret:
        st.success("It is deleted, and its link opens nothing any more.")
        return
    library.draw_failure()
    kept = None if how == OFF else library.library().deleted_by_link(secret)
    if how == OFF:
        show.problem("Saving is off on this server, so this link deletes nothing.")
    elif kept is None:
        show.problem("This link deletes nothing. Part of it may be missing, or what it led to is gone already.")
    else:
        st.markdown("This link deletes an explanation that was saved here:")
        with st.container(border=True):
            st.markdown(show.plain(library.shortened(kept.snippet, 200)))
            st.caption(
                f"{show.plain(visible(kept.model))} · saved on {library.day(kept.created)}{library.until(kept.expires)}"
            )
        st.button("Delete it", key="delete_by_link", type="primary", on_click=_delete_by_link, args=(secret,))


def _delete_by_link(secret: str) -> None:
    with library.failures():
        library.library().delete_by_link(secret)
        st.session_state[_DELETED] = secret


def own_library() -> None:
    """Draw the entries of this machine, or where the index is damaged a button that makes it again."""
    library.draw_failure()
    entry.draw_deletion()
    _draw_rebuilt()
    try:
        kept = library.library()
        if not kept.count():
            kept.clean_up()
            nothing_yet()
        else:
            entries(kept)
    except DamagedIndex as problem:
        show.problem(str(problem))
        st.button("Make the index again", key="rebuild", type="primary", on_click=_rebuild)


def nothing_yet() -> None:
    """Draw how something comes into the library."""
    show.advice(
        "Nothing is kept yet. An explanation: on Words, open Export, then Keep in the library. A run: on Data set, "
        "open Library beside its name."
    )
    _about_index()


def entries(kept: Library) -> None:
    """Draw the list, by kind and words, page by page."""
    with st.container(key="library_head", horizontal=True, vertical_alignment="bottom"):
        words = links.text_input(
            "Find", key="find", max_chars=200, width=320, help="Words in names, notes, models, data sets and texts."
        )
        kind = KINDS[links.segmented_control("Kind", list(KINDS), default="all", key="kept_kind")]
        count = kept.count(words, kind=kind)
        pages = max(1, -(-count // library.MOST_AT_ONCE))
        if st.session_state.get("kept_page", 1) > pages:
            st.session_state.kept_page = pages
        number = 1
        if pages > 1:
            number = int(
                links.number_input(f"Page of {pages:,}", 1, pages, value=1, step=1, key="kept_page", width=130)
            )
    if not count:
        show.advice("Nothing has these words." if words.strip() else "Nothing of this kind is kept.")
    for each in kept.listed(words, kind=kind, most=library.MOST_AT_ONCE, first=library.MOST_AT_ONCE * (number - 1)):
        row(each)
    _about_index()


def row(kept: LibraryEntry) -> None:
    """Draw an entry, with its details where it is opened."""
    is_open = st.session_state.get(_OPEN) == kept.id
    with st.container(key=f"of_library_{kept.id}", gap="xxsmall"):
        st.button(
            f"**{show.plain(library.short(kept))}**",
            key=f"row_{kept.id}",
            type="tertiary",
            icon=":material/expand_less:" if is_open else ":material/expand_more:",
            on_click=_toggle,
            args=(kept.id,),
        )
        with st.container(key=f"about_{kept.id}", gap="xxsmall"):
            if kept.name and kept.snippet:
                st.markdown(show.plain(library.shortened(kept.snippet, 140)))
            st.caption(_about(kept))
            if is_open:
                details(kept)


def _about(kept: LibraryEntry) -> str:
    """Return what an entry is, in a line."""
    what = "Explanation"
    if kept.kind == RUN:
        what = f"Run · {kept.rows:,} rows of {show.plain(visible(kept.dataset))}"
    count = len(kept.notes)
    noted = "" if not count else "1 note" if count == 1 else f"{count:,} notes"
    kept_on = f"kept on {library.day(kept.created)}"
    parts = (what, show.plain(visible(kept.model)), kept_on, library.days_left(kept.expires), noted)
    return " · ".join(part for part in parts if part)


def _toggle(id: str) -> None:
    st.session_state[_OPEN] = None if st.session_state.get(_OPEN) == id else id


def details(kept: LibraryEntry) -> None:
    """Draw what can be done with an entry, and what is wrong with its files."""
    damage = _damage(kept)
    if damage:
        show.problem(damage)
    with st.container(horizontal=True):
        if not damage:
            where = "Data set" if kept.kind == RUN else "Words"
            label = f"Open on {where}"
            st.button(label, key=f"open_{kept.id}", type="primary", on_click=stored.open_entry, args=(kept.id,))
            entry.link_button(kept)
            entry.file_button(kept)
        entry.delete_button(kept)
    entry.link(kept)
    left, right = st.columns(2, gap="medium")
    with left:
        entry.name_form(kept)
        entry.days_form(kept)
    with right:
        entry.notes(kept)
    size = f"{kept.bytes / 1e6:,.1f} MB" if kept.bytes >= 1e5 else f"{kept.bytes / 1e3:,.0f} kB"
    st.caption(f"{size} in {show.plain(visible(kept.place))}")


def _damage(kept: LibraryEntry) -> str:
    """Return what is wrong with the files of an entry; empty where nothing is."""
    try:
        if kept.kind == RUN:
            stored.run_at(Path(kept.place))
        else:
            from_json(library.library().record(kept.id))
    except ExplainError as problem:
        return f"Its files are damaged or gone, so it can't be opened. {problem}"
    return ""


def _about_index() -> None:
    """Draw where the library is, and a button that makes its index again."""
    with st.container(horizontal=True, vertical_alignment="center", key="library_index"):
        st.caption(f"Kept on this machine, in {show.plain(visible(str(library.library().folder)))}.", width="content")
        st.button(
            "Make the index again",
            key="rebuild",
            type="tertiary",
            on_click=_rebuild,
            help="From the folders. It helps where something that was kept is not listed.",
        )


def _rebuild() -> None:
    with library.failures():
        _, st.session_state[_REBUILT] = Library.remade()


def _draw_rebuilt() -> None:
    rebuilt: Rebuilt | None = st.session_state.pop(_REBUILT, None)
    if rebuilt is None:
        return
    st.success(f"The index holds {rebuilt.entries:,} {'entry' if rebuilt.entries == 1 else 'entries'} of the folders.")
    for names, what in ((rebuilt.unreadable, "Can't be read"), (rebuilt.missing, "In the index, but not here")):
        if names:
            st.warning(f"{what}: {show.plain(visible(', '.join(names[:10])))}{', …' if len(names) > 10 else ''}.")


screen.draw(PAGE, "Library", page, PARAMETERS)

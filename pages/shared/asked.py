"""What a visitor asked for about a text by a button: tests of methods, counterfactuals. Another text forgets it."""

from collections.abc import Collection

import streamlit as st

from pages.shared.selection import Selection
from pages.shared.work import CLICKED

_ASKED = "asked_for"  # in the session: what it is about, and the names of what was asked for
_NEXT = "asked_on_opening"  # in the session: names that the next text asks for


def asked_for(selection: Selection) -> Collection[str]:
    """Return what was asked for about the texts, the model and the target of a page."""
    memory = st.session_state
    about = (selection.model.record, selection.text, selection.pair, tuple(sorted(selection.target_options.items())))
    if memory.get(_ASKED, (None,))[0] != about:
        memory[_ASKED] = (about, memory.pop(_NEXT, frozenset()))
    return frozenset(memory[_ASKED][1])


def ask_on_opening(names: frozenset[str]) -> None:
    """Ask for something about the explanation that is opened next, by its names; an earlier request is forgotten."""
    st.session_state[_NEXT] = names
    st.session_state.pop(_ASKED, None)


def button(label: str, *names: str, help: str, key: str = "") -> None:
    """Draw a button that asks for something by its names; the next run of the page computes it."""
    st.button(label, key=f"ask_{key or names[0]}", on_click=_ask, args=names, type="tertiary", help=help)


def _ask(*asked: str) -> None:
    memory = st.session_state
    about, names = memory[_ASKED]
    memory[_ASKED] = (about, names.union(asked))
    memory[CLICKED] = True  # the whole page, as after any other click

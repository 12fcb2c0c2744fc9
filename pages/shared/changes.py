"""The changes of a visitor's text: made, taken back, made again; and the text before the last one."""

import streamlit as st

MOST = 100  # changes that can be taken back

Texts = tuple[str, str]  # the text, and the second one or ""


def texts() -> Texts:
    """Return the texts of the page."""
    memory = st.session_state
    return memory.get("text") or "", memory.get("pair") or ""


def change(changed: Texts, *, goes_on: bool = False) -> None:
    """Put changed texts in the place of those of the page.

    Args:
        goes_on: the visitor has been typing since the last change, and is not done.
    """
    memory = st.session_state
    before = texts()
    if changed == before:
        return
    memory.changes, memory.undone = [*memory.get("changes", ()), before][-MOST:], []
    earlier = former() if goes_on else None
    _show(changed, before if earlier is None else earlier)


def undo() -> None:
    """Take back the last change."""
    memory = st.session_state
    if memory.get("changes"):
        before = texts()
        *memory.changes, reached = memory.changes
        memory.undone = [*memory.get("undone", ()), before]
        _show(reached, before)


def redo() -> None:
    """Make the change again that was taken back last."""
    memory = st.session_state
    if can_redo():
        before = texts()
        *memory.undone, reached = memory.undone
        memory.changes = [*memory.get("changes", ()), before][-MOST:]
        _show(reached, before)


def can_redo() -> bool:
    """Return whether there is a change to make again: one was taken back, and the text was not changed since."""
    memory = st.session_state
    return bool(memory.get("undone")) and memory.get("reached") == texts()


def former() -> Texts | None:
    """Return the texts before the last change; None where they were dismissed, or the page has other texts since."""
    memory = st.session_state
    before: Texts | None = memory.get("former")
    return before if memory.get("reached") == texts() and before != texts() else None


def dismiss() -> None:
    """Forget the texts before the last change."""
    st.session_state.former = None


def _show(changed: Texts, before: Texts) -> None:
    memory = st.session_state
    memory.text, memory.pair = memory.reached = changed
    memory.former = before
    memory.token = None  # it was a word of another text


def buttons() -> None:
    """Draw buttons that take back the last change of the text, and make it again, where there is one."""
    if st.session_state.get("changes"):
        st.button("Undo", key="undo", icon=":material/undo:", type="tertiary", on_click=undo)
    if can_redo():
        st.button("Redo", key="redo", icon=":material/redo:", type="tertiary", on_click=redo)

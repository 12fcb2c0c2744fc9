"""Example texts for the boxes of a page: which there are, and when one is put in or replaced."""

from collections.abc import Mapping

import streamlit as st

from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.tasks.base import TASKS
from pages.shared import links
from pages.shared.session import LONGEST_IN_LINK


def examples(loaded: TextModel | None) -> dict[str, tuple[str, ...]]:
    """Return example texts that suit a model: its own, or those of its task."""
    if loaded is None:  # it cannot be loaded; the page shows examples all the same
        return dict(TASKS["text_classification"].examples)
    entry = next((entry for entry in catalogue.list_models() if entry.name == loaded.name), None)
    first = entry is not None and loaded.task.name in entry.tasks[:1]  # the examples of a model are for its first task
    offered = (entry.examples if entry is not None and first else {}) or loaded.task.examples
    vocabulary = loaded.head.vocabulary
    mask = "[MASK]" if vocabulary is None else vocabulary.mask
    return {name: tuple(text.replace("[MASK]", mask) for text in texts) for name, texts in offered.items()}


def suit_texts(offered: Mapping[str, tuple[str, ...]]) -> None:
    """Put texts into the boxes before they are drawn.

    On the first run of a visit: the texts of the link, or the example that the link names, or the first example.
    Later: the texts of a link on another page. An unchanged example is replaced where the model now reads another kind
    of text; a text of the visitor's own stays.
    """
    memory, link = st.session_state, st.query_params
    first = next(iter(offered.values()))
    if "text" not in memory or link.get("text"):
        linked = {key: link.get(key, "") for key in ("text", "pair")}
        name = links.linked("example", list(offered))
        text, *second = first if name is None else offered[name]
        if linked["text"]:
            if "example" in link:
                del link["example"]
            text, second = linked["text"][:LONGEST_IN_LINK], [linked["pair"][:LONGEST_IN_LINK]]
        memory.text, memory.pair = map(_as_a_box_holds, (text, next(iter(second), "")))
        memory.carried["pair"] = memory.pair  # the page it opens may have no box for it
        for key, linked_text in linked.items():
            if linked_text:
                del link[key]  # the address bar holds settings; text goes into a link only when asked for
            if len(linked_text) > LONGEST_IN_LINK:
                st.warning(
                    f"The link held a text of {len(linked_text):,} characters; "
                    f"the first {LONGEST_IN_LINK:,} were taken."
                )
    pairs: list[tuple[str, str]] = [(texts[0], "".join(texts[1:])) for texts in offered.values()]
    shown = (memory.text, memory.get("pair") or "")
    if shown not in pairs and shown == memory.get("untouched"):
        shown = memory.text, memory.pair = pairs[0]
    memory.untouched = shown if shown in pairs else None


def _as_a_box_holds(text: str) -> str:
    """Return a text with the line breaks that a browser keeps in a box; others would look like an edit."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def put(example: tuple[str, ...]) -> None:
    """Put an example into the boxes."""
    text, *second = example
    st.session_state.text, st.session_state.pair = text, next(iter(second), "")


def is_shown(example: tuple[str, ...], loaded: TextModel | None) -> bool:
    """Whether the boxes hold an example, as far as the model reads them."""
    memory = st.session_state
    shown = (memory.text, "" if loaded is None or loaded.pair == "never" else memory.get("pair") or "")
    return shown == (example[0], "".join(example[1:]))

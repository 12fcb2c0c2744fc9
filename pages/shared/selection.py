"""The texts, the model and the target that a page is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explain.models.base import TextModel
from pages.shared import examples, links, pickers, session, show, work

LONG_TEXT = 1000  # characters; a box of that many is as high as a third of a screen


@dataclass(frozen=True)
class Selection:
    """The texts, the model and the target that a page is about.

    Attributes:
        model: reads `text` and, where there is one, `pair`.
        target_options: label, contrast, scale and position, as `Plan.for_text` takes them; None means the default.
        problem: why the model cannot read the texts; empty where it can.
    """

    model: TextModel
    text: str
    pair: str | None
    target_options: Mapping[str, Any]
    problem: str


@session.of_every_page()
def current_selection() -> Selection:
    """Draw the boxes of texts and the choice of model and target, and return what they hold; comes first on a page.

    The boxes depend on the model but stand above it, and are drawn even if loading the model fails.
    """
    boxes = st.container()
    model: TextModel | None = None
    try:
        with st.sidebar:
            model = session.model(*pickers.model_picker())
    except pickers.NothingChosen:
        pass
    finally:
        with boxes:
            text, pair = text_boxes(model)
    if model is None:
        st.stop()
    assert model is not None, "the run ended above"
    problem = work.text_problem(model, text, pair)
    with st.sidebar:
        target_options = {} if problem else pickers.target_picker(model, text, pair)
    session.remember()
    return Selection(model, text, pair, target_options, problem)


def text_boxes(model: TextModel | None) -> tuple[str, str | None]:
    """Draw a box for each text that a model reads, with examples above; return the texts, None for no second one."""
    example_pills(model)
    if model is None and "pair" in st.session_state:
        st.session_state.pair = st.session_state.pair  # without a box it would be lost until a model is there again
    names = model.texts if model else ("Text",)
    pair = model.pair if model else "never"
    text = _text_box(names[0] if pair == "always" else "Text to explain", "text")
    if pair == "never":
        second = ""
    elif pair == "always":
        second = _text_box(names[1], "pair")
    else:
        second = st.text_input(
            "Second text, read together with the first (optional)", key="pair", placeholder="Leave empty for one text."
        )
    st.button("Explain", type="primary")  # leaving a box sends the text; people look for a button all the same
    return text, second if second.strip() else None


def example_pills(model: TextModel | None) -> None:
    """Draw the examples of a model; a click puts one into the boxes."""
    offered = examples.examples(model)
    examples.suit_texts(offered)
    memory = st.session_state

    def use_example() -> None:
        if memory.get("example"):
            text, *second = offered[memory.example]
            memory.text, memory.pair = text, next(iter(second), "")

    if memory.get("example") not in (None, *offered):
        del memory.example
    elif memory.get("example") and not examples.is_shown(offered[memory.example], model):
        memory.example = None  # its text was changed; a link should not bring it back
    links.pills(
        "Examples",
        list(offered),
        key="example",
        ids={name: links.id_of(name) or name for name in offered},
        format_func=show.plain,  # names of examples may be labels of a trained model, so they are user text
        on_change=use_example,
        label_visibility="collapsed",
        wrap=True,
    )


def _text_box(label: str, key: str) -> str:
    return st.text_area(
        label,
        key=key,
        height="content" if len(st.session_state.get(key) or "") < LONG_TEXT else 200,  # results should be in sight
        max_chars=100_000,
        placeholder="Type or paste any text, then press Ctrl + Enter.",
        help="Ctrl + Enter explains it. The text stays on the machine that runs this app.",
    )

"""The texts, the model and the target that a page is about: menus in the top bar, and examples above the text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.run.plan import Plan
from pages.shared import changes, examples, hero, links, pickers, session, show, work

SECOND = "second_text"  # in the session: the box of a second text is open though it is empty


@dataclass(frozen=True)
class Selection:
    """The texts, the model and the target that a page is about.

    Attributes:
        model: reads `text` and, where there is one, `pair`.
        target_options: label, contrast, scale and position, as `Plan.for_text` takes them; None means the default.
        contrasts: the labels that the explained one may be contrasted with.
        problem: why the model cannot read the texts; empty where it can.
        settings: the menu of the top bar for a page's own settings.
        boxes: the name and the text of each box that can be edited.
        bar: the top bar, for further menus.
    """

    model: TextModel
    text: str
    pair: str | None
    target_options: Mapping[str, Any]
    contrasts: tuple[str, ...]
    problem: str
    settings: Any
    boxes: tuple[tuple[str, str], ...]
    bar: Any

    def plan(self, **analyses: Any) -> Plan:
        """Return a plan about the texts and the target; `analyses` are those of `Plan.for_text`."""
        return Plan.for_text(self.text, self.pair, **analyses, **self.target_options)

    def draw_problem(self) -> None:
        """Draw the texts, and what is wrong with them; where one is empty, with a button that puts an example in."""
        hero.draw_plain(self.boxes)
        with st.container(horizontal=True, vertical_alignment="center"):
            show.advice(self.problem)
            if not all(text.strip() for _, text in self.boxes):
                first = next(iter(examples.examples(self.model).values()))
                st.button("Use an example", key="use_example", on_click=examples.put, args=(first,))


def current_selection() -> Selection:
    """Draw the menus of model, target and settings and the examples, and return what is chosen; comes first on a page.

    Texts are edited in the head of the page, see `pages.shared.hero`. They can be edited even if no model is loaded.
    """
    with session.of_every_page():
        return _current_selection()


def _current_selection() -> Selection:
    bar = st.container(key="bar", horizontal=True)
    with bar:
        menu = show.menu(_model_name(), "model")
        settings = show.menu("Settings", "settings")
    shelf = st.container(key="examples", horizontal=True, vertical_alignment="center")
    model: TextModel | None = None
    try:
        with menu:
            model = session.model(*pickers.model_picker())
    except pickers.NothingChosen as nothing:
        show.advice(str(nothing))
    finally:
        with shelf:
            example_pills(model)
        if model is None:
            hero.draw_plain(boxes_of(None))
    if model is None:
        st.stop()
    assert model is not None, "the run ended above"
    boxes = boxes_of(model)
    text, pair = boxes[0][1], boxes[1][1] if len(boxes) > 1 and boxes[1][1].strip() else None
    problem = work.text_problem(model, text, pair)
    with shelf:
        second_text_button(model)
        changes.buttons()
    with menu:
        target_options, contrasts = ({}, ()) if problem else pickers.target_picker(model, text, pair)
    session.remember()
    return Selection(model, text, pair, target_options, contrasts, problem, settings, boxes, bar)


def _model_name() -> str:
    """Return the name of the model, as the button of its menu says it."""
    memory = st.session_state
    chosen = memory.get("model") or links.linked("model", [entry.name for entry in catalogue.explainable()])
    name = memory.get("place") or chosen if chosen == pickers.OTHER_MODEL else chosen
    return show.plain(str(name or catalogue.DEFAULT_MODEL).rsplit("/", 1)[-1][:24])


def boxes_of(model: TextModel | None) -> tuple[tuple[str, str], ...]:
    """Return the name and the text of each box that a model reads; an optional one only if it is open or filled."""
    memory = st.session_state
    names = model.texts if model else ("Text",)
    kind = model.pair if model else "never"
    text, pair = memory.get("text") or "", memory.get("pair") or ""
    if kind == "never":
        return (("Text to explain", text),)
    if kind == "always":
        return ((names[0], text), (names[1], pair))
    second = (("Second text", pair),) if pair.strip() or memory.get(SECOND) else ()
    return (("Text to explain", text), *second)


def second_text_button(model: TextModel) -> None:
    """Draw a button that opens the box of a second text, where a model can read two texts together."""

    def open_box() -> None:
        st.session_state[SECOND] = True

    if model.pair == "perhaps" and len(boxes_of(model)) < 2:
        st.button("+ second text", key="second", type="tertiary", on_click=open_box)


def example_pills(model: TextModel | None) -> None:
    """Draw the examples of a model; a click puts one into the boxes."""
    offered = examples.examples(model)
    examples.suit_texts(offered)
    memory = st.session_state

    def use_example() -> None:
        if memory.get("example"):
            examples.put(offered[memory.example])

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

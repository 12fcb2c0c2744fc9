"""What the page about the inside of a model asks: which word, layer and neurons, and what set of texts."""

from collections.abc import Sequence

import streamlit as st

from explain.core.errors import DataError, SettingError
from explain.core.guide import definition
from explain.data.texts import DifferentTexts, read_lines
from explain.datatypes import Neuron, Tokens
from explain.models.base import TextModel
from explain.models.neurons import read_neuron
from explain.numerics.neurons import NEURON_FIGURES
from explain.views.base import visible
from pages.shared import controls, show, state

MOST_SILENCED = 50  # neurons set to zero at once, a pass each


def word_picker(windows: Sequence[Tokens]) -> int | None:
    """A token of a word, chosen here or by a click; None: the whole text.

    Args:
        windows: the text as it may be read; of several, which one it will be is not known yet.
    """
    tokens = max(windows, key=len)
    controls.within(tokens, "token")
    help = "The number of any token of a word, from 0. A click on a word below chooses it too."
    token = controls.token_number("Token", tokens, "token", "whole text", help)
    if token is not None and len(windows) == 1:
        st.markdown(controls.code(visible(tokens.unit_text(tokens.word_around(token)))), width="content")
    return token


def word_at(tokens: Tokens, token: int | None) -> tuple[int, ...] | None:
    """The tokens of the word that a chosen one is part of; None: all."""
    return None if token is None or token >= len(tokens) else tokens.word_around(token)


def neuron_figure() -> tuple[str, int]:
    """What neurons are ranked by, and how many are listed."""
    figure = st.selectbox(
        "Ranked by",
        list(NEURON_FIGURES),
        index=list(NEURON_FIGURES).index("activation_x_gradient"),
        key="by",
        bind="query-params",
        format_func=lambda name: name.replace("_", " "),
        width=220,
    )
    return figure, st.slider("Listed", 5, 50, 12, key="listed", bind="query-params", width=180)


def layer_picker(model: TextModel) -> int | None:
    """One layer, or None: all."""
    return controls.numbered("Layer", controls.ALL, model.layers)


def neuron_picker(model: TextModel) -> Neuron | None:
    """One neuron, by its name or by a click; None: none chosen, or a name that says nothing."""
    name = st.text_input(
        "Neuron",
        key="neuron",
        bind="query-params",
        placeholder="the first listed",
        width=150,
        help=f"{definition('neuron')} A click on a bar chooses it.",
    )
    if not name.strip():
        return None
    try:
        neuron = read_neuron(name, model.layers, model.neurons)
        if neuron.number is None:
            raise SettingError(f"{name!r} is a whole layer; choose one of its neurons here.")
    except SettingError as error:
        show.problem(str(error))
        return None
    return neuron


def silenced(model: TextModel) -> tuple[tuple[Neuron, ...], list[str]]:
    """The neurons that are set to zero, and what is wrong with other names."""
    names = st.multiselect(
        "Set to zero",
        list(st.session_state.get("zero") or ()),
        key="zero",
        bind="query-params",
        accept_new_options=True,
        placeholder="type 2.107, or 2.all, and Enter",
        help="Type a neuron as LAYER.NUMBER, or a whole layer as LAYER.all. The effect on the target is measured.",
    )
    neurons, wrong = [], []
    for name in names:
        try:
            neurons.append(read_neuron(name, model.layers, model.neurons))
        except SettingError as error:
            wrong.append(str(error))
    if len(neurons) > MOST_SILENCED:
        wrong.append(f"At most {MOST_SILENCED} neurons are set to zero at once, a pass each; the rest is left out.")
    return tuple(dict.fromkeys(neurons[:MOST_SILENCED])), wrong


def set_of_texts() -> DifferentTexts | None:
    """A set of texts from a file or a box, one a line; None where nothing is given. It is kept for the visit."""
    session = st.session_state
    state.keep("set_of_texts")
    with st.expander("A set of texts, to see which of their words a neuron answers to"):
        file = controls.file_box("A file in UTF-8, one text a line", ["txt", "tsv", "csv", "text"], megabytes=8)
        pasted = st.text_area("Or paste them", key="set_of_texts", height=120, placeholder="One text a line")
        try:
            if file is not None:
                lines = read_lines(file.getvalue())
                session.set_before = (file.name, lines)
            elif pasted.strip():
                lines = read_lines(pasted)
            elif session.get("set_before"):
                name, lines = session.set_before
                controls.loaded_before(name, "set_before")
            else:
                return None
        except DataError as error:
            show.problem(str(error))
            return None
        count = len(lines.texts)
        more = f" The first {count:,} are read; {lines.left_out:,} are left out." if lines.left_out else ""
        st.caption(f"{count:,} texts, a pass each, once.{more} They stay on the machine that runs this app.")
        return lines

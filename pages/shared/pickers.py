"""Choosing a model, a target, a layer, a head, a token, a word or a neuron.

The key of a widget is its name in the address bar, so a link restores its value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explain.core.errors import SettingError
from explain.core.guide import definition
from explain.datatypes import Neuron, Tokens
from explain.methods.base import METHODS, AttentionMethod
from explain.models.base import CAPABILITIES, TextModel
from explain.models.loading import catalogue
from explain.models.neurons import read_neuron
from explain.models.pooling import POOLINGS
from explain.numerics.neurons import NEURON_FIGURES
from explain.tasks.base import TASKS
from explain.views.base import visible
from explain.views.layer_graph import token_text
from pages.shared import forms, links, session, show, work

OTHER_MODEL, OTHER_ID = "another model …", "other"  # on the page, and in links
DECIDED = "(what the model decided)"
ANY_OTHER = "any other"
ALL, MEAN = "all", "mean"
MOST_SILENCED = 50  # neurons set to zero at once, a pass each


class NothingChosen(Exception):
    """The visitor has to choose something first; the page says what."""


def model_picker() -> tuple[str, str | None]:
    """Draw the choice of a model and its task; return the model's name and the task, None for the first one.

    A path or hub name can be typed only where that is allowed.

    Raises:
        NothingChosen: no model is chosen yet.
    """
    entry = _entry_picker("Model", "model", "place", catalogue.DEFAULT_MODEL)
    return entry.name, _task_picker(entry)


def encoder_picker() -> TextModel:
    """Draw the choice of an encoder and return it, with the head that compares two texts if it has that.

    Raises:
        NothingChosen: no model is chosen yet.
        ModelError: the model cannot be loaded.
    """
    entry = catalogue.fetched(_entry_picker("Encoder", "encoder", "encoder_place", catalogue.default_encoder()))
    task = catalogue.SIMILARITY.name if catalogue.SIMILARITY.name in entry.tasks else next(iter(entry.tasks), None)
    return session.model(entry.name, task)


def pooling_picker(model: TextModel) -> str:
    """Draw the choice of pooling and return it as `explain.embed` takes it."""
    help = definition("pooling")
    kind = forms.choice(
        "A text's vector is",
        model.vectors.poolings,
        "pooling",
        model.vectors.poolings[0],
        POOLINGS.__getitem__,
        help=help,
    )
    if kind != "layer":
        return kind
    layers = list(range(model.layers))
    layer = forms.choice("Layer", layers, "of_layer", layers[-1], help=definition("layer"))
    return f"layer:{layer}"


def _entry_picker(label: str, key: str, place_key: str, preferred: str) -> catalogue.Entry:
    """Draw the choice of an installed model, or where allowed of any folder or hub name.

    Raises:
        NothingChosen: no model is chosen yet.
    """
    entries = {entry.name: entry for entry in catalogue.explainable()}
    names = sorted(entries, key=lambda name: name != preferred)
    options = [*names, *([OTHER_MODEL] if session.any_model_allowed() else [])]
    memory = st.session_state
    if memory.get(key) not in (None, *options):
        links.lost(key, show.plain(memory.pop(key)), _no_model)  # it was deleted, or is not allowed any more
    name = links.selectbox(label, options, key=key, ids={OTHER_MODEL: OTHER_ID}, unknown=_no_model)
    if name != OTHER_MODEL:
        st.caption(_about(entries[name]))
        return entries[name]
    place = links.text_input(
        "Folder or hub name",
        key=place_key,
        placeholder="/models/my-bert or org/name",
        help="A folder saved by transformers, or a model on the hub. Weights are read from safetensors only.",
    )
    place = place.strip()
    if not place:
        raise NothingChosen(
            "Type the folder of a model, or its name on the Hugging Face hub, into the menu of the model."
        )
    allowed = st.session_state.setdefault("fetch", set())
    if place not in allowed and catalogue.would_be_fetched(place):
        # A link can hold a name, but only a person decides to download.
        missing = (
            "This machine has no such folder. The app can download a model of this name from the Hugging Face hub."
        )
        st.info(f"{missing}.")
        if not st.button("Fetch it"):
            raise NothingChosen(f"{missing}: open the menu of the model.")
        allowed.add(place)
    return catalogue.entry_of(place)


def _no_model(name: str) -> str:
    if links.place_of(name, [OTHER_MODEL], identify=lambda _: OTHER_ID) is not None:
        return "Other models are not allowed here."
    return f"There is no model {name} here."


def _task_picker(entry: catalogue.Entry) -> str | None:
    """Draw the choice of a task where a model has several; return None where it has one.

    Raises:
        NothingChosen: the model does not say which task it was saved for, and none is chosen.
    """
    entry = catalogue.fetched(entry)
    if len(entry.tasks) < 2:
        return None
    memory = st.session_state
    other = memory.get("task_of", entry.name) != entry.name  # the task of another model does not carry over
    memory.task_of = entry.name
    if not entry.task_is_known and other:
        memory.task = None
    if memory.get("task") not in (None, *entry.tasks):
        del memory.task
    task = links.selectbox(
        "What it should do",
        entry.tasks,
        index=0 if entry.task_is_known else None,
        key="task",
        format_func=lambda name: TASKS[name].title,
        placeholder="Choose what it should do",
    )
    if task is None:
        raise NothingChosen(
            "This model does not say which task it was saved for. Its weights fit several tasks. "
            "Choose one in the menu of the model."
        )
    return task


def _about(entry: catalogue.Entry) -> str:
    """Return the task of a model and its main figure, in one line."""
    title = show.plain(entry.title)  # titles of trained models hold labels, which are user text
    if entry.main_figure is None:
        return title
    name, share, data_set = entry.main_figure
    return f"{title} {name[:1].upper()}{name[1:]} {share:.1%} on {show.plain(data_set)}; its card says more."


def target_picker(model: TextModel, text: str, pair: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Draw the choice of a target.

    Returns:
        The options of the target as `Plan.for_text` takes them, where None means the default; and the labels that it
        may be contrasted with. Of two labels one is the other's contrast already, so then there are none.
    """
    task, head = model.task, model.head
    if head.value:
        return {}, ()
    known = task.labels(None, head) and not task.place  # the labels do not depend on the text
    prediction = None if known else work.predicted(model, text, pair)
    options: dict[str, Any] = {}
    places = {} if prediction is None else task.places(prediction)
    if prediction is not None and len(places) > 1:
        default = task.target(prediction, head).positions[0]
        request = (model.name, task.name, text, pair)
        if st.session_state.setdefault("which_of", request) != request:  # a word of another text does not carry over
            st.session_state.which_of, st.session_state.which = request, default
        options["position"] = forms.choice(f"Which {task.place}?", list(places), "which", default, places.__getitem__)
    labels = task.labels(prediction, head, options.get("position"))
    what = {"fill_mask": "word", "question_answering": "answer"}.get(task.name, "label")
    label = forms.choice(
        f"Why this {what}?",
        [DECIDED, *labels],
        "target",
        DECIDED,
        ids={DECIDED: "decided"},
        open=task.open_labels,
        help=definition("target"),
    )
    against, others = ANY_OTHER, []
    if "logit_difference" in task.scales and (len(labels) > 2 or task.open_labels):
        others = [name for name in labels if name != label]
        against = forms.choice(
            "And not",
            [ANY_OTHER, *others],
            "against",
            ANY_OTHER,
            ids={ANY_OTHER: "any_other"},
            open=task.open_labels,
            help=definition("contrast"),
        )
    options["label"] = None if label == DECIDED else label
    if against != ANY_OTHER:
        return options | {"against": against}, tuple(others)
    scales = [scale for scale in task.scales if scale not in ("logit_difference", "value")]
    _follow("scale", scales[0])
    help = definition("log-odds")
    scale = forms.choice("Measured in", scales, "scale", scales[0], _hyphened, help=help)
    return options | {"scale": scale}, tuple(others)


def _follow(key: str, usual: Any) -> None:
    """Set a widget to the default of a text or task, unless a visitor chose something else."""
    memory, before = st.session_state, f"{key}_usual"
    if memory.get(key) is not None and memory[key] == memory.get(before) != usual:
        memory[key] = usual
    memory[before] = usual


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


def unit_picker() -> str:
    """Draw the choice between words and pieces; return "word" or "token"."""
    units = {"words": "word", "pieces": "token"}
    shown = links.segmented_control("Show", list(units), default="words", key="show", label_visibility="collapsed")
    return units[shown]


def graph_form(layers: int, heads: int, tokens: int) -> tuple[list[int], list[int] | None, int, bool]:
    """Draw the settings of the graph; return layers, heads (None: all), lines a layer, and special tokens or not."""
    for key, count in (("layers", layers), ("heads", heads)):
        if max(st.session_state.get(key) or (0,)) >= count:
            del st.session_state[key]  # this model is smaller than the one it was chosen for
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first, last = (
            links.slider("Layers", 0, layers - 1, (0, layers - 1), key="layers", width=220) if layers > 1 else (0, 0)
        )
        chosen_heads = links.multiselect(
            "Heads", list(range(heads)), key="heads", placeholder="all, averaged", width=260
        )
        usual = min(120, max(40, tokens // 20 * 5))  # few lines would make a long text look empty
        _follow("lines", usual)
        lines = links.slider("Lines a layer", 5, 120, usual, step=5, key="lines", width=220)
        special = links.toggle("Special tokens", key="special", help=definition("special token"))
    return list(range(first, last + 1)), list(chosen_heads) or None, lines, special


@dataclass(frozen=True)
class AttentionPlace:
    """Layer, head, the token that attends and the one it attends to, shared by views; None: all, or none chosen."""

    layer: int | None
    head: int | None
    token: int | None
    source: int | None


def place_picker(model: TextModel, tokens: Tokens, settings: Any) -> AttentionPlace:
    """Draw the choice of layer and head, and of two tokens in the menu of settings; return what is chosen.

    A click in a drawing chooses, too.
    """
    within(tokens, "token", "source")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = numbered("Layer", ALL, model.layers)
        head = numbered("Head", MEAN, model.heads)
        shown = st.container(width="content")
    with settings, st.container(horizontal=True):
        token = token_number("Attending token", tokens, "token")
        source = token_number("Attended token", tokens, "source")
    if token is not None:
        names = [visible(token_text(tokens, place)) for place in (token, source) if place is not None]
        with shown:
            st.markdown(" ← ".join(map(code, names)), width="content")
            st.button("All tokens", key="no_token", on_click=_let_go, type="tertiary")
    return AttentionPlace(layer, head, token, None if token is None else source)


def _let_go() -> None:
    st.session_state.token = st.session_state.source = None


def numbered(label: str, none: str, count: int) -> int | None:
    """Draw the choice of a layer or head; return None for the option `none`."""
    key, options = label.lower(), [none, *map(str, range(count))]
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # this model is smaller than the one it was chosen for
    help = {"layer": definition("layer"), "head": definition("attention head")}[key]
    option = links.selectbox(label, options, key=key, width=110, help=help)
    return None if option == none else int(option)


def within(tokens: Tokens, *keys: str) -> None:
    """Forget tokens that the text does not have; called before their widgets are made."""
    for key in keys:
        if (st.session_state.get(key) or 0) >= len(tokens):
            st.session_state[key] = None


def token_number(label: str, tokens: Tokens, key: str, none: str = "none", help: str | None = None) -> int | None:
    """Draw the choice of a token by its number, so that the address bar holds no word of the text."""
    last = len(tokens) - 1
    number = links.number_input(label, 0, last, value=None, key=key, step=1, placeholder=none, width=150, help=help)
    return None if number is None else int(number)


def code(name: str) -> str:
    """Return a name from a text as Markdown code."""
    return f"`{name.replace('`', chr(0x2018))}`"


def select(clicked: Mapping[str, Any]) -> None:
    """Apply a click in a drawing; choices that it does not mention stay."""
    memory = st.session_state
    if "layer" in clicked:
        memory.layer = ALL if clicked["layer"] is None else str(clicked["layer"])
    if "head" in clicked:
        memory.head = str(clicked["head"])
    if "token" in clicked:
        memory.token = clicked["token"]
        memory.source = clicked.get("source")


def weights_picker(model: TextModel) -> str:
    """Draw the choice of weights in the graph; return a method's name, or "" for the model's own attention."""
    family = {name: METHODS[name] for name in METHODS if issubclass(METHODS[name], AttentionMethod)}
    offered = {name: method for name, method in family.items() if method.requires <= model.capabilities}
    titles = {"": "Attention weights"} | {name: method.title for name, method in offered.items()}
    left_out = [method for name, method in family.items() if name not in offered]
    why = ""
    if left_out:
        names = ", ".join(method.title for method in left_out)
        why = f"Left out: {names}. This model {CAPABILITIES[min(left_out[0].requires - model.capabilities)]}."
    return str(
        links.selectbox(
            "Weights",
            list(titles),
            key="weights",
            ids={"": "attention"},
            format_func=titles.__getitem__,
            width=260,
            help=why or definition("attention weight"),
        )
    )


def word_picker(windows: Sequence[Tokens]) -> int | None:
    """Draw the choice of a token, also set by a click, and return it; None means the whole text.

    Args:
        windows: of the text; which of several will be read is not known yet.
    """
    tokens = max(windows, key=len)
    within(tokens, "token")
    help = "The number of any token of a word, from 0. You can also click a word below."
    token = token_number("Token", tokens, "token", "whole text", help)
    if token is not None and len(windows) == 1:
        st.markdown(code(visible(tokens.unit_text(tokens.word_around(token)))), width="content")
    return token


def word_at(tokens: Tokens, token: int | None) -> tuple[int, ...] | None:
    """Return the tokens of the word around a token; None means all."""
    return None if token is None or token >= len(tokens) else tokens.word_around(token)


def neuron_figure() -> tuple[str, int]:
    """Draw the choice of a ranking of neurons; return the figure and the number of neurons."""
    figure = links.selectbox(
        "Ranked by",
        list(NEURON_FIGURES),
        index=list(NEURON_FIGURES).index("activation_x_gradient"),
        key="by",
        format_func=lambda name: name.replace("_", " "),
        width=220,
    )
    return figure, links.slider("Listed", 5, 50, 12, key="listed", width=180)


def layer_picker(model: TextModel) -> int | None:
    """Draw the choice of a layer; None means all."""
    return numbered("Layer", ALL, model.layers)


def neuron_picker(model: TextModel) -> Neuron | None:
    """Draw the choice of a neuron, also set by a click; return None for none, or after a message on a wrong name."""
    name = links.text_input(
        "Neuron",
        key="neuron",
        placeholder="the first listed",
        width=150,
        help=f"{definition('neuron')} You can also click a bar.",
    )
    if not name.strip():
        return None
    try:
        neuron = read_neuron(name, model.layers, model.neurons.per_layer)
        if neuron.number is None:
            raise SettingError(f"{name!r} is a whole layer. Choose one of its neurons here.")
    except SettingError as error:
        show.problem(str(error))
        return None
    return neuron


def silenced(model: TextModel) -> tuple[tuple[Neuron, ...], list[str]]:
    """Draw the choice of neurons that are set to zero; return them, and messages on wrong names."""
    names = links.multiselect(
        "Set to zero",
        list(st.session_state.get("zero") or ()),
        key="zero",
        accept_new_options=True,
        placeholder="type 2.107, or 2.all, and Enter",
        help="Type a neuron as LAYER.NUMBER, or a whole layer as LAYER.all. The effect on the target is measured.",
    )
    neurons, wrong = [], []
    for name in names:
        try:
            neurons.append(read_neuron(name, model.layers, model.neurons.per_layer))
        except SettingError as error:
            wrong.append(str(error))
    if len(neurons) > MOST_SILENCED:
        wrong.append(
            f"At most {MOST_SILENCED} neurons can be set to zero at once, one pass each. The others are left out."
        )
    return tuple(dict.fromkeys(neurons[:MOST_SILENCED])), wrong

"""Widgets made from what is registered: models, labels, and one for each setting of a method.

Every widget's key is its name in the address bar, so a link brings back what was chosen.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.core.settings import Setting, make, settings_of
from explain.datatypes import Tokens
from explain.methods.base import METHODS, AttentionMethod, Method
from explain.models.base import CAPABILITIES, TextModel
from explain.models.loading import catalogue
from explain.models.pooling import POOLINGS
from explain.run.plan import DEFAULT_METHODS
from explain.tasks.base import TASKS
from explain.text.phrases import PhraseSettings
from explain.views.base import visible
from explain.views.layer_graph import token_text
from pages.shared import show, state

MOST_MEGABYTES = 50  # of a file; the server takes no more
LONG_TEXT = 1000  # characters; a box of that much is as high as a third of a screen
OTHER_MODEL = "another model …"
DECIDED = "(what the model decided)"
ANY_OTHER = "any other"
ALL, MEAN = "all", "mean"


@dataclass(frozen=True)
class Selection:
    """What a page is about.

    Attributes:
        model, text, pair: who reads what.
        question: label, contrast, scale and position, as a `Request` takes them; None where the default is meant.
        lacking: what the texts need before the model can read them; empty where nothing is missing.
    """

    model: TextModel
    text: str
    pair: str | None
    question: Mapping[str, Any]
    lacking: str


class NothingChosen(Exception):
    """A visitor has to choose something first; what, stands on the page."""


@state.of_every_page()
def selection() -> Selection:
    """The texts, the model that reads them and what is asked about its decision; called first of all on every page.

    The boxes are the model's, but stand above it, and are there whatever goes wrong below.
    """
    boxes = st.container()
    model: TextModel | None = None
    try:
        with st.sidebar:
            model = state.model(*model_picker())
    except NothingChosen:
        pass
    finally:
        with boxes:
            text, pair = text_boxes(model)
    if model is None:
        st.stop()
    assert model is not None, "the run ended above"
    lacking = state.lacking(model, text, pair)
    with st.sidebar:
        question = {} if lacking else target_picker(model, text, pair)
    state.remember()
    return Selection(model, text, pair, question, lacking)


def text_boxes(model: TextModel | None) -> tuple[str, str | None]:
    """A box for each text that a model reads, with examples to start from; the second text is None without one."""
    examples = state.examples(model)
    state.suit_texts(examples)

    def use_example() -> None:
        if st.session_state.get("example"):
            text, *second = examples[st.session_state.example]
            st.session_state.text, st.session_state.pair = text, next(iter(second), "")

    if st.session_state.get("example") not in (None, *examples):
        del st.session_state.example
    elif st.session_state.get("example") and not state.is_shown(examples[st.session_state.example], model):
        st.session_state.example = None  # its text was changed; a link should not bring it back
    st.pills(
        "Examples",
        list(examples),
        key="example",
        bind="query-params",
        format_func=show.plain,  # of a model that was trained here they are named by labels, which others chose
        on_change=use_example,
        label_visibility="collapsed",
        wrap=True,
    )
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
    st.button("Explain", type="primary")  # leaving a box sends the text; the button is where one looks for it
    return text, second if second.strip() else None


def _text_box(label: str, key: str) -> str:
    return st.text_area(
        label,
        key=key,
        height="content" if len(st.session_state.get(key) or "") < LONG_TEXT else 200,  # results should be in sight
        max_chars=100_000,
        placeholder="Type or paste any text, then press Ctrl + Enter.",
        help="Ctrl + Enter explains it. The text stays on the machine that runs this app.",
    )


def model_picker() -> tuple[str, str | None]:
    """The name of a model, a path or hub name only where that is allowed, and which of its tasks; None: its first.

    Raises:
        NothingChosen: there is none yet.
    """
    entry = _entry_picker("Model", "model", "place", catalogue.DEFAULT_MODEL)
    return entry.name, _task_picker(entry)


def encoder_picker() -> TextModel:
    """A model whose vectors are wanted, whatever its task; with the head that compares two texts, if it has that.

    Raises:
        NothingChosen: there is none yet.
        ModelError: it can't be loaded.
    """
    entry = catalogue.fetched(_entry_picker("Encoder", "encoder", "encoder_place", catalogue.default_encoder()))
    task = catalogue.SIMILARITY.name if catalogue.SIMILARITY.name in entry.tasks else next(iter(entry.tasks), None)
    return state.model(entry.name, task)


def pooling_picker(model: TextModel) -> str:
    """How a text's tokens become its vector, as `explain.embed` takes it."""
    help = definition("pooling")
    kind = one_of("A text's vector is", model.poolings, "pooling", model.poolings[0], POOLINGS.__getitem__, help=help)
    if kind != "layer":
        return kind
    layers = list(range(model.layers))
    layer = one_of("Layer", layers, "of_layer", layers[-1], help=definition("layer"))
    return f"layer:{layer}"


def _entry_picker(label: str, key: str, place_key: str, preferred: str) -> catalogue.Entry:
    """One of the models that are there; any other by its folder or hub name, where that is allowed.

    Raises:
        NothingChosen: there is none yet.
    """
    entries = {entry.name: entry for entry in catalogue.explainable()}
    names = sorted(entries, key=lambda name: name != preferred)
    options = [*names, *([OTHER_MODEL] if state.any_model_allowed() else [])]
    session, missing = st.session_state, f"{key}_missing"
    wanted = session.get(key) or st.query_params.get(key)
    if wanted and wanted not in options:
        session[missing] = wanted
        if key in session:
            del session[key]
    if unknown_name := session.get(missing):
        why = (
            "Other models are not allowed"
            if unknown_name == OTHER_MODEL
            else f"There is no model {show.plain(unknown_name)}"
        )
        st.warning(f"{why} here. This is {show.plain(session.get(key) or options[0])}.")
    name = st.selectbox(label, options, key=key, bind="query-params", on_change=lambda: session.pop(missing, None))
    if name != OTHER_MODEL:
        st.caption(_about(entries[name]))
        return entries[name]
    place = st.text_input(
        "Folder or hub name",
        key=place_key,
        bind="query-params",
        placeholder="/models/my-bert or org/name",
        help="A folder saved by transformers, or a model on the hub. Weights are read from safetensors only.",
    )
    place = place.strip()
    if not place:
        st.info("Give the folder of a model, or its name on the Hugging Face hub.")
        raise NothingChosen
    allowed = st.session_state.setdefault("fetch", set())
    if place not in allowed and catalogue.would_be_fetched(place):
        # A link can hold a name; what is fetched is decided by a person.
        st.info("This is no folder here. It can be looked for on the Hugging Face hub, and fetched.")
        if not st.button("Fetch it"):
            raise NothingChosen
        allowed.add(place)
    return catalogue.entry_of(place)


def _task_picker(entry: catalogue.Entry) -> str | None:
    """One of the things that a model does, where it does several.

    Raises:
        NothingChosen: nothing says which is meant.
    """
    entry = catalogue.fetched(entry)
    if len(entry.tasks) < 2:
        return None
    session = st.session_state
    other = session.get("task_of", entry.name) != entry.name  # what another model did says nothing of this one
    session.task_of = entry.name
    if not entry.told and other:
        session.task = None
    if session.get("task") not in (None, *entry.tasks):
        del session.task
    task = st.selectbox(
        "What it should do",
        entry.tasks,
        index=0 if entry.told else None,
        key="task",
        bind="query-params",
        format_func=lambda name: TASKS[name].title,
        placeholder="Choose what it should do",
    )
    if task is None:
        st.info("This model does not say what it was saved for. Its weights fit several tasks: choose one.")
        raise NothingChosen
    return task


def _about(entry: catalogue.Entry) -> str:
    """What a model does, and how well, in one line."""
    title = show.plain(entry.title)  # of a model that was trained here it holds labels, which others chose
    if entry.main_figure is None:
        return title
    name, share, data_set = entry.main_figure
    return f"{title} {name[:1].upper()}{name[1:]} {share:.1%} on {show.plain(data_set)}; its card says more."


def target_picker(model: TextModel, text: str, pair: str | None) -> dict[str, Any]:
    """Label, contrast, scale and position, as a `Request` takes them; None where the default is meant."""
    task, head = model.task, model.head
    if head.value:
        return {}
    known = task.labels(None, head) and not task.place  # what there is to choose from hangs on no text
    prediction = None if known else state.predicted(model, text, pair)
    options: dict[str, Any] = {}
    places = {} if prediction is None else task.places(prediction)
    if prediction is not None and len(places) > 1:
        default = task.target(prediction, head).positions[0]
        request = (model.name, task.name, text, pair)
        if (
            st.session_state.setdefault("which_of", request) != request
        ):  # a word of another text says nothing of this one
            st.session_state.which_of, st.session_state.which = request, default
        options["position"] = one_of(f"Which {task.place}?", list(places), "which", default, places.__getitem__)
    labels = task.labels(prediction, head, options.get("position"))
    what = {"fill_mask": "word", "question_answering": "answer"}.get(task.name, "label")
    label = one_of(
        f"Why this {what}?",
        [DECIDED, *labels],
        "target",
        DECIDED,
        open=task.open_labels,
        help=definition("target"),
    )
    against = ANY_OTHER
    if "logit_difference" in task.scales and (len(labels) > 2 or task.open_labels):
        others = [name for name in labels if name != label]
        against = one_of(
            "And not",
            [ANY_OTHER, *others],
            "against",
            ANY_OTHER,
            open=task.open_labels,
            help=definition("contrast"),
        )
    options["label"] = None if label == DECIDED else label
    if against != ANY_OTHER:
        return options | {"against": against}
    scales = [scale for scale in task.scales if scale not in ("logit_difference", "value")]
    _follow("scale", scales[0])
    help = definition("log-odds")
    return options | {"scale": one_of("Measured in", scales, "scale", scales[0], _hyphened, help=help)}


def _follow(key: str, usual: Any) -> None:
    """Have a widget follow what is usual for a text or a task, unless a visitor chose something else."""
    session, before = st.session_state, f"{key}_usual"
    if session.get(key) is not None and session[key] == session.get(before) != usual:
        session[key] = usual
    session[before] = usual


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


def file_box(label: str, endings: Sequence[str], *, megabytes: int = MOST_MEGABYTES, **options: Any) -> Any:
    """A file of a visitor's, or None. One too large the browser refuses before it is sent, and hardly says so."""
    file = st.file_uploader(label, list(endings), max_upload_size=megabytes, **options)
    if file is None:
        st.caption(f"At most {megabytes} MB. A larger file turns red and is not taken: give a part of it.")
    return file


def loaded_before(name: str, key: str) -> None:
    """Say that a file is still here, which was loaded before something else was looked at, and offer to let go of it.

    A browser gives a file once; `key` is where the session holds it.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{show.plain(name)}, as it was loaded before.", width="content")
        if st.button("Forget it", key=f"forget_{key}"):
            st.session_state[key] = None
            st.rerun()


def one_of(
    label: str,
    options: Sequence[Any],
    key: str,
    default: Any,
    named: Callable[[Any], str] = str,
    *,
    open: bool = False,
    help: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> Any:
    """A choice kept in the address bar; with `open`, any other may be typed. What is no option any more is dropped."""
    if not open and st.session_state.get(key) not in (None, *options):
        del st.session_state[key]
    return st.selectbox(
        label,
        options,
        index=list(options).index(default),
        key=key,
        bind="query-params",
        format_func=named,
        accept_new_options=open,
        help=" ".join(filter(None, (help, "Choose one of the likeliest, or type any other." if open else None)))
        or None,
        width=width,
    )


def methods(model: TextModel) -> tuple[Method, ...]:
    """The chosen methods in their order, each with the settings as they are set."""
    names = [*DEFAULT_METHODS, *(name for name in METHODS if name not in DEFAULT_METHODS)]
    linked = st.query_params.get_all("methods")
    if any(name in METHODS for name in linked) and "methods" not in st.session_state:
        # As the command line calls them; the box would take the link as it was when this run began.
        st.query_params["methods"] = [METHODS[name].title if name in METHODS else name for name in linked]
        st.rerun()
    with state.of_every_page():
        picked = st.multiselect(
            "Methods",
            names,
            list(DEFAULT_METHODS),
            key="methods",
            bind="query-params",
            format_func=lambda name: METHODS[name].title,
        )
    made = []
    for name in names:
        method = METHODS[name]
        if name not in picked:
            continue
        if lacking := sorted(method.requires - model.capabilities):
            st.caption(f"{method.title} is left out: this model {CAPABILITIES[lacking[0]]}.")
            continue
        with st.expander(method.title):
            made.append(_form(method, name))
    return tuple(method for method in made if method is not None)


def phrase_settings() -> PhraseSettings | None:
    with st.expander("Key phrases"):
        return _form(PhraseSettings, "phrases")


def _form(owner: type, prefix: str) -> Any | None:
    """Widgets for every setting of a class, and an instance made from them; says what is wrong, if something is."""
    settings = {setting.name: _widget(setting, f"{prefix}.{setting.name}") for setting in settings_of(owner)}
    try:
        return make(owner, settings)
    except ExplainError as error:
        st.error(str(error))
        return None


def training_settings(owner: type, first: Sequence[str]) -> Any | None:
    """How a model is trained: the settings that matter most side by side, the others on demand."""
    settings = {setting.name: setting for setting in settings_of(owner)}
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in first:
            with st.container(width=170):
                values[name] = _widget(settings[name], f"training.{name}")
    with st.expander("More settings"):
        for name in (name for name in settings if name not in first):
            values[name] = _widget(settings[name], f"training.{name}")
    try:
        return make(owner, values)
    except ExplainError as error:
        st.error(str(error))
        return None


def _widget(setting: Setting, key: str) -> Any:
    label = setting.name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"key": key, "bind": "query-params", "help": setting.help}
    if setting.choices:
        options = [None, *setting.choices] if setting.optional else list(setting.choices)
        words = {None: "automatic"}
        return st.selectbox(
            label,
            options,
            index=options.index(setting.default),
            format_func=lambda option: words.get(option, str(option).replace("_", " ")),
            **common,
        )
    if setting.type is bool:
        return st.toggle(label, value=setting.default, **common)
    if setting.type is str:
        return st.text_input(label, value=setting.default, **common)
    if setting.optional:
        return st.number_input(label, setting.low, setting.high, value=None, step=1, placeholder="automatic", **common)
    if setting.type is int:
        return st.number_input(
            label, int(setting.low or 0), int(setting.high or 10**6), value=setting.default, step=1, **common
        )
    return st.number_input(
        label, setting.low, setting.high, value=setting.default, step=_step(setting), format="%.4g", **common
    )


def _step(setting: Setting) -> float:
    if (setting.high or 1) - (setting.low or 0) > 0.2:
        return 0.05
    return 10.0 ** math.floor(math.log10(setting.default)) if setting.default else 0.001


def unit_picker() -> str:
    """Whether heatmaps show words or pieces: "word" or "token"."""
    units = {"words": "word", "pieces": "token"}
    shown = st.segmented_control(
        "Show",
        list(units),
        default="words",
        required=True,
        key="show",
        bind="query-params",
        label_visibility="collapsed",
    )
    return units[shown]


def graph_form(layers: int, heads: int, tokens: int) -> tuple[list[int], list[int] | None, int, bool]:
    """Which layers and heads the graph shows, how many lines, and whether special tokens."""
    for key, count in (("layers", layers), ("heads", heads)):
        if max(st.session_state.get(key) or (0,)) >= count:
            del st.session_state[key]  # a smaller model than the one it was chosen for
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first, last = (
            st.slider("Layers", 0, layers - 1, (0, layers - 1), key="layers", bind="query-params", width=220)
            if layers > 1
            else (0, 0)
        )
        chosen_heads = st.multiselect(
            "Heads", list(range(heads)), key="heads", bind="query-params", placeholder="all, averaged", width=260
        )
        usual = min(120, max(40, tokens // 20 * 5))  # a long text would look as if nothing went on in it
        _follow("lines", usual)
        lines = st.slider("Lines a layer", 5, 120, usual, step=5, key="lines", bind="query-params", width=220)
        special = st.toggle("Special tokens", key="special", bind="query-params", help=definition("special token"))
    return list(range(first, last + 1)), list(chosen_heads) or None, lines, special


@dataclass(frozen=True)
class AttentionPlace:
    """What the views of one text share; None means all of them, or none chosen."""

    layer: int | None
    head: int | None
    token: int | None
    source: int | None


def place_picker(model: TextModel, tokens: Tokens) -> AttentionPlace:
    """Layer, head, the token that looks and the one it looks at; set here or by a click, kept in the address bar."""
    within(tokens, "token", "source")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = numbered("Layer", ALL, model.layers)
        head = numbered("Head", MEAN, model.heads)
        token = token_number("Token that looks", tokens, "token")
        source = token_number("Token looked at", tokens, "source")
        if token is not None:
            names = [visible(token_text(tokens, place)) for place in (token, source) if place is not None]
            st.markdown(" ← ".join(map(code, names)), width="content")
    return AttentionPlace(layer, head, token, None if token is None else source)


def numbered(label: str, none: str, count: int) -> int | None:
    """One of the model's layers, or heads, or `none`: then None."""
    key, options = label.lower(), [none, *map(str, range(count))]
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # a smaller model than the one it was chosen for
    help = {"layer": definition("layer"), "head": definition("attention head")}[key]
    option = st.selectbox(label, options, key=key, bind="query-params", width=110, help=help)
    return None if option == none else int(option)


def within(tokens: Tokens, *keys: str) -> None:
    """Let go of tokens that the text does not have; before a widget of theirs is made."""
    for key in keys:
        if (st.session_state.get(key) or 0) >= len(tokens):
            st.session_state[key] = None


def token_number(label: str, tokens: Tokens, key: str, none: str = "none", help: str | None = None) -> int | None:
    """A token by its number; the address bar holds no word of the text."""
    last = len(tokens) - 1
    number = st.number_input(
        label, 0, last, value=None, key=key, step=1, placeholder=none, bind="query-params", width=150, help=help
    )
    return None if number is None else int(number)


def code(name: str) -> str:
    """A name of the text's as Markdown."""
    return f"`{name.replace('`', chr(0x2018))}`"


def select(clicked: Mapping[str, Any]) -> None:
    """Take over what was clicked in a drawing; what it says nothing of stays as it is."""
    session = st.session_state
    if "layer" in clicked:
        session.layer = ALL if clicked["layer"] is None else str(clicked["layer"])
    if "head" in clicked:
        session.head = str(clicked["head"])
    if "token" in clicked:
        session.token = clicked["token"]
        session.source = clicked.get("source")


def weights_picker(model: TextModel) -> str:
    """Whose weights the graph shows: a method's name, or none for the model's own attention."""
    family = {name: METHODS[name] for name in METHODS if issubclass(METHODS[name], AttentionMethod)}
    offered = {name: method for name, method in family.items() if method.requires <= model.capabilities}
    titles = {"Attention as it is": ""} | {method.title: name for name, method in offered.items()}
    left_out = [method for name, method in family.items() if name not in offered]
    why = ""
    if left_out:
        names = ", ".join(method.title for method in left_out)
        why = f"Left out: {names}. This model {CAPABILITIES[min(left_out[0].requires - model.capabilities)]}."
    return titles[
        st.selectbox(
            "Weights",
            list(titles),
            key="weights",
            bind="query-params",
            width=260,
            help=why or definition("attention weight"),
        )
    ]


def method_settings(name: str) -> Any | None:
    """The settings of a method, and the method as they are set; None where they can't be."""
    with st.expander(f"Settings of {METHODS[name].title}"):
        return _form(METHODS[name], name)

"""Widgets that the address bar holds: choices by stable ids, and a warning about what a link asks for in vain.

Streamlit binds a widget to a parameter by the words that the widget shows. So a link is translated before its widget
is made, from ids and from earlier words; `address.js` writes ids where Streamlit would write words.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import session
from pages.shared.show import plain

OF_A_TEXT = ("text", "pair", "example", "model", "place", "task", "target", "against", "scale", "which")
NOUNS = {  # what parameters hold whose options have a name of their own
    "view": "view",
    "inside": "view",
    "look": "view",
    "bertviz": "view",
    "show": "unit",
    "texts_from": "source",
    "figure": "figure",
    "shown": "figure",
    "claim": "figure",
    "by": "figure",
    "similarity": "similarity",
    "methods": "method",
    "metrics": "metric",
    "task": "task",
    "target": "label",
    "against": "label",
    "which": "place",
    "pooling": "pooling",
    "color": "color",
    "label": "column",
    "column": "column",
    "run": "trained model",
    "kind": "kind of training",
    "example": "example",
    "heads": "head",
    "scale": "scale",
    "which_texts": "selection",
    "layer": "layer",
    "of_layer": "layer",
    "head": "head",
}
PRESENT = "present"  # read by keys.js
MOST_SHOWN = 80  # characters of a word that a link holds

Words = Callable[[Any], str]


def arrive(page: str, parameters: Collection[str], vain: Collection[str] = ()) -> None:
    """Read the link that a page was opened with; called first on every page.

    Args:
        parameters: all that the page can have, in any state. Others are named on the first page of a visit; later they
            are those of a page before.
        vain: sentences on what the link asks for in vain.
    """
    memory, context = st.session_state, get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    memory.link_values = {}
    first = "page" not in memory
    if first or memory.page != page or context.is_history_navigation:
        memory.link_parameters = frozenset(parameters)
        memory.link_unread = {key: st.query_params.get_all(key) for key in st.query_params}
        memory.link_unknown, memory.link_ids = {}, {}
        known = {*parameters, PRESENT}
        strangers = [key for key in memory.link_unread if first and key not in known]
        memory.link_vain = [
            *vain,
            *(f"The link sets “{_shown(name)}”, which this page does not have." for name in strangers),
        ]


def go_to(settings: Mapping[str, Sequence[str]]) -> None:
    """Let this run and the address bar have some settings, as if the browser had gone to a link with them.

    Called before `arrive`. What is not set has its default.
    """
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    context.is_history_navigation = True  # then Streamlit prefers the address to what its widgets hold
    with context.session_state.query_params() as parameters:
        parameters.clear_with_no_forward_msg(preserve_embed=True)
        for key, words in settings.items():
            parameters.set_with_no_forward_msg(key, list(words))
        parameters.set_initial_query_params_from_current()
        parameters._send_query_param_msg()


def turn_to(page: str) -> None:
    """Go to another page of the app; `page` is the name of its file."""
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    with context.session_state.query_params() as parameters:
        parameters.clear_with_no_forward_msg(preserve_embed=True)  # Streamlit refuses while widgets are bound to some
    st.switch_page(f"{page}.py")


def place_of(word: str, options: Sequence[Any], title: Words = str, identify: Words = str) -> int | None:
    """Return the place of the option that a word of a link means, by id or title; None where no one option is meant.

    Where no option fits exactly, case, spaces, hyphens, underscores and Markdown's backslashes do not count.

    >>> place_of("Next-Sentence", ["fill_mask", "next_sentence"])
    1
    """
    for name in (identify, title):
        for place, option in enumerate(options):
            if name(option) == word:
                return place
    wanted = id_of(word)
    alike = [place for place, option in enumerate(options) if wanted in (id_of(identify(option)), id_of(title(option)))]
    return alike[0] if len(alike) == 1 and wanted else None


def id_of(title: str) -> str:
    """Return an id for a title that has none of its own: small letters, with underscores between words.

    >>> id_of("two masks")
    'two_masks'
    """
    return re.sub(r"[\W_]+", "_", title.replace("\\", "")).strip("_").casefold()


def linked(key: str, options: Sequence[Any], title: Words = str) -> Any | None:
    """Return the option that the link asks for, for use before its widget is made; None for none."""
    words = st.query_params.get_all(key)
    place = place_of(words[-1], options, title) if words else None
    return None if place is None else options[place]


def selectbox(label: str, options: Sequence[Any], *, key: str, **settings: Any) -> Any:
    """Draw `st.selectbox`, bound to the address bar; see `_choose`."""
    return _choose(st.selectbox, label, options, key, **settings)


def segmented_control(label: str, options: Sequence[Any], *, key: str, **settings: Any) -> Any:
    """Draw `st.segmented_control`, always with a segment selected, bound to the address bar; see `_choose`."""
    return _choose(st.segmented_control, label, options, key, required=True, **settings)


def multiselect(label: str, options: Sequence[Any], *, key: str, **settings: Any) -> list[Any]:
    """Draw `st.multiselect`, bound to the address bar; see `_choose`."""
    return list(_choose(st.multiselect, label, options, key, **settings))


def pills(label: str, options: Sequence[Any], *, key: str, **settings: Any) -> Any:
    """Draw `st.pills`, bound to the address bar; see `_choose`."""
    return _choose(st.pills, label, options, key, **settings)


def _choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[Any],
    key: str,
    *,
    ids: Mapping[Any, str] | None = None,
    format_func: Words = str,
    accept_new_options: bool = False,
    unknown: Callable[[str], str] | None = None,
    **settings: Any,
) -> Any:
    """Draw a choice whose options stand in the address bar by their ids, and return what is picked.

    Args:
        ids: the id of an option that is not an id itself.
        format_func: the title of an option, which the widget shows; links may hold it too.
        accept_new_options: whether any word may be typed.
        unknown: a sentence on a word of the link that is no option; by default it names what the link asks for.
    """

    def identify(option: Any) -> str:
        return (ids or {}).get(option, str(option))

    def place(word: str) -> int | None:
        if not accept_new_options:
            return place_of(word, options, format_func, identify)
        return next((n for n, option in enumerate(options) if word in (identify(option), format_func(option))), None)

    memory = st.session_state
    names = {format_func(option): identify(option) for option in options}
    for word in st.query_params.get_all(key):
        if (number := place(word)) is not None:
            names[word] = identify(options[number])
    memory.link_ids[key] = {word: name for word, name in names.items() if word != name}
    if accept_new_options:
        settings["accept_new_options"] = True
        _read(key)
    else:
        unknown = unknown or _missing(key, label)
        _check(key, lambda words: [word for word in words if place(word) is None], unknown)
    _translate(key, lambda word: word if (number := place(word)) is None else format_func(options[number]))
    picked = widget(label, options, key=key, bind="query-params", format_func=format_func, **settings)
    several = picked if isinstance(picked, list) else [] if picked is None else [picked]
    usual = _usual(options, settings, selects=widget is st.selectbox)
    _hold(key, [] if several == usual else [identify(option) for option in several])
    _settle(key, ", ".join(map(format_func, several)).replace("\\", ""))
    return picked


def _usual(options: Sequence[Any], settings: Mapping[str, Any], *, selects: bool) -> list[Any]:
    """Return the options that a choice starts with."""
    if selects:
        index = settings.get("index", 0)
        return [] if index is None or not options else [options[index]]
    default = settings.get("default")
    return [] if default is None else list(default) if isinstance(default, (list, tuple)) else [default]


def _hold(key: str, values: list[str]) -> None:
    """Record what the address bar should hold for a widget, nothing where it has its default."""
    st.session_state.link_values[key] = values


def slider(label: str, low: float, high: float, usual: Any, *, key: str, **settings: Any) -> Any:
    """Draw `st.slider`, bound to the address bar, and return its number, or two where `usual` is two."""
    count = len(usual) if isinstance(usual, tuple) else 1

    def unknown(words: list[str]) -> list[str]:
        return [word for word in words if len(words) != count or not _is_number(word, low, high)]

    _check(key, unknown, _impossible(label))
    number = st.slider(label, low, high, usual, key=key, bind="query-params", **settings)
    _settle(key, " to ".join(map(str, number)) if isinstance(number, tuple) else str(number))
    several = number if isinstance(number, tuple) else (number,)
    _hold(key, [] if number == usual else [f"{each:g}" for each in several])
    return number


def number_input(label: str, low: float | None, high: float | None, *, key: str, **settings: Any) -> Any:
    """Draw `st.number_input`, bound to the address bar, and return its number; None for none."""
    _check(key, lambda words: [word for word in words if not _is_number(word, low, high)], _impossible(label))
    number = st.number_input(label, low, high, key=key, bind="query-params", **settings)
    _settle(key, "" if number is None else f"{number:g}")
    _hold(key, [] if number is None or number == settings.get("value") else [f"{number:g}"])
    return number


def toggle(label: str, *, key: str, **settings: Any) -> bool:
    """Draw `st.toggle`, bound to the address bar, and return whether it is on."""
    _check(key, lambda words: [word for word in words if word.lower() not in ("true", "false")], _impossible(label))
    on = bool(st.toggle(label, key=key, bind="query-params", **settings))
    _settle(key, "on" if on else "off")
    _hold(key, [] if on == settings.get("value", False) else [str(on).lower()])
    return on


def text_input(label: str, *, key: str, **settings: Any) -> str:
    """Draw `st.text_input`, bound to the address bar, and return what it holds."""
    _read(key)
    text = str(st.text_input(label, key=key, bind="query-params", **settings))
    _hold(key, [] if text == settings.get("value", "") else [text])
    return text


def _missing(key: str, label: str) -> Callable[[str], str]:
    noun = NOUNS.get(key)
    return (
        (lambda word: f"The link asks for the {noun} “{word}”, which does not exist.") if noun else _impossible(label)
    )


def _impossible(label: str) -> Callable[[str], str]:
    return lambda word: f"The link sets “{plain(label)}” to “{word}”, which is not possible."


def _is_number(word: str, low: float | None, high: float | None) -> bool:
    try:
        number = float(word)
    except ValueError:
        return False
    return (-math.inf if low is None else low) <= number <= (math.inf if high is None else high)


def _read(key: str) -> list[str]:
    """Return the words of the link that no widget has read yet; none where a page comes without a link."""
    memory = st.session_state
    assert key in memory.link_parameters, f"{key} is missing among the parameters of the page {memory.page}"
    return list(memory.link_unread.pop(key, []))


def _check(key: str, unknown_of: Callable[[list[str]], list[str]], sentence: Callable[[str], str]) -> None:
    """Record words of the link that a widget cannot take, with what is said of each."""
    unknown = unknown_of([word for word in _read(key) if word])  # an empty one says that nothing is picked
    if unknown:
        st.session_state.link_unknown[key] = [" ".join(sentence(_shown(word)) for word in unknown), None]


def _shown(word: str) -> str:
    return plain(word if len(word) <= MOST_SHOWN else f"{word[:MOST_SHOWN]}…")


def lost(key: str, name: str, sentence: Callable[[str], str]) -> None:
    """Record that what the visitor had picked is no option any more; `name` is escaped."""
    st.session_state.link_unknown[key] = [sentence(name), None]


def _settle(key: str, title: str) -> None:
    """Record what a widget shows instead of what the link asked for; the warning ends with the next choice."""
    warnings = st.session_state.link_unknown
    if key in warnings:
        if warnings[key][1] not in (None, title):
            del warnings[key]
        else:
            warnings[key][1] = title


def _translate(key: str, title: Words) -> None:
    """Replace the words of the link by the titles that Streamlit compares with."""
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    with context.session_state.query_params() as parameters:
        words = parameters._initial_query_params.get(key)
        if words is not None:
            parameters._initial_query_params[key] = [title(word) for word in words]


def report(box: Any) -> None:
    """Name in a box what the link asks for in vain, and let the address bar hold ids; called last on every page."""
    memory = st.session_state
    sentences = list(memory.link_vain) if session.arrived_by_link() else []
    for sentence, title in memory.link_unknown.values():
        sentences.append(f"{sentence} This is {plain(title)}." if title else sentence)
    if sentences:
        box.warning(" ".join(sentences))
    with st.container(key="address"):
        ids = {key: ids for key, ids in memory.link_ids.items() if ids}
        held = {key: values for key, values in memory.link_values.items() if values}
        _address()(key="link_address", data={"ids": ids, "held": held})


@st.cache_resource
def _address() -> Any:
    script = Path(__file__).with_name("address.js").read_text(encoding="utf-8")
    return st.components.v2.component("explain_address", html='<div class="view"><span></span></div>', js=script)

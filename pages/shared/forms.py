"""Widgets made from declared settings: one for each setting of a method or a training, and choices kept in a link.

The key of a widget is its name in the address bar, so a link restores its value.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.core.settings import Setting, make, settings_of
from explain.methods.base import METHODS, Method
from explain.models.base import CAPABILITIES, TextModel
from explain.run.plan import DEFAULT_METHODS
from explain.text.phrases import PhraseSettings
from pages.shared import links, session


def choice(
    label: str,
    options: Sequence[Any],
    key: str,
    default: Any,
    named: Callable[[Any], str] = str,
    *,
    ids: Mapping[Any, str] | None = None,
    open: bool = False,
    help: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> Any:
    """Draw a choice kept in the address bar and return it; with `open`, any other value may be typed.

    A value that is no longer an option is dropped.
    """
    if not open and st.session_state.get(key) not in (None, *options):
        del st.session_state[key]
    return links.selectbox(
        label,
        options,
        index=list(options).index(default),
        key=key,
        ids=ids,
        format_func=named,
        accept_new_options=open,
        help=" ".join(filter(None, (help, "Choose one of the likeliest, or type another one." if open else None)))
        or None,
        width=width,
    )


def methods_form(model: TextModel) -> tuple[Method, ...]:
    """Draw the choice of methods with their settings and return them in order."""
    names = [*DEFAULT_METHODS, *(name for name in METHODS if name not in DEFAULT_METHODS)]
    with session.of_every_page():
        picked = links.multiselect(
            "Methods",
            names,
            default=list(DEFAULT_METHODS),
            key="methods",
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
            made.append(settings_form(method, name))
    return tuple(method for method in made if method is not None)


def phrase_form() -> PhraseSettings | None:
    """Draw the settings of key phrases and return them; None after a message on what is wrong."""
    with st.expander("Key phrases"):
        return settings_form(PhraseSettings, "phrases")


def parameters_of(owner: type, prefix: str) -> set[str]:
    """Return the names that the settings of a class have in the address bar."""
    return {f"{prefix}.{setting.name}" for setting in settings_of(owner)}


def parameters_of_methods() -> set[str]:
    """Return the names that the choice of methods and all their settings have in the address bar."""
    return {"methods"}.union(*(parameters_of(METHODS[name], name) for name in METHODS))


def settings_form(owner: type, prefix: str) -> Any | None:
    """Draw a widget for each setting of a class and return an instance; None after a message on what is wrong."""
    settings = {setting.name: _widget(setting, f"{prefix}.{setting.name}") for setting in settings_of(owner)}
    try:
        return make(owner, settings)
    except ExplainError as error:
        st.error(str(error))
        return None


def training_form(owner: type, first: Sequence[str]) -> Any | None:
    """Draw the settings of a training, those in `first` in a row, and return an instance; None if one is wrong."""
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
    help = f"{definition('baseline')} {setting.help}" if setting.name == "baseline" else setting.help
    common: dict[str, Any] = {"key": key, "help": help}
    if setting.choices:
        options = [None, *setting.choices] if setting.optional else list(setting.choices)
        words = {None: "automatic"}
        return links.selectbox(
            label,
            options,
            index=options.index(setting.default),
            ids={None: "automatic"},
            format_func=lambda option: words.get(option, str(option).replace("_", " ")),
            **common,
        )
    if setting.type is bool:
        return links.toggle(label, value=setting.default, **common)
    if setting.type is str:
        return links.text_input(label, value=setting.default, **common)
    if setting.optional:
        return links.number_input(
            label, setting.low, setting.high, value=None, step=1, placeholder="automatic", **common
        )
    if setting.type is int:
        return links.number_input(
            label, int(setting.low or 0), int(setting.high or 10**6), value=setting.default, step=1, **common
        )
    return links.number_input(
        label, setting.low, setting.high, value=setting.default, step=_step(setting), format="%.4g", **common
    )


def _step(setting: Setting) -> float:
    if (setting.high or 1) - (setting.low or 0) > 0.2:
        return 0.05
    return 10.0 ** math.floor(math.log10(setting.default)) if setting.default else 0.001


def method_form(name: str) -> Any | None:
    """Draw the settings of a method and return the method; None after a message on what is wrong."""
    with st.expander(f"Settings of {METHODS[name].title}"):
        return settings_form(METHODS[name], name)

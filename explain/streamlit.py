"""Drawings for a Streamlit app of your own, without our pages.

    import explain, explain.streamlit
    report = explain.explain("A mess.")
    explain.streamlit.heatmap(report)

This is the only file of the package that imports streamlit; nothing in the package imports this file.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explain.core.errors import SettingError, UnknownNameError
from explain.core.listing import listed
from explain.core.registry import unknown
from explain.datatypes import Attribution, Report
from explain.views.base import VIEWS, asset


def heatmap(
    explained: Report | Attribution,
    method: str | None = None,
    *,
    key: str | None = None,
    group: str = "",
    **options: Any,
) -> int | None:
    """Draw a text with each word's score as a tint and a line.

    Args:
        explained: a report, or the scores of one method.
        method: a method of the report; by default its first.
        key: of the component, where an app draws several of the same.
        group: a word that is clicked is marked in all drawings of one group.
        options: of the view "token_heatmap", such as `by="token"`.

    Returns:
        The first token of the word that was clicked in this run, or None.

    Raises:
        SettingError: a report without scores; UnknownNameError: a method that is not in it.
    """
    return _words("token_heatmap", explained, method, key=key, group=group, **options)


def waterfall(
    explained: Report | Attribution,
    method: str | None = None,
    *,
    key: str | None = None,
    group: str = "",
    **options: Any,
) -> int | None:
    """Draw the steps from no words to the answer, where scores add up; see `heatmap`."""
    return _words("waterfall", explained, method, key=key, group=group, **options)


def view(name: str, result: Any, *, key: str | None = None, **options: Any) -> Mapping[str, Any] | None:
    """Draw a result with any view of `explain.VIEWS`, and return what was clicked in this run, if anything.

    Raises:
        SettingError: the view does not draw such a result; UnknownNameError: there is no such view.
    """
    drawing = VIEWS[name]
    if not (isinstance(result, drawing.accepts) and drawing.fits(result)):
        fitting = ", ".join(other.name for other in VIEWS.for_result(result)) or "none"
        raise SettingError(f"The view {name!r} does not draw this {type(result).__name__}. These do: {fitting}.")
    return _mounted(name, drawing.data(result, sends=True, **options), key, _stay)


def _mounted(
    name: str, content: Mapping[str, Any], key: str | None, on_click: Callable[[], None]
) -> Mapping[str, Any] | None:
    """Draw a view's data, and return what was clicked in this run."""
    mounted = _component(name)(data={**content, "sends": True}, key=key, on_chosen_change=on_click)
    clicked: Mapping[str, Any] | None = mounted.get("chosen")
    return clicked


def _words(
    name: str, explained: Report | Attribution, method: str | None, *, key: str | None, group: str, **options: Any
) -> int | None:
    """Draw the scores of a method, see `heatmap`. The word that was clicked stays marked when the app runs again."""
    if isinstance(explained, Report):
        attribution = _scores(explained, method)
        options = {"prediction": explained.prediction, **options}
    else:
        attribution = explained
    entry = listed("methods").get(attribution.method)
    group = group or "explain"
    key = key or f"explain_{name}_{attribution.method}"
    kept = f"explain_picked_{group}"
    texts = attribution.tokens.texts

    def clicked_word() -> None:
        if clicked := st.session_state[key].get("chosen"):
            st.session_state[kept] = (texts, clicked["token"])

    options = {"title": entry.title if entry else attribution.method, "group": group, **options}
    content = VIEWS[name].data(attribution, **options)
    of_texts, token = st.session_state.get(kept, (texts, None))
    picked = [token] if token is not None and of_texts == texts else []
    clicked = _mounted(name, {**content, "chosen": picked}, key, clicked_word)
    return None if clicked is None else clicked["token"]


def _scores(report: Report, method: str | None) -> Attribution:
    """Return the scores of a method, by default the first."""
    methods = [attribution.method for attribution in report.attributions]
    if not methods:
        raise SettingError("The report has no scores. Name at least one method: explain.explain(text, methods=[...]).")
    if method is not None and method not in methods:
        raise UnknownNameError(unknown("method of this report", method, methods))
    return report.attribution(method or methods[0])


@st.cache_resource(show_spinner=False)
def _component(name: str) -> Any:
    """Return the component of a view, registered once."""
    script = VIEWS[name].script + "\n" + asset("mount.js")
    return st.components.v2.component(
        f"explain_embedded_{name}", html='<div class="view"></div>', css=asset("views.css"), js=script
    )


def _stay() -> None:
    """Let a click run the app again; what was clicked is in what the component returns."""

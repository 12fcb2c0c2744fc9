"""Drawing on a page: views as components, notes, problems."""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import streamlit as st

from explain.core.guide import definition
from explain.datatypes import Prediction, Target, Verdict
from explain.methods.base import METHODS, Method
from explain.models.base import TextModel
from explain.report.record import report_of, to_json
from explain.run import background
from explain.run.results import Results
from explain.text.coverage import coverage, doubt
from explain.views.base import VIEWS, asset
from explain.views.verdicts import is_untested, verdict_word
from pages.shared.session import LONGEST_IN_LINK

_MOUNT = "\n" + asset("mount.js")
BADGES = {  # of the states of work in a process of its own, as Markdown
    background.ACTIVE: "blue-badge[at work]",
    background.FINISHED: "green-badge[finished]",
    background.FAILED: "red-badge[failed]",
    background.CANCELLED: "orange-badge[stopped]",
    background.INTERRUPTED: "orange-badge[interrupted]",
}


@st.cache_resource
def _component(name: str) -> Any:
    """Return the component of a view, registered once; its script also draws stand-alone files."""
    return st.components.v2.component(
        f"explain_{name}", html='<div class="view"></div>', css=asset("views.css"), js=VIEWS[name].script + _MOUNT
    )


def view(
    name: str,
    shown: Any,
    *,
    key: str,
    on_chosen: Callable[[Mapping[str, Any]], None] | None = None,
    page: bool = True,
    **options: Any,
) -> None:
    """Draw a result with a registered view; `on_chosen` receives what is clicked.

    A click reruns the whole page, or with `page=False` only the fragment around the drawing.
    """
    if on_chosen is None:
        component(name, VIEWS[name].data(shown, **options), key=key)
    else:
        component(name, VIEWS[name].data(shown, sends=True, **options), key=key, page=page, chosen=on_chosen)


def component(
    name: str, drawn: Mapping[str, Any], *, key: str, page: bool = True, **reactions: Callable[[Any], None]
) -> None:
    """Draw the data of a registered view; `reactions` receive what its drawing sends, by name.

    What is sent reruns the whole page, or with `page=False` only the fragment around the drawing.
    """

    def react(sent: str) -> Callable[[], None]:
        def changed() -> None:
            received = st.session_state[key].get(sent)
            if received:
                reactions[sent](received)
                if page:
                    st.session_state["clicked"] = True  # see work.py

        return changed

    _component(name)(data=drawn, key=key, **{f"on_{sent}_change": react(sent) for sent in reactions})


def views(
    result: Any,
    *,
    key: str,
    on_chosen: Callable[[Mapping[str, Any]], None] | None = None,
    titled: bool = False,
    without: Collection[str] = (),
    **options: Any,
) -> None:
    """Draw a result with all views of its type, but those that a page places itself (`View.placed`).

    Args:
        without: further views that are left out.
        titled: whether the title of each view stands above it.
    """
    for fitting in VIEWS.for_result(result):
        if not fitting.placed and fitting.name not in without:
            if titled:
                st.markdown(f"**{plain(fitting.title)}**")
            view(fitting.name, result, key=f"{key}_{fitting.name}", on_chosen=on_chosen, **options)


def predicted_spans(prediction: Prediction, target: Target | None) -> None:
    """Draw the spans that are predicted, if the task predicts some; a click asks about one."""
    if prediction.spans:
        target_tokens = () if target is None else target.positions
        view("predicted_spans", prediction, key="spans", on_chosen=_ask, target_tokens=target_tokens)


def _ask(clicked: Mapping[str, Any]) -> None:
    st.session_state.which = clicked["position"]


def chart_options(stem: str) -> dict[str, Any]:
    """Return the options of a plotly chart; its saved PNG has two points for each of the screen, as other pictures."""
    return {"displaylogo": False, "toImageButtonOptions": {"format": "png", "scale": 2, "filename": stem}}


@contextlib.contextmanager
def export_menu() -> Iterator[None]:
    """Draw the menu of the top bar that holds a page's files and links; what is drawn inside stands in it."""
    with st.container(key="export"), menu("Export", "export"):
        st.header("Export", anchor=False)
        yield


def python(title: str, code: Callable[[], str]) -> None:
    """Draw the Python that gives what a page shows, once it is opened: what colors code is slow to load."""
    shown = st.expander(title, key="python", on_change="rerun")
    if shown.open:
        shown.code(code(), language="python")


def menu(label: str, name: str) -> Any:
    """Return a menu of the top bar; `frame.css` lets it hang from its button.

    It is no popover: the browser drops what a closed popover holds, and then the address bar loses its choices.
    """
    return st.container(key=f"{name}_menu", width="content").expander(label)


def record_button(results: Results, model: TextModel) -> None:
    """Draw a button for the report of everything that is computed here, which `explain replay` computes again."""
    st.download_button(
        "JSON, to replay",
        lambda: to_json(report_of(results, model)),
        "report.json",
        "application/json",
        on_click="ignore",
        key="record",
    )


def links(text: str | None = None, pair: str | None = None) -> None:
    """Draw buttons that copy a link to this page, without and with its text."""
    texts = {name: typed for name, typed in (("text", text), ("pair", pair)) if typed is not None}
    _link_component()(data={"texts": texts, "longest": LONGEST_IN_LINK}, key="links")


def addresses(*made: tuple[str, str, Mapping[str, str]], key: str) -> None:
    """Draw links to this app, each with a button that copies it: its label, a path such as "/data", its parameters."""
    listed = [{"label": label, "path": path, "parameters": dict(parameters)} for label, path, parameters in made]
    _link_component("addresses")(data={"addresses": listed}, key=key)


@st.cache_resource
def _link_component(name: str = "copy_link") -> Any:
    script = asset("drawing.js") + asset(f"{name}.js") + _MOUNT
    return st.components.v2.component(
        f"explain_{name}", html='<div class="view"></div>', css=asset("views.css"), js=script
    )


def problem(message: str) -> None:
    """Draw an error that the visitor can mend; it may hold user text, so it is no Markdown."""
    st.error(plain(message))


def advice(message: str) -> None:
    """Draw a hint on what to do next."""
    st.info(plain(message))


def plain(message: str) -> str:
    """Return text with its Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]()<>#+.!|~$:-])", r"\\\1", message)


def short_verdict(judged: Verdict) -> None:
    """Draw a verdict as one colored word, with the reason where one points at it."""
    color = {"amber": "orange", "grey": "gray"}.get(judged.color, judged.color)
    if is_untested(judged):
        color = "gray"
    st.markdown(f":{color}-badge[{verdict_word(judged)}]", help=plain(judged.sentence), width="content")


def warnings(prediction: Prediction, model: TextModel, unread: str = "the rest is left out") -> None:
    """Draw warnings where the prediction is hardly worth explaining; `unread` says where a cut-off rest is."""
    tokens = prediction.tokens
    if doubted := doubt(coverage(tokens, model.unk_id, model.scripts), model.scripts):
        st.warning(doubted)
    if prediction.window[1] > 1:
        start, stop = tokens.begins_at[-1], tokens.truncated_at[-1] or len(tokens.texts[-1])
        number, count = prediction.window
        st.info(
            f"The {model.texts[-1].lower()} is longer than the model reads at once, so it was read in {count} windows "
            f"that overlap. The likeliest answer is in window {number + 1}. That window is explained: "
            f"characters {start:,} to {stop:,}; {unread}."
        )
        return
    for text, place in zip(tokens.texts, tokens.truncated_at):
        if place is not None:
            st.warning(
                f"Only the first {place:,} of {len(text):,} characters were read, since the model reads at most "
                f"{model.max_tokens} pieces; {unread}."
            )


def limits_of(method: Method) -> str:
    """Return the limits of a method, what its gap is, and the version of its arithmetic, for a tooltip."""
    gap = f" The gap: {definition('gap')}" if method.complete else ""
    return f"{method.limits}{gap} Version {method.version}."


def method_titles() -> dict[str, str]:
    """Return the title of every method, by name."""
    return {name: METHODS[name].title for name in METHODS}

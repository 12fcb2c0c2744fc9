"""Drawing on a page: views as components, notes, problems, progress."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from explain.datatypes import Prediction, Target, Verdict
from explain.models.base import TextModel
from explain.run.jobs import Job
from explain.text.coverage import coverage, doubt
from explain.views.base import VIEWS, asset
from explain.views.probabilities import SHOWN
from pages.shared import state

_MOUNT = "\n" + (Path(__file__).parent / "mount.js").read_text(encoding="utf-8")


@st.cache_resource
def _components() -> dict[str, Any]:
    """One component for each registered view, registered once; its script is the one of the stand-alone file."""
    return {
        name: st.components.v2.component(
            f"explain_{name}", html='<div class="view"></div>', css=asset("views.css"), js=VIEWS[name].script + _MOUNT
        )
        for name in VIEWS
    }


def view(
    name: str,
    shown: Any,
    *,
    key: str,
    on_chosen: Callable[[Mapping[str, Any]], None] | None = None,
    page: bool = True,
    **options: Any,
) -> None:
    """Draw a result with a registered view; `on_chosen` is told what is clicked in it.

    What is clicked concerns the whole page, or with `page=False` only the fragment that the drawing stands in.
    """
    if on_chosen is None:
        _components()[name](data=VIEWS[name].data(shown, **options), key=key)
        return

    def changed() -> None:
        clicked = st.session_state[key].get("chosen")
        if clicked:
            on_chosen(clicked)
            if page:
                st.session_state["clicked"] = True  # see follow.py

    _components()[name](data=VIEWS[name].data(shown, sends=True, **options), key=key, on_chosen_change=changed)


def prediction(
    prediction: Prediction,
    model: TextModel,
    target: Target | None,
    *,
    most: int = SHOWN,
    unread: str = "the rest is left out",
) -> None:
    """What the model said, and what stands between this text and an answer worth explaining; a click asks for a word.

    Args:
        most: labels shown.
        unread: says where a rest is that was cut off.
    """
    warnings(prediction, model, unread)
    if prediction.spans:
        target_tokens = () if target is None else target.positions
        view("predicted_spans", prediction, key="spans", on_chosen=_ask, target_tokens=target_tokens)
    if target is None and len(prediction.output.positions) > 1:
        return  # labels of which word?
    view("probabilities", prediction, key="probabilities", target=target, most=most)


def _ask(clicked: Mapping[str, Any]) -> None:
    st.session_state.which = clicked["position"]


def links(text: str | None = None, pair: str | None = None) -> None:
    """Buttons that copy a link to this page, and one with the text in it, where there is one."""
    texts = {name: typed for name, typed in (("text", text), ("pair", pair)) if typed is not None}
    _link_component()(data={"texts": texts, "longest": state.LONGEST_IN_LINK}, key="links")


@st.cache_resource
def _link_component() -> Any:
    script = asset("drawing.js") + asset("copy_link.js") + _MOUNT
    return st.components.v2.component(
        "explain_copy_link", html='<div class="view"></div>', css=asset("views.css"), js=script
    )


def problem(message: str) -> None:
    """Something the user can mend. Names and paths of theirs are in it, so nothing of it is Markdown."""
    st.error(plain(message))


def advice(message: str) -> None:
    """What to do next; nothing went wrong."""
    st.info(plain(message))


def plain(message: str) -> str:
    """Text that stands in Markdown as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+.!|~$:-])", r"\\\1", message)


def verdict(judged: Verdict, title: str = "") -> None:
    """One line: a colored word, the method where it is not plain which, and why."""
    color = {"amber": "orange", "grey": "gray"}.get(judged.color, judged.color)
    name = f"**{plain(title)}** " if title else ""
    st.markdown(f":{color}-badge[{judged.word}] {name}{plain(judged.sentence)}")


def progress(job: Job, progress_text: Callable[[Job], str] | None = None) -> None:
    """How far a job is, in passes or as it is `told`, where it stands in the queue, and a way to stop it."""
    ahead = state.jobs().position(job)
    if ahead:
        st.progress(0.0, text=f"Waiting: {ahead} before you.")
    else:
        text = progress_text(job) if progress_text else f"Computing: {job.done} passes of at most {job.cost}."
        st.progress(job.progress, text=text)
    st.button("Stop", key="stop", on_click=state.stop)


def ended(progress: state.Progress) -> None:
    """Say how a job ended, if not well, and offer to go on."""
    if progress.ended == "failed":
        problem(progress.message)
    elif progress.ended == "cancelled":
        st.warning("Stopped. What was found until then is shown.")
    if progress.ended:
        st.button("Try again", key="again", on_click=state.try_again)


def warnings(prediction: Prediction, model: TextModel, unread: str = "the rest is left out") -> None:
    """What stands between this text and a prediction worth explaining; `unread` says where a cut-off rest is."""
    tokens = prediction.tokens
    if doubted := doubt(coverage(tokens, model.unk_id, model.scripts), model.scripts):
        st.warning(doubted)
    if prediction.window[1] > 1:
        start, stop = tokens.begins_at[-1], tokens.truncated_at[-1] or len(tokens.texts[-1])
        number, count = prediction.window
        st.info(
            f"The {model.texts[-1].lower()} is longer than the model reads at once, so it was read in {count} windows "
            f"that overlap; the likeliest answer was found in number {number + 1}. That window is what is explained, "
            f"characters {start:,} to {stop:,}; {unread}."
        )
        return
    for text, place in zip(tokens.texts, tokens.truncated_at):
        if place is not None:
            st.warning(
                f"Only the first {place:,} of {len(text):,} characters were read ({model.max_tokens} pieces are the "
                f"most); {unread}."
            )

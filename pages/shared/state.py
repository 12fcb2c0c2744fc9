"""What lives longer than one run of a page: the queue, the results, the models, and a visitor's text."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explain import pipeline
from explain.datatypes import Prediction
from explain.errors import TextError
from explain.installation import environment_number
from explain.jobs import Cache, Job, Jobs, failure
from explain.methods.base import METHODS
from explain.models import catalogue
from explain.models.base import TextModel
from explain.rationale import Marks

LONGEST_IN_LINK = 2000
AT_ONCE_SECONDS = 0.6  # a page waits so long before it shows progress
CARRIED = (  # from one page to the next
    *("text", "pair", "model", "place", "fetch"),
    *("target", "against", "scale", "which", "word", "other_word"),
)

EXAMPLES = {
    "negation": "The film isn't good, but it is not as bad as everyone says.",
    "mixed feelings": "The plot is thin and the jokes are stale, yet the leads are so charming that I left smiling.",
    "irony": "Oh great, another two hours of explosions. Just what the world needed.",
    "long review": (
        "I went in expecting very little. The trailer gave away most of the story, the director's last two films were "
        "a chore to sit through, and the first twenty minutes confirm every fear: wooden dialogue, clumsy cuts, a "
        "score that never shuts up. Then something odd happens. The daughter arrives, played with real warmth by a "
        "newcomer, and the whole thing starts to breathe. Scenes run longer than they should and are better for it. "
        "A quarrel in a parked car is the best thing I have seen this year. The ending is a mess, and at least one "
        "subplot should have been cut, but I forgave it everything. It is uneven, sentimental and far too long. "
        "I can't wait to see it again."
    ),
    "typos and emoji": "omg this moive was soooo goood 😍😍 definately wached it twice lol 10/10",
    "another language": "Фильм оказался скучным и слишком длинным, я едва досидел до конца.",
}
FIRST_EXAMPLE = next(iter(EXAMPLES))

MASKED_EXAMPLES = {
    "capital": "The capital of France is [MASK].",
    "agreement": "The keys to the cabinet [MASK] on the table.",
    "bank": "She went to the bank to deposit her [MASK].",
    "but": "The film wasn't [MASK], but I liked it.",
    "two masks": "The cat chased the [MASK] into the [MASK].",
}


@st.cache_resource
def jobs() -> Jobs:
    return Jobs()


@st.cache_resource
def cache() -> Cache:
    return Cache(environment_number("EXPLAIN_CACHE_MB", 384) << 20)


def model(name: str) -> TextModel:
    """A loaded model; raises `ModelError` with what to do."""
    return catalogue.load_model(name)


def warm_up() -> None:
    """Load the model that the page opens with and explain its first example."""
    request = pipeline.Request(EXAMPLES[FIRST_EXAMPLE], pipeline.methods_from(pipeline.DEFAULT_METHODS))
    for _ in pipeline.parts(request, model(catalogue.DEFAULT_MODEL), cache=cache()):
        pass


@dataclass(frozen=True)
class Found:
    """What is known of a request so far.

    Attributes:
        parts: by name, attributions by their method.
        job: the job that finds the rest, or None.
        ended: how the job ended if it did not end well: "failed" or "cancelled"; message: what to say of it.
    """

    parts: Mapping[Any, Any]
    job: Job | None = None
    ended: str = ""
    message: str = ""


def find(request: pipeline.Request, loaded: TextModel) -> Found:
    """What is known of a request; what is not is submitted, unless it was stopped or has failed before.

    The visitor's earlier job is left when the request is another one. Only unfinished jobs are kept in the session:
    results are large, and stay in the bounded cache.
    """
    key = (loaded.record, request)
    session = st.session_state
    finished = session.pop("finished", None)
    if finished is not None and finished[0] == key:
        return finished[1]
    job: Job | None = session.get("job")
    if job is not None and job.key != key:
        jobs().leave(job)
        job = session.job = None
    if job is None:
        parts, complete = pipeline.known(request, loaded, cache())
        if complete:
            session.ended = None
            return Found(parts)
        if session.get("ended") and session.ended[0] == key:
            return Found(parts, None, *session.ended[1:])
        cost = pipeline.cost(request, loaded, loaded.encode(request.text, request.text_pair))
        job = jobs().submit(key, lambda meter: pipeline.parts(request, loaded, meter, cache()), cost)
        session.job, session.ended = job, None
        job.wait(AT_ONCE_SECONDS)  # most texts are done by then, and nothing flickers
    if not job.finished:
        return Found(job.parts, job)
    session.job = None
    if job.state == "done":
        return Found(job.parts)
    session.ended = (key, job.state, failure(job))
    return Found(job.parts, None, *session.ended[1:])


def hand_over(request: pipeline.Request, loaded: TextModel, found: Found) -> None:
    """Keep what a poll found for the one run of the page that follows.

    Without that, results too large for the cache would be computed again and again: each page would ask for what was
    just given up.
    """
    st.session_state.finished = ((loaded.record, request), found)


def predicted(loaded: TextModel, text: str, pair: str | None = None) -> Prediction | None:
    """What the model says of a text, where that is known or found in a moment."""
    request = pipeline.Request(text, (), pair, phrases=None)
    parts, complete = pipeline.known(request, loaded, cache())
    if not complete:
        job = jobs().submit((loaded.record, request), lambda meter: pipeline.parts(request, loaded, meter, cache()), 1)
        if not job.wait(0.25):
            jobs().leave(job)
        parts = job.parts
    return parts["observation"].prediction if "observation" in parts else None


def lacking(loaded: TextModel, text: str, pair: str | None = None) -> str:
    """What a text needs before a model that guesses masked words can read it; empty where nothing is missing."""
    if loaded.head.vocabulary is None:
        return ""
    try:
        loaded.task.positions(loaded.encode(text, pair), loaded.head)
    except TextError as error:
        return str(error)
    return ""


def stop() -> None:
    """Stop watching the visitor's job; it ends unless someone else waits for the same text."""
    job: Job | None = st.session_state.get("job")
    if job is not None:
        jobs().leave(job)
        st.session_state.job = None
        st.session_state.ended = (job.key, "cancelled", "Stopped, as you asked.")


def try_again() -> None:
    """Forget that the request was stopped or failed."""
    st.session_state.ended = None


def marks() -> Marks:
    """What the visitor marked as decisive, in every text of the visit."""
    return st.session_state.setdefault("marks", Marks())


def carry_over(page: str) -> None:
    """Bring texts, model and target along from the page before; called first on every page.

    A widget of the same key on another page is another widget to Streamlit: it begins with its default, unless its
    value is set here. What a page has no widget for is kept until a page has one.
    """
    session = st.session_state
    kept = session.setdefault("carried", {})
    if session.get("page") != page:
        session.page = page
        for key, value in kept.items():
            session[key] = value


def remember() -> None:
    """Note what `carry_over` will bring along; called when a page has made its widgets."""
    session = st.session_state
    session.carried |= {key: session[key] for key in CARRIED if key in session}


def examples() -> dict[str, str]:
    """Texts to start from, of the kind that the visitor's model reads."""
    if "mask" not in st.session_state:  # no model is loaded yet; a link may name one
        tasks = {entry.name: entry.task for entry in catalogue.list_models()}
        st.session_state.mask = "[MASK]" if tasks.get(st.query_params.get("model", "")) == "fill_mask" else None
    mask = st.session_state.mask
    return EXAMPLES if mask is None else {name: text.replace("[MASK]", mask) for name, text in MASKED_EXAMPLES.items()}


def suit_examples(loaded: TextModel) -> None:
    """Offer examples of the kind that a model reads; they stand above it, so the page may have to be run once more."""
    mask = None if loaded.head.vocabulary is None else loaded.head.vocabulary.mask
    if mask != st.session_state.mask:
        st.session_state.mask = mask
        st.rerun()


def text_from_link() -> None:
    """At a visitor's first run: the texts from the link, or the example the link names, or the first one."""
    session, link = st.session_state, st.query_params
    if "text" in session:
        return
    offered = examples()
    linked = {key: link.get(key, "") for key in ("text", "pair")}
    session.text = linked["text"][:LONGEST_IN_LINK] or offered.get(
        link.get("example", ""), next(iter(offered.values()))
    )
    if linked["pair"]:
        session.pair = linked["pair"][:LONGEST_IN_LINK]
        session.carried["pair"] = session.pair  # the page it opens may have no box for it
    for key, text in linked.items():
        if text:
            del link[key]  # the address bar holds settings; text goes into a link only when asked for
        if len(text) > LONGEST_IN_LINK:
            st.warning(f"The link held a text of {len(text):,} characters; the first {LONGEST_IN_LINK:,} were taken.")


def any_model_allowed() -> bool:
    """Whether visitors may name folders and hub models: on a server of one's own, or one that was started so."""
    if os.environ.get("EXPLAIN_ALLOW_ANY_MODEL") == "1":
        return True
    address = st.get_option("server.address") or ""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def titles() -> dict[str, str]:
    """The title of every method, by name."""
    return {name: METHODS[name].title for name in METHODS}

"""What lives longer than one run of a page: the queue, the results, the models, and a visitor's text."""

import os
import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explain.analyses.umap_map import compile_umap
from explain.core.errors import TextError
from explain.core.hosts import is_loopback
from explain.core.installation import environment_number
from explain.core.meter import Meter
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.datatypes import Prediction
from explain.evaluation.plausibility import Marks
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.run import engine
from explain.run.jobs import Cache, Job, Jobs, failure
from explain.run.plan import DEFAULT_METHODS, Plan, methods_from
from explain.run.results import Results, is_partial
from explain.tasks.base import TASKS
from explain.text.phrases import PhraseSettings
from explain.training.labeled_rows import LabeledRows, labeled_rows, uploaded_rows

LONGEST_IN_LINK = 2000
AT_ONCE_SECONDS = 0.6  # a page waits so long before it shows progress
CARRIED = (  # from one page to the next
    *("text", "pair", "model", "place", "fetch", "task"),
    *("target", "against", "scale", "which"),
    *("texts_from", "encoder", "encoder_place", "pooling", "of_layer", "one", "other"),
)


@st.cache_resource
def jobs() -> Jobs:
    return Jobs()


@st.cache_resource
def cache() -> Cache:
    return Cache(environment_number("EXPLAIN_CACHE_MB", 384) << 20)


def model(name: str, task: str | None = None) -> TextModel:
    """A loaded model; raises `ModelError` with what to do."""
    return catalogue.load_model(name, task=task)


@st.cache_resource(max_entries=2, show_spinner=False)
def rows_of_file(name: str, content: bytes) -> Dataset:
    """Return an uploaded file as rows to learn from; raises `DataError` with what to do."""
    return uploaded_rows(name, content)


@st.cache_resource(max_entries=2, show_spinner=False)
def learnable(_dataset: Dataset, sha256: str, columns: Columns) -> LabeledRows:
    """Return the rows that can be learned from; raises `DataError` with what to do."""
    return labeled_rows(_dataset, columns)


def warm_up() -> None:
    """Load the model that the page opens with and explain its first example."""
    first = model(catalogue.DEFAULT_MODEL)
    text, *second = next(iter(examples(first).values()))
    plan = Plan.for_text(
        text, next(iter(second), None), methods=methods_from(DEFAULT_METHODS), phrases=PhraseSettings()
    )
    for _ in engine.parts(plan, first, cache=cache()):
        pass


@st.cache_resource(show_spinner=False)
def prepare_umap() -> None:
    """Begin to compile UMAP beside whatever is done, once: a visitor who asks for it later does not wait so long."""
    threading.Thread(target=compile_umap, name="umap", daemon=True).start()


@dataclass(frozen=True)
class Progress:
    """The results of a piece of work so far.

    Attributes:
        results: the parts that are there.
        job: the job that computes the rest, or None.
        ended: how the job ended if it did not end well: "failed" or "cancelled"; message: what to say of it.
    """

    results: Results
    job: Job | None = None
    ended: str = ""
    message: str = ""


@dataclass(frozen=True)
class Work:
    """A plan, and the model that it is computed with."""

    plan: Plan
    model: TextModel

    @property
    def key(self) -> Hashable:
        """What is computed: jobs of one key are one job."""
        return self.model.record, self.plan

    def parts(self, meter: Meter) -> Iterator[tuple[Hashable, Any]]:
        """Compute the plan part by part."""
        return engine.parts(self.plan, self.model, meter, cache())

    def known(self) -> tuple[Results, bool]:
        """Return the parts that need no computing, and whether these are all."""
        return engine.known(self.plan, self.model, cache())

    def cost(self) -> int:
        """Return the most passes and steps that the plan takes."""
        return engine.cost(self.plan, self.model)

    def results(self, job: Job) -> Results:
        """Return the parts that a job has computed so far."""
        return Results(self.plan, job.parts)


def advance(work: Work) -> Progress:
    """Return the results so far, and submit what is missing, unless it was stopped or has failed before.

    The visitor's earlier job is left when the work is another one. Only unfinished jobs are kept in the session:
    results are large, and stay in the bounded cache.
    """
    key = work.key
    session = st.session_state
    finished = session.pop("finished", None)
    if finished is not None and finished[0] == key:
        return finished[1]
    job: Job | None = session.get("job")
    if job is not None and job.key != key:
        jobs().leave(job)
        job = session.job = None
    if job is None:
        results, complete = work.known()
        if complete:
            session.ended = None
            return Progress(results)
        if session.get("ended") and session.ended[0] == key:
            return Progress(results.over(session.get("drawn", {})), None, *session.ended[1:])
        job = jobs().submit(key, work.parts, work.cost())
        session.job, session.ended = job, None
        job.wait(AT_ONCE_SECONDS)  # most texts are done by then, and nothing flickers
    if not job.finished:
        return Progress(work.results(job), job)
    session.job = None
    if job.state == "done":
        return Progress(work.results(job))
    session.ended, session.drawn = (key, job.state, failure(job)), {}
    return Progress(work.results(job), None, *session.ended[1:])


def hand_over(work: Work, progress: Progress) -> None:
    """Keep what a poll has seen for the one run of the page that follows.

    Without that, results too large for the cache would be computed again and again: each page would ask for what was
    just given up.
    """
    st.session_state.finished = (work.key, progress)


def predicted(loaded: TextModel, text: str, pair: str | None = None) -> Prediction | None:
    """Return the prediction for a text, where it is known or computed in a moment."""
    work = Work(Plan.for_text(text, pair), loaded)
    results, complete = work.known()
    if not complete:
        job = jobs().submit(work.key, work.parts, 1)
        if not job.wait(0.25):
            jobs().leave(job)
        results = work.results(job)
    return results.prediction if results.observed else None


def lacking(loaded: TextModel, text: str, pair: str | None = None) -> str:
    """What texts need before a model can read them; empty where nothing is missing."""
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
        # A partial result is in no cache; it is small, and was on the screen.
        st.session_state.drawn = {name: part for name, part in job.parts.items() if is_partial(part)}


def has_ended(work: Work) -> bool:
    """Whether a piece of work was stopped, or has failed, so that nothing more of it will come."""
    ended = st.session_state.get("ended")
    return bool(ended) and ended[0] == work.key


def try_again() -> None:
    """Forget that the request was stopped or failed."""
    st.session_state.ended = None


def marks() -> Marks:
    """What the visitor marked as decisive, in every text of the visit."""
    return st.session_state.setdefault("marks", Marks())


@contextmanager
def of_every_page() -> Iterator[None]:
    """Widgets made in it are one widget on all pages that have it, like those of the script that every page runs in.

    Otherwise what such a widget puts into the address bar is lost when another page is opened, and the browser's way
    back leads to an address without it.
    """
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    with context.run_with_active_hash(context.pages_manager.main_script_hash):
        yield


def carry_over(page: str) -> None:
    """Bring texts, model and target along from the page before; called first on every page.

    A widget that the page before did not have begins with its default, unless its value is set here. What a page has no
    widget for is kept until a page has one. A link that leads here from another page says itself what it holds.
    """
    session = st.session_state
    kept = session.setdefault("carried", {})
    if session.get("page") != page:
        session.page = page
        for key, kept_value in kept.items():
            if key not in st.query_params and (key not in session or session[key] != kept_value):
                session[key] = kept_value


def keep(key: str, first: Any = None) -> None:
    """Have a widget that was out of sight come back as it was; called before it is made.

    Args:
        first: what it holds at the first visit, where that is no default of its own.
    """
    session = st.session_state
    held = session.setdefault("held", {})
    if key in session:
        held[key] = session[key]
    elif key in held:
        session[key] = held[key]
    elif first is not None:
        session[key] = first


def remember() -> None:
    """Note what `carry_over` will bring along; called when a page has made its widgets."""
    session = st.session_state
    session.carried |= {key: session[key] for key in CARRIED if key in session}


def turn_to(name: str) -> None:
    """Have the page that explains begin with a model, with nothing that was chosen for another one."""
    session = st.session_state
    carried = session.setdefault("carried", {})
    if carried.get("model") == name:
        return
    for key in ("task", "target", "against", "scale", "which"):
        carried.pop(key, None)
        if key in session:
            del session[key]
    carried["model"] = name


def examples(loaded: TextModel | None) -> dict[str, tuple[str, ...]]:
    """Texts to start from, of the kind that a model reads: its own, or its task's."""
    if loaded is None:  # it can't be loaded; something should stand there all the same
        return dict(TASKS["text_classification"].examples)
    entry = next((entry for entry in catalogue.list_models() if entry.name == loaded.name), None)
    first = entry is not None and loaded.task.name in entry.tasks[:1]  # its examples are of the first thing it does
    offered = (entry.examples if entry is not None and first else {}) or loaded.task.examples
    vocabulary = loaded.head.vocabulary
    mask = "[MASK]" if vocabulary is None else vocabulary.mask
    return {name: tuple(text.replace("[MASK]", mask) for text in texts) for name, texts in offered.items()}


def suit_texts(offered: Mapping[str, tuple[str, ...]]) -> None:
    """Put texts into the boxes before they are drawn.

    At a visitor's first run: those of the link, or the example the link names, or the first one. Later, those of a link
    on another page. An example that nobody changed makes room for one of the kind that the model now reads; a text of
    the visitor's own stays.
    """
    session, link = st.session_state, st.query_params
    first = next(iter(offered.values()))
    if "text" not in session or link.get("text"):
        linked = {key: link.get(key, "") for key in ("text", "pair")}
        text, *second = offered.get(link.get("example", "").replace("\\", ""), first)
        if linked["text"]:
            if "example" in link:
                del link["example"]
            text, second = linked["text"][:LONGEST_IN_LINK], [linked["pair"][:LONGEST_IN_LINK]]
        session.text, session.pair = text, next(iter(second), "")
        session.carried["pair"] = session.pair  # the page it opens may have no box for it
        for key, linked_text in linked.items():
            if linked_text:
                del link[key]  # the address bar holds settings; text goes into a link only when asked for
            if len(linked_text) > LONGEST_IN_LINK:
                st.warning(
                    f"The link held a text of {len(linked_text):,} characters; "
                    f"the first {LONGEST_IN_LINK:,} were taken."
                )
    pairs: list[tuple[str, str]] = [(texts[0], "".join(texts[1:])) for texts in offered.values()]
    shown = (session.text, session.get("pair") or "")
    if shown not in pairs and shown == session.get("untouched"):
        shown = session.text, session.pair = pairs[0]
    session.untouched = shown if shown in pairs else None


def is_shown(example: tuple[str, ...], loaded: TextModel | None) -> bool:
    """Whether the boxes hold an example, as far as the model reads them."""
    session = st.session_state
    shown = (session.text, "" if loaded is None or loaded.pair == "never" else session.get("pair") or "")
    return shown == (example[0], "".join(example[1:]))


def any_model_allowed() -> bool:
    """Whether visitors may name folders and hub models: on a server of one's own, or one that was started so."""
    return os.environ.get("EXPLAIN_ALLOW_ANY_MODEL") == "1" or _own_machine()


def training_allowed() -> bool:
    """Whether visitors may train models: on a server of one's own, or one that was started so."""
    return os.environ.get("EXPLAIN_ALLOW_TRAINING") == "1" or _own_machine()


def _own_machine() -> bool:
    """Whether the server listens to this machine alone."""
    return is_loopback(st.get_option("server.address") or "")


def titles() -> dict[str, str]:
    """The title of every method, by name."""
    return {name: METHODS[name].title for name in METHODS}

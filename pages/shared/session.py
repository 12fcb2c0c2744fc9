"""State that outlives one run of a page: queue, caches, models, and the choices of a visit."""

import os
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explain.analyses.umap_map import compile_umap
from explain.core.hosts import allowed_hosts, is_loopback
from explain.core.installation import environment_number
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.run.jobs import Cache, Jobs
from explain.training.labeled_rows import LabeledRows, labeled_rows, uploaded_rows
from pages.shared.marks import Marks

LONGEST_IN_LINK = 2000
MOST_PASSES = 20_000  # of one request, where strangers can come: every default on the longest text, tests included
MOST_JOBS = 2  # of one visitor in the queue, where strangers can come
CARRIED = (  # from one page to the next
    *("text", "pair", "model", "place", "fetch", "task"),
    *("target", "against", "scale", "which", "token"),
    *("texts_from", "encoder", "encoder_place", "pooling", "of_layer", "one", "other"),
)


@st.cache_resource
def jobs() -> Jobs:
    """Return the queue that all visitors share."""
    return Jobs(present=is_connected, most_per_visitor=None if own_machine() else MOST_JOBS)


def visitor() -> str:
    """Return the name of this visit: of the tab of a browser, from its opening to its closing."""
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    return context.session_id


def is_connected(visitor: Hashable) -> bool:
    """Return whether the tab of a visit is connected; Streamlit calls a session with a websocket active."""
    try:
        return bool(runtime.get_instance().is_active_session(str(visitor)))
    except RuntimeError:  # no server runs, as in a test
        return True


def most_passes() -> int | None:
    """Return the most passes that a request may take; None where only this machine reaches the server.

    `EXPLAIN_MAX_PASSES` sets another limit for either.

    Raises:
        ExplainError: the variable is no number.
    """
    if own_machine() and not os.environ.get("EXPLAIN_MAX_PASSES"):
        return None
    return environment_number("EXPLAIN_MAX_PASSES", MOST_PASSES)


@st.cache_resource
def cache() -> Cache:
    """Return the cache of results that all visitors share."""
    return Cache(environment_number("EXPLAIN_CACHE_MB", 384) << 20)


def model(name: str, task: str | None = None) -> TextModel:
    """Load a model; raises `ModelError` with what to do."""
    return catalogue.load_model(name, task=task)


@st.cache_resource(max_entries=2, show_spinner=False)
def rows_of_file(name: str, content: bytes) -> Dataset:
    """Return an uploaded file as rows to learn from; raises `DataError` with what to do."""
    return uploaded_rows(name, content)


@st.cache_resource(max_entries=2, show_spinner=False)
def learnable(_dataset: Dataset, sha256: str, columns: Columns) -> LabeledRows:
    """Return the rows that can be learned from; raises `DataError` with what to do."""
    return labeled_rows(_dataset, columns)


@st.cache_resource(show_spinner=False)
def prepare_umap() -> None:
    """Start compiling UMAP in the background, once, so that the first map comes sooner."""
    threading.Thread(target=compile_umap, name="umap", daemon=True).start()


def marks() -> Marks:
    """Return the words that the visitor marked, in every text of the visit."""
    return st.session_state.setdefault("marks", Marks())


@contextmanager
def of_every_page() -> Iterator[None]:
    """Share the widgets that are made inside between all pages that have them.

    Otherwise the address bar loses their values when another page is opened, and the browser's back button leads to an
    address without them.
    """
    context = get_script_run_ctx()
    assert context is not None, "pages run in a script run"
    with context.run_with_active_hash(context.pages_manager.main_script_hash):
        yield


def carry_over(page: str) -> None:
    """Bring texts, model and target along from the previous page; called first on every page.

    A widget that the previous page did not have starts with its default, unless its value is set here. Values without a
    widget on this page are kept until a page has one. Values in a link take precedence.
    """
    memory = st.session_state
    # The first run of a visit follows a link, and so do the runs after it until the visitor does something.
    memory.by_link = memory.get("by_link", True) and memory.get("automatic", True)
    memory.automatic = False
    kept = memory.setdefault("carried", {})
    if memory.get("page") != page:
        memory.page = page
        for key, kept_value in kept.items():
            if key not in st.query_params and (key not in memory or memory[key] != kept_value):
                memory[key] = kept_value


def rerun() -> None:
    """Run the page once more though the visitor did nothing."""
    st.session_state.automatic = True
    st.rerun()


def arrived_by_link() -> bool:
    """Return whether the visitor came by a link and has changed nothing yet."""
    return bool(st.session_state.get("by_link"))


def keep(key: str, first: Any = None) -> None:
    """Restore a widget that was not drawn for a while; called before it is made.

    Args:
        first: its value on the first visit, where the widget has no default.
    """
    memory = st.session_state
    held = memory.setdefault("held", {})
    if key in memory:
        held[key] = memory[key]
    elif key in held:
        memory[key] = held[key]
    elif first is not None:
        memory[key] = first


def remember() -> None:
    """Record the values that `carry_over` brings along; called when a page has made its widgets."""
    memory = st.session_state
    memory.carried |= {key: memory[key] for key in CARRIED if key in memory}


def turn_to(name: str) -> None:
    """Let the page Explain start with a model, without choices made for another one."""
    memory = st.session_state
    carried = memory.setdefault("carried", {})
    if carried.get("model") == name:
        return
    for key in ("task", "target", "against", "scale", "which"):
        carried.pop(key, None)
        if key in memory:
            del memory[key]
    carried["model"] = name


def any_model_allowed() -> bool:
    """Whether visitors may name folders and hub models: on a local server, or one that was started with permission."""
    return os.environ.get("EXPLAIN_ALLOW_ANY_MODEL") == "1" or own_machine()


def training_allowed() -> bool:
    """Whether visitors may train models: on a local server, or one that was started with permission."""
    return os.environ.get("EXPLAIN_ALLOW_TRAINING") == "1" or own_machine()


def visitor_is_here() -> bool:
    """Whether the visitor's browser runs on the machine of the server.

    Nobody else reaches the server then, and it answers to no name that a proxy may carry to others.
    """
    return own_machine() and not allowed_hosts() and is_loopback(urlsplit(_address()).hostname or "")


def _address() -> str:
    """Return the address of the app as the visitor's browser has it; empty where it does not say."""
    return st.context.url or ""


def own_machine() -> bool:
    """Whether the server listens only to this machine."""
    return is_loopback(st.get_option("server.address") or "")

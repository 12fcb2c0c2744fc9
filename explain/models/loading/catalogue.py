"""Loading models by name: shipped, trained here, from a local folder, or from the hub; and which there are."""

import threading
from collections import OrderedDict
from pathlib import Path

import torch

from explain.core.installation import MOST_THREADS, environment_number, models_folder
from explain.models.base import TextModel
from explain.models.loading import hub
from explain.models.loading.checkpoint import load_folder
from explain.models.loading.configuration import LOADING, as_model_errors
from explain.models.loading.folder_checks import check_files, is_adapter
from explain.models.loading.listing import (
    HEADLESS,
    Entry,
    default_encoder,
    entry_of,
    explainable,
    list_models,
    local_folder,
    trained_here,
    would_be_fetched,
)
from explain.models.loading.shared_encoder import load_adapter, load_own_head
from explain.models.loading.task_inference import task_named

__all__ = [
    "DEFAULT_MODEL",
    "Entry",
    "default_encoder",
    "default_task",
    "entry_of",
    "explainable",
    "fetched",
    "is_default",
    "list_models",
    "load_folder",
    "load_model",
    "locate",
    "task_named",
    "trained_here",
    "would_be_fetched",
]

DEFAULT_MODEL = "sentiment"
SIMILARITY = HEADLESS
KEPT_MODELS = 4  # loaded at once, by last use


def fetched(entry: Entry) -> Entry:
    """Return the entry of a model with its tasks, fetched from the hub where its tasks are unknown without that.

    Raises:
        ModelError: there is no such model.
    """
    if entry.tasks:
        return entry
    locate(entry.folder)
    return entry_of(entry.folder, entry.name)


def load_model(name: str = DEFAULT_MODEL, revision: str | None = None, task: str | None = None) -> TextModel:
    """Load a model, or hand out the one already loaded.

    Args:
        name: a shipped name, a name from `EXPLAIN_MODELS`, a local folder, or a hub name ("org/model").
        revision: a hub revision.
        task: one of its tasks ("fill-mask"), by default the first; see `Entry.tasks`.

    Raises:
        ModelError: there is no such model, it must not or can't be loaded, or nothing says which task it was saved for;
            the message says what to do.

    >>> load_model("sentiment").task.name
    'text_classification'
    """
    return _LOADED.get(name, revision, None if task is None else task_named(task).name)


def default_task(model: TextModel) -> str | None:
    """Return the task that a model's name alone gives, by the registry's name; None where a task has to be named."""
    entry = next((entry for entry in list_models() if entry.name == model.name), None) or entry_of(model.name)
    if not entry.tasks:
        return model.task.name
    return entry.tasks[0] if entry.task_is_known else None


def is_default(model: TextModel) -> bool:
    """Whether a model's name alone gives it: it does one thing, or this is the first of those it does."""
    return default_task(model) == model.task.name


class _Loaded:
    """The models in memory, the least recently used given up first. A loaded model is handed out at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: OrderedDict[_Key, TextModel] = OrderedDict()

    def get(self, name: str, revision: str | None, task: str | None) -> TextModel:
        key = (name, revision, task, _trained_at(name))
        model = self._recall(key)
        if model is not None:
            return model
        folder = locate(name, revision)  # may fetch from the hub, and take long
        with LOADING:
            model = self._recall(key)
            if model is None:
                model = _load(name, folder, revision, task)
                with self._lock:
                    self._models[key] = model
                    while len(self._models) > KEPT_MODELS:
                        self._models.popitem(last=False)
            return model

    def _recall(self, key: "_Key") -> TextModel | None:
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)


_Key = tuple[str, str | None, str | None, int]  # name, revision, task, when it was trained here
_LOADED = _Loaded()


def _trained_at(name: str) -> int:
    """Return the time stamp of a model that was trained here; 0 for all others.

    A name may be used again once its model is deleted.
    """
    try:
        return (models_folder() / name / "explain.json").stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def locate(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model, fetched from the hub if it is not here.

    Raises:
        ModelError: there is no such model.
    """
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    folder = local_folder(place, revision)
    if folder is None:
        folder = hub.fetch(place, revision, sorted(places))
    return folder


def _load(name: str, folder: Path, revision: str | None, task: str | None) -> TextModel:
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", torch.get_num_threads(), MOST_THREADS))
    with as_model_errors(name):
        check_files(name, folder)
        if is_adapter(folder):
            return load_adapter(name, folder, task)
        if (folder / "explain.json").is_file():
            return load_own_head(name, folder, task)
    return load_folder(name, folder, revision, task)

"""Which models there are, and loading them: shipped, trained here, from a local folder, or by hub name."""

import contextlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from explain.core.errors import ModelError
from explain.core.installation import MOST_THREADS, environment_number, models_folder, weights_folder
from explain.models.base import TextModel
from explain.models.loading import hub
from explain.models.loading.checkpoint import load_folder
from explain.models.loading.configuration import LOADING, as_model_errors
from explain.models.loading.folder_checks import check_files, is_adapter, read_about
from explain.models.loading.shared_encoder import load_adapter, load_own_head
from explain.models.loading.task_inference import HEADLESS, task_named, tasks_in, tasks_served
from explain.tasks.base import TASKS

DEFAULT_MODEL = "sentiment"
ENCODER = "base"  # what the shipped adapters are laid over
SIMILARITY = HEADLESS
KEPT_MODELS = 4  # loaded at once, by last use


@dataclass(frozen=True)
class Entry:
    """One model that can be asked for by name.

    Attributes:
        name, folder: where it is; folder is a hub name where it is on the hub.
        tasks: the registry names of what it can do, the default first; empty where only loading the model tells.
        title: what it does, in one line.
        size: bytes of its own weights.
        figures: its measured figures, as its card has them.
        examples: texts to start from, by a name for each; empty: the task's own.
        task_is_known: the first of its tasks is known to be meant. Else its weights fit all of them alike, nothing says
            which they were saved for, and the caller that loads it has to name one.
    """

    name: str
    folder: str
    tasks: tuple[str, ...]
    title: str
    size: int
    figures: dict[str, Any]
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    task_is_known: bool = True

    @property
    def main_figure(self) -> tuple[str, float, str] | None:
        """The figure that its card shows first: its name, its value, and the data it was measured on."""
        for figure in self.figures.get("shown", ()):
            return figure["name"], figure["value"], figure["data"]
        return ("accuracy", self.figures["accuracy"], "its dev set") if "accuracy" in self.figures else None


def list_models() -> tuple[Entry, ...]:
    """Return the shipped models, those trained here, and those in `EXPLAIN_MODELS`.

    The variable holds paths or hub names, with commas; "name=path" names one.

    Raises:
        ModelError: two models have one name.
    """
    entries = [_shipped(folder) for folder in _described(weights_folder())]
    entries += trained_here()
    for part in os.environ.get("EXPLAIN_MODELS", "").split(","):
        name, sign, place = (text.strip() for text in part.partition("="))
        if not sign or "/" in name:  # a folder's name may hold the sign, too
            name, place = "", part.strip()
        if place:
            entries.append(entry_of(place, name or Path(place).name))
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(
            f"EXPLAIN_MODELS gives the name {twice[0]!r} to two models; name them apart: {twice[0]}-2=/its/folder."
        )
    return tuple(entries)


def explainable() -> tuple[Entry, ...]:
    """Return the models that a page can explain."""
    return tuple(entry for entry in list_models() if not entry.tasks or set(entry.tasks) & set(TASKS))


def trained_here() -> list[Entry]:
    """Return the models that were trained with this app, without those that are incomplete or broken."""
    shipped = {folder.name for folder in _described(weights_folder())}
    entries = []
    for folder in _described(models_folder()):
        with contextlib.suppress(ModelError, KeyError, TypeError, AttributeError, OSError):
            if folder.name not in shipped:
                entries.append(_shipped(folder))
    return entries


def _described(folder: Path) -> list[Path]:
    """Return the folders in a folder that hold an `explain.json`."""
    return sorted(path.parent for path in folder.glob("*/explain.json") if not path.parent.name.startswith("."))


def _shipped(folder: Path) -> Entry:
    about = read_about(folder)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    examples = {name: tuple(texts) for name, texts in (about.get("examples") or {}).items()}
    tasks = tasks_served(folder, about)
    return Entry(folder.name, str(folder), tasks, about["title"], size, about.get("figures", {}), examples)


def entry_of(place: str, name: str | None = None) -> Entry:
    """Describe a model in a folder, or on the hub once it was fetched, without loading it."""
    folder = _here(place, None)
    tasks, is_known = ((), True) if folder is None else tasks_in(folder)
    return Entry(name or place, place, tasks, place, 0, {}, task_is_known=is_known)


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
    """
    return _LOADED.get(name, revision, None if task is None else task_named(task).name)


def default_task(model: TextModel) -> str | None:
    """Return the task that a model's name alone gives, by the registry's name; None where a task has to be named."""
    entry = next((entry for entry in list_models() if entry.name == model.name), None) or entry_of(model.name)
    if not entry.tasks:
        return model.task.name
    return entry.tasks[0] if entry.task_is_known else None


def default_encoder() -> str:
    """Return the name of the shipped model whose vectors were made to be compared; else the shared encoder's."""
    names = (entry.name for entry in list_models() if entry.tasks[:1] == (SIMILARITY.name,))
    return next(names, ENCODER)


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


def would_be_fetched(name: str) -> bool:
    """Whether loading a name would ask the hub: it is no folder here, and could be a name there."""
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    return hub.is_hub_name(place) and _folder(place) is None


def locate(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model, fetched from the hub if it is not here.

    Raises:
        ModelError: there is no such model.
    """
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    folder = _here(place, revision)
    if folder is None:
        folder = hub.fetch(place, revision, sorted(places))
    return folder


def _here(place: str, revision: str | None) -> Path | None:
    """Return the folder of a model on this machine, without asking the hub; None where it is not known."""
    return _folder(place) or hub.fetched_folder(place, revision)


def _folder(place: str) -> Path | None:
    """Return the folder of that name, if there is one."""
    try:
        folder = Path(place).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # nobody's home, a name too long for any folder, a zero byte
        return None


def _load(name: str, folder: Path, revision: str | None, task: str | None) -> TextModel:
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", torch.get_num_threads(), MOST_THREADS))
    with as_model_errors(name):
        check_files(name, folder)
        if is_adapter(folder):
            return load_adapter(name, folder, task)
        if (folder / "explain.json").is_file():
            return load_own_head(name, folder, task)
    return load_folder(name, folder, revision, task)

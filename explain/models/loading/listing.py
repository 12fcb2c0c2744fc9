"""Which models there are: shipped, trained here, and those in `EXPLAIN_MODELS`; and their tasks, as far as files say.

Neither torch nor transformers is imported, but for a folder whose weights decide its task.
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explain.core.errors import ModelError
from explain.core.installation import models_folder, weights_folder
from explain.models.families import FAMILIES
from explain.models.loading import hub
from explain.models.loading.folder_checks import check_files, is_adapter, read_about, read_config, tensor_names
from explain.tasks.base import TASKS, Task

MODULES = "modules.json"  # sentence-transformers' list of the parts of a model
_HEADS = frozenset(  # names of parts that stand beside the encoder; causal models may save none, as it is the embedding
    (
        *("classifier", "pre_classifier", "classification_head", "score", "cls", "lm_head", "qa_outputs", "head"),
        *("vocab_projector", "vocab_transform", "predictions", "generator_predictions", "generator_lm_head"),
        *("lm_predictions", "mask_predictions", "decoder", "discriminator_predictions", "sop_classifier"),
    )
)
ENCODER = "base"  # what the shipped adapters are laid over
HEADLESS, CAUSAL = TASKS["sentence_similarity"], TASKS["text_generation"]


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

    >>> "sentiment" in [entry.name for entry in list_models()]
    True
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
    folder = local_folder(place, None)
    tasks, is_known = ((), True) if folder is None else tasks_in(folder)
    return Entry(name or place, place, tasks, place, 0, {}, task_is_known=is_known)


def default_encoder() -> str:
    """Return the name of the shipped model whose vectors were made to be compared; else the shared encoder's."""
    names = (entry.name for entry in list_models() if entry.tasks[:1] == (HEADLESS.name,))
    return next(names, ENCODER)


def would_be_fetched(name: str) -> bool:
    """Whether loading a name would ask the hub: it is no folder here, and could be a name there."""
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    return hub.is_hub_name(place) and _folder(place) is None


def tasks_served(folder: Path, about: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tasks of a model that shares an encoder: its own first, then the others that its heads serve.

    Args:
        about: its `explain.json`.
    """
    if not is_adapter(folder):
        return tuple(dict.fromkeys((about["task"], *tasks_in(folder)[0])))
    auto_class = TASKS[about["task"]].auto_class if about["task"] in TASKS else None
    labels = [str(label) for label in about.get("labels", ())]
    same = (name for name, task in TASKS.items() if task.auto_class == auto_class and task.fits(labels))
    return tuple(dict.fromkeys((about["task"], *same)))


def tasks_in(folder: Path) -> tuple[tuple[str, ...], bool]:
    """Return the tasks that a folder's model was saved for, or could have been, and whether the first is meant."""
    try:
        check_files(folder.name, folder)
        config = read_config(folder.name, folder)
        labels = [str(label) for label in (config.get("id2label") or {}).values()]
        tasks = tasks_for(config.get("architectures") or (), labels, str(config.get("model_type")))
        if HEADLESS in tasks or not weights_decide(folder, config, tasks):
            return tuple(task.name for task in tasks), True
        from explain.models.loading.task_inference import fitting_tasks  # imports torch

        fitting, is_known = fitting_tasks(folder, tasks)
        return tuple(task.name for task in fitting), is_known
    except ModelError:  # loading says what is wrong
        return (), True


def weights_decide(folder: Path, config: Mapping[str, Any], declared: Sequence[Task]) -> bool:
    """Return whether a folder's tasks are to be read from its weights, whatever its configuration names.

    It names nothing; or sentence-transformers wrote the folder, which keeps the name of the class that was trained
    before it; or no tensor has the name of a head.

    Args:
        declared: the tasks that the configuration names. A class without any is refused, whatever its head is like.
    """
    if not config.get("architectures") or (folder / MODULES).is_file():
        return True
    if not declared:
        return False
    names = {part for key in tensor_names(folder) for part in key.split(".")[:2]}
    return bool(names) and not names & _HEADS and str(config.get("model_type")) not in _causal_families()


def _causal_families() -> set[str]:
    return {name for name, family in FAMILIES.items() if family.causal}


def tasks_for(architectures: Sequence[str], labels: Sequence[str], family: str) -> list[Task]:
    """Return the tasks whose head a checkpoint was saved with; text generation only for causal families."""
    causal = family in FAMILIES and FAMILIES[family].causal
    return [
        task
        for task in TASKS.values()
        if any(map(task.is_in, architectures)) and task.fits(labels) and (causal or task is not CAUSAL)
    ]


def local_folder(place: str, revision: str | None) -> Path | None:
    """Return the folder of a model on this machine, without asking the hub; None where it is not known."""
    return _folder(place) or hub.fetched_folder(place, revision)


def _folder(place: str) -> Path | None:
    """Return the folder of that name, if there is one."""
    try:
        folder = Path(place).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # nobody's home, a name too long for any folder, a zero byte
        return None

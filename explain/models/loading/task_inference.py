"""The tasks of a checkpoint: by its configuration, or by its weights where the configuration does not say.

A task is offered where the files hold all of its head, in the shapes that the configuration asks for, so that nothing
would be random. Only names and shapes are read: the models that are built for it take no memory.
"""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import transformers
from transformers import PretrainedConfig, PreTrainedModel

from explain.core.errors import ModelError
from explain.core.registry import unknown
from explain.models.families import FAMILIES
from explain.models.loading.configuration import LOADING, check_weight_files, load_config
from explain.models.loading.listing import CAUSAL, HEADLESS, tasks_for
from explain.tasks.base import TASKS, Task


def open_checkpoint(
    folder: Path, config: PretrainedConfig, auto_class: str, **options: Any
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return a folder's model by a class of transformers, and transformers' account of how they fit."""
    module, loading_info = getattr(transformers, auto_class).from_pretrained(
        folder,
        config=config,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
        **options,
    )
    return module, loading_info


def mismatched(folder: Path, config: PretrainedConfig, auto_class: str) -> Any:
    """Return the tensors that a folder holds in other shapes than its configuration asks for, each with both shapes.

    transformers makes room for what the configuration asks for before it compares; here nothing takes memory.
    """
    return _without_memory(folder, config, auto_class)[1]["mismatched_keys"]


def _without_memory(folder: Path, config: PretrainedConfig, auto_class: str) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Do the same as `open_checkpoint`, with names and shapes alone."""
    return open_checkpoint(folder, copy.deepcopy(config), auto_class, device_map="meta", ignore_mismatched_sizes=True)


def lacking(task: Task, loading_info: dict[str, Any]) -> list[str]:
    """Return the tensors that a task needs and the files don't hold: they would be random."""
    return sorted(key for key in loading_info["missing_keys"] if task is not HEADLESS or not key.startswith("pooler."))


def suits(task: Task, folder: Path, config: PretrainedConfig) -> bool:
    """Whether a model of this family and these labels could do a task, whatever its weights hold."""
    return _on_paper(task, folder, config) is not None


def _tasks_by_weights(folder: Path, config: PretrainedConfig) -> tuple[Task, ...]:
    """Return the tasks whose head is among the weights of a folder, all of it; several where heads look the same.

    Of two heads one of which leaves more of what was saved unused, the other is meant: DistilBERT's for texts holds
    all that one for words would need. No head at all is meant only where none was saved.
    """
    unused = {}
    for task in TASKS.values():
        built = _on_paper(task, folder, config)
        if built is None or lacking(task, built[1]) or built[1]["mismatched_keys"]:
            continue
        encoder = f"{built[0].base_model_prefix}."
        unused[task] = {key for key in built[1]["unexpected_keys"] if not key.startswith(encoder)}
        if task is HEADLESS and unused[task]:
            del unused[task]
    return tuple(task for task in unused if not any(other < unused[task] for other in unused.values()))


def _on_paper(task: Task, folder: Path, config: PretrainedConfig) -> tuple[PreTrainedModel, dict[str, Any]] | None:
    """Return a folder's model with the head of a task, without memory for its weights; None where there is none."""
    labels = [str(label) for label in (config.id2label or {}).values()]
    if not task.fits(labels) or FAMILIES[config.model_type].causal != (task is CAUSAL):
        return None
    try:
        built = _without_memory(folder, config, task.auto_class)
    except Exception:  # the family has no such head; loading reports a broken file
        return None
    return built if task.is_in(type(built[0]).__name__) else None


def task_named(name: str) -> Task:
    """Return a task by Hugging Face's name or the registry's.

    Raises:
        ModelError: there is no such task.
    """
    if name.replace("-", "_") not in TASKS:
        raise ModelError(unknown("task", name, [task.hub_name for task in TASKS.values()]))
    return TASKS[name.replace("-", "_")]


def task_of(name: str, config: PretrainedConfig, requested: str | None) -> Task:
    """Return the requested task of a model whose configuration says what it was saved for; by default the first.

    Raises:
        ModelError: it was saved for no task that is explained, or not for the requested one.
    """
    architectures = config.architectures
    labels = [str(label) for label in (config.id2label or {}).values()]
    tasks = tasks_for(architectures, labels, config.model_type)
    if not tasks:
        raise ModelError(
            f"{name} was saved as {', '.join(architectures)}. Explained so far: {_names_of(TASKS.values())}; "
            "use a checkpoint fine-tuned for one of these."
        )
    if FAMILIES[config.model_type].causal and CAUSAL not in tasks:
        raise ModelError(
            f"{name} is of the causal family {config.model_type!r}, which is explained for text-generation only."
        )
    return requested_task(name, tasks, requested)


def task_that_fits(name: str, folder: Path, config: PretrainedConfig, requested: str | None) -> Task:
    """Return the task of a model whose configuration does not say what it was saved for.

    Raises:
        ModelError: its weights fit no task, or several and none is requested. Where the requested one lacks some of its
            weights, loading says so.
    """
    tasks = tasks_by_weights(folder)
    unsaid = f"{name} does not say what it was saved for (no architectures in its config.json)"
    if requested is not None:
        task = task_named(requested)
        if task not in tasks and not suits(task, folder, config):
            raise ModelError(
                f"{name} can't do {task.hub_name}: it takes another family of models than {config.model_type!r}, or "
                f"other labels. By its weights it could do: {_names_of(tasks) or 'nothing that is explained so far'}."
            )
        return task
    if not tasks:
        raise ModelError(
            f"{unsaid}, and its weights hold no head that is known, or one of another shape than its config.json says. "
            f"Explained so far: {_names_of(TASKS.values())}; use a checkpoint fine-tuned for one of these."
        )
    if len(tasks) > 1:
        raise ModelError(
            f"{unsaid}. By its weights it could do: {_names_of(tasks)}. Say which: task={tasks[0].hub_name!r} in "
            f"Python, --task {tasks[0].hub_name} on the command line."
        )
    return tasks[0]


def requested_task(name: str, tasks: Sequence[Task], requested: str | None) -> Task:
    """Return the requested task, or the first.

    Raises:
        ModelError: the requested one is not among them.
    """
    if requested is None:
        return tasks[0]
    task = task_named(requested)
    if task not in tasks:
        raise ModelError(f"{name} was not trained for {task.hub_name}; it does {_names_of(tasks)}.")
    return task


def _names_of(tasks: Iterable[Task]) -> str:
    return ", ".join(task.hub_name for task in tasks)


def tasks_by_weights(folder: Path) -> tuple[Task, ...]:
    """Return the tasks whose head is among a folder's weights; computed again only where its files have changed.

    Raises:
        ModelError: a file that can't be used.
    """
    try:
        files = [(path, path.stat()) for path in (folder / "config.json", *sorted(folder.glob("*.safetensors")))]
    except OSError as error:
        raise ModelError(f"{folder.name}: {Path(error.filename).name} can't be read: {error.strerror}.") from error
    stamp = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in files)
    if _FITTING.get(folder, ((), ()))[0] != stamp:
        with LOADING:
            check_weight_files(folder.name, folder)
            _FITTING[folder] = stamp, _tasks_by_weights(folder, load_config(folder.name, folder))
    return _FITTING[folder][1]


_FITTING: dict[Path, tuple[tuple[Any, ...], tuple[Task, ...]]] = {}  # by folder, with the stamps of its files

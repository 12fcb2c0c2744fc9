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
from explain.models.loading.listing import CAUSAL, HEADLESS, MODULES, tasks_in
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


def fitting_tasks(folder: Path, declared: Sequence[Task]) -> tuple[tuple[Task, ...], bool]:
    """Return the tasks of a folder whose weights decide, and whether the first of them is meant.

    Args:
        declared: the tasks that its configuration names; where their heads are there, no other is offered. A folder
            that sentence-transformers wrote gives vectors of texts first.

    Raises:
        ModelError: a file that can't be used.
    """
    fitting = tasks_by_weights(folder)
    kept = tuple(task for task in declared if task in fitting)
    if (folder / MODULES).is_file() and may_serve(HEADLESS, folder):
        return tuple(dict.fromkeys((HEADLESS, *kept))), True
    return (kept, True) if kept else (fitting or tuple(declared), len(fitting) < 2)


def may_serve(task: Task, folder: Path) -> bool:
    """Return whether a folder holds all that a task needs, whatever it was saved for."""
    with LOADING:
        built = _on_paper(task, folder, load_config(folder.name, folder))
    return built is not None and not lacking(task, built[1]) and not built[1]["mismatched_keys"]


def task_of(name: str, folder: Path, config: PretrainedConfig, requested: str | None) -> Task:
    """Return the requested task of a folder's model; by default the first that its configuration and weights name.

    Raises:
        ModelError: there is none that is explained, several fit alike, or the requested one is not to be had. Where a
            model that names no task lacks some weights of the requested one, loading says so.
    """
    architectures = config.architectures or ()
    names, is_known = tasks_in(folder)
    tasks = [TASKS[task] for task in names]
    if requested is not None:
        return _requested(name, folder, config, tasks, task_named(requested))
    unsaid = f"{name} does not say what it was saved for (no architectures in its config.json)"
    if not tasks and architectures:
        _check_causal(name, config)
        raise ModelError(
            f"{name} was saved as {', '.join(architectures)}. Explained so far: {_names_of(TASKS.values())}; "
            "use a checkpoint fine-tuned for one of these."
        )
    if not tasks:
        raise ModelError(
            f"{unsaid}, and its weights hold no head that is known, or one of another shape than its config.json says. "
            f"Explained so far: {_names_of(TASKS.values())}; use a checkpoint fine-tuned for one of these."
        )
    _check_causal(name, config, tasks)
    if not is_known:
        of_another = f"{name} was saved as {', '.join(architectures)}, and its weights hold no such head"
        raise ModelError(
            f"{of_another if architectures else unsaid}. By its weights it could do: {_names_of(tasks)}. Say which: "
            f"task={tasks[0].hub_name!r} in Python, --task {tasks[0].hub_name} on the command line."
        )
    return tasks[0]


def _check_causal(name: str, config: PretrainedConfig, tasks: Sequence[Task] = ()) -> None:
    if FAMILIES[config.model_type].causal and CAUSAL not in tasks:
        raise ModelError(
            f"{name} is of the causal family {config.model_type!r}, which is explained for text-generation only."
        )


def _requested(name: str, folder: Path, config: PretrainedConfig, tasks: Sequence[Task], task: Task) -> Task:
    if task in tasks or may_serve(task, folder):
        return task
    if config.architectures:
        raise ModelError(f"{name} was not trained for {task.hub_name}; it does {_names_of(tasks) or 'nothing known'}.")
    if not suits(task, folder, config):
        raise ModelError(
            f"{name} can't do {task.hub_name}: it takes another family of models than {config.model_type!r}, or "
            f"other labels. By its weights it could do: {_names_of(tasks) or 'nothing that is explained so far'}."
        )
    return task


def requested_task(name: str, tasks: Sequence[Task], requested: str | None) -> Task:
    """Return the requested task of those that a model serves, or the first.

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

"""What a checkpoint can do where its configuration does not say what it was saved for: its weights decide.

A task is offered where the files hold all of its head, in the shapes that the configuration asks for, so that nothing
would be random. Only names and shapes are read: the models that are built for it take no memory.
"""

import copy
from pathlib import Path
from typing import Any

import transformers
from transformers import PretrainedConfig, PreTrainedModel

from explain.models.families import FAMILIES
from explain.tasks.base import TASKS, Task

HEADLESS, CAUSAL = TASKS["sentence_similarity"], TASKS["text_generation"]


def open_checkpoint(
    folder: Path, config: PretrainedConfig, auto_class: str, **options: Any
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """A folder's model by a class of transformers, and what transformers tells of how they fit."""
    module, told = getattr(transformers, auto_class).from_pretrained(
        folder,
        config=config,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
        **options,
    )
    return module, told


def mismatched(folder: Path, config: PretrainedConfig, auto_class: str) -> Any:
    """The tensors that a folder holds in other shapes than its configuration asks for, each with both shapes.

    transformers makes room for what the configuration asks for before it compares; here nothing takes memory.
    """
    return _without_memory(folder, config, auto_class)[1]["mismatched_keys"]


def _without_memory(folder: Path, config: PretrainedConfig, auto_class: str) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The same as `open_checkpoint`, of names and shapes alone."""
    return open_checkpoint(folder, copy.deepcopy(config), auto_class, device_map="meta", ignore_mismatched_sizes=True)


def lacking(task: Task, told: dict[str, Any]) -> list[str]:
    """The tensors that a task needs and the files don't hold: they would be random."""
    return sorted(key for key in told["missing_keys"] if task is not HEADLESS or not key.startswith("pooler."))


def suits(task: Task, folder: Path, config: PretrainedConfig) -> bool:
    """Whether a model of this family and these labels could do a task, whatever its weights hold."""
    return _on_paper(task, folder, config) is not None


def tasks_by_weights(folder: Path, config: PretrainedConfig) -> tuple[Task, ...]:
    """The tasks whose head is among the weights of a folder, all of it; several where heads look the same.

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
    """A folder's model with the head of a task, without memory for its weights; None where there is no such model."""
    labels = [str(label) for label in (config.id2label or {}).values()]
    if not task.fits(labels) or FAMILIES[config.model_type].causal != (task is CAUSAL):
        return None
    try:
        built = _without_memory(folder, config, task.auto_class)
    except Exception:  # the family has no such head; a broken file is told of when it is loaded
        return None
    return built if task.is_in(type(built[0]).__name__) else None

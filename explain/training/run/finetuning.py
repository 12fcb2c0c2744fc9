"""Carry out a fine-tuning recipe: train an adapter, measure it, write adapter, record and card."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoTokenizer, PreTrainedTokenizerBase, TrainerCallback, set_seed

from explain.core.files import atomic_files, create_folder, write_file
from explain.core.installation import weights_folder
from explain.data.dataset import Dataset
from explain.data.storage import license_of
from explain.models.loading.files import weight_hash
from explain.training.measure.card import write_card
from explain.training.objectives.base import Figures, Fitted, Objective, Source
from explain.training.recipes.finetuning import FinetuningRecipe, completed
from explain.training.recipes.tasks import TASK_RECIPES, TaskRecipe, places_of
from explain.training.run.adapter import adapted_model, trained_sizes
from explain.training.run.adapter_trainer import train_adapter
from explain.training.run.budget import Budget
from explain.training.run.examples import read_task
from explain.training.run.trainer_errors import library_errors

COMMAND = "python -m explain.training.finetune"


@dataclass(frozen=True)
class Finetuned:
    """A model that was just trained, with what it was trained and measured on.

    Attributes:
        training: examples as the objective reads them.
        tuning, measuring: examples by the name of their split.
    """

    model: peft.PeftModel
    tokenizer: PreTrainedTokenizerBase
    objective: Objective[Any]
    fitted: Fitted
    training: list[Any]
    tuning: dict[str, list[Any]]
    measuring: dict[str, list[Any]]


@dataclass(frozen=True)
class Further:
    """Additions of a caller to a run: entries for its record, and example texts for a page."""

    record: Mapping[str, Any]
    examples: Mapping[str, tuple[str, ...]]


def finetune(recipe: FinetuningRecipe) -> Figures:
    """Run the recipe of a known task; resume it if its output folder holds a checkpoint.

    Returns:
        The main figures: those of the first split to measure on.
    """
    task = TASK_RECIPES[recipe.task]
    if recipe.pooling is not None:
        task = replace(task, objective=task.objective.pooled(recipe.pooling))
    return carry_out(recipe, task, places_of(recipe.data, recipe.task))


def carry_out(
    recipe: FinetuningRecipe,
    task: TaskRecipe,
    places: dict[str, str],
    *,
    made_by: str = COMMAND,
    watch: Callable[[Budget], TrainerCallback] | None = None,
    further: Callable[[Finetuned], Further] | None = None,
) -> Figures:
    """Train, measure, and write adapter, record and card; continue from a checkpoint in the output folder.

    Args:
        task: a known task, or one made for this run.
        places: folder or hub name of each of its data sets, by name.
        made_by: the command, for record and card.
        watch: makes a callback from the budget, which reports progress and may end the training.
        further: takes the trained model; returns additions to the record.

    Returns:
        The main figures: those of the first split to measure on.
    """
    set_seed(recipe.seed)
    objective = task.objective
    objective.check_requirements()
    recipe = completed(recipe, task)
    base = Path(recipe.base) if recipe.base else weights_folder() / "base"
    output = Path(recipe.output)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    examples = read_task(task, places, recipe.seed)
    tuning = [row for part in examples.tuning.values() for row in part]
    features = objective.encode(examples.training, tokenizer)

    fresh = adapted_model(recipe, base, objective)
    sizes = trained_sizes(fresh)
    trained = train_adapter(recipe, fresh, features, tokenizer, objective, tuning, watch)
    model = trained.model
    fitted = objective.fit(model, tokenizer, examples.held_out, tuning)
    measured = {
        split: objective.measure(model, tokenizer, rows, fitted)
        for split, rows in (examples.measuring | examples.tuning).items()
    }
    main = next(iter(examples.measuring))
    figures = measured[main] | trained.spent | sizes
    figures |= {"trained_on": len(features), "known_texts_left_out": examples.left_out}
    if fitted.count:
        figures["calibrated_on" if fitted.temperature is not None else "tuned_on"] = fitted.count
    finetuned = Finetuned(model, tokenizer, objective, fitted, examples.training, examples.tuning, examples.measuring)
    additions = Further({}, task.examples) if further is None else further(finetuned)
    record = {"made_by": made_by, **_record(recipe, task, places, base, fitted, figures, measured), **additions.record}
    create_folder(output)
    write_file(output / "training.json", json.dumps(record, indent=1) + "\n")
    write_card(output)
    shown = shown_figures(objective, figures, main)
    # The description comes last: with it, the model is listed.
    save(model, output, replace(task, examples=additions.examples), base, fitted, figures, shown)
    return figures


def _record(
    recipe: FinetuningRecipe,
    task: TaskRecipe,
    places: dict[str, str],
    base: Path,
    fitted: Fitted,
    figures: Figures,
    measured: Mapping[str, Figures],
) -> dict[str, Any]:
    """Return the entries of `training.json`; `measured` has figures by split, those of the main one first."""
    tuning = [f"{source.title} {split}" for source in task.sources for split in source.tuning]
    main, *others = [split for split in measured if split not in tuning]
    return {
        "recipe": asdict(recipe) | {"base": base.name, "data": list(places), "output": Path(recipe.output).name},
        "about": {"title": task.title, "trained_on": task.trained_on, "limits": task.limits},
        "trained_whole": task.objective.trained_whole,
        "encoder_source": _source_of(base),
        "measured_on": main,
        "figures": figures,
        "measured_elsewhere": {split: measured[split] for split in others},
        "while_choosing_settings": {split: measured[split] for split in tuning},  # the card leaves these out
        "temperature": fitted.temperature,
        "outside": fitted.outside,
        "data": [_data_entry(source, places[source.name]) for source in task.sources],
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
    }


def _source_of(base: Path) -> str | None:
    """Return the encoder that the base was trained from, by the base's record; None for the shipped base."""
    record = base / "training.json"
    source = json.loads(record.read_text(encoding="utf-8"))["recipe"]["source"] if record.is_file() else base.name
    return None if source is None else str(source)


def _data_entry(source: Source, place: str) -> dict[str, Any]:
    return {
        "name": source.name,
        "title": source.title,
        "license": license_of(place),
        "splits": source.splits,
        "sha256": {split: Dataset.open(place, split=split).sha256() for split in source.splits},
    }


def shown_figures(objective: Objective[Any], figures: Figures, split: str) -> list[dict[str, Any]]:
    """Return the few figures a page shows, the main one first: name, value, 95 % interval if there is one, split."""
    shown = []
    for name, key in objective.headline:
        low, high = figures.get(f"{key}_interval") or (None, None)
        shown.append({"name": name, "value": figures[key], "low": low, "high": high, "data": split})
    return shown


def save(
    model: peft.PeftModel,
    folder: Path,
    task: TaskRecipe,
    base: Path,
    fitted: Fitted,
    figures: Figures,
    shown: list[dict[str, Any]],
) -> None:
    """Write the adapter as peft does, and `explain.json`, which the catalogue reads."""
    with library_errors(folder), atomic_files(folder) as scratch:
        model.save_pretrained(scratch, safe_serialization=True)
        (scratch / "README.md").unlink(missing_ok=True)  # peft's card; ours is written from the record
        settings = json.loads((scratch / "adapter_config.json").read_text(encoding="utf-8"))
        settings["base_model_name_or_path"] = f"../{base.name}"
        write_file(scratch / "adapter_config.json", json.dumps(settings, indent=1) + "\n")
        load_file(scratch / "adapter_model.safetensors")  # an unreadable file must not look finished
    objective = task.objective
    flat = ("accuracy", "accuracy_interval", "f1", "roc_auc")
    description = {
        "title": task.title,
        "task": objective.task,
        "base": base.name,
        "base_sha256": weight_hash(base),
        "labels": objective.labels,
        **({"pooling": objective.pooling} if objective.pooling else {}),
        "exclusive": objective.exclusive,
        "scripts": task.scripts,
        "temperature": fitted.temperature,
        **({} if fitted.thresholds is None else {"thresholds": fitted.thresholds}),
        **({"texts": task.texts} if task.texts else {}),
        **({"examples": dict(task.examples)} if task.examples else {}),
        "figures": {name: figures[name] for name in flat if name in figures} | {"shown": shown},
    }
    write_file(folder / "explain.json", json.dumps(description, indent=1) + "\n")

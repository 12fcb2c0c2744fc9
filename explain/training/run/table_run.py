"""Train a classifier on a table: fine-tuning, and a comparison with simpler models."""

import functools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax

from explain.core.errors import DataError
from explain.core.files import write_file
from explain.core.installation import MOST_THREADS, environment_number
from explain.data.splits import TEXTS
from explain.numerics.statistics import mean_and_half_width
from explain.training.measure import baselines
from explain.training.measure.classification import (
    Flags,
    Floats,
    best_thresholds,
    classification_figures,
    curves,
    multi_label_figures,
)
from explain.training.measure.figures import EVALUATION
from explain.training.objectives.base import Figures, Source
from explain.training.objectives.classification import Labelled, OneLabel, SeveralLabels
from explain.training.recipes import TaskRecipe
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.run import runs
from explain.training.run.finetuning import Finetuned, Further, carry_out
from explain.training.run.runs import Reporter
from explain.training.run.watch import Watch

MEASUREMENTS = 20  # on the dev rows, in a run of all epochs ...
FEWEST_STEPS, MOST_STEPS = 5, 50  # ... within these steps of each other; a killed run loses the steps in between
LONGEST_EXAMPLE = 400  # characters


def train_table(folder: Path, reporter: Reporter) -> Figures:
    """Carry out a run of `prepare_classifier`; see `job.work`.

    Raises:
        DataError: the base is missing.
        Cancelled: the run was stopped.
    """
    run = begin(folder)
    task, recipe = task_of(folder.name, run), recipe_of(folder, run)
    reporter.doing("Reading")

    def further(finetuned: Finetuned) -> Further:
        reporter.doing("Measuring", 1.0)
        reporter.raise_if_stopped()
        compared = evaluation(finetuned, run["columns"]["several"])
        write_file(folder / EVALUATION, json.dumps(compared) + "\n")
        beside = {judge["name"]: judge["figures"] for judge in compared["judges"][1:]}
        return Further({"file": run["file"], "beside": beside}, compared["examples"])

    return carry_out(
        recipe,
        task,
        {"own": str(folder / "data")},
        made_by="explain train",
        watch=functools.partial(Watch, reporter),
        further=further,
    )


def begin(folder: Path) -> dict[str, Any]:
    """Return the content of a run's `recipe.json`; from now on, torch leaves a core to the app.

    Raises:
        DataError: the encoder to start from is missing.
    """
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", max(1, (os.cpu_count() or 2) - 1), MOST_THREADS))
    recipe = dict(runs.look_at(folder).recipe)
    if not Path(recipe["base"]).is_dir():
        raise DataError(f"The encoder of this run is missing: {recipe['base']}. Delete the run and start a new one.")
    return recipe


def recipe_of(folder: Path, run: dict[str, Any]) -> FinetuningRecipe:
    """Return the recipe for `carry_out`.

    Args:
        run: content of the run's `recipe.json`.
    """
    settings, rows = run["settings"], run["splits"]["train"]["rows"]
    steps = max(1, round(settings["epochs"] * rows / settings["batch_size"]))
    return FinetuningRecipe(
        task=folder.name,
        data=(run["file"]["name"],),
        output=str(folder),
        base=run["base"],
        pooling=settings.get("pooling", "cls"),  # older runs have no pooling
        dropout=0.0,  # a few epochs memorize nothing, and with dropout an adapter learns less
        epochs=settings["epochs"],
        steps=steps,
        minutes=settings["minutes"],
        rank=settings["rank"] if settings["train"] == "adapter" else 0,
        evaluate_every=min(MOST_STEPS, max(FEWEST_STEPS, steps // MEASUREMENTS)),
        patience=settings["patience"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        bfloat16=False,  # slower on most processors
    )


def task_of(name: str, run: dict[str, Any]) -> TaskRecipe:
    """Return the task of a table.

    Args:
        run: content of the run's `recipe.json`.
    """
    columns, file = run["columns"], run["file"]
    labels = tuple(run["labels"])
    single = OneLabel(labels=labels, holds_out=False).pooled(run["settings"].get("pooling", "cls"))
    return TaskRecipe(
        title=run["title"],
        objective=SeveralLabels(labels=labels) if columns["several"] else single,
        sources=(
            Source(
                name="own",
                title=file["name"],
                training=("train",),
                tuning=("dev",),
                measuring=("test",),
                texts=TEXTS if columns["text_pair"] else TEXTS[:1],
                label="labels" if columns["several"] else "label",
            ),
        ),
        texts=("Text", "Second text") if columns["text_pair"] else (),
        trained_on=f"the file {file['name']}",
        limits="It was measured on rows of the same file; on other texts its predictions are guesses. It has learned "
        "any bias of that file.",
    )


def evaluation(finetuned: Finetuned, several: bool) -> dict[str, Any]:
    """Compare the model with a bag of words and the label frequencies, all on the same test rows.

    Returns:
        `labels`; `count` and `trained_on`, numbers of rows; `exclusive`; `strength` of the bag of words; `temperature`
        of the model; `judges`: `name`, `figures` and `curves` of each model; `gain`: the difference in accuracy to the
        bag of words and its half-width, for one label; `examples` for a page: texts with correct and wrong predictions.
    """
    objective, labels = finetuned.objective, finetuned.objective.labels
    assert isinstance(objective, OneLabel | SeveralLabels)
    dev_rows, rows = (
        [row for part in parts.values() for row in part] for parts in (finetuned.tuning, finetuned.measuring)
    )
    training, dev, test = ((_texts(part), _right(part, len(labels))) for part in (finetuned.training, dev_rows, rows))
    logits = objective.logits(finetuned.model, finetuned.tokenizer, rows)
    ours = expit(logits) if several else softmax(logits / (finetuned.fitted.temperature or 1.0), axis=1)
    thresholds = np.array(finetuned.fitted.thresholds or [0.5] * len(labels))
    words, words_on_dev, strength = _bag_of_words(training, dev, test[0], several)
    frequent = baselines.majority(training[1], max(len(rows), len(dev_rows)))

    def fitted(on_dev: Floats) -> Floats:
        return best_thresholds(on_dev, dev[1]) if several else thresholds

    # Probabilities on the test rows, and label thresholds, which each model has fitted on the dev rows.
    models = {
        "This model": (ours, thresholds),
        "Bag of words": (words, fitted(words_on_dev)),
        "Most frequent": (frequent[: len(rows)], fitted(frequent[: len(dev_rows)])),
    }
    predicted = ours >= thresholds if several else ours >= ours.max(axis=1, keepdims=True)
    return {
        "labels": labels,
        "count": len(rows),
        "trained_on": len(training[0]),
        "exclusive": not several,
        "strength": strength,
        "temperature": finetuned.fitted.temperature,
        "judges": [
            {
                "name": name,
                "figures": _figures(probabilities, test[1], labels, several, at),
                "curves": curves(probabilities, test[1], labels, exclusive=not several),
            }
            for name, (probabilities, at) in models.items()
        ],
        "gain": None if several else _gain(ours, words, test[1]),
        "examples": _examples(rows, ours, test[1], predicted, labels),
    }


def _bag_of_words(
    training: tuple[baselines.Texts, Flags], dev: tuple[baselines.Texts, Flags], texts: baselines.Texts, several: bool
) -> tuple[Floats, Floats, float]:
    """Return the probabilities of a bag of words on the test and on the dev texts, and its strength."""
    both, strength = baselines.bag_of_words(training, dev, [*texts, *dev[0]], exclusive=not several)
    return both[: len(texts)], both[len(texts) :], strength


def _texts(examples: list[Labelled]) -> list[tuple[str, ...]]:
    return [example.texts for example in examples]


def _right(examples: list[Labelled], labels: int) -> Flags:
    right = np.zeros((len(examples), labels), dtype=bool)
    for row, example in zip(right, examples, strict=True):
        row[list(example.labels)] = True
    return right


def _figures(
    probabilities: Floats, right: Flags, labels: tuple[str, ...], several: bool, thresholds: Floats
) -> dict[str, Any]:
    if several:
        return multi_label_figures(probabilities, right, thresholds, labels)
    return classification_figures(np.log(np.clip(probabilities, 1e-9, 1.0)), right.argmax(axis=1), names=labels)


def _gain(ours: Floats, words: Floats, right: Flags) -> list[float] | None:
    """Return the difference in accuracy to the bag of words, and the half-width of its 95 % interval; None of one row.

    The differences are paired by text, since texts that are easy or hard for both say nothing of the difference.
    """
    labels = right.argmax(axis=1)
    differences = (ours.argmax(axis=1) == labels).astype(float) - (words.argmax(axis=1) == labels)
    mean, half_width = mean_and_half_width(differences)
    return None if half_width is None else [float(mean), float(half_width)]


def _examples(
    examples: list[Labelled], probabilities: Floats, right: Flags, predicted: Flags, labels: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Return test rows by name: a correct prediction of up to three labels, and the two worst predictions.

    Args:
        probabilities (N, C); right (N, C): correct labels; predicted (N, C): predicted labels.
    """
    hit = (predicted == right).all(axis=1)
    texts: dict[str, tuple[str, ...]] = {}
    for number in np.flatnonzero(hit & predicted.any(axis=1)):
        texts.setdefault(f"{_named(predicted[number], labels)}, got right", _shown(examples[number]))
    texts = dict(list(texts.items())[:3])
    wrong = np.flatnonzero(~hit)
    far = np.abs(probabilities - right).sum(axis=1)
    for number in wrong[np.argsort(-far[wrong], kind="stable")][:2]:
        name = f"{_named(right[number], labels)}, taken for {_named(predicted[number], labels)}"
        texts[name] = _shown(examples[number])
    return texts


def _named(flags: Flags, labels: tuple[str, ...]) -> str:
    return " and ".join(labels[label] for label in np.flatnonzero(flags)[:2]) or "no label"


def _shown(example: Labelled) -> tuple[str, ...]:
    return tuple(text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…" for text in example.texts)

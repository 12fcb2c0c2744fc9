"""From the rows of a table to a model in the list: the recipe of `finetune`, and what is simpler beside it."""

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

LOOKS = 20  # at the dev rows, in a run of all its epochs ...
FEWEST_STEPS, MOST_STEPS = 5, 50  # ... but so many steps apart: as many are lost, at most, when a run is killed
LONGEST_EXAMPLE = 400  # characters


def train_table(folder: Path, reporter: Reporter) -> Figures:
    """Carry out a run that `own.prepare` made; see `job.work`.

    Raises:
        DataError: what it needs is not there any more; Cancelled: it was asked to stop.
    """
    asked = begin(folder)
    about, recipe = about_of(folder.name, asked), recipe_of(folder, asked)
    reporter.doing("Reading")

    def further(done: Finetuned) -> Further:
        reporter.doing("Measuring", 1.0)
        reporter.look_for_stop()
        found = evaluation(done, asked["columns"]["several"])
        write_file(folder / EVALUATION, json.dumps(found) + "\n")
        beside = {judge["name"]: judge["figures"] for judge in found["judges"][1:]}
        return Further({"file": asked["file"], "beside": beside}, found["examples"])

    return carry_out(
        recipe,
        about,
        {"own": str(folder / "data")},
        made_by="explain train",
        watch=functools.partial(Watch, reporter),
        further=further,
    )


def begin(folder: Path) -> dict[str, Any]:
    """What a run's recipe asks for; from now on the app keeps a core for itself.

    Raises:
        DataError: the encoder to begin with is not there any more.
    """
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", max(1, (os.cpu_count() or 2) - 1), MOST_THREADS))
    asked = dict(runs.look_at(folder).recipe)
    if not Path(asked["base"]).is_dir():
        raise DataError(f"The encoder that this began with is gone: {asked['base']}. Delete this run and begin anew.")
    return asked


def recipe_of(folder: Path, asked: dict[str, Any]) -> FinetuningRecipe:
    """The settings of a run as `finetune` takes them."""
    settings, rows = asked["settings"], asked["splits"]["train"]["rows"]
    steps = max(1, round(settings["epochs"] * rows / settings["batch_size"]))
    return FinetuningRecipe(
        task=folder.name,
        data=(asked["file"]["name"],),
        output=str(folder),
        base=asked["base"],
        pooling=settings.get("pooling", "cls"),  # runs that began earlier do not say
        dropout=0.0,  # an adapter of a few epochs learns nothing by heart; with noise it learns less of what there is
        epochs=settings["epochs"],
        steps=steps,
        minutes=settings["minutes"],
        rank=settings["rank"] if settings["train"] == "adapter" else 0,
        evaluate_every=min(MOST_STEPS, max(FEWEST_STEPS, steps // LOOKS)),
        patience=settings["patience"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        bfloat16=False,  # few processors are faster with it
    )


def about_of(name: str, asked: dict[str, Any]) -> TaskRecipe:
    """The task that a table makes."""
    columns, file = asked["columns"], asked["file"]
    labels = tuple(asked["labels"])
    one = OneLabel(labels=labels, holds_out=False).pooled(asked["settings"].get("pooling", "cls"))
    return TaskRecipe(
        title=asked["title"],
        objective=SeveralLabels(labels=labels) if columns["several"] else one,
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
        limits="It was measured on rows of the same file; on other texts its answers are guesses. Whatever is "
        "one-sided in that file, it has learned.",
    )


def evaluation(done: Finetuned, several: bool) -> dict[str, Any]:
    """The model on its test rows beside a bag of words and the most frequent labels, all told the same rows.

    Returns:
        `labels`, `count`, `exclusive`, `temperature` (of the model's probabilities); `judges`: of each its `name`,
        `figures` and `curves`; `gain`: by how much its accuracy is above the bag of words', and the half-width of that,
        where one label is right; `examples` to start from on a page: texts it got right, and texts it got wrong.
    """
    labels = done.objective.labels
    held, examples = ([row for part in parts.values() for row in part] for parts in (done.tuning, done.measuring))
    training, dev, test = ((_texts(part), _right(part, len(labels))) for part in (done.training, held, examples))
    assert isinstance(done.objective, OneLabel | SeveralLabels)
    logits = done.objective.logits(done.model, done.tokenizer, examples)
    ours = expit(logits) if several else softmax(logits / (done.fitted.temperature or 1.0), axis=1)
    both, strength = baselines.bag_of_words(training, dev, [*test[0], *dev[0]], exclusive=not several)
    words, of_dev = both[: len(examples)], both[len(examples) :]
    frequent = baselines.majority(training[1], max(len(examples), len(held)))
    thresholds = np.array(done.fitted.thresholds or [0.5] * len(labels))
    # What is told of the test rows, and from where on a label is called: for every judge fitted on the dev rows.
    told_by = {
        "This model": (ours, thresholds),
        "Bag of words": (words, best_thresholds(of_dev, dev[1]) if several else thresholds),
        "Most frequent": (
            frequent[: len(examples)],
            best_thresholds(frequent[: len(held)], dev[1]) if several else thresholds,
        ),
    }
    judges = [
        {
            "name": name,
            "figures": _figures(told, test[1], labels, several, at),
            "curves": curves(told, test[1], labels, exclusive=not several),
        }
        for name, (told, at) in told_by.items()
    ]
    return {
        "labels": labels,
        "count": len(examples),
        "trained_on": len(training[0]),
        "exclusive": not several,
        "strength": strength,
        "temperature": done.fitted.temperature,
        "judges": judges,
        "gain": None if several else _gain(ours, words, test[1]),
        "examples": _examples(
            examples, ours, test[1], ours >= thresholds if several else ours >= ours.max(axis=1, keepdims=True), labels
        ),
    }


def _texts(examples: list[Labelled]) -> list[tuple[str, ...]]:
    return [example.texts for example in examples]


def _right(examples: list[Labelled], labels: int) -> Flags:
    right = np.zeros((len(examples), labels), dtype=bool)
    for row, example in zip(right, examples, strict=True):
        row[list(example.labels)] = True
    return right


def _figures(told: Floats, right: Flags, labels: tuple[str, ...], several: bool, thresholds: Floats) -> dict[str, Any]:
    if several:
        return multi_label_figures(told, right, thresholds, labels)
    return classification_figures(np.log(np.clip(told, 1e-9, 1.0)), right.argmax(axis=1), names=labels)


def _gain(ours: Floats, words: Floats, right: Flags) -> list[float] | None:
    """How much more often the model is right than the bag of words, and the half-width of the 95 % interval; None of a
    single row, which has none.

    By pairs: both are told the same texts, so what is easy or hard for both says nothing of their difference.
    """
    asked = right.argmax(axis=1)
    differences = (ours.argmax(axis=1) == asked).astype(float) - (words.argmax(axis=1) == asked)
    mean, half_width = mean_and_half_width(differences)
    return None if half_width is None else [float(mean), float(half_width)]


def _examples(
    examples: list[Labelled], told: Floats, right: Flags, called: Flags, labels: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Test rows to start from: for some labels a text that it got right, and the texts it was most wrong about.

    Args:
        told (N, C): probabilities; right (N, C): what should be called, called (N, C): what is.
    """
    hit = (called == right).all(axis=1)
    found: dict[str, tuple[str, ...]] = {}
    for number in np.flatnonzero(hit & called.any(axis=1)):
        found.setdefault(f"{_named(called[number], labels)}, got right", _shown(examples[number]))
    found = dict(list(found.items())[:3])
    wrong = np.flatnonzero(~hit)
    far = np.abs(told - right).sum(axis=1)
    for number in wrong[np.argsort(-far[wrong], kind="stable")][:2]:
        name = f"{_named(right[number], labels)}, taken for {_named(called[number], labels)}"
        found[name] = _shown(examples[number])
    return found


def _named(flags: Flags, labels: tuple[str, ...]) -> str:
    return " and ".join(labels[label] for label in np.flatnonzero(flags)[:2]) or "no label"


def _shown(example: Labelled) -> tuple[str, ...]:
    return tuple(text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…" for text in example.texts)

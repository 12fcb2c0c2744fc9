"""The examples of a task: read from its data sets and kept apart by what they are for."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explain.core.errors import DataError
from explain.data.dataset import Dataset
from explain.training.objectives.base import Objective, Source
from explain.training.recipes.tasks import TaskRecipe


def read_examples(objective: Objective[Any], source: Source, place: str, split: str, seed: int) -> list[Any]:
    """Read one split of a data set as examples of an objective.

    Raises:
        DataError: no such file, a missing column, or a value that does not fit; names the row.
    """
    rows = list(Dataset.open(place, split=split).cells(source.columns))
    if source.leave_out:
        rows = [(number, row) for number, row in rows if not str(row["doc"]).startswith(source.leave_out)]
    if source.most is not None and len(rows) > source.most:
        drawn = np.random.default_rng(seed).permutation(len(rows))[: source.most]
        rows = [rows[number] for number in sorted(drawn)]
    examples = []
    for number, row in rows:
        try:
            examples.append(objective.read(row, source))
        except DataError as error:
            raise DataError(f"Row {number} {error} (In {source.name}, split {split!r}.)") from error
    return examples


@dataclass(frozen=True)
class TaskExamples:
    """A task's examples, by what they are for.

    Attributes:
        training: examples to train on.
        held_out: examples taken from the training splits to fit a temperature on.
        tuning, measuring: examples by the name of their split ("SNLI test").
        left_out: training rows left out because their text is in a tuning or measuring split.
    """

    training: list[Any]
    held_out: list[Any]
    tuning: dict[str, list[Any]]
    measuring: dict[str, list[Any]]
    left_out: int


def read_task(task: TaskRecipe, places: dict[str, str], seed: int) -> TaskExamples:
    """Read all data sets of a task; no text is trained on that is tuned or measured on.

    Args:
        places: folder or hub name of each data set, by the data set's name.
    """
    objective = task.objective

    def examples(source: Source, split: str) -> list[Any]:
        return read_examples(objective, source, places[source.name], split, seed)

    rows = [row for source in task.sources for split in source.training for row in examples(source, split)]
    tuning = {f"{source.title} {split}": examples(source, split) for source in task.sources for split in source.tuning}
    measuring = {
        f"{source.title} {split}": examples(source, split) for source in task.sources for split in source.measuring
    }
    used_elsewhere = {objective.text_of(row) for part in (tuning | measuring).values() for row in part}
    trainable = [row for row in rows if objective.text_of(row) not in used_elsewhere]
    training, held_out = objective.split(trainable, seed)
    return TaskExamples(training, held_out, tuning, measuring, len(rows) - len(trainable))

"""A run over a data set, read: its rows and figures, a row opened as a report, and rows computed again."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from explain.core.errors import DataError, ModelError, SettingError
from explain.core.settings import make
from explain.data.columns import Columns
from explain.data.dataset import DataRow, Dataset
from explain.datatypes import Report
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.models.loading.spec import ModelSpec
from explain.report.migration import completed
from explain.report.record import report_of
from explain.run import engine
from explain.run.plan import Plan
from explain.run.run_folder import RunFolder
from explain.run.run_plan import RunPlan, group_column, tests_from
from explain.run.run_rows import rows_of_run
from explain.run.shards import Row
from explain.text.phrases import PhraseSettings

_DRAWN_AT_ONCE = 32  # rows that are computed again together


@dataclass(frozen=True)
class RunReplay:
    """Rows of a run, computed again.

    Attributes:
        rows: how many; numbers: how many numbers of them were compared.
        largest: the largest difference of any number, as a share of the largest number of its cell where that is
            above 1; where: its row and column. Rows are computed in other batches, which changes the last digits.
        differing: the ids of rows in which something else than a number differs, such as the prediction.
    """

    rows: int
    numbers: int
    largest: float
    where: str
    differing: tuple[str, ...]

    def within(self, tolerance: float) -> bool:
        """Return whether every number is within a tolerance, and everything else the same."""
        return not self.differing and self.largest <= tolerance


class Run(RunFolder):
    """A run over a data set, whole or in part; see `RunFolder` for its rows, figures and words."""

    def plan(self) -> RunPlan:
        """Return what the run computes of each row.

        Raises:
            UnknownNameError, SettingError: a method that is not registered here, or its settings.
        """
        plan = self.manifest["plan"]
        roles = plan["roles"]
        return RunPlan(
            tuple(make(METHODS[part["name"]], completed(part["name"], part["settings"])) for part in plan["methods"]),
            None if plan["phrases"] is None else make(PhraseSettings, plan["phrases"]),
            plan["texts"],
            Columns(**{**roles, "groups": tuple(roles["groups"])}),
            plan["labels"],
            tests_from(plan["tests"]) if plan.get("tests") else None,
            verdict,
            plan.get("embeddings"),
        )

    def model(self) -> TextModel:
        """Load the model of the run.

        Raises:
            ModelError: it can't be loaded, or its files are not those that the run was computed with.
        """
        return self._checked(ModelSpec(**self.manifest["spec"]).load())

    def _checked(self, model: TextModel) -> TextModel:
        """Return a model if it is the one of the run."""
        recorded, files = self.manifest["model"], {"weights": "weight_sha256", "configuration": "settings_sha256"}
        for what, name in (files | {"tokenizer or other files": "files_sha256"}).items():
            if getattr(model.record, name) != recorded[name]:
                raise ModelError(
                    f"{model.name} is not the model of this run: the hash of its {what} is another one. Put the "
                    f"recorded model back ({recorded[name][:12]}), or begin a new run."
                )
        return model

    def check_data(self, place: str | Path) -> None:
        """Compare a data set with the one that the run was computed from, by the hash of its bytes.

        Raises:
            DataError: it is another one, or can't be read.
        """
        dataset, recorded = Dataset.open(place), self.manifest["data"]["sha256"]
        if (digest := dataset.sha256()) != recorded:
            raise DataError(
                f"{dataset.name} is not the data of this run: its hash is {digest[:12]}, not {recorded[:12]}. Name the "
                "file as it was then."
            )

    def open(self, id: str, *, target: int = 0) -> Report:
        """Return the report of a row: its explanation, computed again with the run's methods.

        Args:
            id: of the row; without a column of ids its number.
            target: of a text with several targets, such as entities, which; from 0.

        Raises:
            DataError: there is no such row, or the run kept no texts; ModelError: see `model`.
        """
        mine = [row for row in self.rows() if row["id"] == str(id)]
        if not mine and self.predictions is not None:  # a row that was not drawn
            mine = [row for row in self.predictions.rows() if row["id"] == str(id)]
        if not 0 <= target < len(mine):
            what = f"{len(mine)} targets of the row {id!r}" if mine else f"no row {id!r}"
            raise DataError(f"{self.folder.name} has {what}. `run.rows()` lists what there is.")
        row = mine[target]
        if row["text"] is None:
            raise DataError("The run kept no texts, so none can be opened.")
        plan = self.plan()
        question = Plan.for_text(
            row["text"],
            row["text_pair"],
            methods=plan.methods,
            phrases=plan.phrases,
            label=row["target"] if row["error"] is None and row["position"] is None else None,
            position=row["position"],
        )
        model = self.model()
        return report_of(engine.results(question, model), model)

    def replay(self, sample: int = 200, *, seed: int = 0, model: TextModel | None = None) -> RunReplay:
        """Compute rows again and compare every number.

        Args:
            sample: how many texts are drawn at random.
            model: a model that is in another place now.

        Raises:
            DataError: the run kept no texts, or has no rows; ModelError: see `model`.
        """
        if not self.manifest["plan"]["texts"]:
            raise DataError("The run kept no texts, so no row can be computed again.")
        numbers = sorted({row["number"] for row in self.rows(["number"])})
        if not numbers:
            raise DataError(f"{self.folder.name} has no rows yet. Run the command with --resume first.")
        drawn = np.random.default_rng(seed).choice(numbers, min(sample, len(numbers)), replace=False)
        wanted = set(drawn.tolist())
        recorded = [row for row in self.rows() if row["number"] in wanted]
        return compare_rows(recorded, self._again(recorded, self._checked(model) if model else self.model()))

    def _again(self, recorded: Sequence[Row], model: TextModel) -> list[Row]:
        plan = self.plan()
        firsts = [next(rows) for _, rows in groupby(recorded, key=lambda row: row["number"])]
        data = [
            DataRow(
                row["number"],
                row["text"],
                row["text_pair"],
                row["label"] or "",
                row["id"],
                tuple(row[group_column(group)] or "" for group in plan.columns.groups),
            )
            for row in firsts
        ]
        made: list[Row] = []
        for start in range(0, len(data), _DRAWN_AT_ONCE):
            made += rows_of_run(model, data[start : start + _DRAWN_AT_ONCE], plan)
        if self.draw is not None:
            made = [row | {"weight": self.draw.weight(row["number"])} for row in made]
        return made


def compare_rows(recorded: Sequence[Row], again: Sequence[Row]) -> RunReplay:
    """Compare rows with the same rows computed again, number by number."""
    if [row["id"] for row in recorded] != [row["id"] for row in again]:
        raise SettingError("The rows that were computed again are other rows: a text has other targets now.")
    compared, largest, where, differing = 0, 0.0, "", []
    for old, new in zip(recorded, again):
        for column, kept in old.items():
            fresh = new.get(column)
            mine, other = _numbers(column, kept), _numbers(column, fresh)
            if mine is None or other is None or len(mine) != len(other):
                if _words_of(column, kept) != _words_of(column, fresh):
                    differing.append(f"{old['id']} ({column})")
                continue
            compared += len(mine)
            difference = float(np.abs(np.subtract(mine, other)).max()) / max(1.0, *map(abs, mine))
            if difference > largest:
                largest, where = difference, f"row {old['id']}, {column}"
    return RunReplay(len({row["number"] for row in recorded}), compared, largest, where, tuple(differing))


def _numbers(column: str, kept: Any) -> list[float] | None:
    """Return the floating-point numbers of a cell; None where it holds something else."""
    numbers = kept if isinstance(kept, list) else [kept]
    if column.startswith("facts_") and kept is not None:
        facts: dict[str, float] = json.loads(kept)
        numbers = [float(facts[name]) for name in sorted(facts)]
    floats = [number for number in numbers if number is not None]
    return floats if floats and all(isinstance(number, float) for number in floats) else None


def _words_of(column: str, kept: Any) -> Any:
    """Return a cell; of the reason of a verdict, the words without its rounded numbers, which are among the facts."""
    return re.sub(r"[\d.]+", "", kept) if column.startswith("reason_") and kept is not None else kept

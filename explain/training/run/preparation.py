"""Prepare the folder of a training run: its recipe and its rows. Loads no model, so pages can call it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.core.files import write_file
from explain.core.installation import weights_folder
from explain.core.settings import setting_values
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import Row
from explain.data.splits import split_rows
from explain.training.labeled_rows import LabeledRows, labeled_rows
from explain.training.recipes.classifier_settings import TableSettings, recipe_of
from explain.training.recipes.lines import LinesSettings, documents
from explain.training.run import runs


def prepare_classifier(folder: Path, dataset: Dataset, columns: Columns, settings: TableSettings) -> LabeledRows:
    """Make the folder of a classifier's run: its recipe, and the rows to train on, to stop by and to measure on.

    Raises:
        DataError: the rows can't be learned from, or the folder can't be written; then no folder remains.
    """
    if columns.several and settings.pooling != "cls":
        raise DataError(
            f"The pooling {settings.pooling!r} works for one label for each text only. Use cls for several labels."
        )
    labeled = labeled_rows(dataset, columns)
    parts = split_rows(labeled.rows, labeled.counts, settings.seed)
    recipe = recipe_of(dataset, columns, settings, labeled)
    with runs.created(folder, recipe) as beside:
        (beside / "data").mkdir()
        for name, rows in parts.items():
            write_rows(beside / "data" / f"{name}.jsonl", rows)
        license = {"license": "not stated; the file is from the person who trained the model"}
        write_file(beside / "data" / "meta.json", json.dumps(license))
        recipe["splits"] = {name: _split_entry(beside / "data", name, len(rows)) for name, rows in parts.items()}
    return labeled


def prepare_pretraining(folder: Path, dataset: Dataset, column: str, settings: LinesSettings) -> None:
    """Make the folder of continued pretraining: its recipe, and the documents.

    Raises:
        DataError: there is too little text, or the folder can't be written; then no folder remains.
    """
    rows, report = documents(dataset, column)
    recipe = {
        "kind": "lines",
        "file": {"name": dataset.name, "sha256": dataset.sha256(), "rows": report.kept},
        "column": column,
        "settings": setting_values(settings),
        "base": str(weights_folder() / "base"),
    }
    with runs.created(folder, recipe) as beside:
        (beside / "data").mkdir()
        write_rows(beside / "data" / "all.jsonl", rows)
        recipe["splits"] = {"all": _split_entry(beside / "data", "all", len(rows))}


def _split_entry(folder: Path, split: str, rows: int) -> dict[str, Any]:
    return {"rows": rows, "sha256": Dataset.open(folder, split=split).sha256()}


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON lines."""
    write_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

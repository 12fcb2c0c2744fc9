"""Prepare the folder of a training run: its recipe and its rows. Loads no model, so pages can call it."""

import json
from collections.abc import Sequence
from pathlib import Path

from explain.core.errors import DataError
from explain.core.files import write_file
from explain.core.installation import weights_folder
from explain.core.settings import setting_values
from explain.training.columns import Columns, Examples, Row, examples, split
from explain.training.recipes.classifier_settings import TableSettings, recipe_of
from explain.training.recipes.lines import LinesSettings, documents
from explain.training.rows import fingerprint
from explain.training.run import runs
from explain.training.tables import Table


def prepare_classifier(folder: Path, table: Table, columns: Columns, settings: TableSettings) -> Examples:
    """Make the folder of a classifier's run: its recipe, and the rows to train on, to stop by and to measure on.

    Raises:
        DataError: the table can't be learned from, or the folder can't be written; then no folder remains.
    """
    if columns.several and settings.pooling != "cls":
        raise DataError(
            f"The pooling {settings.pooling!r} works for one label for each text only. Use cls for several labels."
        )
    learnable = examples(table, columns)
    parts = split(learnable, settings.seed)
    recipe = recipe_of(table, columns, settings, learnable)
    with runs.created(folder, recipe) as beside:
        (beside / "data").mkdir()
        for name, rows in parts.items():
            write_rows(beside / "data" / f"{name}.jsonl", rows)
        license = {"license": "not stated; the file is from the person who trained the model"}
        write_file(beside / "data" / "meta.json", json.dumps(license))
        recipe["splits"] = {
            name: {"rows": len(rows), "sha256": fingerprint(str(beside / "data"), name)} for name, rows in parts.items()
        }
    return learnable


def prepare_pretraining(folder: Path, table: Table, column: str, settings: LinesSettings) -> None:
    """Make the folder of continued pretraining: its recipe, and the documents.

    Raises:
        DataError: there is too little text, or the folder can't be written; then no folder remains.
    """
    rows = documents(table, column)
    recipe = {
        "kind": "lines",
        "file": {"name": table.name, "sha256": table.sha256, "rows": len(table.rows)},
        "column": column,
        "settings": setting_values(settings),
        "base": str(weights_folder() / "base"),
    }
    with runs.created(folder, recipe) as beside:
        (beside / "data").mkdir()
        write_rows(beside / "data" / "all.jsonl", rows)
        recipe["splits"] = {"all": {"rows": len(rows), "sha256": fingerprint(str(beside / "data"), "all")}}


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON lines."""
    write_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

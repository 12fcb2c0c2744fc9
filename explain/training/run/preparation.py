"""Folders of training runs, made ready: the recipe, and the rows. Reads no model, so pages can call it."""

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
    """Make a run's folder: its recipe, and the rows to train, to stop and to measure by.

    Raises:
        DataError: the table can't be learned from, or the folder not be written; nothing is left behind then.
    """
    if columns.several and settings.pooling != "cls":
        raise DataError(
            f"The pooling {settings.pooling!r} is for one label of several; where any number may be right, it is cls."
        )
    found = examples(table, columns)
    parts = split(found, settings.seed)
    recipe = recipe_of(table, columns, settings, found)
    with runs.created(folder, recipe) as beside:
        (beside / "data").mkdir()
        for name, rows in parts.items():
            write_rows(beside / "data" / f"{name}.jsonl", rows)
        license = {"license": "not stated; the file was given by whoever trained this"}
        write_file(beside / "data" / "meta.json", json.dumps(license))
        recipe["splits"] = {
            name: {"rows": len(rows), "sha256": fingerprint(str(beside / "data"), name)} for name, rows in parts.items()
        }
    return found


def prepare_pretraining(folder: Path, table: Table, column: str, settings: LinesSettings) -> None:
    """Make a run's folder: its recipe, and the documents.

    Raises:
        DataError: too little text, or the folder can't be written; nothing is left behind then.
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

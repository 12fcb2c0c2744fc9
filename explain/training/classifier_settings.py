"""A model of one's own, from a table: settings, and a run's folder made ready. Reads no model, so pages can call it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.core.files import write_file
from explain.core.installation import weights_folder
from explain.core.settings import check_settings, setting, setting_values
from explain.training import runs
from explain.training.columns import Columns, Examples, Row, examples, split
from explain.training.rows import fingerprint
from explain.training.tables import Table

LISTED = 5  # labels that a title names


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """How a classifier is trained, and for how long at most."""

    train: str = setting(
        "adapter",
        choices=("adapter", "head"),
        help="Adapter: small additions to every layer (LoRA), and a head. Head: the encoder stays as it is, "
        "which is faster and mostly worse.",
    )
    minutes: float = setting(10.0, low=0.1, high=240.0, help="Training ends after this many minutes.")
    epochs: float = setting(10.0, low=0.1, high=100.0, help="How often each row is seen at most.")
    patience: int = setting(
        5, low=1, high=50, help="Early stopping: training ends after this many measurements without a lower loss."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the split and of every random draw.")
    learning_rate: float = setting(
        5e-4, low=1e-6, high=1e-1, help="The learning rate of the first steps. It falls to a fiftieth."
    )
    batch_size: int = setting(16, low=1, high=128, help="The number of rows in each step.")
    rank: int = setting(16, low=1, high=64, help="The rank of the adapter: how much each layer's additions can hold.")
    pooling: str = setting(
        "cls",
        choices=("cls", "mean", "lstm"),
        help="What the head reads: the first token, as in BERT; the mean of all tokens; or the mean of an LSTM "
        "that is trained with it. The last two need one label for each row.",
    )

    def __post_init__(self) -> None:
        check_settings(self)


def prepare(folder: Path, table: Table, columns: Columns, settings: TableSettings) -> Examples:
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


def recipe_of(table: Table, columns: Columns, settings: TableSettings, found: Examples) -> dict[str, Any]:
    """What is to be done, as JSON; equal recipes go on with each other's runs."""
    return {
        "kind": "table",
        "file": {"name": table.name, "sha256": table.sha256, "rows": len(table.rows), "left_out": found.left_out},
        "columns": asdict(columns),
        "labels": list(found.labels),
        "title": title_of(found.labels, columns.several),
        "settings": setting_values(settings),
        "base": str(weights_folder() / "base"),
    }


def same(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two recipes ask for the same of the same rows."""
    return all(recipe.get(name) == other.get(name) for name in ("kind", "file", "columns", "labels", "settings"))


def title_of(labels: Sequence[str], several: bool) -> str:
    """What a model decides, as a page asks it."""
    if len(labels) > LISTED:
        return f"Which of {len(labels)} labels{', one or several' if several else ''}?"
    *others, last = labels
    return (
        f"Is it {', '.join(others)} or {last}?" if others and not several else f"Which of these: {', '.join(labels)}?"
    )


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON lines."""
    write_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

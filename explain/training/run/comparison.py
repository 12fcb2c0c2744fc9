"""A table of runs that differ in pooling or seed only.

Intervals are over the test texts of each run. Runs with overlapping intervals may still differ.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.training.objectives.base import Objective
from explain.training.objectives.classification import OneLabel
from explain.training.recipes.tasks import TASK_RECIPES

_MAY_DIFFER = ("pooling", "seed", "output")


def compare(folders: Sequence[str]) -> str:
    """Return a Markdown table of runs.

    Raises:
        DataError: a folder has no record, there are fewer than two runs, or they differ in more than pooling and seed.
    """
    records = [_record(folder) for folder in folders]
    if len(records) < 2:
        raise DataError("Name two or more folders that finetune wrote.")
    _check_alike(folders, records)
    shown = _objective(records[0]).headline
    task = records[0]["file"]["name"] if _of_a_file(records[0]) else records[0]["recipe"]["task"]
    lines = [
        f"Task {task}, measured on {records[0]['measured_on']} ({records[0]['figures']['count']:,} texts).",
        "",
        f"| pooling | seed | trained parameters | pooling parameters | steps | minutes | "
        f"{' | '.join(name for name, _ in shown)} |",
        "|---" * (6 + len(shown)) + "|",
    ]
    lines += [_row(record, [key for _, key in shown]) for record in records]
    for pooling in dict.fromkeys(map(_pooling, records)):
        same = [record for record in records if _pooling(record) == pooling]
        if len(same) > 1:
            lines.append(_mean_row(pooling, same, [key for _, key in shown]))
    return "\n".join([*lines, ""])


def _record(folder: str) -> dict[str, Any]:
    path = Path(folder) / "training.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} has no record of a run: {path.name} can't be read.") from error
    if "task" not in record.get("recipe", {}) or (_of_a_file(record) and record["figures"].get("accuracy") is None):
        raise DataError(f"{folder} is a run without a choice of pooling.")
    return dict(record)


def _of_a_file(record: Mapping[str, Any]) -> bool:
    """Return whether a record is of `explain train`, whose task has the name of its folder."""
    return "file" in record


def _objective(record: Mapping[str, Any]) -> type[Objective[Any]] | Objective[Any]:
    return OneLabel if _of_a_file(record) else TASK_RECIPES[record["recipe"]["task"]].objective


def _pooling(record: Mapping[str, Any]) -> str:
    return str(record["recipe"].get("pooling") or _objective(record).pooling)


def _check_alike(folders: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    for folder, record in zip(folders[1:], records[1:]):
        first = records[0]["recipe"]
        names = sorted(first.keys() | record["recipe"].keys())
        may = {*_MAY_DIFFER, *(("task",) if _of_a_file(record) and _of_a_file(records[0]) else ())}
        differ = [name for name in names if first.get(name) != record["recipe"].get(name) and name not in may]
        # For one file the seed also splits the rows, so another seed trains and measures on other rows.
        other_seed = _of_a_file(record) and _of_a_file(records[0]) and first["seed"] != record["recipe"]["seed"]
        same = record["file"] == records[0]["file"] if other_seed else record["data"] == records[0]["data"]
        if not same:
            differ.append("data")
        # With the same early stopping, each run takes the steps it needs.
        if not first.get("patience") and record["figures"]["steps"] != records[0]["figures"]["steps"]:
            differ.append("steps taken")
        if differ:
            raise DataError(
                f"{folder} differs from {folders[0]} in {', '.join(differ)}, so a difference may not be due to the "
                "pooling. Run both with the same settings and --steps."
            )


def _row(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    figures = record["figures"]
    cells = [_pooling(record), record["recipe"]["seed"]]
    cells += [f"{figures[name]:,}" for name in ("trained_parameters", "pooling_parameters", "steps", "minutes")]
    return _line([*cells, *(_figure(figures, key) for key in keys)])


def _figure(figures: Mapping[str, Any], key: str) -> str:
    low, high = figures.get(f"{key}_interval") or (None, None)
    return f"{figures[key]:.3f}" if low is None else f"{figures[key]:.3f} ({low:.3f} to {high:.3f})"


def _mean_row(pooling: str, records: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> str:
    cells = [f"**{pooling}**", f"mean of {len(records)}", "", "", "", ""]
    for key in keys:
        values = [record["figures"][key] for record in records]
        cells.append(f"{sum(values) / len(values):.3f} (seeds {min(values):.3f} to {max(values):.3f})")
    return _line(cells)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"

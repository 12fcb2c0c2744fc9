"""Carry out the run of a folder: `python -m explain.training.run.job FOLDER`, started by `runs.start`."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explain.run import background
from explain.training.measure.figures import EVALUATION
from explain.training.run import runs
from explain.training.run.runs import Reporter


def work(folder: Path, on_progress: Callable[[str], None] | None = None, *, locked: bool = False) -> Any:
    """Carry out a run in this process, and write its state to its folder.

    Args:
        on_progress: takes each line of progress.
        locked: the caller has taken the locks for this process.

    Returns:
        The main figures.

    Raises:
        ExplainError: the run failed.
        Busy: another process works in the folder.
        Cancelled: the run was stopped.
    """
    if not locked:
        with runs.locked(folder):
            background.write_pid(folder, os.getpid())
            return work(folder, on_progress, locked=True)
    reporter = Reporter(folder, on_progress)

    def train() -> Any:
        # Both files exist only at the end; then the process was killed while it deleted the rest.
        if not all((folder / name).is_file() for name in (runs.MODEL, EVALUATION)):
            _kinds()[runs.look_at(folder).recipe["kind"]](folder, reporter)
        for name in ("data", "checkpoints"):  # needed only to continue
            shutil.rmtree(folder / name, ignore_errors=True)

    background.carry_out(reporter, train)
    return json.loads((folder / "training.json").read_text(encoding="utf-8"))["figures"]


def _kinds() -> dict[str, Callable[[Path, Reporter], Any]]:
    from explain.training.run.pretraining_run import train_lines  # imported late, since torch loads slowly
    from explain.training.run.table_run import train_table

    return {"table": train_table, "lines": train_lines}


if __name__ == "__main__":
    sys.exit(background.main(work))

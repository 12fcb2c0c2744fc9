"""Carry out the run of a folder: `python -m explain.training.run.job FOLDER`, started by `runs.start`."""

import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explain.core.errors import Cancelled, ExplainError
from explain.training.measure.figures import EVALUATION
from explain.training.run import runs
from explain.training.run.runs import Reporter

NICENESS = 10  # lower priority than the app


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
            runs.write_pid(folder, os.getpid())
            return work(folder, on_progress, locked=True)
    reporter = Reporter(folder, on_progress)
    before = {number: signal.signal(number, _stopper(reporter)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        # Both files exist only at the end; then the process was killed while it deleted the rest.
        if not all((folder / name).is_file() for name in (runs.MODEL, EVALUATION)):
            _kinds()[runs.look_at(folder).recipe["kind"]](folder, reporter)
        for name in ("data", "checkpoints"):  # needed only to continue
            shutil.rmtree(folder / name, ignore_errors=True)
        reporter.ended(runs.FINISHED)
        return json.loads((folder / "training.json").read_text(encoding="utf-8"))["figures"]
    except Cancelled:
        reporter.ended(runs.CANCELLED, "The run was stopped on request.")
        raise
    except ExplainError as error:
        reporter.ended(runs.FAILED, str(error))
        raise
    except OSError as error:
        message = f"A file could not be read or written: {error.strerror or error}. Fix this, then continue the run."
        reporter.ended(runs.FAILED, message)
        raise ExplainError(message) from error
    except Exception as error:
        reporter.ended(runs.FAILED, f"The program has an error ({type(error).__name__}). See {runs.LOG}.")
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopper(reporter: Reporter) -> Callable[[int, Any], None]:
    def stop(number: int, frame: Any) -> None:
        if reporter.stop.is_set():  # the second signal stops at once
            raise Cancelled("The run was stopped on request.")
        reporter.stop.set()

    return stop


def _kinds() -> dict[str, Callable[[Path, Reporter], Any]]:
    from explain.training.run.pretraining_run import train_lines  # imported late, since torch loads slowly
    from explain.training.run.table_run import train_table

    return {"table": train_table, "lines": train_lines}


def main() -> int:
    folder, *options = sys.argv[1:]
    os.nice(NICENESS)
    try:
        work(Path(folder), lambda line: print(line, flush=True), locked="--locked" in options)
    except ExplainError as error:
        print(f"explain: {error}", flush=True)
        return 2
    except Exception:
        logging.exception("The run failed because of an error in the program.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One training run, from its folder: `python -m explain.training.run.job FOLDER`. Pages start it; see `runs.start`."""

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

NICENESS = 10  # the app comes first


def work(folder: Path, told: Callable[[str], None] | None = None, *, locked: bool = False) -> Any:
    """Carry out a run in this process, and say in its folder how it went.

    Args:
        told: is given what it does, line by line.
        locked: whoever started this process took the locks for it.

    Returns:
        The main figures.

    Raises:
        ExplainError: what went wrong; Busy: another process works there; Cancelled: it was asked to stop.
    """
    if not locked:
        with runs.locked(folder):
            runs.write_pid(folder, os.getpid())
            return work(folder, told, locked=True)
    reporter = Reporter(folder, told)
    before = {number: signal.signal(number, _stopper(reporter)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        # Both are there only at the end; then the process was killed while it tidied up.
        if not all((folder / name).is_file() for name in (runs.MODEL, EVALUATION)):
            _kinds()[runs.look_at(folder).recipe["kind"]](folder, reporter)
        for name in ("data", "checkpoints"):  # nothing is gone on with any more
            shutil.rmtree(folder / name, ignore_errors=True)
        reporter.ended(runs.FINISHED)
        return json.loads((folder / "training.json").read_text(encoding="utf-8"))["figures"]
    except Cancelled:
        reporter.ended(runs.CANCELLED, "It was stopped, as you asked.")
        raise
    except ExplainError as error:
        reporter.ended(runs.FAILED, str(error))
        raise
    except OSError as error:
        told_of = f"A file could not be read or written: {error.strerror or error}. Mend that and go on."
        reporter.ended(runs.FAILED, told_of)
        raise ExplainError(told_of) from error
    except Exception as error:
        reporter.ended(
            runs.FAILED, f"Something went wrong in the tool itself ({type(error).__name__}); see {runs.LOG}."
        )
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopper(reporter: Reporter) -> Callable[[int, Any], None]:
    def asked(number: int, frame: Any) -> None:
        if reporter.stop.is_set():  # asked twice: now
            raise Cancelled("Stopped, as you asked.")
        reporter.stop.set()

    return asked


def _kinds() -> dict[str, Callable[[Path, Reporter], Any]]:
    from explain.training.run.pretraining_run import train_lines  # torch takes a while
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
        logging.exception("The run failed by a mistake of ours.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

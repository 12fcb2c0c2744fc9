"""Work in a process of its own: begun in a folder, watched, stopped. It outlives the app that began it.

    status.json     the current state
    log.txt         output of the process
    pid             number of the process

Active work holds a lock on its folder. The system releases the lock however the process ends, so the lock shows whether
work is active, even after a kill or a restart of the app.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from explain.core import locks
from explain.core.errors import Cancelled, ExplainError, FileError
from explain.core.files import write_file
from explain.core.locks import FolderLock, is_held

STATUS, LOG, PID = "status.json", "log.txt", "pid"
ACTIVE, FINISHED, FAILED, CANCELLED, INTERRUPTED = "active", "finished", "failed", "cancelled", "interrupted"
NICENESS = 10  # lower priority than the app
STOPPED = "The run was stopped on request."
_GRACE_SECONDS = 60  # for stopping work to finish its step

ResultType = TypeVar("ResultType")


@dataclass(frozen=True)
class Status:
    """The state of a folder's work at one moment.

    Attributes:
        state: "active", "finished", "failed", "cancelled", or "interrupted" if its process ended without a message.
        doing: current activity in words.
        message: reason of a failure or stop.
        fraction: share of the work that is over, 0 to 1.
        details: further values that the work wrote.
    """

    state: str
    doing: str
    message: str
    fraction: float
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def can_go_on(self) -> bool:
        return self.state in (FAILED, CANCELLED, INTERRUPTED)


def status_of(folder: Path) -> Status:
    """Read the state of a folder's work."""
    status = read_json(folder / STATUS)
    state = str(status.get("state", INTERRUPTED))
    works = is_held(folder)
    if not works and state == ACTIVE:
        state = INTERRUPTED
        status = read_json(folder / STATUS)  # it may have ended between reading the status and the lock
        state = state if status.get("state") == ACTIVE else str(status.get("state", INTERRUPTED))
    if works and state != ACTIVE:
        state = ACTIVE  # it is about to end or to begin
    interrupted = "Its process ended without a message: it was killed, or the machine stopped or ran out of memory."
    details = status.get("details")
    return Status(
        state,
        str(status.get("doing", "")),
        interrupted if state == INTERRUPTED else str(status.get("message", "")),
        float(status.get("fraction", 0.0)),
        details if isinstance(details, dict) else {},
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def start(folder: Path, module: str, held: Sequence[FolderLock]) -> None:
    """Start the work of a folder: `python -m MODULE FOLDER --locked`, in a process that outlives this one.

    Args:
        held: the locks of the work; they pass to the process, so that no other can begin in between.

    Raises:
        ExplainError: this system has no file locks.
    """
    require_locks()
    Reporter(folder).doing("Starting")
    (folder / PID).unlink(missing_ok=True)  # the earlier number may belong to another process by now
    package = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(folder), "--locked"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths},
            pass_fds=tuple(lock.file.fileno() for lock in held),
            start_new_session=True,
        )
    write_pid(folder, process.pid)
    threading.Thread(target=process.wait, name="explain-background", daemon=True).start()  # else it stays a zombie


def require_locks() -> None:
    """Raise an error where this system has no file locks."""
    if not locks.AVAILABLE:
        raise ExplainError("Work in the background needs Linux or macOS. Use the command line instead.")


def cancel(folder: Path, grace: float = _GRACE_SECONDS) -> None:
    """Stop a folder's work after its current step, or kill it after `grace` seconds."""
    pid = _pid(folder)
    if pid and is_held(folder):  # the holder of the lock has written its number, or is about to
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
        threading.Thread(target=_kill, args=(folder, pid, grace), name="explain-stopping", daemon=True).start()


def write_pid(folder: Path, pid: int) -> None:
    """Store the number of the work's process, so that another process can stop it."""
    write_file(folder / PID, f"{pid}\n")


def _pid(folder: Path) -> int:
    """Return the number of the last process; 0 if there was none."""
    try:
        return int((folder / PID).read_text())
    except (OSError, ValueError):
        return 0


def _kill(folder: Path, pid: int, grace: float) -> None:
    give_up = time.monotonic() + grace
    while is_held(folder) and _pid(folder) == pid:  # otherwise it was continued since
        if time.monotonic() > give_up:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.5)


class Reporter:
    """Writes the state of the work to its folder; `stop` is set to stop it.

    Args:
        on_progress: takes each new activity, too.
    """

    def __init__(self, folder: Path, on_progress: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self.stop = threading.Event()
        self.details: dict[str, Any] = {}
        self._on_progress = on_progress or (lambda line: None)
        self._doing = ""
        self._written = 0.0

    def doing(self, what: str, fraction: float = 0.0) -> None:
        """Write the current activity; at most once a second if only the fraction changes."""
        if what == self._doing and time.monotonic() < self._written + 1.0:
            return
        if what != self._doing:
            self._on_progress(what)
        self._doing, self._written = what, time.monotonic()
        self._write(state=ACTIVE, doing=what, fraction=fraction)

    def raise_if_stopped(self) -> None:
        """End the work if it is to stop.

        Raises:
            Cancelled: `stop` is set.
        """
        if self.stop.is_set():
            raise Cancelled(STOPPED)

    def ended(self, state: str, message: str = "") -> None:
        """Write how the work ended; on a full disk nothing is written, and it counts as interrupted."""
        before = read_json(self.folder / STATUS)
        with contextlib.suppress(FileError):
            self._write(
                state=state, message=message, fraction=1.0 if state == FINISHED else before.get("fraction", 0.0)
            )

    def _write(self, **status: Any) -> None:
        write_file(self.folder / STATUS, json.dumps({**status, "details": self.details}) + "\n")


def carry_out(reporter: Reporter, work: Callable[[], ResultType], *, at_once: bool = False) -> ResultType:
    """Do the work, and write to its folder how it ended; SIGTERM and SIGINT set `stop`, the second time at once.

    Args:
        at_once: the process ends with the first signal, since the work can be cut off anywhere.

    Raises:
        ExplainError: the work failed, or was stopped (`Cancelled`).
    """
    with _stopped_by_signals(reporter, at_once):
        try:
            made = work()
            reporter.ended(FINISHED)
            return made
        except Cancelled:
            reporter.ended(CANCELLED, STOPPED)
            raise
        except ExplainError as error:
            reporter.ended(FAILED, str(error))
            raise
        except OSError as error:
            message = f"A file could not be read or written: {error.strerror or error}. Fix this, then continue."
            reporter.ended(FAILED, message)
            raise ExplainError(message) from error
        except Exception as error:
            reporter.ended(FAILED, f"The program has an error ({type(error).__name__}). See {LOG}.")
            raise


@contextlib.contextmanager
def _stopped_by_signals(reporter: Reporter, at_once: bool) -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        if at_once:
            reporter.ended(CANCELLED, STOPPED)
            os._exit(0)
        if reporter.stop.is_set():  # the second signal stops at once
            raise Cancelled(STOPPED)
        reporter.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(work: Callable[..., Any]) -> int:
    """Be the process of a folder's work, as `start` calls it; return its exit status.

    Args:
        work: takes the folder, a function for lines of progress, and `locked`.
    """
    folder, *options = sys.argv[1:]
    os.nice(NICENESS)
    try:
        work(Path(folder), lambda line: print(line, flush=True), locked="--locked" in options)
    except ExplainError as error:
        print(f"explain: {error}", flush=True)
        return 2
    except Exception:
        logging.exception("The work failed because of an error in the program.")
        return 1
    return 0

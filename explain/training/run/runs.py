"""Training runs as folders: made, started in a process of their own, watched, stopped, gone on with, deleted.

    recipe.json     what is to be done; written before anything else
    data/           the rows, until the run has finished
    status.json     what it does now, or how it ended
    progress.jsonl  losses and figures by step, a line each
    checkpoints/    where it can go on from, until it has finished
    log.txt         what the process wrote
    explain.json    the finished model: with it, it is in the list of models

A run that works holds a lock on its folder, and the system lets go of the lock however the process ends. So whether it
still works is known without asking it, after a kill and after a restart of the app too. One run at a time holds the
lock on the folder of all models.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explain.core.errors import Busy, Cancelled, DataError, ExplainError, FileError
from explain.core.files import append_text, write_file
from explain.core.installation import models_folder

try:
    import fcntl
except ImportError:  # Windows has none; there the command line trains, in the foreground
    fcntl = None  # type: ignore[assignment]

RECIPE, STATUS, PROGRESS, LOG, MODEL = "recipe.json", "status.json", "progress.jsonl", "log.txt", "explain.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_GRACE_SECONDS = 60  # a run that was asked to stop has so long to finish its step and write a checkpoint
ACTIVE, FINISHED, FAILED, CANCELLED, INTERRUPTED = "active", "finished", "failed", "cancelled", "interrupted"


@dataclass(frozen=True)
class Run:
    """A run as it was when it was looked at.

    Attributes:
        folder, recipe: where it is, and what is to be done.
        state: "active", "finished", "failed", "cancelled", or "interrupted" where its process ended without a word.
        doing: what it does now, in words; message: how it ended, if not well.
        fraction: how much of the training is over, 0 to 1.
        progress: what was noted, step by step: `step`, `seconds` and figures.
    """

    folder: Path
    recipe: Mapping[str, Any]
    state: str
    doing: str
    message: str
    fraction: float
    progress: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def can_go_on(self) -> bool:
        return self.state in (FAILED, CANCELLED, INTERRUPTED)

    @property
    def kept_step(self) -> int:
        """The step it would go on from; 0: from the beginning."""
        written = (self.folder / "checkpoints").glob("checkpoint-*/trainer_state.json")
        return max((int(path.parent.name.partition("-")[2]) for path in written), default=0)


def check_name(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """A name for a model, fit for a folder and an address.

    Raises:
        DataError: it is none, or there is a model or a run of that name.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise DataError(
            f"The name {name[:60]!r} does not do: lower-case letters a to z, digits and hyphens, at most 40, beginning "
            "with a letter or digit. Such as my-reviews."
        )
    if name in taken or (models_folder() / name).exists():
        raise DataError(
            f"There is a model or a run called {name} already. Choose another name, or delete that one first."
        )
    return name


@contextlib.contextmanager
def created(folder: Path, recipe: Mapping[str, Any]) -> Iterator[Path]:
    """A new run's folder, to be filled; it gets its name when that is done, so that no half of one is ever seen.

    Raises:
        DataError: the folder is there already, or nothing can be written there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}")
        beside.mkdir()
        try:
            yield beside
            write_file(beside / RECIPE, json.dumps(recipe, indent=1) + "\n")
            if folder.exists() and any(folder.iterdir()):
                raise DataError(f"{folder} is there already, and holds something else.")
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{folder.parent} can't be written to: {error.strerror}.") from error


def all_runs() -> tuple[Run, ...]:
    """The runs in the models' folder, the latest first."""
    folders = [path.parent for path in models_folder().glob(f"*/{RECIPE}") if not path.parent.name.startswith(".")]
    return tuple(map(look_at, sorted(folders, key=_begun, reverse=True)))


def _begun(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return (folder / RECIPE).stat().st_mtime
    return 0.0


def look_at(folder: Path) -> Run:
    """A run as it is now."""
    status = _read(folder / STATUS)
    state = str(status.get("state", INTERRUPTED))
    works = is_held(folder)
    if not works and state == ACTIVE:
        state = INTERRUPTED
        status = _read(folder / STATUS)  # it may have ended between the two looks
        state = state if status.get("state") == ACTIVE else str(status.get("state", INTERRUPTED))
    if works and state != ACTIVE:
        state = ACTIVE  # it is just about to end, or to begin
    told = "Its process ended without a word: it was killed, or the machine went down, or out of memory."
    message = told if state == INTERRUPTED else str(status.get("message", ""))
    return Run(
        folder,
        _read(folder / RECIPE),
        state,
        str(status.get("doing", "")),
        message,
        float(status.get("fraction", 0.0)),
        tuple(_progress(folder)),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _progress(folder: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError):
        for line in (folder / PROGRESS).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # the last line may be half written
                yield json.loads(line)


class Lock:
    """A lock on a folder, held until this is closed or the process ends; see the module's text."""

    def __init__(self, folder: Path) -> None:
        self.file = (folder / ".lock").open("a")
        try:
            _lock(self.file, wait=0.05)
        except OSError:
            self.file.close()
            raise Busy(f"A training works in {folder} already.") from None

    def close(self) -> None:
        self.file.close()


def is_held(folder: Path) -> bool:
    """Whether a process holds a folder's lock."""
    try:
        with (folder / ".lock").open("a") as opened:
            _lock(opened, wait=0.0)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _lock(opened: Any, wait: float) -> None:
    if fcntl is None:
        return None
    give_up = time.monotonic() + wait  # whoever only looks whether it is held, holds it for a moment
    while True:
        try:
            return fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[tuple[Lock, ...]]:
    """The locks that a run works under: that of its folder, and in the folder of all models that one, too.

    Raises:
        Busy: another run works.
    """
    with contextlib.ExitStack() as held:
        locks = []
        if folder.parent.resolve() == models_folder().resolve():
            try:
                locks.append(held.enter_context(contextlib.closing(Lock(folder.parent))))
            except Busy:
                raise Busy(
                    "Another training works already, and one at a time is enough for a machine. Wait, or stop it."
                ) from None
        locks.append(held.enter_context(contextlib.closing(Lock(folder))))
        yield tuple(locks)


def start(folder: Path) -> None:
    """Start a run, or go on with it, in a process of its own that outlives this one.

    The locks are taken here and handed to the process, so no second run can start before it works.

    Raises:
        Busy: another one works; ExplainError: this system has no such locks.
    """
    if fcntl is None:
        raise ExplainError("Training in the background needs Linux or macOS; use the command line: explain train.")
    with locked(folder) as locks, (folder / LOG).open("ab") as log:
        Reporter(folder).doing("Starting")
        (folder / "pid").unlink(missing_ok=True)  # of the process before: by now another's, perhaps
        package = str(Path(__file__).resolve().parents[3])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "explain.training.run.job", str(folder), "--locked"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths},
            pass_fds=tuple(lock.file.fileno() for lock in locks),
            start_new_session=True,
        )
        write_pid(folder, process.pid)
    threading.Thread(target=process.wait, name="explain-training", daemon=True).start()  # or it would stay a zombie


def cancel(folder: Path, grace: float = _GRACE_SECONDS) -> None:
    """Ask a run to stop after its step; one that has not by `grace` seconds is killed."""
    pid = _pid(folder)
    if pid and is_held(folder):  # whoever holds the lock has written its number, or is just about to
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
        threading.Thread(target=_kill, args=(folder, pid, grace), name="explain-stopping", daemon=True).start()


def write_pid(folder: Path, pid: int) -> None:
    """Put down which process works in a folder, so that it can be stopped from another."""
    write_file(folder / "pid", f"{pid}\n")


def _pid(folder: Path) -> int:
    """The number of the process that works in a folder, or worked there last; 0 where none did."""
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return 0


def _kill(folder: Path, pid: int, grace: float) -> None:
    give_up = time.monotonic() + grace
    while is_held(folder) and _pid(folder) == pid:  # else it has gone on since
        if time.monotonic() > give_up:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.5)


def delete(folder: Path) -> None:
    """Delete a run, or the model it became.

    Raises:
        Busy: it works; DataError: it is none of ours.
    """
    if folder.parent != models_folder() or not (folder / RECIPE).is_file():
        raise DataError(f"{folder} is no model that was trained here.")
    with contextlib.closing(Lock(folder)):
        (folder / MODEL).unlink(missing_ok=True)  # first: now it is not listed
        shutil.rmtree(folder, ignore_errors=True)


class Reporter:
    """What a run says of itself, for whoever watches its folder; and whether it was asked to stop.

    Args:
        told: is given each line of progress too.
    """

    def __init__(self, folder: Path, told: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self.stop = threading.Event()
        self._told = told or (lambda line: None)
        self._doing = ""
        self._written = 0.0

    def doing(self, what: str, fraction: float = 0.0) -> None:
        """Say what is done now; at most once a second where only the fraction changes."""
        if what == self._doing and time.monotonic() < self._written + 1.0:
            return
        if what != self._doing:
            self._told(what)
        self._doing, self._written = what, time.monotonic()
        self._write(state=ACTIVE, doing=what, fraction=fraction)

    def note(self, step: int, seconds: float, figures: Mapping[str, float]) -> None:
        """Put down what was found at a step."""
        entry = {"step": step, "seconds": round(seconds, 1), **{name: round(one, 5) for name, one in figures.items()}}
        append_text(self.folder / PROGRESS, json.dumps(entry) + "\n")
        shown = "  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures.items())
        self._told(f"step {step}  {shown}")

    def forget_after(self, step: int) -> None:
        """Drop what was noted after a checkpoint that a run goes on from."""
        kept = [json.dumps(entry) + "\n" for entry in _progress(self.folder) if entry["step"] <= step]
        write_file(self.folder / PROGRESS, "".join(kept))

    def look_for_stop(self) -> None:
        """Raises: Cancelled: it was asked to stop."""
        if self.stop.is_set():
            raise Cancelled("Stopped, as you asked.")

    def ended(self, state: str, message: str = "") -> None:
        """Say how it ended; on a full disk nothing can be said, and whoever looks finds a run that was interrupted."""
        before = _read(self.folder / STATUS)
        with contextlib.suppress(FileError):
            self._write(
                state=state, message=message, fraction=1.0 if state == FINISHED else before.get("fraction", 0.0)
            )

    def _write(self, **status: Any) -> None:
        write_file(self.folder / STATUS, json.dumps(status) + "\n")

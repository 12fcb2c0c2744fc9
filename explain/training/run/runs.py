"""Training runs as folders: make, start in a separate process, watch, stop, continue, delete.

    recipe.json     the recipe; written first
    data/           the rows, until the run has finished
    status.json     the current state
    progress.jsonl  losses and figures, a line for each step
    checkpoints/    checkpoints to continue from, until the run has finished
    log.txt         output of the process
    explain.json    description of the finished model, which puts it in the list of models

An active run holds a lock on its folder, see `explain.run.background`. The lock on the folder of all models allows one
run at a time.
"""

import contextlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explain.core.errors import Busy, DataError
from explain.core.files import append_text, write_file
from explain.core.installation import models_folder
from explain.core.locks import FolderLock
from explain.run import background
from explain.run.background import CANCELLED, FAILED, INTERRUPTED, read_json, status_of

RECIPE, PROGRESS, MODEL = "recipe.json", "progress.jsonl", "explain.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Run:
    """A run as read from its folder at one moment.

    Attributes:
        folder, recipe: its folder and its recipe.
        state: "active", "finished", "failed", "cancelled", or "interrupted" if its process ended without a message.
        doing: current activity in words.
        message: reason of a failure or stop.
        fraction: share of the training that is over, 0 to 1.
        progress: `step`, `seconds` and figures of each measured step.
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
        """The step of the last checkpoint; 0 if there is none."""
        written = (self.folder / "checkpoints").glob("checkpoint-*/trainer_state.json")
        return max((int(path.parent.name.partition("-")[2]) for path in written), default=0)


def check_name(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """Return a valid name for a model's folder and address, without surrounding spaces.

    Raises:
        DataError: the name is invalid, or a model or a run has it.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise DataError(
            f"The name {name[:60]!r} is not valid. Use at most 40 lower-case letters a to z, digits and hyphens, "
            "beginning with a letter or digit, such as my-reviews."
        )
    if name in taken or (models_folder() / name).exists():
        raise DataError(
            f"There is a model or a run called {name} already. Choose another name, or delete that one first."
        )
    return name


@contextlib.contextmanager
def created(folder: Path, recipe: Mapping[str, Any]) -> Iterator[Path]:
    """Make a new run's folder under a temporary name, and rename it once it is filled.

    Raises:
        DataError: the folder exists, or can't be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}")
        beside.mkdir()
        try:
            yield beside
            write_file(beside / RECIPE, json.dumps(recipe, indent=1) + "\n")
            if folder.exists() and any(folder.iterdir()):
                raise DataError(f"{folder} exists and is not empty. Choose another folder.")
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{folder.parent} can't be written to: {error.strerror}.") from error


def all_runs() -> tuple[Run, ...]:
    """Return the runs in the models' folder, the latest first."""
    folders = [path.parent for path in models_folder().glob(f"*/{RECIPE}") if not path.parent.name.startswith(".")]
    return tuple(map(look_at, sorted(folders, key=_begun, reverse=True)))


def _begun(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return (folder / RECIPE).stat().st_mtime
    return 0.0


def look_at(folder: Path) -> Run:
    """Read a run from its folder."""
    status = status_of(folder)
    return Run(
        folder,
        read_json(folder / RECIPE),
        status.state,
        status.doing,
        status.message,
        status.fraction,
        tuple(_progress(folder)),
    )


def _progress(folder: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError):
        for line in (folder / PROGRESS).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # the last line may be incomplete
                yield json.loads(line)


def _lock(folder: Path) -> FolderLock:
    return FolderLock(folder, f"A training run is active in {folder} already. Wait, or stop it.")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[tuple[FolderLock, ...]]:
    """Take the locks of a run: that of its folder, and that of the folder of all models if the run is in it.

    Raises:
        Busy: another run is active.
    """
    with contextlib.ExitStack() as stack:
        held = []
        if folder.parent.resolve() == models_folder().resolve():
            try:
                held.append(stack.enter_context(contextlib.closing(_lock(folder.parent))))
            except Busy:
                raise Busy("Another training run is active; runs go one at a time. Wait, or stop it.") from None
        held.append(stack.enter_context(contextlib.closing(_lock(folder))))
        yield tuple(held)


def start(folder: Path) -> None:
    """Start or continue a run in a separate process that outlives this one.

    The locks are taken here and passed to the process, so that no second run can start in between.

    Raises:
        Busy: another run is active.
        ExplainError: this system has no file locks.
    """
    background.require_locks()
    with locked(folder) as held:
        background.start(folder, "explain.training.run.job", held)


def delete(folder: Path) -> None:
    """Delete a run and its model.

    Raises:
        Busy: the run is active.
        DataError: the folder is not a run in the models' folder.
    """
    if folder.parent != models_folder() or not (folder / RECIPE).is_file():
        raise DataError(f"{folder} is not a model trained here.")
    with contextlib.closing(_lock(folder)):
        (folder / MODEL).unlink(missing_ok=True)  # first, so that it is no longer listed
        shutil.rmtree(folder, ignore_errors=True)


class Reporter(background.Reporter):
    """Writes the state and progress of a run to its folder; `stop` is set to stop it.

    Args:
        on_progress: takes each line of progress too.
    """

    def note(self, step: int, seconds: float, figures: Mapping[str, float]) -> None:
        """Store the figures of a step."""
        entry = {
            "step": step,
            "seconds": round(seconds, 1),
            **{name: round(figure, 5) for name, figure in figures.items()},
        }
        append_text(self.folder / PROGRESS, json.dumps(entry) + "\n")
        shown = "  ".join(f"{name.replace('_', ' ')} {figure:.4g}" for name, figure in figures.items())
        self._on_progress(f"step {step}  {shown}")

    def forget_after(self, step: int) -> None:
        """Delete the progress after the checkpoint that a run continues from."""
        kept = [json.dumps(entry) + "\n" for entry in _progress(self.folder) if entry["step"] <= step]
        write_file(self.folder / PROGRESS, "".join(kept))

"""Runs that the app begins: each in a folder of its own, computed by a process of its own that outlives the app.

    request.json    what is to be computed
    data/           the uploaded file
    run/            the run's folder, see `explain.run.folder_store`
    status.json, log.txt, pid    see `explain.run.background`

Several runs may be begun; they are computed one after the other, in the order in which they were started.
"""

import contextlib
import datetime
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explain.core.errors import DataError, SettingError
from explain.core.files import create_folder, write_file
from explain.core.installation import runs_folder
from explain.core.locks import FolderLock, is_held
from explain.core.settings import make, setting_values
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.datatypes.encoding import encode
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS, Method
from explain.metrics.base import TrialSettings
from explain.models.loading.catalogue import load_model
from explain.run import background
from explain.run.backends.threads import Threads, one_thread
from explain.run.background import Reporter, Status, read_json, status_of
from explain.run.dataset_run import RunCost, carry_out
from explain.run.folder_store import MANIFEST, marked_parts, read_manifest
from explain.run.run_folder import RunFolder
from explain.run.run_plan import RunPlan
from explain.run.sample import Sample
from explain.run.shards import ShardProgress
from explain.run.vectors import default_pooling
from explain.text.phrases import PhraseSettings

REQUEST, RUN, DATA = "request.json", "run", "data"
LOOK_SECONDS = 1.0  # between two looks at the runs before this one
_NAME = re.compile(r"[\w][\w .-]{0,59}")
_PARTS = 200  # of a run, about: so many steps its progress has
_SIZES = (16, 256)  # rows of a part, least and most


@dataclass(frozen=True)
class RunRequest:
    """The settings of a run that the app begins.

    Attributes:
        data: a path or the name of a data set; of an uploaded file its name.
        uploaded: whether the file lies in the run's folder.
        model, task: as `load_model` takes them.
        methods: names with settings, in order.
        tests: whether each explanation is tested.
        embeddings: whether the vector of each text is kept.
        sample: which rows are explained; None: all.
        most: rows that are read at most; most_passes: the run ends where it would take more.
        created: when it was begun, ISO 8601.
    """

    data: str
    uploaded: bool
    model: str
    task: str | None = None
    columns: Columns = field(default_factory=Columns)
    methods: tuple[Method, ...] = ()
    phrases: bool = False
    tests: bool = False
    embeddings: bool = False
    sample: Sample | None = None
    most: int | None = None
    most_passes: int | None = None
    created: str = ""

    def about(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        methods = [{"name": method.name, "settings": encode(setting_values(method))} for method in self.methods]
        return {
            "data": self.data,
            "uploaded": self.uploaded,
            "model": self.model,
            "task": self.task,
            "columns": encode(self.columns),
            "methods": methods,
            "phrases": self.phrases,
            "tests": self.tests,
            "embeddings": self.embeddings,
            "sample": encode(self.sample),
            "most": self.most,
            "most_passes": self.most_passes,
            "created": self.created,
        }

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> "RunRequest":
        """Return the request of JSON values.

        Raises:
            DataError: they are no request.
        """
        try:
            columns = about["columns"]
            return cls(
                **{
                    **about,
                    "columns": Columns(**{**columns, "groups": tuple(columns["groups"])}),
                    "sample": Sample(**about["sample"]) if about.get("sample") else None,
                    "methods": tuple(make(METHODS[method["name"]], method["settings"]) for method in about["methods"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError("This run's request can't be read. Begin a new run.") from error

    def dataset(self, folder: Path) -> Dataset:
        """Open the data set; `folder` is the run's."""
        place = folder / DATA / self.data if self.uploaded else self.data
        return Dataset.open(place, columns=self.columns, most=self.most, keep_going=True)


@dataclass(frozen=True)
class KeptRun:
    """A run of the app as read from its folder at one moment."""

    folder: Path
    request: Mapping[str, Any]
    status: Status

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def path(self) -> Path:
        """The folder of its rows."""
        return self.folder / RUN

    @property
    def has_rows(self) -> bool:
        """True where the run has a manifest, so that its rows can be read, if only some."""
        return (self.path / MANIFEST).exists()


@dataclass(frozen=True)
class RunElsewhere(KeptRun):
    """A run that the app did not begin, such as one of the command line; it is looked at, and nothing else."""

    @property
    def name(self) -> str:
        """Its folder and the one that it is in; no run of the app has a slash in its name."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def path(self) -> Path:
        return self.folder


def look_elsewhere(folder: Path) -> RunElsewhere:
    """Read a run from any folder.

    Raises:
        DataError: it holds no run of this version.
    """
    run = RunFolder(folder)
    request = {
        "model": run.manifest["model"]["id"],
        "data": run.manifest["data"]["name"],
        "methods": run.manifest["plan"]["methods"],
        "created": run.manifest.get("created", ""),
    }
    state = background.FINISHED if len(marked_parts(run.folder)) == run.shards else background.INTERRUPTED
    return RunElsewhere(folder, request, Status(state, "", "", 1.0))


def check_name(name: str) -> str:
    """Return a valid name of a new run, without surrounding spaces.

    Raises:
        DataError: the name is not valid, or a run has it.
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise DataError(
            f"The name {name[:60]!r} is not valid. Use at most 60 letters, digits, spaces, hyphens, underscores and "
            "points, beginning with a letter or digit."
        )
    if (runs_folder() / name).exists():
        raise DataError(f"There is a run called {name} already. Use another name, or delete that one first.")
    return name


def secret_name() -> str:
    """Return a name that nobody can guess: 128 random bits."""
    return f"run-{secrets.token_hex(16)}"


def begin(name: str, request: RunRequest, content: bytes | None = None) -> Path:
    """Make the folder of a new run and start it; return the folder.

    Args:
        content: of the uploaded file.

    Raises:
        DataError: there is a run of that name; FileError: the folder can't be written.
        ExplainError: this system can't work in the background.
    """
    background.require_locks()
    folder = runs_folder() / check_name(name)
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    create_folder(folder)
    if content is not None:
        create_folder(folder / DATA)
        write_file(folder / DATA / request.data, content)
    write_file(folder / REQUEST, json.dumps({**request.about(), "created": created}, indent=1) + "\n")
    start(folder)
    return folder


def start(folder: Path) -> None:
    """Start or continue a run.

    Raises:
        Busy: it is at work.
    """
    with contextlib.closing(_lock(folder)) as lock:
        background.start(folder, "explain.report.kept_runs", [lock])


def _lock(folder: Path) -> FolderLock:
    return FolderLock(folder, f"The run {folder.name} is at work. Wait, or stop it.")


def all_runs() -> tuple[KeptRun, ...]:
    """Return the runs in the folder of runs, the latest first."""
    folders = [path.parent for path in runs_folder().glob(f"*/{REQUEST}")]
    return tuple(sorted(map(look_at, folders), key=lambda run: str(run.request.get("created", "")), reverse=True))


def look_at(folder: Path) -> KeptRun:
    """Read a run from its folder."""
    return KeptRun(folder, read_json(folder / REQUEST), status_of(folder))


def delete(folder: Path) -> None:
    """Delete a run, its rows and its uploaded file.

    Raises:
        Busy: the run is at work; DataError: the folder is no run of the app.
    """
    if folder.parent != runs_folder() or not (folder / REQUEST).is_file():
        raise DataError(f"{folder} is not a run of this app.")
    with contextlib.closing(_lock(folder)):
        (folder / REQUEST).unlink(missing_ok=True)  # first, so that it is no longer listed
        shutil.rmtree(folder, ignore_errors=True)


def delete_older_than(days: float) -> None:
    """Delete the runs that were begun earlier, unless they are at work."""
    limit = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    for run in all_runs():
        with contextlib.suppress(ValueError):
            begun = datetime.datetime.fromisoformat(str(run.request.get("created", "")))
            if begun < limit and run.status.state != background.ACTIVE:
                delete(run.folder)


def work(folder: Path, on_progress: Callable[[str], None] | None = None, *, locked: bool = False) -> None:
    """Compute a run in this process, and write its state to its folder.

    Args:
        on_progress: takes each line of progress.
        locked: the caller has taken the lock for this process.

    Raises:
        ExplainError: the run failed, or was stopped.
        Busy: another process works in the folder.
    """
    if not locked:
        with contextlib.closing(_lock(folder)):
            background.write_pid(folder, os.getpid())
            work(folder, on_progress, locked=True)
            return
    reporter = Reporter(folder, on_progress)
    with one_thread():  # so that parts are the same byte for byte after any stop, and the app keeps the other cores
        background.carry_out(reporter, lambda: _compute(folder, reporter), at_once=True)


def _compute(folder: Path, reporter: Reporter) -> None:
    while ahead := _ahead(folder):
        reporter.doing(f"Waiting for {ahead} other run{'s' * (ahead > 1)}")
        time.sleep(LOOK_SECONDS)
    request = RunRequest.of(read_json(folder / REQUEST))
    reporter.doing("Loading the model")
    model = load_model(request.model, task=request.task)
    reporter.doing("Reading the rows")
    dataset = request.dataset(folder)
    plan = RunPlan(
        request.methods,
        PhraseSettings() if request.phrases else None,
        True,
        dataset.roles,
        tests=TrialSettings.from_names() if request.tests else None,
        judge=verdict,
        embeddings=default_pooling(model) if request.embeddings else None,
    )
    path = folder / RUN
    begun = (path / MANIFEST).exists()
    size = int(read_manifest(path)["shard_size"]) if begun else _size(dataset)
    progress = _RunProgress(reporter, request.most_passes)
    on_cost = None if begun else progress.cost
    carry_out(path, model, dataset, plan, Threads(), size, begun, on_cost, progress, request.sample)


def _ahead(folder: Path) -> int:
    """Return how many runs at work were started before this one."""
    mine = _started(folder)
    others = [path.parent for path in folder.parent.glob(f"*/{REQUEST}") if path.parent != folder]
    return sum(_started(other) < mine and is_held(other) for other in others)


def _started(folder: Path) -> tuple[float, str]:
    with contextlib.suppress(OSError):
        return ((folder / background.PID).stat().st_mtime, folder.name)
    return (float("inf"), folder.name)


def _size(dataset: Dataset) -> int:
    """Return the rows of a part, so that a run has about two hundred parts, and progress is seen."""
    least, most = _SIZES
    return max(least, min(most, dataset.report().kept // _PARTS))


class _RunProgress:
    """Writes the cost and the progress of a run to its state."""

    def __init__(self, reporter: Reporter, most_passes: int | None) -> None:
        self._reporter, self._most = reporter, most_passes

    def cost(self, cost: RunCost) -> None:
        if self._most is not None and cost.passes > self._most:
            raise SettingError(
                f"By its first {cost.tried} rows this run takes {cost.passes:,} passes, and this server allows "
                f"{self._most:,}. Choose fewer rows or cheaper methods."
            )
        self._reporter.details["cost"] = encode(cost)

    def __call__(self, progress: ShardProgress) -> None:
        share = progress.done / max(1, progress.total)
        self._reporter.details |= {"rows": progress.rows, "seconds_left": progress.seconds_left}
        self._reporter.doing("Explaining the rows", share)


if __name__ == "__main__":
    sys.exit(background.main(work))

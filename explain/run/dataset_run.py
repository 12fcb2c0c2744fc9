"""A run: a plan over all rows of a data set, in shards that are kept in a folder and continued after a stop."""

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from explain.core.errors import DataError
from explain.core.versions import versions
from explain.data.dataset import DataRow, Dataset, Reading
from explain.data.repeats import Repeats
from explain.data.report import ReadingReport
from explain.datatypes.encoding import encode
from explain.models.base import TextModel
from explain.models.loading.spec import ModelSpec
from explain.run.folder_store import MANIFEST, FolderStore, parquet_of
from explain.run.folders import Folder, folder_at
from explain.run.run_plan import RunPlan, column_of, labels_of, parted
from explain.run.run_rows import rows_of_run
from explain.run.shards import Backend, ModelWork, Row, Shard, ShardProgress, run_shards

SCHEMA = "explain-run-1"
ROWS_OF_A_SHARD = 256
MOST_LABELS = 1000  # of a data set, that are compared with the model's
TRIED = 32  # rows that are computed to say what all of them will take


@dataclass(frozen=True)
class RunWork:
    """The work of a run on the rows of one shard; it travels to other processes."""

    plan: RunPlan

    def __call__(self, model: TextModel, rows: tuple[DataRow, ...]) -> list[Row]:
        return rows_of_run(model, rows, self.plan)


@dataclass(frozen=True)
class RunCost:
    """The cost of a run, judged by its first rows.

    Attributes:
        rows: of the whole run; tried: rows it is judged by.
        passes: forward and backward passes of all rows; by_method: of each method.
        seconds: of one worker; bytes: of all parts on disk.
    """

    rows: int
    tried: int
    passes: int
    by_method: dict[str, int]
    seconds: float
    bytes: int


def carry_out(
    place: str | Path | Folder,
    model: TextModel,
    dataset: Dataset,
    plan: RunPlan,
    backend: Backend,
    size: int,
    resume: bool,
    on_cost: Callable[[RunCost], None] | None,
    on_progress: Callable[[ShardProgress], None],
) -> None:
    """Begin a run in a new folder, or go on with the one there, and compute what it lacks; see `explain.run`."""
    for method in plan.methods:
        model.require(method.requires)
    report, labels = read_once(dataset)
    if not model.head.exclusive:
        labels = frozenset(part for label in labels for part in parted(label))
    plan = replace(plan, labels=labels_of(labels, model.head.labels))
    folder = folder_at(place)
    if not resume and folder.read(MANIFEST) is not None:
        raise DataError(
            f"{folder.name} holds a run already. To go on with it, say so (--resume); else name a new folder."
        )
    store = begin_run(folder, model, dataset, report, plan, size)
    try:
        if on_cost is not None and report.kept > TRIED:  # a smaller run is over as soon as its cost is known
            on_cost(cost_of_run(model, dataset, report.kept, plan))
        compute_run(store, model, dataset, report, plan, size, backend, on_progress)
    finally:
        store.close()


def read_once(dataset: Dataset) -> tuple[ReadingReport, frozenset[str]]:
    """Read a data set once, for its digest and its numbers of rows, and for the labels that it has.

    Of labels the first thousand that differ are looked at.

    Raises:
        DataError: no row has a text, or two rows have the same id, or one has none.
    """
    reading = dataset.reading()
    named = dataset.roles.id is not None
    labels: set[str] = set()
    with Repeats() as ids:
        for row in reading:
            if row.label and len(labels) < MOST_LABELS:
                labels.add(row.label)
            if named:
                if not row.id.strip():
                    raise DataError(
                        f"{dataset.name}, row {row.number:,} has no {dataset.roles.id}, but ids are asked for."
                    )
                ids.add(row.number, row.id)
        repeated = ids.numbers()
    if repeated.count:
        raise DataError(
            f"{dataset.name} has ids that occur twice in the column {dataset.roles.id}: {repeated}. "
            "Name a column that differs in each row, or none."
        )
    report = reading.report()
    if not report.kept:
        raise DataError(" ".join((f"{dataset.name} has no row with a text.", *report.sentences())))
    return report, frozenset(labels)


def begin_run(
    folder: Folder, model: TextModel, dataset: Dataset, report: ReadingReport, plan: RunPlan, size: int
) -> FolderStore:
    """Begin a run in a new folder, or open the folder of the same run to go on.

    Raises:
        DataError: the folder holds something else, or another run.
        Busy: another process writes there.
    """
    about = {
        "schema": SCHEMA,
        "model": encode(model.record),
        "spec": encode(ModelSpec.of(model)),
        "labels": list(model.head.labels) if model.task.decides_label(model.head) else [],
        "several": not model.head.exclusive,
        "data": {"name": dataset.name, "sha256": dataset.sha256(), "digest": report.digest, "rows": report.kept},
        "plan": plan.about(),
        "shard_size": size,
    }
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    circumstances = {"created": began, "versions": versions(), "left_out": list(report.sentences())}
    return FolderStore(folder, about, plan.row_columns(), circumstances)


def compute_run(
    store: FolderStore,
    model: TextModel,
    dataset: Dataset,
    report: ReadingReport,
    plan: RunPlan,
    size: int,
    backend: Backend,
    on_progress: Callable[[ShardProgress], None] = lambda progress: None,
) -> None:
    """Compute the shards that a run's folder lacks.

    Args:
        report: of an earlier reading of the data set.
        size: rows of a shard.

    Raises:
        ExplainError: something that concerns all rows; what is done is kept.
    """
    work, reading = ModelWork.of(model, RunWork(plan)), dataset.reading()
    run_shards(work, shards_of_rows(reading, size), store, backend, on_progress, -(-report.kept // size))
    if reading.report().digest != report.digest:
        raise DataError(
            f"{dataset.name} has changed while it was explained. Start again with the file as it is now, in a new "
            "folder."
        )


def shards_of_rows(reading: Reading, size: int) -> Iterator[Shard[tuple[DataRow, ...]]]:
    """Yield shards whose one item is a batch of rows; nothing but that batch is held in memory."""
    for number, rows in enumerate(reading.batches(size)):
        yield Shard(number, (tuple(replace(row, cells={}) for row in rows),))


def cost_of_run(model: TextModel, dataset: Dataset, rows: int, plan: RunPlan) -> RunCost:
    """Compute the first rows and return what all of them will take."""
    first = next(dataset.batches(TRIED))
    began = time.perf_counter()
    made = rows_of_run(model, first, plan)
    seconds = time.perf_counter() - began
    factor = rows / len(first)
    by_method = {
        method.name: round(factor * sum(row.get(column_of("passes", method.name)) or 0 for row in made))
        for method in plan.methods
    }
    predictions = sum(row.get("windows") or 0 for row in made)
    return RunCost(
        rows,
        len(first),
        round(factor * predictions) + sum(by_method.values()),
        by_method,
        factor * seconds,
        round(factor * len(parquet_of(made, plan.row_columns()))),
    )

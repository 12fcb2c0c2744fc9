"""A run: a plan over all rows of a data set, in shards that are kept in a folder and continued after a stop."""

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from explain.core.errors import DataError, SettingError
from explain.core.versions import versions
from explain.data.dataset import DataRow, Dataset, Reading
from explain.data.repeats import Repeats
from explain.data.report import ReadingReport
from explain.datatypes.encoding import encode
from explain.models.base import TextModel
from explain.models.loading.spec import ModelSpec
from explain.run.backends.threads import threads_of_a_worker
from explain.run.folder_store import MANIFEST, FolderStore, parquet_of
from explain.run.folders import Folder, folder_at
from explain.run.run_plan import RunPlan, column_of, labels_of, parted
from explain.run.run_rows import rows_of_run
from explain.run.sample import Sample
from explain.run.shards import Backend, ModelWork, Row, Shard, ShardProgress, run_shards

SCHEMA = "explain-run-1"
ROWS_OF_A_SHARD = 256
MOST_LABELS = 1000  # of a data set, that are compared with the model's
TRIED = 32  # rows that are computed to say what all of them will take
PREDICTIONS = "predictions"  # the folder in a run's folder with the predictions of all rows, where rows are drawn


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
        rows: that are explained; tried: rows it is judged by; of_rows: rows of which those are drawn, if they are.
        passes: forward and backward passes of all rows; by_method: of each method.
        seconds: of one worker; bytes: of all parts on disk.
    """

    rows: int
    tried: int
    passes: int
    by_method: dict[str, int]
    seconds: float
    bytes: int
    of_rows: int | None = None

    def for_rows(self, rows: int) -> "RunCost":
        """Return the cost of another number of rows."""
        factor = rows / self.rows
        return RunCost(
            rows,
            self.tried,
            round(factor * self.passes),
            {name: round(factor * passes) for name, passes in self.by_method.items()},
            factor * self.seconds,
            round(factor * self.bytes),
            self.of_rows,
        )


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
    sample: Sample | int | None = None,
) -> None:
    """Begin a run in a new folder, or go on with the one there, and compute what it lacks; see `explain.run`."""
    sample = Sample(rows=sample) if isinstance(sample, int) else sample
    for method in plan.methods:
        model.require(method.requires)
    if plan.embeddings is not None:
        model.require(frozenset({"vectors"}))
    if sample is not None:
        check_sample(sample, plan)
    report, labels = read_once(dataset)
    if not model.head.exclusive:
        labels = frozenset(part for label in labels for part in parted(label))
    plan = replace(plan, labels=labels_of(labels, model.head.labels))
    folder = folder_at(place)
    if not resume and folder.read(MANIFEST) is not None:
        raise DataError(
            f"{folder.name} holds a run already. To go on with it, say so (--resume); else name a new folder."
        )
    if sample is not None and not resume:
        check_budget(model, dataset, report.kept, plan, backend, sample)
    with backend.ready():  # a cluster that can't be reached leaves no folder
        store = begin_run(folder, model, dataset, report, plan, size, sample)
        try:
            if sample is not None:
                from explain.run.sampled_run import SampledRun  # it is a run of the functions below

                SampledRun(store, model, dataset, report, plan, size, backend, sample).compute(on_cost, on_progress)
                return
            if on_cost is not None and report.kept > TRIED:  # a smaller run is over as soon as its cost is known
                on_cost(cost_of_run(model, next(dataset.batches(TRIED)), report.kept, plan))
            compute_run(store, model, dataset, report, plan, size, backend, on_progress)
        finally:
            store.close()


def check_sample(sample: Sample, plan: RunPlan) -> None:
    """Check that a plan leaves something to draw.

    Raises:
        SettingError: nothing but predictions of all rows, or no words whose scores an interval could be of.
    """
    if sample.only_drawn:
        return
    if not plan.methods and plan.phrases is None:
        raise SettingError(
            "All rows are predicted before some are drawn to be explained, and without a method there is nothing to "
            "explain. Leave the sample away, or predict the drawn rows only (--only-drawn)."
        )
    if sample.until is not None and not (plan.methods and plan.texts):
        raise SettingError(
            "The interval that --until sets is of mean scores of words: name a method and keep the texts. With "
            "--only-drawn it is of accuracy, or of the share of each predicted label."
        )


def check_budget(
    model: TextModel, dataset: Dataset, rows: int, plan: RunPlan, backend: Backend, sample: Sample
) -> None:
    """Check that the predictions of all rows fit into a sample's budget, judged by the first rows.

    Raises:
        SettingError: they do not.
    """
    if sample.seconds is None or sample.only_drawn or rows <= TRIED:
        return
    with threads_of_a_worker(backend):
        cost = cost_of_run(model, next(dataset.batches(TRIED)), rows, predictions_only(plan))
    if (seconds := cost.seconds / backend.workers) > sample.seconds:
        raise SettingError(
            f"To predict all {rows:,} rows before some are drawn takes about {seconds:,.0f} s, and the budget is "
            f"{sample.seconds:,.0f} s. Give a larger one, or predict the drawn rows only (--only-drawn)."
        )


def predictions_only(plan: RunPlan) -> RunPlan:
    """Return a plan without what is computed besides predictions."""
    return replace(plan, methods=(), phrases=None, embeddings=None)


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
    folder: Folder,
    model: TextModel,
    dataset: Dataset,
    report: ReadingReport,
    plan: RunPlan,
    size: int,
    sample: Sample | None = None,
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
        "sample": None if sample is None else sample.about(),
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
    check_unchanged(reading, report)


def check_unchanged(reading: Reading, report: ReadingReport) -> None:
    """Check that a whole reading of a data set read what an earlier one did.

    Raises:
        DataError: it read something else.
    """
    if reading.report().digest != report.digest:
        raise DataError(
            f"{report.name} has changed while it was explained. Start again with the file as it is now, in a new "
            "folder."
        )


def shards_of_rows(reading: Reading, size: int) -> Iterator[Shard[tuple[DataRow, ...]]]:
    """Yield shards whose one item is a batch of rows; nothing but that batch is held in memory."""
    for number, rows in enumerate(reading.batches(size)):
        yield Shard(number, (tuple(replace(row, cells={}) for row in rows),))


def cost_of_run(
    model: TextModel, tried: Sequence[DataRow], rows: int, plan: RunPlan, of_rows: int | None = None
) -> RunCost:
    """Compute some rows and return what a number of rows will take.

    Args:
        of_rows: rows of which those are drawn, if they are.
    """
    began = time.perf_counter()
    made = rows_of_run(model, tried, plan)
    seconds = time.perf_counter() - began
    factor = rows / len(tried)
    by_method = {
        method.name: round(factor * sum(row.get(column_of("passes", method.name)) or 0 for row in made))
        for method in plan.methods
    }
    predictions = sum(row.get("windows") or 0 for row in made) + (len(tried) if plan.embeddings else 0)
    return RunCost(
        rows,
        len(tried),
        round(factor * predictions) + sum(by_method.values()),
        by_method,
        factor * seconds,
        round(factor * len(parquet_of(made, plan.row_columns()))),
        of_rows,
    )

"""A run that explains drawn rows: all rows are predicted, some are drawn, and those are explained.

predictions/        the predictions of all rows: a run of its own, without methods
pilot/              rows from which the size of the sample follows, where it is set by an interval
draw.json           the drawn rows; written once, before they are explained
parts/, done/       the drawn rows, in the order of the data set
"""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice
from typing import Any

from explain.core.errors import DataError, SettingError
from explain.data.dataset import DataRow, Dataset, Reading
from explain.data.report import ReadingReport
from explain.models.base import TextModel
from explain.numerics.sample_sizes import planned_half_width, planned_share_half_width, size_for
from explain.numerics.stratified import RatioSums, Strata
from explain.run.backends.threads import threads_of_a_worker
from explain.run.dataset_run import (
    PREDICTIONS,
    TRIED,
    RunCost,
    RunWork,
    begin_run,
    check_unchanged,
    compute_run,
    cost_of_run,
    predictions_only,
)
from explain.run.draw import DRAW, Draw, Frame, read_draw
from explain.run.folder_store import FolderStore
from explain.run.folders import folder_inside
from explain.run.run_folder import RunFolder
from explain.run.run_plan import RunPlan, column_of, group_column
from explain.run.sample import FEWEST, Sample
from explain.run.sampled_figures import ShareSums
from explain.run.shards import Backend, ModelWork, Row, Rows, Shard, ShardProgress, run_shards
from explain.run.word_figures import LEADING, figures_of_sample, leading_words, sums_by_word

PILOT = 200  # rows from which the size of a sample follows
_PILOT_SHARD = 25  # rows
_OF_BUDGET = 0.9  # the share of a budget that is planned for; workers take time to start

OnProgress = Callable[[ShardProgress], None]
OnCost = Callable[[RunCost], None] | None


@dataclass(frozen=True, eq=False)
class SampledRun:
    """A run of which some rows are drawn; see the module.

    Attributes:
        store: of the run's folder.
        report: of an earlier reading of the data set.
        size: rows of a shard.
    """

    store: FolderStore
    model: TextModel
    dataset: Dataset
    report: ReadingReport
    plan: RunPlan
    size: int
    backend: Backend
    sample: Sample

    def compute(self, on_cost: OnCost, on_progress: OnProgress) -> None:
        """Compute what the folder lacks; see `explain.run`."""
        began = time.monotonic()
        draw = read_draw(self.store.folder)
        if draw is None and self.store.finished:
            raise DataError(f"{DRAW} of {self.store.folder.name} is lost, though rows were drawn. Begin a new run.")
        if not self.sample.only_drawn:
            self._predict(on_progress)
        if draw is None:
            frame = self._frame()
            expected = on_cost is not None and min(len(frame), self.sample.rows or len(frame)) > TRIED
            cost = self._cost(frame) if expected or self.sample.seconds is not None else None
            draw = self._draw(frame, cost, began, on_progress)
            draw.write(self.store.folder)
            if on_cost is not None and cost is not None and len(draw.numbers) > TRIED:
                on_cost(cost.for_rows(len(draw.numbers)))
        self._explain(draw, on_progress)

    def _predict(self, on_progress: OnProgress) -> None:
        """Predict all rows, where that is not done yet."""
        plan = predictions_only(self.plan)
        folder = folder_inside(self.store.folder, PREDICTIONS)
        store = begin_run(folder, self.model, self.dataset, self.report, plan, self.size)
        try:
            if len(store.finished) < -(-self.report.kept // self.size):
                stage = _stage(on_progress, "predictions")
                compute_run(store, self.model, self.dataset, self.report, plan, self.size, self.backend, stage)
        finally:
            store.close()

    def _frame(self) -> Frame:
        """Return the rows that may be drawn: by prediction and groups, or else by label and groups."""
        groups = self.plan.columns.groups
        if self.sample.only_drawn:
            labels = ("label",) if self.plan.columns.label else ()
            frame = Frame((*labels, *groups), self.sample.seed)
            for row in self.dataset:
                frame.add(row.number, row.id, (*(row.label for _ in labels), *row.groups))
            return frame
        frame = Frame(("prediction", *groups), self.sample.seed)
        columns = [group_column(group) for group in groups]
        rows = RunFolder(folder_inside(self.store.folder, PREDICTIONS)).rows(["number", "id", "prediction", *columns])
        for number, text in groupby(rows, key=lambda row: row["number"]):
            first, *others = text
            predictions = {row["prediction"] for row in (first, *others)} - {None}
            cells = ("|".join(sorted(predictions)), *(first[column] or "" for column in columns))
            frame.add(number, first["id"], cells)
        return frame.without_empty("prediction")

    def _draw(self, frame: Frame, cost: RunCost | None, began: float, on_progress: OnProgress) -> Draw:
        """Draw as many rows as the sample says.

        Args:
            cost: of all rows; needed for a budget, which began at `began`.
        """
        if self.sample.rows is not None:
            return frame.strata(self.sample.rows).draw(self.sample.rows, {})
        if self.sample.seconds is not None and cost is not None:
            left = _OF_BUDGET * self.sample.seconds - (time.monotonic() - began)
            a_row = cost.seconds / cost.rows / self.backend.workers
            size = min(len(frame), int(left / a_row))
            if size < min(FEWEST, len(frame)):
                raise SettingError(
                    f"The budget of {self.sample.seconds:,.0f} s leaves {max(0.0, left):,.0f} s to explain rows, each "
                    f"of which takes about {a_row:.2g} s. Give a larger one, in a new folder."
                )
            return frame.strata(size).draw(size, {"seconds_of_a_row": a_row, "seconds_left": left})
        return self._draw_until(frame, on_progress)

    def _draw_until(self, frame: Frame, on_progress: OnProgress) -> Draw:
        """Draw as many rows as make intervals as narrow as is wanted, by the variances of a pilot sample."""
        assert self.sample.until is not None
        strata = frame.strata(PILOT)
        pilot = strata.draw(PILOT, {})
        rows = self._pilot_rows(pilot.numbers, on_progress)
        if self.sample.only_drawn:
            widths, about = _widths_of_shares(rows, pilot)
        else:
            widths, about = _widths_of_words(rows, pilot, [method.name for method in self.plan.methods])
        if not widths:
            raise DataError(
                f"The {len(pilot.numbers)} rows of the pilot sample leave nothing that {self.sample.until:g} could be "
                "the half-width of. Say how many rows are drawn, in a new folder."
            )

        def widest(planned: Strata) -> float:
            return max(width(planned) for width in widths)

        size = size_for(self.sample.until, strata.rows, len(pilot.numbers), widest)
        expected = widest(Strata.planned(strata.rows, size))
        return strata.draw(size, {"pilot": list(pilot.numbers), "expected": expected, **about})

    def _pilot_rows(self, numbers: Sequence[int], on_progress: OnProgress) -> list[Row]:
        """Return the rows of the pilot sample; what is computed of them is kept."""
        about = {"schema": "explain-pilot-1", "sample": self.sample.about()}
        about["numbers"] = hashlib.sha256(repr(tuple(numbers)).encode()).hexdigest()
        store = FolderStore(folder_inside(self.store.folder, "pilot"), about, self.plan.row_columns())
        try:
            count = -(-len(numbers) // _PILOT_SHARD)
            if len(store.finished) < count:
                shards = _shards(self.dataset.reading(), set(numbers), _PILOT_SHARD)
                work = ModelWork.of(self.model, RunWork(self.plan))
                run_shards(work, shards, store, self.backend, _stage(on_progress, "pilot"), count)
            return [dict.fromkeys(store.columns) | row for row in store.rows()]
        finally:
            store.close()

    def _cost(self, frame: Frame) -> RunCost:
        """Return what it would take to explain all rows, judged by rows drawn from all alike."""
        (tried,) = next(_shards(self.dataset.reading(), set(frame.any(TRIED)), TRIED)).items
        with threads_of_a_worker(self.backend):
            return cost_of_run(self.model, tried, len(frame), self.plan, len(frame))

    def _explain(self, draw: Draw, on_progress: OnProgress) -> None:
        """Explain the drawn rows; those of the pilot sample are explained already."""
        count = -(-len(draw.numbers) // self.size)
        if len(self.store.finished) == count:
            on_progress(ShardProgress(0, 0, None))
            return
        explained: dict[int, list[Row]] = {}
        if pilot := draw.size_from.get("pilot"):
            for row in self._pilot_rows(pilot, on_progress):
                explained.setdefault(row["number"], []).append(row)
        store = _DrawnRows(self.store, draw, self.size, explained)
        reading = self.dataset.reading()
        shards = _shards(reading, set(draw.numbers), self.size, explained)
        work = ModelWork.of(self.model, RunWork(self.plan))
        run_shards(work, shards, store, self.backend, on_progress, count)
        check_unchanged(reading, self.report)


@dataclass(frozen=True, eq=False)
class _DrawnRows:
    """The store of a run whose rows are drawn: puts their weights in, and rows that are explained already.

    Attributes:
        explained: rows of the pilot sample, by number.
    """

    store: FolderStore
    draw: Draw
    size: int
    explained: Mapping[int, list[Row]]

    @property
    def finished(self) -> frozenset[int]:
        return self.store.finished

    def write(self, shard: int, rows: Rows) -> None:
        numbers = self.draw.numbers[shard * self.size : (shard + 1) * self.size]
        all_rows = [*rows, *(row for number in numbers for row in self.explained.get(number, ()))]
        weighted = [row | {"weight": self.draw.weight(row["number"])} for row in all_rows]
        self.store.write(shard, sorted(weighted, key=lambda row: row["number"]))

    def rows(self) -> Iterator[Row]:
        return self.store.rows()


def _shards(
    reading: Reading, numbers: Collection[int], size: int, without: Collection[int] = ()
) -> Iterator[Shard[tuple[DataRow, ...]]]:
    """Yield the rows of some numbers in shards, from which some are then left out."""
    wanted = (replace(row, cells={}) for row in reading if row.number in numbers)
    shard = 0
    while rows := tuple(islice(wanted, size)):
        yield Shard(shard, (tuple(row for row in rows if row.number not in without),))
        shard += 1


def _stage(on_progress: OnProgress, stage: str) -> OnProgress:
    """Return a function that passes the progress of a stage on."""
    return lambda progress: on_progress(replace(progress, stage=stage))


_Widths = tuple[list[Callable[[Strata], float]], dict[str, Any]]


def _widths_of_words(rows: Sequence[Row], pilot: Draw, methods: Sequence[str]) -> _Widths:
    """Return the half-widths of the leading words' mean scores by the strata of a sample, and which words those are."""
    strata = pilot.sizes()
    widths: list[Callable[[Strata], float]] = []
    leading: dict[str, list[str]] = {}
    for method in methods:
        sums = sums_by_word(rows, column_of("scores", method), pilot.stratum_of.__getitem__)
        figures = [figures_of_sample(word, parts, strata) for word, parts in sums.items()]
        leading[method] = [figure.word for figure in leading_words(figures)]
        widths += [partial(planned_half_width, sums[word], strata) for word in leading[method]]
    return widths, {"bounds": f"mean scores of up to {LEADING} leading words", "leading": leading}


def _widths_of_shares(rows: Sequence[Row], pilot: Draw) -> _Widths:
    """Return the half-width of accuracy, or of each label's share, by the strata of a sample; and which it is."""
    sums, strata = ShareSums(rows, pilot.stratum_of.__getitem__), pilot.sizes()
    shares: list[dict[int, RatioSums]] = [sums.correct] if sums.correct else list(sums.labels().values())
    bounds = "accuracy" if sums.correct else "share of each predicted label"
    return [partial(planned_share_half_width, parts, strata) for parts in shares], {"bounds": bounds}

"""Figures of the decisions in a run, of all rows or of some: by label, at every threshold, and calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from explain.numerics import classifier_figures
from explain.numerics.classifier_figures import Interval
from explain.run.run_plan import parted
from explain.run.run_table import ALL_ROWS, RowFilter, RunTable
from explain.views.charts import Chart, Charts, Confusion, Line

_Flags = npt.NDArray[np.bool_]
MOST_CELLS = 30  # labels of a confusion matrix that is drawn


@dataclass(frozen=True)
class LabelFigures:
    """Figures of one label; None where one is undefined.

    Attributes:
        count: rows that have the label; predicted: rows it is predicted for.
        precision, recall, f1, roc_area, average_precision: each with its 95 % interval.
    """

    label: str
    count: int
    predicted: int
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None
    roc_area: Interval | None
    average_precision: Interval | None


@dataclass(frozen=True, eq=False)
class RunFigures:
    """The decisions of a run's rows, of which the label is known and one of the model's.

    Attributes:
        labels (C): of the model; exclusive: whether one of them is right.
        right (N, C), decided (N, C): whether a row has a label, and whether it is predicted.
        probabilities (N, C): as the model gives them; None where the run kept none.
        confidence (N): of the decision, calibrated if the model is; not a number where there is none.
    """

    labels: tuple[str, ...]
    exclusive: bool
    right: _Flags
    decided: _Flags
    probabilities: npt.NDArray[np.floating] | None
    confidence: npt.NDArray[np.floating]

    @classmethod
    def of(cls, table: RunTable, rows: RowFilter = ALL_ROWS) -> "RunFigures | None":
        """Return the figures of a run's rows; None where no row has a label that the model has."""
        manifest = table.run.manifest
        labels, known = tuple(manifest["labels"]), manifest["plan"]["labels"]
        if not labels or not {"label", "correct"} <= set(table.columns):
            return None
        columns = ["label", "prediction", "probabilities", "confidence", "correct"]
        read = table.arrow(rows, columns=columns)
        read = read.filter(pc.is_valid(read.column("correct")))
        if not len(read):
            return None
        exclusive = not manifest.get("several")

        def meant(cell: str) -> list[str]:
            return [known[label] for label in ([cell] if exclusive else parted(cell))]

        right = _flags(read.column("label"), labels, meant)
        decided = _flags(read.column("prediction"), labels, lambda cell: [cell] if exclusive else cell.split("|"))
        confidence = read.column("confidence").to_numpy().astype(float)
        return cls(labels, exclusive, right, decided, _shares(read.column("probabilities"), len(labels)), confidence)

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.right)

    @cached_property
    def correct(self) -> _Flags:
        """True for each row whose predicted labels are its known labels. (N)"""
        return np.asarray((self.right == self.decided).all(axis=1))

    @property
    def accuracy(self) -> Interval | None:
        return classifier_figures.share(int(self.correct.sum()), self.count)

    @property
    def calibration_error(self) -> Interval | None:
        """The mean distance of confidence from accuracy; None where rows have no confidence."""
        if not self.exclusive or np.isnan(self.confidence).any():
            return None
        return classifier_figures.calibration_error(self.confidence, self.correct)

    @cached_property
    def by_label(self) -> tuple[LabelFigures, ...]:
        """Figures of each label that a row has or that is predicted."""
        counted = enumerate(zip(self.right.sum(axis=0), self.decided.sum(axis=0)))
        return tuple(self._of_label(column, int(has), int(gets)) for column, (has, gets) in counted if has or gets)

    def _of_label(self, column: int, positives: int, predictions: int) -> LabelFigures:
        hits = int((self.right[:, column] & self.decided[:, column]).sum())
        areas: tuple[Interval | None, Interval | None] = (None, None)
        if self.probabilities is not None:
            right, scores = self.right[:, column], self.probabilities[:, column]
            areas = classifier_figures.roc_area(right, scores), classifier_figures.average_precision(right, scores)
        return LabelFigures(
            self.labels[column],
            positives,
            predictions,
            classifier_figures.share(hits, predictions),
            classifier_figures.share(hits, positives),
            classifier_figures.f1(hits, positives, predictions, self.count),
            *areas,
        )

    def at_threshold(self, label: str, threshold: float) -> LabelFigures | None:
        """Return the figures of a label that is predicted from a probability on; None without probabilities."""
        if self.probabilities is None:
            return None
        column = self.labels.index(label)
        right, decided = self.right[:, column], self.probabilities[:, column] >= threshold
        hits, positives, predictions = int((right & decided).sum()), int(right.sum()), int(decided.sum())
        return LabelFigures(
            label,
            positives,
            predictions,
            classifier_figures.share(hits, predictions),
            classifier_figures.share(hits, positives),
            classifier_figures.f1(hits, positives, predictions, self.count),
            None,
            None,
        )

    def confusion(self) -> Confusion | None:
        """Return the confusion matrix; None where several labels may be right, or too many to draw."""
        if not self.exclusive or len(self.labels) > MOST_CELLS:
            return None
        counts = self.right.astype(np.int64).T @ self.decided.astype(np.int64)
        return Confusion(self.labels, counts)

    def charts(self, label: str, name: str) -> Charts | None:
        """Return the curves of a label over all thresholds, and the calibration of all decisions.

        Args:
            name: of the run.
        """
        drawn: list[Chart] = []
        column = self.labels.index(label)
        right = self.right[:, column]
        if self.probabilities is not None and right.any() and not right.all():
            roc, precision = classifier_figures.curve_points(right, self.probabilities[:, column])
            axes = {"false positive rate": f"recall of {label}", f"recall of {label}": f"precision of {label}"}
            titles = (f"ROC, {label}", f"Precision and recall, {label}")
            for title, (across, up), points in zip(titles, axes.items(), (roc, precision)):
                drawn.append(Chart(title, across, up, (Line("this model", tuple(points)),), shares=True))
        if self.exclusive and not np.isnan(self.confidence).any():
            groups = classifier_figures.calibration_groups(self.confidence, self.correct)
            lines = [Line("share correct", tuple((group[0], group[1]) for group in groups))]
            for place, end in ((2, "low end"), (3, "high end")):
                lines.append(Line(f"95 %, {end}", tuple((group[0], group[place]) for group in groups), 3))
            ideal = Line("ideal", ((0.0, 0.0), (1.0, 1.0)), 4)
            drawn.append(Chart("Calibration", "confidence", "share correct", (*lines, ideal), shares=True))
        note = (
            f"On {self.count:,} rows with a known label. Chance is the diagonal for ROC, and the label's share for "
            "precision. Calibration is by groups with the same number of rows, with 95 % intervals (Wilson)."
        )
        return Charts(tuple(drawn), note, f"Curves of {name}, {label}") if drawn else None


def _flags(cells: pa.ChunkedArray, labels: Sequence[str], meaning: Callable[[str], list[str]]) -> _Flags:
    """Return which labels each cell means. (N, C)

    Args:
        cells: texts, few of which differ; meaning: the labels that a text means.
    """
    encoded = cells.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    rows = np.zeros((len(texts) + 1, len(labels)), dtype=bool)  # the last is of cells without a text
    place = {label: number for number, label in enumerate(labels)}
    for number, text in enumerate(texts):
        rows[number, [place[label] for label in meaning(text) if label in place]] = True
    return rows[encoded.indices.fill_null(len(texts)).to_numpy()]


def _shares(cells: pa.ChunkedArray, count: int) -> npt.NDArray[np.floating] | None:
    """Return probabilities (N, C); None where a row has none."""
    lengths = pc.list_value_length(cells)
    if cells.null_count or pc.min_max(lengths).as_py() != {"min": count, "max": count}:
        return None
    return np.asarray(pc.list_flatten(cells).to_numpy()).reshape(-1, count)


def shown(figure: Interval | None) -> str:
    """Return a figure with its interval as a cell.

    >>> shown((0.5, 0.41, 0.59))
    '0.500 (0.410 to 0.590)'
    """
    return "–" if figure is None else f"{figure[0]:.3f} ({figure[1]:.3f} to {figure[2]:.3f})"


def label_rows(figures: RunFigures) -> list[dict[str, Any]]:
    """Return the figures of every label as the rows of a table."""
    return [
        {
            "label": label.label,
            "rows": label.count,
            "predicted": label.predicted,
            "precision": shown(label.precision),
            "recall": shown(label.recall),
            "F1": shown(label.f1),
            "area under ROC": shown(label.roc_area),
            "average precision": shown(label.average_precision),
        }
        for label in figures.by_label
    ]

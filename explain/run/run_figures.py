"""Figures of the decisions in a run, of all rows or of some: by label, at every threshold, and calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from explain.numerics import classifier_figures
from explain.numerics.classifier_figures import Interval
from explain.numerics.sampled_classifier import ClassifierRows, EqualRows, SampledRows
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
        rows: how the rows count. By drawn rows, all figures but counts are estimates for all rows.
    """

    labels: tuple[str, ...]
    exclusive: bool
    right: _Flags
    decided: _Flags
    probabilities: npt.NDArray[np.floating] | None
    confidence: npt.NDArray[np.floating]
    rows: ClassifierRows

    @classmethod
    def of(cls, table: RunTable, rows: RowFilter = ALL_ROWS) -> "RunFigures | None":
        """Return the figures of a run's rows; None where no row has a label that the model has."""
        manifest = table.run.manifest
        labels, known = tuple(manifest["labels"]), manifest["plan"]["labels"]
        if not labels or not {"label", "correct"} <= set(table.columns):
            return None
        columns = ["label", "prediction", "probabilities", "confidence", "correct"]
        columns += ["stratum"] if (strata := table.strata()) is not None else []
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
        shares = _shares(read.column("probabilities"), len(labels))
        counted: ClassifierRows = EqualRows(len(read))
        if strata is not None:
            counted = SampledRows(strata, read.column("stratum").to_numpy())
        return cls(labels, exclusive, right, decided, shares, confidence, counted)

    @property
    def count(self) -> int:
        """The number of rows that are there."""
        return len(self.right)

    @property
    def sampled(self) -> bool:
        """True where figures are estimates for all rows, by drawn ones."""
        return isinstance(self.rows, SampledRows)

    @cached_property
    def correct(self) -> _Flags:
        """True for each row whose predicted labels are its known labels. (N)"""
        return np.asarray((self.right == self.decided).all(axis=1))

    @property
    def accuracy(self) -> Interval | None:
        return self.rows.share(self.correct, np.ones(self.count, dtype=bool))

    @property
    def calibration_error(self) -> Interval | None:
        """The mean distance of confidence from accuracy; None where rows have no confidence."""
        if not self.exclusive or np.isnan(self.confidence).any():
            return None
        return self.rows.calibration_error(self.confidence, self.correct)

    @cached_property
    def by_label(self) -> tuple[LabelFigures, ...]:
        """Figures of each label that a row has or that is predicted."""
        there = np.flatnonzero(self.right.any(axis=0) | self.decided.any(axis=0)).tolist()
        return tuple(self._with_areas(column) for column in there)

    def _with_areas(self, column: int) -> LabelFigures:
        figures = self._of_label(column, self.decided[:, column])
        if self.probabilities is None:
            return figures
        right, scores = self.right[:, column], self.probabilities[:, column]
        roc_area, average_precision = self.rows.roc_area(right, scores), self.rows.average_precision(right, scores)
        return replace(figures, roc_area=roc_area, average_precision=average_precision)

    def _of_label(self, column: int, decided: _Flags) -> LabelFigures:
        """Return the figures of a label that is predicted for some rows, without areas."""
        right = self.right[:, column]
        return LabelFigures(
            self.labels[column],
            int(right.sum()),
            int(decided.sum()),
            self.rows.share(right, decided),
            self.rows.share(decided, right),
            self.rows.f1(right, decided),
            None,
            None,
        )

    def at_threshold(self, label: str, threshold: float) -> LabelFigures | None:
        """Return the figures of a label that is predicted from a probability on; None without probabilities."""
        if self.probabilities is None:
            return None
        column = self.labels.index(label)
        return self._of_label(column, self.probabilities[:, column] >= threshold)

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
            roc, precision = classifier_figures.curve_points(
                right, self.probabilities[:, column], weights=self.rows.weights
            )
            axes = {"false positive rate": f"recall of {label}", f"recall of {label}": f"precision of {label}"}
            titles = (f"ROC, {label}", f"Precision and recall, {label}")
            for title, (across, up), points in zip(titles, axes.items(), (roc, precision)):
                drawn.append(Chart(title, across, up, (Line("this model", tuple(points)),), shares=True))
        if self.exclusive and not np.isnan(self.confidence).any():
            groups = self.rows.calibration_groups(self.confidence, self.correct)
            lines = [Line("share correct", tuple((group[0], group[1]) for group in groups))]
            for place, end in ((2, "low end"), (3, "high end")):
                lines.append(Line(f"95 %, {end}", tuple((group[0], group[place]) for group in groups), 3))
            ideal = Line("ideal", ((0.0, 0.0), (1.0, 1.0)), 4)
            drawn.append(Chart("Calibration", "confidence", "share correct", (*lines, ideal), shares=True))
        drawn_rows = "drawn rows, by their weights" if self.sampled else "rows"
        note = (
            f"On {self.count:,} {drawn_rows}, with a known label. Chance is the diagonal for ROC, and the label's "
            f"share for precision. Calibration is by groups of the same {'weight' if self.sampled else 'size'}, with "
            "95 % intervals (Wilson)."
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

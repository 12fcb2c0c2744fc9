"""Figures of a classifier on all rows, by equal rows or by a stratified sample of them, with 95 % intervals."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from explain.numerics import classifier_figures
from explain.numerics.classifier_figures import Interval
from explain.numerics.statistics import wilson
from explain.numerics.stratified import Estimate, RatioSums, Strata, stratified_ratio, student

_Numbers = npt.NDArray[np.floating]
_Flags = npt.NDArray[np.bool_]
DRAWS = 1000


class ClassifierRows(Protocol):
    """Rows that figures are of; every argument is of N rows, as in `explain.numerics.classifier_figures`."""

    @property
    def weights(self) -> _Numbers: ...

    def share(self, hits: _Flags, counted: _Flags) -> Interval | None:
        """Return the share of hits among rows that count."""

    def f1(self, right: _Flags, decided: _Flags) -> Interval | None: ...

    def roc_area(self, right: _Flags, scores: _Numbers) -> Interval | None: ...

    def average_precision(self, right: _Flags, scores: _Numbers) -> Interval | None: ...

    def calibration_error(self, confidence: _Numbers, right: _Flags) -> Interval: ...

    def calibration_groups(
        self, confidence: _Numbers, right: _Flags
    ) -> list[tuple[float, float, float, float, int]]: ...


@dataclass(frozen=True)
class EqualRows:
    """Rows each of which counts alike."""

    count: int

    @property
    def weights(self) -> _Numbers:
        return np.ones(self.count)

    def share(self, hits: _Flags, counted: _Flags) -> Interval | None:
        return classifier_figures.share(int((hits & counted).sum()), int(counted.sum()))

    def f1(self, right: _Flags, decided: _Flags) -> Interval | None:
        hits = int((right & decided).sum())
        return classifier_figures.f1(hits, int(right.sum()), int(decided.sum()), self.count)

    def roc_area(self, right: _Flags, scores: _Numbers) -> Interval | None:
        return classifier_figures.roc_area(right, scores)

    def average_precision(self, right: _Flags, scores: _Numbers) -> Interval | None:
        return classifier_figures.average_precision(right, scores)

    def calibration_error(self, confidence: _Numbers, right: _Flags) -> Interval:
        return classifier_figures.calibration_error(confidence, right)

    def calibration_groups(self, confidence: _Numbers, right: _Flags) -> list[tuple[float, float, float, float, int]]:
        return classifier_figures.calibration_groups(confidence, right)


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Drawn rows, by which figures of all rows are estimated; some drawn rows may be left out, as a domain does.

    A figure's variance is that of the sum of its derivatives by the rows' weights (linearization, Deville 1999), with
    the strata and the finite population as in `stratified_ratio`.

    Attributes:
        strata: of the sample; places (N): the stratum of each row.
    """

    strata: Strata
    places: npt.NDArray[np.integer]

    @cached_property
    def weights(self) -> _Numbers:
        """The number of rows that each row stands for. (N)"""
        return np.array([self.strata.weight(stratum) for stratum in range(len(self.strata.rows))])[self.places]

    def _mean(self, scores: _Numbers, counted: _Flags) -> Estimate | None:
        """Return the mean score of rows that count; None where none does."""
        size, places, scores = len(self.strata.rows), self.places[counted], scores[counted]
        counts = np.bincount(places, minlength=size).tolist()
        totals = np.bincount(places, weights=scores, minlength=size).tolist()
        squares = np.bincount(places, weights=scores * scores, minlength=size).tolist()
        sums = {
            stratum: RatioSums.of_rows(count, totals[stratum], squares[stratum])
            for stratum, count in enumerate(counts)
            if count
        }
        return stratified_ratio(sums, self.strata) if sums else None

    def share(self, hits: _Flags, counted: _Flags) -> Interval | None:
        estimate = self._mean(hits.astype(float), counted)
        return None if estimate is None else (estimate.ratio, *estimate.share_interval())

    def f1(self, right: _Flags, decided: _Flags) -> Interval | None:
        """Return F1, which is 2 j / (1 + j), with j the share of hits among rows that have the label or get it."""
        share = self.share(right & decided, right | decided)
        if share is None:
            return None
        figure, low, high = (2 * end / (1 + end) for end in share)
        return figure, low, high

    def roc_area(self, right: _Flags, scores: _Numbers) -> Interval | None:
        if right.all() or not right.any():
            return None
        weights = self.weights
        below = _weight_below(scores[right], scores[~right], weights[~right]) / weights[~right].sum()
        above = 1 - _weight_below(scores[~right], scores[right], weights[right]) / weights[right].sum()
        area = float(np.average(below, weights=weights[right]))
        influence = np.empty(len(scores))
        influence[right] = (below - area) / weights[right].sum()
        influence[~right] = (above - area) / weights[~right].sum()
        return self._area(area, influence, [right, ~right], 0.0)

    def average_precision(self, right: _Flags, scores: _Numbers) -> Interval | None:
        if right.all() or not right.any():
            return None
        order = np.argsort(-scores, kind="stable")
        weights, hits = self.weights[order], right[order]
        _, first, same = np.unique(-scores[order], return_index=True, return_inverse=True)
        last = np.append(first[1:], len(order)) - 1  # of equal scores, which share one threshold
        predicted = np.cumsum(weights)[last]  # (S), of each different score
        precision = np.cumsum(weights * hits)[last] / predicted
        gained = np.bincount(same, weights=weights * hits)
        positives = float(gained.sum())
        area = min(1.0, float((gained * precision).sum() / positives))
        # The weight of a row is in the precision at its own score and at every lower one.
        reach = np.cumsum((gained / predicted)[::-1])[::-1]
        reach_precise = np.cumsum((gained * precision / predicted)[::-1])[::-1]
        influence = np.empty(len(order))
        influence[order] = (hits * (precision[same] - area + reach[same]) - reach_precise[same]) / positives
        # Few rows at the top say little of their own spread: at least the variance of Boyd, Eng and Page (2013).
        of_right = self._mean(np.ones(len(right)), right)
        assert of_right is not None
        return self._area(area, influence, [right], area * (1 - area) / of_right.effective)

    def _area(self, area: float, influence: _Numbers, parts: list[_Flags], least: float) -> Interval:
        """Return an area with its interval on the scale of log-odds.

        Args:
            influence (N): the derivative of the area by each row's weight.
            parts: rows all of which are needed; least: variance.
        """
        if not 0 < area < 1:
            sizes = [part for flags in parts if (part := self._mean(np.ones(len(flags)), flags)) is not None]
            fewest = min(sizes, key=lambda part: part.effective)
            if math.isinf(fewest.effective):
                return area, area, area
            return area, *wilson(area * fewest.effective, fewest.effective, student(fewest.freedom))
        estimate = self._mean(influence * self.weights.sum(), np.ones(len(influence), dtype=bool))
        assert estimate is not None
        error = math.sqrt(max(estimate.variance, least))
        if error == 0:
            return area, area, area
        return area, *classifier_figures.on_log_odds(area, error / (area * (1 - area)), student(estimate.freedom))

    def calibration_error(self, confidence: _Numbers, right: _Flags, bins: int = 15, seed: int = 0) -> Interval:
        """Return the expected calibration error with its interval: percentiles of a bootstrap in each stratum.

        Weights are rescaled for strata of few rows and for finite ones (Rao, Wu and Yue 1992). A stratum of which a
        single row is there lends its spread from the largest one.
        """
        cells = 2 * np.minimum((confidence * bins).astype(int), bins - 1) + right
        size = 2 * bins
        table = np.zeros((len(self.strata.rows), size), dtype=np.int64)
        np.add.at(table, (self.places, cells), 1)
        sums = np.bincount(cells, weights=confidence * self.weights, minlength=size)
        means = sums / np.maximum(np.bincount(cells, weights=self.weights, minlength=size), 1e-300)

        random = np.random.default_rng(seed)
        drawn = np.zeros((DRAWS, size))
        for stratum in np.flatnonzero(table.sum(axis=1)).tolist():
            drawn += self.strata.weight(stratum) * self._drawn_again(table, stratum, random)
        weight = np.bincount(cells, weights=self.weights, minlength=size)
        excess, again = (classifier_figures.bin_excess(counts, means) for counts in (weight, drawn))
        return classifier_figures.error_of_excess(excess / weight.sum(), again / drawn.sum(axis=1)[:, None])

    def _drawn_again(self, table: npt.NDArray[np.int64], stratum: int, random: np.random.Generator) -> _Numbers:
        """Return rescaled counts of a stratum's cells in draws of its rows. (draws, cells)

        Args:
            table (H, cells): rows of each stratum in each cell; a drawn row may be in none, as it has no label.
        """
        counts, seen, left = table[stratum], self.strata.seen[stratum], self.strata.left(stratum)
        if left <= 0:
            return np.broadcast_to(counts.astype(float), (DRAWS, len(counts)))
        rows, of = counts, seen
        if seen < 2:
            largest = int(np.argmax(self.strata.seen))
            rows, of = table[largest], self.strata.seen[largest]
        shares = np.append(rows, of - rows.sum()) / of
        again = random.multinomial(max(1, seen - 1), shares, size=DRAWS)[:, :-1]
        scale = math.sqrt(left) * seen
        return counts + scale * (again / max(1, seen - 1) - rows / of)

    def calibration_groups(
        self, confidence: _Numbers, right: _Flags, groups: int = 10
    ) -> list[tuple[float, float, float, float, int]]:
        """Return groups of equal weight by confidence; see `classifier_figures.calibration_groups`."""
        order = np.argsort(confidence, kind="stable")
        reached = np.cumsum(self.weights[order])
        number = max(1, min(groups, len(order) // 20))
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.minimum((reached - self.weights[order] / 2) / reached[-1] * number, number - 1).astype(int)
        rows = []
        for part in range(number):
            mine = group == part
            share = self.share(right, mine)
            if share is not None:
                mean = float(np.average(confidence[mine], weights=self.weights[mine]))
                rows.append((mean, *share, int(mine.sum())))
        return rows


def _weight_below(scores: _Numbers, others: _Numbers, weights: _Numbers) -> _Numbers:
    """Return the weight of others below each score, and half of that of equal ones."""
    order = np.argsort(others, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(weights[order])))
    low, high = (np.searchsorted(others[order], scores, side=side) for side in ("left", "right"))
    return np.asarray((sums[low] + sums[high]) / 2)

"""Shares of all rows by those that were drawn and predicted: accuracy, and the share of each predicted label."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from explain.numerics.statistics import wilson
from explain.numerics.stratified import RatioSums, Strata, stratified_ratio
from explain.run.draw import Draw
from explain.run.shards import Row

Interval = tuple[float, float, float]  # a share, and the ends of its 95 % interval


@dataclass(frozen=True)
class RowShare:
    """The share of rows that fulfil something.

    Attributes:
        cell: of the column that rows are parted by; "" without one.
        count: rows that are there; hits: those of them that fulfil it.
        share: with its 95 % interval (Wilson 1927); where rows are drawn, an estimate of that of all rows.
    """

    cell: str
    count: int
    hits: int
    share: Interval


def row_share(cell: str, parts: Mapping[int, RatioSums], strata: Strata | None) -> RowShare:
    """Return a share by its sums over texts; without strata of a single part, that of rows that are all there."""
    count = sum(part.counts for part in parts.values())
    hits = round(sum(part.scores for part in parts.values()))
    share = (hits / count, *wilson(hits, count)) if strata is None else share_of_all(parts, strata)
    assert share is not None, "a share of no row"
    return RowShare(cell, count, hits, share)


class ShareSums:
    """Sums over drawn texts, by stratum, from which shares follow.

    Args:
        rows: of a run, a text's rows behind each other, with "number", "prediction" and "correct".
        stratum_of: takes the number of a row.
    """

    def __init__(self, rows: Iterable[Row], stratum_of: Callable[[int], int]) -> None:
        self.seen: dict[int, int] = {}
        self.correct: dict[int, RatioSums] = {}
        self._all: dict[int, RatioSums] = {}
        self._labels: dict[str, dict[int, RatioSums]] = {}
        for number, text in groupby(rows, key=lambda row: row["number"]):
            self._add(stratum_of(number), list(text))

    def _add(self, stratum: int, rows: list[Row]) -> None:
        self.seen[stratum] = self.seen.get(stratum, 0) + 1
        if right := [float(row["correct"]) for row in rows if row["correct"] is not None]:
            self.correct.setdefault(stratum, RatioSums()).add(right)
        if predictions := [row["prediction"] for row in rows if row["prediction"] is not None]:
            self._all.setdefault(stratum, RatioSums()).add([0.0] * len(predictions))
            for label in set(predictions):
                scores = [float(prediction == label) for prediction in predictions]
                self._labels.setdefault(label, {}).setdefault(stratum, RatioSums()).add(scores)

    def strata(self, draw: Draw) -> Strata:
        """Return the strata with the rows that were seen of each."""
        return draw.sizes([self.seen.get(place, 0) for place in range(len(draw.strata))])

    def labels(self) -> dict[str, dict[int, RatioSums]]:
        """Return the sums of each predicted label, over all texts with a prediction."""
        sums: dict[str, dict[int, RatioSums]] = {}
        for label, parts in sorted(self._labels.items()):
            sums[label] = {stratum: _over(whole, parts.get(stratum)) for stratum, whole in self._all.items()}
        return sums


def _over(whole: RatioSums, part: RatioSums | None) -> RatioSums:
    """Return the sums of a label over all texts, from those of all texts and those of the texts that have it."""
    sums = RatioSums()
    sums.texts, sums.counts, sums.counts_squared = whole.texts, whole.counts, whole.counts_squared
    if part is not None:
        sums.scores, sums.scores_squared, sums.products = part.scores, part.scores_squared, part.products
    return sums


def share_of_all(sums: Mapping[int, RatioSums], strata: Strata) -> Interval | None:
    """Return a share of all rows with its interval; None where no drawn row counts."""
    if not sums:
        return None
    estimate = stratified_ratio(sums, strata)
    return estimate.ratio, *estimate.share_interval()

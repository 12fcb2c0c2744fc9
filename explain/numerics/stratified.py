"""Means and shares of all rows, estimated by a stratified sample of them, with 95 % intervals.

Rows are drawn without replacement in each stratum, and a drawn row stands for rows / drawn of its stratum. Intervals
say how far a figure may be from that of all the rows, so they shrink to nothing where all rows are drawn.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from explain.numerics.statistics import wilson

LEAST = 2  # rows that are drawn of each stratum: the fewest that have a variance


class RatioSums:
    """Sums over texts, from which a ratio and its variance follow; of two parts they may be added up.

    The ratio is that of two totals: of the scores s of a text and of their count n there.
    """

    __slots__ = ("counts", "counts_squared", "products", "scores", "scores_squared", "texts")

    def __init__(self) -> None:
        self.texts = self.counts = self.counts_squared = 0
        self.scores = self.scores_squared = self.products = 0.0

    @classmethod
    def of(
        cls, texts: int, counts: int, counts_squared: int, scores: float, scores_squared: float, products: float
    ) -> Self:
        """Return sums that were made elsewhere: numbers of texts and occurrences, and sums of s, s^2 and s n."""
        sums = cls()
        sums.texts, sums.counts, sums.counts_squared = texts, counts, counts_squared
        sums.scores, sums.scores_squared, sums.products = scores, scores_squared, products
        return sums

    @classmethod
    def of_rows(cls, count: int, total: float, squares: float) -> Self:
        """Return the sums of texts with one score each: how many, and the sums of the scores and of their squares."""
        return cls.of(count, count, count, total, squares, total)

    def add(self, scores: Sequence[float]) -> None:
        """Add the scores of one text."""
        total, count = float(np.sum(scores)), len(scores)
        self.texts += 1
        self.counts += count
        self.counts_squared += count * count
        self.scores += total
        self.scores_squared += total * total
        self.products += total * count

    def squares(self, ratio: float) -> float:
        """Return the sum of (s - ratio n)^2."""
        return max(0.0, self.scores_squared - 2 * ratio * self.products + ratio * ratio * self.counts_squared)


@dataclass(frozen=True)
class Strata:
    """The sizes of the strata of a sample.

    Attributes:
        rows (H): of each; drawn (H): of them, at least one of each.
        seen (H): drawn rows that are there; fewer than drawn while a run goes on.
    """

    rows: tuple[int, ...]
    drawn: tuple[int, ...]
    seen: tuple[int, ...]

    @classmethod
    def planned(cls, rows: Sequence[int], size: int) -> "Strata":
        """Return strata of which rows are drawn in proportion; see `allocation`."""
        drawn = allocation(rows, size)
        return cls(tuple(rows), drawn, drawn)

    def weight(self, stratum: int) -> float:
        """Return the number of rows that a drawn row of a stratum stands for."""
        return self.rows[stratum] / self.drawn[stratum]

    def left(self, stratum: int) -> float:
        """Return the share of a stratum's rows that are not there: the finite population correction."""
        return 1 - self.seen[stratum] / self.rows[stratum]


@dataclass(frozen=True)
class Estimate:
    """A ratio of two totals over all rows, estimated by a sample.

    Attributes:
        ratio: the estimate; variance: its own.
        texts: drawn texts that count.
        freedom: degrees of freedom of the variance.
        effective: as many rows drawn at random of endlessly many would say as much, were all strata alike; infinite
            where all rows are there.
    """

    ratio: float
    variance: float
    texts: int
    freedom: float
    effective: float

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % interval, by Student's t; None of a single text."""
        if math.isinf(self.effective):
            return 0.0
        return None if self.texts < 2 else student(self.freedom) * math.sqrt(self.variance)

    def share_interval(self, z: float | None = None) -> tuple[float, float]:
        """Return the 95 % interval of a share, which stays inside 0 and 1 and has a width there, too.

        It is Wilson's with the effective number of rows (Korn and Graubard 1998), which is at most what it would be
        were all strata alike: where no stratum shows a difference, its variance says nothing.
        """
        size = self.effective_of_share
        if math.isinf(size):
            return self.ratio, self.ratio
        return wilson(self.ratio * size, size, student(self.freedom) if z is None else z)

    @property
    def effective_of_share(self) -> float:
        """The effective number of rows of a share."""
        spread = self.ratio * (1 - self.ratio)
        return min(self.effective, spread / self.variance) if self.variance > 0 and spread > 0 else self.effective


def stratified_ratio(sums: Mapping[int, RatioSums], strata: Strata) -> Estimate:
    """Return the ratio of two totals over all rows.

    Its variance is that of the rows' residuals s - ratio n in each stratum, which are 0 in texts that do not count
    (Cochran 1977, 5A.14 and 6.11), times k / (k - 1), where k texts of one weight would say as much as those.

    Args:
        sums: over the drawn texts that count, by stratum; at least one text.

    >>> sums = {0: RatioSums(), 1: RatioSums()}
    >>> for stratum, score in ((0, 1.0), (0, 3.0), (1, 6.0), (1, 8.0)):
    ...     sums[stratum].add([score])
    >>> stratified_ratio(sums, Strata((30, 10), (2, 2), (2, 2))).ratio
    3.25
    """
    counts = sum(strata.weight(stratum) * part.counts for stratum, part in sums.items())
    ratio = sum(strata.weight(stratum) * part.scores for stratum, part in sums.items()) / counts
    variance = alike = standing = present = unequal = 0.0
    uncertain = []  # texts of each stratum that is not drawn whole
    for stratum, part in sums.items():
        weight, left, seen = strata.weight(stratum), strata.left(stratum), strata.seen[stratum]
        standing += weight * part.texts
        if left > 0:
            uncertain.append(part.texts)
            alike += weight**2 * left * part.texts
            present += weight * part.counts
            unequal += weight**2 * part.counts_squared
            variance += weight**2 * left * seen * residual_variance(part, ratio, seen)
    texts = sum(uncertain)
    if not texts:
        return Estimate(ratio, 0.0, sum(part.texts for part in sums.values()), 1, math.inf)
    equal = present**2 / unequal  # as many texts of one weight and one count say as much (Kish 1965)
    return Estimate(
        ratio,
        variance * equal / max(0.5, equal - 1) / counts**2,
        sum(part.texts for part in sums.values()),
        max(1.0, equal - len(uncertain)),
        standing**2 / alike,
    )


def residual_variance(sums: RatioSums, ratio: float, seen: int) -> float:
    """Return the variance of the residuals of a stratum's rows, most of which may be 0.

    >>> sums = RatioSums()
    >>> sums.add([3.0])
    >>> residual_variance(sums, 1.0, 2)  # of 2 and, in a text that does not count, 0
    2.0
    """
    if seen < 2:
        return sums.squares(ratio)
    total = sums.scores - ratio * sums.counts
    return max(0.0, sums.squares(ratio) - total * total / seen) / (seen - 1)


def allocation(rows: Sequence[int], size: int) -> tuple[int, ...]:
    """Return how many rows of each stratum are drawn: in proportion, at least two where there are two.

    Args:
        rows (H): of each stratum.
        size: of the sample; more where two of each stratum are more.

    >>> allocation([900, 90, 10, 1], 100)
    (88, 9, 2, 1)
    """
    sizes = np.asarray(rows, dtype=np.int64)
    least = np.minimum(sizes, LEAST)
    size = min(max(size, int(least.sum())), int(sizes.sum()))
    low, high = 0.0, 1.0
    for _ in range(60):  # the share of which all together are as many as are drawn
        share = (low + high) / 2
        low, high = (share, high) if np.maximum(share * sizes, least).sum() < size else (low, share)
    exact = np.maximum(high * sizes, least)
    drawn = np.minimum(np.floor(exact + 1e-9).astype(np.int64), sizes)
    order = np.argsort(-(exact - drawn), kind="stable")
    drawn[order[: size - int(drawn.sum())]] += 1
    return tuple(drawn.tolist())


def student(freedom: float) -> float:
    """Return half of the 95 % interval in standard errors, by Student's t.

    >>> round(student(9), 3)
    2.262
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))

"""Figures of a word over many texts: its mean score with an interval that knows texts from occurrences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WordFigures:
    """A word's scores over the rows of a run.

    Attributes:
        texts: rows that have the word; occurrences: how often it stands in them.
        mean: the mean score of an occurrence, signed, in the unit of the rows' targets.
        half_width: of the mean's 95 % interval, the texts being drawn and not the occurrences; None of one text.
        positive: the share of occurrences with a score above 0.
    """

    word: str
    texts: int
    occurrences: int
    mean: float
    half_width: float | None
    positive: float


class WordSums:
    """Sums over texts, from which a word's figures follow; of two runs' parts they may be added up.

    The mean is a ratio m = sum s / sum n, with s the summed scores of a text and n the word's occurrences there. Its
    variance, with k texts as clusters, is k / (k - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran 1977, 6.13).
    """

    __slots__ = ("above", "counts", "counts_squared", "products", "scores", "scores_squared", "texts")

    def __init__(self) -> None:
        self.texts = self.counts = self.counts_squared = self.above = 0
        self.scores = self.scores_squared = self.products = 0.0

    @classmethod
    def of(
        cls,
        texts: int,
        counts: int,
        counts_squared: int,
        above: int,
        scores: float,
        scores_squared: float,
        products: float,
    ) -> "WordSums":
        """Return sums that were made elsewhere: numbers of texts and occurrences, and sums of s, s^2 and s n."""
        sums = cls()
        sums.texts, sums.counts, sums.counts_squared, sums.above = texts, counts, counts_squared, above
        sums.scores, sums.scores_squared, sums.products = scores, scores_squared, products
        return sums

    def add(self, scores: Sequence[float]) -> None:
        """Add the scores of the word's occurrences in one text."""
        total, count = float(np.sum(scores)), len(scores)
        self.texts += 1
        self.counts += count
        self.counts_squared += count * count
        self.scores += total
        self.scores_squared += total * total
        self.products += total * count
        self.above += sum(score > 0 for score in scores)

    def figures(self, word: str) -> WordFigures:
        """Return the figures."""
        mean = self.scores / self.counts
        half_width = None
        if self.texts > 1:
            from scipy.special import stdtrit  # scipy takes long to import

            squares = self.scores_squared - 2 * mean * self.products + mean * mean * self.counts_squared
            variance = self.texts / (self.texts - 1) * max(0.0, squares) / self.counts**2
            half_width = float(stdtrit(self.texts - 1, 0.975) * variance**0.5)
        return WordFigures(word, self.texts, self.counts, mean, half_width, self.above / self.counts)

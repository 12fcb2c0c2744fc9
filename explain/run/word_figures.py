"""Figures of a word over many texts: its mean score with an interval that knows texts from occurrences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from explain.core.errors import SettingError
from explain.numerics.stratified import RatioSums, Strata, stratified_ratio, student
from explain.run.shards import Row
from explain.text.lemmas import ENGLISH, lemma_of

LEADING = 10  # words
WORDS_BY = ("word", "folded", "lemma", "phrase")
FEWEST_TEXTS = 5  # that a leading word is in


@dataclass(frozen=True)
class WordFigures:
    """A word's scores over the rows of a run.

    Attributes:
        texts: texts that have the word; occurrences: how often it stands in their rows.
        mean: the mean score of an occurrence, signed, in the unit of the rows' targets.
        half_width: of the mean's 95 % interval, the texts being drawn and not the occurrences; None of one text.
        positive: the share of occurrences with a score above 0.
        all_texts: how many of all texts have it; estimated where rows were drawn, and `mean` and `positive` are too.
            The interval then is about the mean of all rows of the data set; else about that of texts like these.
    """

    word: str
    texts: int
    occurrences: int
    mean: float
    half_width: float | None
    positive: float
    all_texts: float

    @property
    def total(self) -> float:
        """The sum of its scores over all rows."""
        return self.mean * self.occurrences * self.all_texts / self.texts


class WordSums(RatioSums):
    """Sums over texts, from which a word's figures follow; of two runs' parts they may be added up.

    The mean is a ratio m = sum s / sum n, with s the summed scores of a text and n the word's occurrences there. Its
    variance, with k texts as clusters, is k / (k - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran 1977, 6.13).
    """

    __slots__ = ("above",)

    def __init__(self) -> None:
        super().__init__()
        self.above = 0

    @classmethod
    def of(
        cls,
        texts: int,
        counts: int,
        counts_squared: int,
        scores: float,
        scores_squared: float,
        products: float,
        above: int = 0,
    ) -> Self:
        """Return sums that were made elsewhere; see `RatioSums.of`."""
        sums = super().of(texts, counts, counts_squared, scores, scores_squared, products)
        sums.above = above
        return sums

    def add(self, scores: Sequence[float]) -> None:
        """Add the scores of the word's occurrences in one text."""
        super().add(scores)
        self.above += sum(score > 0 for score in scores)

    def figures(self, word: str) -> WordFigures:
        """Return the figures."""
        mean = self.scores / self.counts
        half_width = None
        if self.texts > 1:
            variance = self.texts / (self.texts - 1) * self.squares(mean) / self.counts**2
            half_width = float(student(self.texts - 1) * variance**0.5)
        return WordFigures(word, self.texts, self.counts, mean, half_width, self.above / self.counts, self.texts)


WordParts = Mapping[int, WordSums]  # by stratum


def figures_of_sample(word: str, parts: WordParts, strata: Strata) -> WordFigures:
    """Return the figures of all rows, by those that were drawn; see `stratified_ratio`."""
    estimate = stratified_ratio(parts, strata)
    weights = {stratum: strata.weight(stratum) for stratum in parts}
    occurrences = sum(weights[stratum] * part.counts for stratum, part in parts.items())
    return WordFigures(
        word,
        estimate.texts,
        sum(part.counts for part in parts.values()),
        estimate.ratio,
        estimate.half_width,
        sum(weights[stratum] * part.above for stratum, part in parts.items()) / occurrences,
        sum(weights[stratum] * part.texts for stratum, part in parts.items()),
    )


def form_of(by: str, language: str = ENGLISH) -> Callable[[str], str]:
    """Return a function that returns the form of a word by which words are listed.

    Args:
        by: "word" or "phrase": as it is written; "folded": without regard to case; "lemma": see `lemma_of`.
        language: of lemmas.

    Raises:
        SettingError: there is no such form; or see `lemma_of`.
    """
    if by not in WORDS_BY:
        raise SettingError(f"Words are listed by {', '.join(WORDS_BY)}, not by {by!r}.")
    if by == "lemma":
        return lemma_of(language)
    return str.casefold if by == "folded" else str


def sums_by_word(
    rows: Iterable[Row],
    scores: str,
    stratum_of: Callable[[int], int],
    form: Callable[[str], str] = str,
    words: str = "words",
) -> dict[str, dict[int, WordSums]]:
    """Return the sums of every word by stratum.

    Args:
        rows: with "number", and the columns of words and scores; those of a text, such as of its entities, behind each
            other: they are no observations apart.
        scores, words: the names of these columns.
        stratum_of: takes the number of a row.
        form: takes a word; words of one form are listed as one.
    """
    sums: dict[str, dict[int, WordSums]] = {}
    for number, text in groupby(rows, key=lambda row: row["number"]):
        mine: dict[str, list[float]] = {}
        for row in text:
            for word, score in zip(row[words] or (), row[scores] or ()):
                if score is not None:
                    mine.setdefault(form(word), []).append(score)
        stratum = stratum_of(number)
        for word, word_scores in mine.items():
            sums.setdefault(word, {}).setdefault(stratum, WordSums()).add(word_scores)
    return sums


def leading_words(figures: Iterable[WordFigures]) -> tuple[WordFigures, ...]:
    """Return the ten words with the largest sums of scores, of either sign, among those in five texts or more."""
    eligible = [figure for figure in figures if figure.texts >= FEWEST_TEXTS]
    return tuple(sorted(eligible, key=lambda figure: (-abs(figure.total), figure.word))[:LEADING])

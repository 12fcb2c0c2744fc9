"""Two explanations side by side, A and B: their words as rows, their scores on one scale, and the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import TARGET_SCALES
from explain.datatypes.report import Report

COMPARED = ("texts", "models", "targets", "settings")  # what two explanations differ in


@dataclass(frozen=True)
class AlignedWords:
    """One row of two explanations side by side.

    Attributes:
        words_a, words_b: the numbers of the words in their encoding. Where two models cut one text differently, a row
            may hold several; empty where a side has no word in this row.
        word_a, word_b: the text of these words, or None.
        segment: of two texts that are read together, the number of the text.
    """

    words_a: tuple[int, ...]
    words_b: tuple[int, ...]
    word_a: str | None
    word_b: str | None
    segment: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "words_a", tuple(self.words_a))
        object.__setattr__(self, "words_b", tuple(self.words_b))
        for words, text in ((self.words_a, self.word_a), (self.words_b, self.word_b)):
            if bool(words) != (text is not None):
                raise ValueError("AlignedWords has the text of its words, and of no others.")
        if not (self.words_a or self.words_b):
            raise ValueError("AlignedWords holds a word of A or of B.")

    @property
    def kind(self) -> str:
        """The relation of both sides: "same" but for case, "replaced", "only_a" or "only_b"."""
        if self.word_a is None or self.word_b is None:
            return "only_b" if self.word_a is None else "only_a"
        return "same" if self.word_a.casefold() == self.word_b.casefold() else "replaced"


def check_scale(part: "ComparedScores | ComparedAnswers") -> None:
    """Refuse a unit that is no scale.

    Raises:
        ValueError: it is none.
    """
    if part.scale not in ("", "share", *TARGET_SCALES):
        raise ValueError(f"{type(part).__name__}.scale is {part.scale!r}, which is no scale.")


@dataclass(frozen=True, eq=False)
class ComparedScores:
    """One method's scores of A and of B, by row.

    Attributes:
        method: the registry's name.
        scale: the unit of both sides; "" where the units differ, so that only the orders can be compared.
        signed: both sides have signs; else sizes are compared.
        temperatures: what the scores of A and of B were divided by: the model's temperature where they are log-odds,
            else 1.
        scores_a (R,), scores_b (R,): NaN where a side has no word in a row, or its word has no score.
        differences (R,): of B less A; NaN where a score is missing, or the units differ.
        errors (R,): half-width of a difference's 95 % interval where scores have an error, else NaN.
        agreement: see `explain.numerics.agreement`, over the words that both have.
        parting: the rows where both sides part most, in descending order: by the size of the difference or, where units
            differ, by rank.
    """

    method: str
    scale: str
    signed: bool
    temperatures: tuple[float, float]
    scores_a: FloatArray
    scores_b: FloatArray
    differences: FloatArray
    errors: FloatArray
    agreement: Mapping[str, float | None]
    parting: tuple[int, ...]

    may_be_nan: ClassVar[tuple[str, ...]] = ("scores_a", "scores_b", "differences", "errors")

    def __post_init__(self) -> None:
        set_array(self, "scores_a", (None,))
        for name in ("scores_b", "differences", "errors"):
            set_array(self, name, (len(self.scores_a),))
        freeze_mapping(self, "agreement")
        object.__setattr__(self, "temperatures", tuple(map(float, self.temperatures)))
        object.__setattr__(self, "parting", tuple(map(int, self.parting)))
        if len(self.temperatures) != 2 or not min(self.temperatures) > 0:
            raise ValueError("ComparedScores.temperatures are two numbers above zero.")
        if not all(0 <= row < len(self.scores_a) for row in self.parting):
            raise ValueError("ComparedScores.parting names rows that are not there.")
        if np.isnan(self.scores_a[list(self.parting)] + self.scores_b[list(self.parting)]).any():
            raise ValueError("ComparedScores.parting names rows without two scores.")
        if (self.errors < 0).any():
            raise ValueError("ComparedScores.errors are widths, none below zero.")
        check_scale(self)

    @property
    def calibrated(self) -> bool:
        """Whether the scores of A or B were divided by a temperature."""
        return self.temperatures != (1.0, 1.0)


@dataclass(frozen=True)
class ComparedAnswers:
    """The target's value for A and for B.

    Attributes:
        scale, temperatures: as in `ComparedScores`.
        value_a, value_b: in the unit of `scale`, divided by the temperatures.
        difference: of B less A; None where the units differ.
    """

    scale: str
    temperatures: tuple[float, float]
    value_a: float
    value_b: float
    difference: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperatures", tuple(map(float, self.temperatures)))
        check_finite(self, "value_a", "value_b", "difference")
        check_scale(self)


@dataclass(frozen=True, eq=False)
class Comparison(Displayed):
    """Two reports side by side; everything but the reports follows from them.

    Attributes:
        differs: what they differ in, one of `COMPARED`; of two models, labels may have two names.
        rows: the words of both, aligned: of two texts by words, else by characters.
        answers: the target's value for both.
        scores: by method, of the methods that both reports have.
        left_out: the methods of both whose scores can't be compared word by word.
    """

    schema: str
    created: str
    differs: str
    report_a: Report
    report_b: Report
    rows: tuple[AlignedWords, ...]
    answers: ComparedAnswers
    scores: tuple[ComparedScores, ...]
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rows", "scores", "left_out"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.differs not in COMPARED:
            raise ValueError(f"Comparison.differs is {self.differs!r}; expected one of {COMPARED}.")
        if any(len(scores.scores_a) != len(self.rows) for scores in self.scores):
            raise ValueError("Comparison.scores need one entry for each row.")
        for side, report in enumerate((self.report_a, self.report_b)):
            count = len(report.prediction.tokens.words)
            numbers = [word for row in self.rows for word in (row.words_a, row.words_b)[side]]
            if not all(0 <= word < count for word in numbers):
                raise ValueError("Comparison.rows name words that a report does not have.")
            methods = {part.method for part in report.attributions}
            if not methods.issuperset(scores.method for scores in self.scores):
                raise ValueError("Comparison.scores are of a method that a report does not have.")

    def of_method(self, method: str) -> ComparedScores:
        """Return the scores of a method.

        Raises:
            KeyError: it is not among the compared methods.
        """
        for scores in self.scores:
            if scores.method == method:
                return scores
        raise KeyError(f"No {method!r} in this comparison; it has: {', '.join(part.method for part in self.scores)}.")

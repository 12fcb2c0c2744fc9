"""Scores of a text's units, and key phrases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain.core.display import Displayed
from explain.core.meter import Passes
from explain.datatypes.arrays import FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import TARGET_SCALES, Target
from explain.datatypes.tokens import Tokens

GRANULARITIES = ("token", "word", "phrase", "sentence", "window")


@dataclass(frozen=True, eq=False)
class Attribution(Displayed):
    """A method's scores for the units of a text: the effect of each unit on the target.

    Attributes:
        tokens, target: the explained text and number.
        units (U): sets of token indices; a token is in at most one unit unless the granularity is "window".
        scores (U,): in the unit of `scale`; raw, never normalized.
        error (U,): half-width of a 95 % interval where the method samples or integrates at few points, else None.
        granularity: "token", "word", "phrase", "sentence" or "window".
        scale: the target's scale, or "share".
        signed: scores below zero mean "against"; otherwise scores are sizes.
        additive: the scores of a word's pieces may be added up to the word's.
        method, params: the registry name and the settings.
        output: the target's value for the text; baseline_output: for the method's reference input, or None; of several
            reference inputs, the mean.
        emptied_outputs: the target's value with each text empty and the other whole, if these are the reference inputs:
            the scores of each text sum to `output` less its entry. Empty: all sum to `output` less the baseline's.
        passes, seconds: the cost.
        diagnostics: the method's own figures (nodes, converged, tolerance ...), JSON values.
    """

    tokens: Tokens
    target: Target
    units: tuple[tuple[int, ...], ...]
    scores: FloatArray
    granularity: str
    scale: str
    signed: bool
    additive: bool
    method: str
    output: float
    baseline_output: float | None = None
    error: FloatArray | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    passes: Passes = Passes()
    seconds: float = 0.0
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    emptied_outputs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(tuple(int(token) for token in unit) for unit in self.units))
        object.__setattr__(self, "emptied_outputs", tuple(map(float, self.emptied_outputs)))
        if len(self.emptied_outputs) not in (0, len(self.tokens.texts)):
            raise ValueError("Attribution.emptied_outputs needs one entry per text, or none.")
        set_array(self, "scores", (len(self.units),))
        if self.error is not None:
            set_array(self, "error", (len(self.units),))
        check_finite(self, "scores", "error", "output", "baseline_output", "emptied_outputs")
        freeze_mapping(self, "params")
        freeze_mapping(self, "diagnostics")
        if self.granularity not in GRANULARITIES:
            raise ValueError(f"Attribution.granularity is {self.granularity!r}; expected one of {GRANULARITIES}.")
        if self.scale not in (*TARGET_SCALES, "share"):
            raise ValueError(f"Attribution.scale is {self.scale!r}, which is no scale.")
        if any(not 0 <= token < len(self.tokens) for unit in self.units for token in unit):
            raise ValueError("Attribution.units names tokens the text does not have.")

    @property
    def partial(self) -> bool:
        """Whether this is an intermediate result, shown while the method goes on."""
        return bool(self.diagnostics.get("partial"))

    @property
    def sums(self) -> tuple[tuple[float, float], ...]:
        """The sum of all scores and its expected value; with texts emptied in turn, a pair for each text."""
        if self.emptied_outputs:
            segment = np.array([self.tokens.segment[unit[0]] for unit in self.units], dtype=np.int64)
            return tuple(
                (float(self.scores[segment == text].sum()), float(self.output - empty))
                for text, empty in enumerate(self.emptied_outputs)
            )
        if self.baseline_output is None:
            return ()
        return ((float(self.scores.sum()), float(self.output - self.baseline_output)),)

    @property
    def completeness_gap(self) -> float | None:
        """F(text) - F(baseline) - sum of scores, in the unit of `scale`; None where the method has no baseline.

        With texts emptied in turn, the larger of the two gaps.
        """
        return max((difference - total for total, difference in self.sums), key=abs, default=None)

    @property
    def widest_error(self) -> float:
        """The largest half-width of an interval; 0 if there is none, or only rounding."""
        largest = 0.0 if self.error is None else float(self.error.max(initial=0.0))
        return largest if largest > 1e-9 * max(1.0, abs(self.output)) else 0.0

    def strongest_word(self) -> tuple[int, ...]:
        """Return the tokens of the word whose score is largest in size, the first of equal ones; none without words.

        A word has the score of its unit; of its first piece where scores are by piece and can't be added.
        """
        shown = self.per_word() if self.granularity == "token" and self.additive else self
        size = {token: abs(score) for unit, score in zip(shown.units, shown.scores.tolist()) for token in unit}
        return max(self.tokens.word_units(), key=lambda word: size.get(word[0], -1.0), default=())

    def per_word(self) -> "Attribution":
        """Return the scores by word: unchanged if they are by word, summed over pieces if the scores are additive.

        Tokens outside every word (special tokens) keep a unit of their own, so that the sum stays the same.

        Raises:
            ValueError: the scores are by sentence or window, or the method's scores can't be added.
        """
        if self.granularity == "word":
            return self
        if self.granularity != "token" or not self.additive:
            raise ValueError(
                f"Scores of {self.method} by {self.granularity} can't be turned into scores by word: "
                f"{'they do not add up' if self.granularity == 'token' else 'they are coarser than words'}. "
                "Ask the method for granularity 'word'."
            )
        score_of = {unit[0]: score for unit, score in zip(self.units, self.scores.tolist())}
        in_word = {token for unit in self.tokens.word_units() for token in unit}
        groups = [unit for unit in self.tokens.word_units() if unit[0] in score_of]
        groups += [(token,) for token in score_of if token not in in_word]
        groups.sort()
        scores = [sum(score_of.get(token, 0.0) for token in group) for group in groups]
        error = None
        if self.error is not None:
            error_of = {unit[0]: half_width for unit, half_width in zip(self.units, self.error.tolist())}
            error = np.array([np.hypot.reduce([error_of.get(token, 0.0) for token in group]) for group in groups])
        return Attribution(
            **{name: getattr(self, name) for name in self.__dataclass_fields__}
            | {"units": tuple(groups), "scores": np.array(scores), "error": error, "granularity": "word"}
        )


@dataclass(frozen=True)
class Phrase:
    """A word, or neighbouring words that act together.

    Attributes:
        words: half-open range of word indices; segment and span: half-open characters in that segment's text.
        text: those characters.
        score: the target's change when the phrase is removed whole (positive: the phrase speaks for the target).
        interaction: score minus the sum of its words' own scores; None for a single word.
        sufficient: the phrase alone keeps the decision. None if that means nothing: the text without any words has the
            same decision, or the phrase does not speak for it, or the model decides nothing.
        necessary: the phrase speaks for the decision, and the decision changes without it. None if the model decides
            nothing, or the target says nothing about the decision (of three labels, one that was not decided).
        rank: the place in the list, from 1.
        part_of: the words of the phrase that this is a part of, listed because it outweighs the whole; whether it is
            sufficient is not computed. None: it is a phrase of its own.
    """

    words: tuple[int, int]
    segment: int
    span: tuple[int, int]
    text: str
    score: float
    interaction: float | None
    sufficient: bool | None
    necessary: bool | None
    rank: int
    part_of: tuple[int, int] | None = None


@dataclass(frozen=True)
class EmptyText:
    """The model's answer to a text without its words; only protected tokens stay.

    Attributes:
        operator: how the words were removed.
        value: the target's value, in the unit of `Target.scale`.
        label: the decided label; of independent labels the target's, if it is decided; None: no label is decided.
        confidence: the probability of that label, or of the target's if none is decided, after the temperature if the
            model has one; None for a value.
        same_decision: whether the decision is that for the text; None: the model decides nothing.
    """

    operator: str
    value: float
    label: str | None
    confidence: float | None
    same_decision: bool | None

    def __post_init__(self) -> None:
        check_finite(self, "value", "confidence")


@dataclass(frozen=True)
class KeyPhraseList(Displayed):
    """The key phrases of a text, the strongest first.

    Attributes:
        empty_text: the model's answer without any word; None where no word can be removed.
    """

    phrases: tuple[Phrase, ...]
    empty_text: EmptyText | None = None

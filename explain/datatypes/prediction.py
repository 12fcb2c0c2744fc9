"""A model's prediction, and the number that is explained."""

import warnings
from dataclasses import dataclass

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import FloatArray, check_finite, set_array
from explain.datatypes.tokens import Tokens

LOG_ODDS_SCALES = ("log_odds", "logit_difference")  # those that a temperature applies to
TARGET_SCALES = ("log_odds", "logit", "probability", "log_probability", "logit_difference", "similarity", "value")
NO_ANSWER = "(no answer)"  # the answer of a model that finds none in a text


@dataclass(frozen=True, eq=False)
class Output:
    """The output of a head.

    Attributes:
        positions: the tokens of the rows; empty if the head is about the whole input (then there is a single row).
        labels (C): the names of the columns.
        logits (P, C): the head's numbers.
        probabilities (P, C): softmax over a row if `exclusive`, else a sigmoid each; None for a value.
        exclusive: exactly one label is right.
        listed_of: the number of the head's columns if only the likeliest are listed (a vocabulary's words), most likely
            first; None: all are. The softmax is over all of them, so a row of probabilities sums to less than 1.
        every_logit (P, listed_of): the logits of all columns, in float32; kept in memory, but in no record.
    """

    labels: tuple[str, ...]
    logits: FloatArray
    probabilities: FloatArray | None
    exclusive: bool
    positions: tuple[int, ...] = ()
    listed_of: int | None = None
    every_logit: FloatArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "positions", tuple(self.positions))
        rows = max(1, len(self.positions))
        set_array(self, "logits", (rows, len(self.labels)))
        if self.probabilities is not None:
            set_array(self, "probabilities", (rows, len(self.labels)))
        if self.every_logit is not None:
            set_array(self, "every_logit", (rows, self.listed_of), np.float32)
        check_finite(self, "logits", "probabilities", "every_logit")

    def at(self, position: int) -> "Output":
        """Return the output with the row of one token alone.

        Raises:
            ValueError: that token has no row.
        """
        row = slice(number := self.positions.index(position), number + 1)
        probabilities, every = (None if rows is None else rows[row] for rows in (self.probabilities, self.every_logit))
        return Output(self.labels, self.logits[row], probabilities, self.exclusive, (position,), self.listed_of, every)


@dataclass(frozen=True)
class PredictedSpan:
    """A span of a text that the model predicts: an entity, or an answer.

    Attributes:
        label: its kind ("PER"); empty for an answer.
        tokens: half-open token range.
        segment: the number of its text; characters: its half-open range there.
        text: those characters.
        probability: of an entity, the mean of its words' own; of an answer, of its start and end together.
    """

    label: str
    tokens: tuple[int, int]
    segment: int
    characters: tuple[int, int]
    text: str
    probability: float


@dataclass(frozen=True, eq=False)
class Prediction(Displayed):
    """A model's prediction.

    Attributes:
        task: the task's registry name.
        encodings: the encoded texts; similarity and zero-shot read several.
        outputs: the outputs of its heads; of masked words one for each mask, each with its own likeliest words.
        label: the decided label of the first row, or None if nothing is decided (a value, several labels).
        confidence: its probability, after the temperature if the model has one (see `temperature`).
        temperature: the calibration constant the logits were divided by for `confidence`; None: not calibrated.
        labels: the labels that are decided, of independent labels.
        spans: entities in reading order, or answers, the likeliest first; several answers may be of one text.
        window: the number of the window of a long text, from 0, and the number of windows.
    """

    task: str
    encodings: tuple[Tokens, ...]
    outputs: tuple[Output, ...]
    label: str | None = None
    confidence: float | None = None
    temperature: float | None = None
    labels: tuple[str, ...] = ()
    spans: tuple[PredictedSpan, ...] = ()
    window: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "encodings", tuple(self.encodings))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "spans", tuple(self.spans))
        if not self.encodings or not self.outputs:
            raise ValueError("A prediction has at least one encoding and one output.")

    @property
    def tokens(self) -> Tokens:
        return self.encodings[0]

    @property
    def output(self) -> Output:
        return self.outputs[0]


@dataclass(frozen=True)
class Target:
    """The number that is explained.

    Attributes:
        task: the task's registry name.
        label, index: the explained label and its column.
        positions: the tokens whose row is read; empty if the head is about the whole input.
        against, against_index: the other label of a contrast ("why A and not B"), or None.
        scale: the unit of the number, see `explain.datatypes`.
        protected: the tokens that no method removes: those that are read, and the rest of their word or answer.
    """

    task: str
    label: str
    index: int
    positions: tuple[int, ...] = ()
    against: str | None = None
    against_index: int | None = None
    scale: str = "log_odds"
    protected: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", tuple(self.positions))
        object.__setattr__(self, "protected", tuple(sorted({*self.protected, *self.positions})))
        if self.scale not in TARGET_SCALES:
            raise ValueError(f"Target.scale is {self.scale!r}; expected one of {', '.join(TARGET_SCALES)}.")
        if (self.against is None) != (self.against_index is None):
            raise ValueError("Target.against and Target.against_index come together.")
        if (self.against is not None) != (self.scale == "logit_difference"):
            raise ValueError("A contrast is measured as logit_difference, and nothing else is.")

    @property
    def held(self) -> tuple[int, ...]:
        """The earlier name of `protected`; it goes with the next release."""
        message = "Target.held is now Target.protected; the old name goes with the next release."
        warnings.warn(message, DeprecationWarning, 2)
        return self.protected

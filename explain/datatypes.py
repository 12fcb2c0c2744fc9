"""What is passed around: frozen results of read-only NumPy arrays and strings, each shape checked when it is made.

Axis letters, fixed everywhere: B batch, L layers, H heads, T tokens, U units, W words, D hidden, C classes, K steps or
fractions, P positions a head reads. All indices begin at zero. Scales (what a score measures): "log_odds", "logit",
"probability", "log_probability", "logit_difference", "similarity", "value"; an attribution may also measure a "share",
non-negative and summing to 1. Log-odds are in nats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

TARGET_SCALES = ("log_odds", "logit", "probability", "log_probability", "logit_difference", "similarity", "value")
NO_ANSWER = "(no answer)"  # what a model says that finds no answer in a text
GRANULARITIES = ("token", "word", "phrase", "sentence", "window")


def _array(owner: object, name: str, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.float64) -> None:
    """Turn a field into a read-only array of `shape` (None: any length); a copy, so that nobody else can write it."""
    value = np.array(getattr(owner, name), dtype=dtype)
    if value.size == 0 and 0 in shape:
        value = value.reshape([length or 0 for length in shape])
    fits = value.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, value.shape))
    if not fits:
        raise ValueError(f"{type(owner).__name__}.{name} has shape {value.shape}; expected {shape}.")
    value.flags.writeable = False
    object.__setattr__(owner, name, value)


def _finite(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if value is not None and not np.isfinite(value).all():
            raise ValueError(f"{type(owner).__name__}.{name} is not finite.")


def _frozen_mapping(owner: object, name: str) -> None:
    object.__setattr__(owner, name, MappingProxyType(dict(getattr(owner, name))))


@dataclass(frozen=True, eq=False)
class Tokens:
    """One encoding of a text, or of a pair of texts read together.

    Attributes:
        text, text_pair: what was encoded, unchanged.
        ids (T,): vocabulary ids, special tokens included, no padding.
        pieces (T): the vocabulary's own strings ("##ing", "Ġthe").
        spans (T, 2): half-open character ranges in the segment's own text; (0, 0) where a token has no text.
        segment (T,): whose token it is: 0 for the first text and what belongs to it, 1 for the second.
        token_types (T,): what the model is told of that, or None where it is told nothing.
        special (T,): the tokenizer put this token there ([CLS], [SEP]); a mask written by the user is not special.
        words (W, 2): half-open token ranges, in reading order; every token with visible text is in exactly one.
        heads (W,): each word's own first piece; before it may stand a blank that is laid to the word.
        truncated_at: for each text, the character from which on nothing was read, or None.
        begins_at: for each text, the character from which on it was read: of a window in a long text, not 0.
        text_names: what the texts of a pair are to its model ("Premise", "Hypothesis"); empty where nobody said.
    """

    text: str
    ids: IntArray
    pieces: tuple[str, ...]
    spans: IntArray
    segment: IntArray
    special: BoolArray
    words: IntArray
    token_types: IntArray | None = None
    text_pair: str | None = None
    truncated_at: tuple[int | None, ...] = (None,)
    begins_at: tuple[int, ...] = ()
    text_names: tuple[str, ...] = ()
    heads: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        object.__setattr__(self, "pieces", tuple(self.pieces))
        object.__setattr__(self, "truncated_at", tuple(self.truncated_at))
        count = len(self.pieces)
        _array(self, "ids", (count,), np.int64)
        _array(self, "spans", (count, 2), np.int64)
        _array(self, "segment", (count,), np.int64)
        if self.token_types is not None:
            _array(self, "token_types", (count,), np.int64)
        _array(self, "special", (count,), np.bool_)
        _array(self, "words", (len(self.words), 2), np.int64)
        if not len(self.heads):
            object.__setattr__(self, "heads", self.words[:, 0])
        _array(self, "heads", (len(self.words),), np.int64)
        object.__setattr__(self, "begins_at", tuple(self.begins_at) or (0,) * len(self.texts))
        if not len(self.truncated_at) == len(self.begins_at) == len(self.texts):
            raise ValueError("Tokens.truncated_at and Tokens.begins_at need one entry per text.")
        object.__setattr__(self, "text_names", tuple(self.text_names))
        if len(self.text_names) not in (0, len(self.texts)):
            raise ValueError("Tokens.text_names needs one entry per text, or none.")

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if self.text_pair is None else (self.text, self.text_pair)

    @property
    def truncated(self) -> bool:
        return any(place is not None for place in self.truncated_at)

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        """What the model sees of it, and which tokens are special: equal keys mean equal outputs."""
        told = b"" if self.token_types is None else self.token_types.tobytes()
        return self.ids.tobytes(), told, self.special.tobytes()

    @cached_property
    def ordinary(self) -> IntArray:
        """Indices of the tokens that are the user's own, not special."""
        return np.flatnonzero(~self.special)

    @cached_property
    def word_of(self) -> IntArray:
        """The number of each token's word (T,); -1 for tokens outside words."""
        numbers = np.full(len(self), -1, dtype=np.int64)
        for number, (start, stop) in enumerate(self.words.tolist()):
            numbers[start:stop] = number
        return numbers

    def word_around(self, token: int) -> tuple[int, ...]:
        """All tokens of the word that a token is part of; the token alone where it is in none."""
        number = int(self.word_of[token])
        return (token,) if number < 0 else tuple(range(*self.words[number].tolist()))

    def word_units(self) -> tuple[tuple[int, ...], ...]:
        """Token indices of each word."""
        return tuple(tuple(range(start, stop)) for start, stop in self.words.tolist())

    def unit_span(self, unit: Sequence[int]) -> tuple[int, int, int]:
        """Where a set of tokens stands: (segment, first character, last character + 1)."""
        visible = [token for token in unit if self.spans[token, 0] < self.spans[token, 1]]
        if not visible:
            return int(self.segment[unit[0]]) if unit else 0, 0, 0
        segment = int(self.segment[visible[0]])
        same = [token for token in visible if self.segment[token] == segment]
        return segment, int(self.spans[same, 0].min()), int(self.spans[same, 1].max())

    def unit_text(self, unit: Sequence[int]) -> str:
        """The characters of a set of tokens, from the first to the last; the piece itself where there are none."""
        segment, start, stop = self.unit_span(unit)
        if start < stop:
            return self.texts[segment][start:stop]
        return " ".join(self.pieces[token] for token in unit)


@dataclass(frozen=True, eq=False)
class Output:
    """One read of one head.

    Attributes:
        positions: the tokens the rows speak of; empty where the head speaks of the whole input (then there is one row).
        labels (C): what the columns are called.
        logits (P, C): the head's numbers.
        probabilities (P, C): softmax over a row if `exclusive`, else a sigmoid each; None for a value.
        exclusive: exactly one label is right.
        listed_of: how many columns the head has where only the likeliest are here (a vocabulary's words), most likely
            first; None: these are all. The softmax is over all of them, so a row of probabilities sums to less than 1.
        every_logit (P, listed_of): the numbers of all columns, in float32; kept in memory, written in no record.
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
        _array(self, "logits", (rows, len(self.labels)))
        if self.probabilities is not None:
            _array(self, "probabilities", (rows, len(self.labels)))
        if self.every_logit is not None:
            _array(self, "every_logit", (rows, self.listed_of), np.float32)
        _finite(self, "logits", "probabilities", "every_logit")

    def at(self, position: int) -> "Output":
        """The row at one of its tokens, alone.

        Raises:
            ValueError: no row is of that token.
        """
        row = slice(number := self.positions.index(position), number + 1)
        probabilities, every = (None if one is None else one[row] for one in (self.probabilities, self.every_logit))
        return Output(self.labels, self.logits[row], probabilities, self.exclusive, (position,), self.listed_of, every)


@dataclass(frozen=True)
class PredictedSpan:
    """A stretch of a text that the model picked out: an entity, or an answer.

    Attributes:
        label: what it is ("PER"); empty for an answer.
        tokens: half-open token range.
        segment: the text it stands in; characters: its half-open range there.
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
class Prediction:
    """What the model said.

    Attributes:
        task: the task's registry name.
        encodings: what it read; similarity and zero-shot read several.
        outputs: the heads it was read from; of masked words one for each mask, which has likeliest words of its own.
        label: the decided label of the first row, or None where nothing is decided (a value, several labels).
        confidence: its probability, after the temperature where the model carries one (see `temperature`), else as is.
        temperature: the calibration constant the logits were divided by for `confidence`; None: not calibrated.
        labels: the labels that are there, of those decided each alone.
        spans: entities in reading order, or answers, the likeliest first; several answers may be of one text.
        window: the number of the window that all this was read in, from 0, and of how many.
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
    """The one number that is explained.

    Attributes:
        task: the task's registry name.
        label, index: the label asked about and its column.
        positions: the tokens whose row is read; empty where the head speaks of the whole input.
        against, against_index: the other label of a contrast ("why A and not B"), or None.
        scale: what the number measures, see the module's docstring.
        held: the tokens that stay whatever is taken away: those that are read, and the rest of the word, or answer,
            that they stand in.
    """

    task: str
    label: str
    index: int
    positions: tuple[int, ...] = ()
    against: str | None = None
    against_index: int | None = None
    scale: str = "log_odds"
    held: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", tuple(self.positions))
        object.__setattr__(self, "held", tuple(sorted({*self.held, *self.positions})))
        if self.scale not in TARGET_SCALES:
            raise ValueError(f"Target.scale is {self.scale!r}; expected one of {', '.join(TARGET_SCALES)}.")
        if (self.against is None) != (self.against_index is None):
            raise ValueError("Target.against and Target.against_index come together.")
        if (self.against is not None) != (self.scale == "logit_difference"):
            raise ValueError("A contrast is measured as logit_difference, and nothing else is.")


@dataclass(frozen=True)
class Passes:
    """What a result cost, in sequences run through the encoder (not in calls: how they were batched is no cost)."""

    forward: int = 0
    backward: int = 0
    positions: int = 0

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward, self.positions + other.positions)


@dataclass(frozen=True, eq=False)
class Attribution:
    """A score for each unit of a text: how it moved the target, by one method.

    Attributes:
        tokens, target: what was explained.
        units (U): sets of token indices; a token is in at most one unit unless the granularity is "window".
        scores (U,): in the unit of `scale`; raw, never normalized.
        error (U,): half-width of a 95 % interval where the method samples, else None.
        granularity: "token", "word", "phrase", "sentence" or "window".
        scale: the target's scale, or "share".
        signed: scores below zero mean "against"; else they are sizes.
        additive: the scores of a word's pieces may be added up to the word's.
        method, params: the registry name and the settings, as they were.
        output: the target's value for the text; baseline_output: for the method's reference input, or None.
        passes, seconds: what it cost.
        diagnostics: what the method found about itself (nodes, converged, tolerance ...), JSON values.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(tuple(int(token) for token in unit) for unit in self.units))
        _array(self, "scores", (len(self.units),))
        if self.error is not None:
            _array(self, "error", (len(self.units),))
        _finite(self, "scores", "error", "output", "baseline_output")
        _frozen_mapping(self, "params")
        _frozen_mapping(self, "diagnostics")
        if self.granularity not in GRANULARITIES:
            raise ValueError(f"Attribution.granularity is {self.granularity!r}; expected one of {GRANULARITIES}.")
        if self.scale not in (*TARGET_SCALES, "share"):
            raise ValueError(f"Attribution.scale is {self.scale!r}, which is no scale.")
        if any(not 0 <= token < len(self.tokens) for unit in self.units for token in unit):
            raise ValueError("Attribution.units names tokens the text does not have.")

    @property
    def completeness_gap(self) -> float | None:
        """F(text) - F(baseline) - sum of scores, in the unit of `scale`; None where the method has no baseline."""
        if self.baseline_output is None:
            return None
        return float(self.output - self.baseline_output - self.scores.sum())

    @property
    def widest_error(self) -> float:
        """The largest half-width of an interval; 0 where there are none, or nothing but rounding."""
        largest = 0.0 if self.error is None else float(self.error.max(initial=0.0))
        return largest if largest > 1e-9 * max(1.0, abs(self.output)) else 0.0

    def per_word(self) -> "Attribution":
        """The same scores by word: unchanged where they are by word, added up where pieces may be added.

        Units outside every word (special tokens) keep a unit of their own, so that the sum stays what it was.

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
            error_of = {unit[0]: half for unit, half in zip(self.units, self.error.tolist())}
            error = np.array([np.hypot.reduce([error_of.get(token, 0.0) for token in group]) for group in groups])
        return Attribution(
            **{name: getattr(self, name) for name in self.__dataclass_fields__}
            | {"units": tuple(groups), "scores": np.array(scores), "error": error, "granularity": "word"}
        )


@dataclass(frozen=True, eq=False)
class SimilarityMatrix:
    """What every two parts of two texts, one of each, add to the texts' similarity.

    With f a text's vector at length 1, a and b the two texts, r and s the empty ones that stand for them:

        values.sum() = f(a) f(b) - f(r) f(b) - f(a) f(s) + f(r) f(s)

    The similarity itself is the sum and what is left, the reference terms: f(r) f(b) + f(a) f(s) - f(r) f(s).

    Attributes:
        left (U), right (V): sets of token indices, of the first text and of the second.
        values (U, V): in cosine.
        output: f(a) f(b), the similarity; left_empty: f(r) f(b); right_empty: f(a) f(s); both_empty: f(r) f(s).
        granularity: "token", "word", "phrase" or "sentence"; params: the settings it was found with.
        passes: what it cost; diagnostics: what else there is to say, JSON values.
    """

    tokens: Tokens
    target: Target
    left: tuple[tuple[int, ...], ...]
    right: tuple[tuple[int, ...], ...]
    values: FloatArray
    output: float
    left_empty: float
    right_empty: float
    both_empty: float
    granularity: str
    params: Mapping[str, Any] = field(default_factory=dict)
    passes: Passes = Passes()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("left", "right"):
            object.__setattr__(self, name, tuple(tuple(map(int, unit)) for unit in getattr(self, name)))
        _array(self, "values", (len(self.left), len(self.right)))
        _finite(self, "values", "output", "left_empty", "right_empty", "both_empty")
        _frozen_mapping(self, "params")
        _frozen_mapping(self, "diagnostics")

    @property
    def reference(self) -> float:
        """What of the similarity no two parts account for: the texts would have as much in common if one were empty."""
        return self.left_empty + self.right_empty - self.both_empty

    @property
    def gap(self) -> float:
        """What values and reference terms miss of the similarity; 0 for the exact integral."""
        return self.output - self.reference - float(self.values.sum())

    def strongest(self, most: int = 10) -> IntArray:
        """Rows and columns (K, 2) of the largest values, whatever their sign, the largest first."""
        order = np.argsort(-np.abs(self.values), axis=None, kind="stable")[:most]
        return np.stack(np.unravel_index(order, self.values.shape), axis=1)


@dataclass(frozen=True, eq=False)
class PairInteractions:
    """What every two parts of a text do together beyond what each does alone, averaged over what else is there.

    The sign: positive, the target is higher with both than their own effects add up to; negative, it is lower. So of
    two parts that speak for the target, positive is a conjunction (each needs the other) and negative a backup (either
    is enough); of two that speak against it, the reverse. "Not" that turns "good" is negative for "positive".

    Attributes:
        units (U): sets of token indices.
        pairs (K, 2): numbers of units, the first in the text first; every two of them.
        values (K,): in the unit of `target.scale`.
        error (K,): half-widths of 95 % intervals; 0 where every set of units was run.
        granularity: "token", "word", "phrase" or "sentence".
        output, baseline_output: the target's value for the text, and with no unit there.
        passes: what it cost; diagnostics: what else there is to say, JSON values.
    """

    tokens: Tokens
    target: Target
    units: tuple[tuple[int, ...], ...]
    pairs: IntArray
    values: FloatArray
    error: FloatArray
    granularity: str
    output: float
    baseline_output: float
    passes: Passes = Passes()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(tuple(int(token) for token in unit) for unit in self.units))
        count = len(self.units) * (len(self.units) - 1) // 2
        _array(self, "pairs", (count, 2), np.int64)
        _array(self, "values", (count,))
        _array(self, "error", (count,))
        _finite(self, "values", "error", "output", "baseline_output")
        _frozen_mapping(self, "diagnostics")

    @property
    def names(self) -> tuple[str, ...]:
        """The text of each unit."""
        return tuple(map(self.tokens.unit_text, self.units))

    def strongest(self, most: int = 10) -> IntArray:
        """Numbers of the pairs with the largest values, whatever their sign, the largest first."""
        return np.argsort(-np.abs(self.values), kind="stable")[:most]


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Who looks at whom, in every layer.

    Attributes:
        weights (L, G, T, T): row = the token that looks (query), column = the token looked at (key).
        groups (G): what the second axis holds: head numbers as strings, or ("mean",).
        kind: "attention" for the model's own weights, or the method that made them.
        row_stochastic: every row sums to 1 (checked).
    """

    tokens: Tokens
    weights: FloatArray
    groups: tuple[str, ...]
    kind: str = "attention"
    row_stochastic: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        weights = np.asarray(self.weights, dtype=np.float32)  # no copy: these are tens of megabytes
        count = len(self.tokens)
        if weights.ndim != 4 or weights.shape[1:] != (len(self.groups), count, count):
            raise ValueError(
                f"AttentionMaps.weights has shape {weights.shape}; expected (L, {len(self.groups)}, {count}, {count})."
            )
        if self.row_stochastic and not np.allclose(weights @ np.ones(count, np.float32), 1.0, atol=1e-4):
            raise ValueError("AttentionMaps: rows of attention weights must sum to 1.")
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @property
    def layers(self) -> int:
        return int(self.weights.shape[0])

    def mean(self, heads: Sequence[int] | None = None) -> npt.NDArray[np.float32]:
        """Weights averaged over heads (all, or the chosen ones): (L, T, T)."""
        chosen = self.weights if heads is None else self.weights[:, list(heads)]
        return chosen.mean(axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class AttentionVectors:
    """What attention is made of: a query for each token that looks, a key for each token looked at.

    Attributes:
        queries, keys (L, H, T, d): as they meet in the dot product, rotary positions included; d is the width of one
            head, and nothing is divided by sqrt(d) yet.
    """

    tokens: Tokens
    queries: FloatArray
    keys: FloatArray

    def __post_init__(self) -> None:
        count = len(self.tokens)
        for name in ("queries", "keys"):
            value = np.asarray(getattr(self, name), dtype=np.float32)  # no copy, as with the weights
            if value.ndim != 4 or value.shape[2] != count or value.shape != np.shape(self.queries):
                raise ValueError(
                    f"AttentionVectors.{name} has shape {value.shape}; expected (L, H, {count}, d), as the queries."
                )
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        _finite(self, "queries", "keys")


@dataclass(frozen=True)
class Cut:
    """Attention weights set to zero, the rest left as it is; None means every one.

    An edge is (layer, head, to, source) or, through all heads, (layer, None, to, source); a head (layer, head); a
    layer's attention (layer,); a token that nobody may look at, in any layer, (source=token).
    """

    layer: int | None = None
    head: int | None = None
    to: int | None = None
    source: int | None = None


@dataclass(frozen=True)
class Neuron:
    """A neuron of a layer's feed-forward part, see `explain.models.neurons`; all counted from 0.

    Attributes:
        layer, number: which it is; number None: every neuron of the layer.
        token: the token it is meant at; None: at every one.
    """

    layer: int
    number: int | None = None
    token: int | None = None

    def __str__(self) -> str:
        name = f"{self.layer}.{'all' if self.number is None else self.number}"
        return name if self.token is None else f"{name} at token {self.token}"


@dataclass(frozen=True, eq=False)
class HeadEffects:
    """What each head's removal does, beside what its attention looks like.

    Attributes:
        effects (L, H): the target's value less its value without the head, in the unit of `target.scale`.
        flips (L, H): without the head the model decides otherwise.
        figures: by name (L, H), see `explain.numerics.heads`.
        agreement: Spearman's correlation, over all heads, of each figure with the size of the effect; None where it is
            undefined, as all heads have the same.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    effects: FloatArray
    flips: BoolArray
    figures: Mapping[str, FloatArray]
    agreement: Mapping[str, float | None]
    output: float

    def __post_init__(self) -> None:
        _array(self, "effects", (None, None))
        _array(self, "flips", self.effects.shape, np.bool_)
        _frozen_mapping(self, "figures")
        _frozen_mapping(self, "agreement")
        _finite(self, "effects", "output")


@dataclass(frozen=True, eq=False)
class CutEffects:
    """What cutting attention weights does to the target, a set of cuts at a time.

    Attributes:
        cuts (K): what was cut; values (K,): the target then; flips (K,): the model then decides otherwise.
        output: the target's value with nothing cut.
    """

    target: Target
    cuts: tuple[tuple[Cut, ...], ...]
    values: FloatArray
    flips: BoolArray
    output: float

    def __post_init__(self) -> None:
        _array(self, "values", (len(self.cuts),))
        _array(self, "flips", (len(self.cuts),), np.bool_)
        _finite(self, "values", "output")


@dataclass(frozen=True, eq=False)
class LayerReadings:
    """How a prediction forms, layer by layer; index 0 is what enters the first layer.

    Attributes:
        row: the row that the head reads.
        labels (C): those that `probabilities` are of; of a vocabulary the words asked about and the last layer's
            likeliest.
        probabilities (L + 1, C): what the head says of that row of each layer, or None where it can't be read there.
        values (L + 1,): the target then, or None.
        words (L + 1) of (K): the likeliest words of a vocabulary then; empty where labels are few.
        shares (L + 1, K): their probabilities.
        to_input (L + 1, T): cosine of each token's state with its own at the input.
        to_others (L + 1, T): mean cosine of each token's state with every other token's of the same layer.
    """

    tokens: Tokens
    target: Target
    labels: tuple[str, ...]
    to_input: FloatArray
    to_others: FloatArray
    probabilities: FloatArray | None = None
    values: FloatArray | None = None
    row: int = 0
    words: tuple[tuple[str, ...], ...] = ()
    shares: FloatArray | None = None

    def __post_init__(self) -> None:
        _array(self, "to_input", (None, len(self.tokens)))
        layers = len(self.to_input)
        _array(self, "to_others", (layers, len(self.tokens)))
        if self.probabilities is not None:
            _array(self, "probabilities", (layers, len(self.labels)))
        if self.values is not None:
            _array(self, "values", (layers,))
        if self.shares is not None:
            _array(self, "shares", (layers, len(self.words[0])))
        _finite(self, "to_input", "to_others", "probabilities", "values", "shares")


@dataclass(frozen=True, eq=False)
class LayerStates:
    """How large token states are, how the target hangs on them, and how they change, layer by layer.

    Index 0 of the layers is what enters the first; where layers begin with a norm, the last is what the model's last
    norm makes of it.

    Attributes:
        norms (L + 1, T): Euclidean length of each state.
        gradient_norms (L + 1, T): length of the target's gradient there, in the target's unit per unit of length.
        products (L + 1, T): state x gradient, summed over dimensions, in the target's unit.
        similarity (T, L + 1, L + 1): cosine of a token's state at one layer with its state at another.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    norms: FloatArray
    gradient_norms: FloatArray
    products: FloatArray
    similarity: FloatArray
    output: float

    def __post_init__(self) -> None:
        count = len(self.tokens)
        _array(self, "norms", (None, count))
        layers = len(self.norms)
        _array(self, "gradient_norms", (layers, count))
        _array(self, "products", (layers, count))
        _array(self, "similarity", (count, layers, layers))
        _finite(self, "norms", "gradient_norms", "products", "similarity", "output")

    @property
    def to_input(self) -> FloatArray:
        """Cosine of each state with its own at the input (L + 1, T)."""
        return self.similarity[:, 0].T

    @property
    def to_previous(self) -> FloatArray:
        """Cosine of each state with its own one layer before (L + 1, T); 1 at the input, which has none before it."""
        steps = np.diagonal(self.similarity, offset=1, axis1=1, axis2=2)  # (T, L)
        return np.concatenate([np.ones((1, len(self.tokens))), steps.T])


@dataclass(frozen=True, eq=False)
class NeuronActivity:
    """Every neuron of every layer's feed-forward part at every token, see `explain.models.neurons`; float32.

    Attributes:
        activations (L, T, F): what each neuron gives.
        gradients (L, T, F): how far the target moves for each unit of that, through all that later layers make of it.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    activations: FloatArray
    gradients: FloatArray
    output: float

    def __post_init__(self) -> None:
        for name in ("activations", "gradients"):
            value = np.asarray(getattr(self, name), dtype=np.float32)  # no copy: these are tens of megabytes
            if value.ndim != 3 or value.shape[1] != len(self.tokens) or value.shape != np.shape(self.activations):
                raise ValueError(
                    f"NeuronActivity.{name} has shape {value.shape}; expected (L, {len(self.tokens)}, F), as the "
                    "activations."
                )
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        _finite(self, "activations", "gradients", "output")


@dataclass(frozen=True, eq=False)
class NeuronWords:
    """Where in a set of texts each neuron gives most: at most one place in a text, special tokens left out.

    Attributes:
        texts (N): as they were read; skipped: how many of the set could not be.
        numbers (N): where in the set each stands, the first being 1; by default one after the other.
        partly: how many of the texts were read in part, as they are longer than the model reads at once.
        values (K, L, F): the highest activations, the highest first.
        lines, places (K, L, F): the text each is from, and its token there.
        means (L, F): mean activation over all tokens seen; active (L, F): the share of them where it is above zero.
        seen: how many tokens that were.
        awaited: texts that are still to be read; then this is what was found so far.
    """

    texts: tuple[Tokens, ...]
    values: FloatArray
    lines: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    means: FloatArray
    active: FloatArray
    seen: int
    skipped: int = 0
    awaited: int = 0
    numbers: tuple[int, ...] = ()
    partly: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "numbers", tuple(self.numbers) or tuple(range(1, len(self.texts) + 1)))
        _array(self, "values", (None, None, None), np.float32)
        for name in ("lines", "places"):
            _array(self, name, self.values.shape, np.int32)
        for name in ("means", "active"):
            _array(self, name, self.values.shape[1:])
        _finite(self, "values", "means", "active")

    def of(self, neuron: Neuron) -> tuple[tuple[int, int, float], ...]:
        """The places of one neuron: text, token, activation, the highest first."""
        columns = (one[:, neuron.layer, neuron.number].tolist() for one in (self.lines, self.places, self.values))
        return tuple(zip(*columns))


@dataclass(frozen=True, eq=False)
class NeuronEffects:
    """What setting neurons to zero does to the target, beside what their gradients forecast and what others do.

    Effects are the target's value less its value then, in the unit of `target.scale`.

    Attributes:
        neurons (K): what was set to zero; effects (K,): each alone; flips (K,): the model then decides otherwise.
        forecasts (K,): activation x gradient, summed over tokens: the effect to first order.
        together, together_flips: all of them at once; together_forecast: to first order, each place counted once.
        controls: effects (R,) of drawing as many others of the same layers, all at once, by how they were drawn:
            "random", or "as active" (of about the same size of activation); empty where there are too few others.
        output: the target's value with nothing set to zero.
    """

    target: Target
    neurons: tuple[Neuron, ...]
    effects: FloatArray
    flips: BoolArray
    forecasts: FloatArray
    together: float
    together_flips: bool
    together_forecast: float
    controls: Mapping[str, FloatArray]
    output: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", tuple(self.neurons))
        count = len(self.neurons)
        _array(self, "effects", (count,))
        _array(self, "flips", (count,), np.bool_)
        _array(self, "forecasts", (count,))
        _finite(self, "effects", "forecasts", "together", "output")
        _frozen_mapping(self, "controls")

    def beaten(self, control: str) -> int:
        """How many draws move the target less than the chosen neurons do."""
        return int((np.abs(self.controls[control]) < abs(self.together)).sum())


@dataclass(frozen=True)
class Phrase:
    """A word, or neighbouring words that act together.

    Attributes:
        words: half-open range of word indices; segment and span: half-open characters in that segment's text.
        text: those characters.
        score: the target's change when the phrase is removed whole (positive: the phrase speaks for the target).
        interaction: score minus the sum of its words' own scores; None for a single word.
        sufficient: the phrase alone keeps the decision. None where that says nothing: the text without any words has
            the same decision, or the phrase does not speak for it, or the model decides nothing.
        necessary: the phrase speaks for the decision, which changes without it. None where the model decides nothing,
            or the target says nothing about the decision (of three labels, one that was not decided).
        rank: the place in the list, from 1.
        part_of: the words of the phrase that this is a part of, listed as it outweighs the whole; whether it is
            sufficient was not asked. None: it is a phrase of its own.
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
    """The model's answer to a text without its words: all that may be removed is, what the target reads stays.

    Attributes:
        operator: how the words were removed.
        value: the target's value, in the unit of `Target.scale`.
        label: the decided label; of labels decided each alone the target's, where it is there; None: none is decided.
        confidence: the probability of that label, or of the target's where it is not there, after the temperature
            where the model carries one; None where it gives a value.
        same_decision: whether the model decides here what it decides for the text; None: it decides nothing.
    """

    operator: str
    value: float
    label: str | None
    confidence: float | None
    same_decision: bool | None

    def __post_init__(self) -> None:
        _finite(self, "value", "confidence")


@dataclass(frozen=True, eq=False)
class MetricResult:
    """How an explanation did in one test of faithfulness.

    Attributes:
        metric, method: registry names.
        fractions (K,), outputs (K,): the curve: how much was removed or kept, and the output then; empty without one.
        value: the figure the curve is summed up in; higher_is_better says how to read it.
        percentile: the share of random orders it beats, 0 to 100; a metric without its control is not shown.
        scale: what outputs are measured in: "probability", or the target's unit; "ratio" where the figure has none.
        operator: how words were removed; None where none were.
        controls (R,): the figure of each random order; band (3, K): 5th, 50th and 95th percentile of their curves.
        details: what else the metric found, JSON values.
    """

    metric: str
    method: str
    fractions: FloatArray
    outputs: FloatArray
    value: float
    higher_is_better: bool
    percentile: float | None = None
    scale: str = "ratio"
    operator: str | None = None
    controls: FloatArray | None = None
    band: FloatArray | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _array(self, "fractions", (None,))
        _array(self, "outputs", (len(self.fractions),))
        if self.controls is not None:
            _array(self, "controls", (None,))
        if self.band is not None:
            _array(self, "band", (3, len(self.fractions)))
        _finite(self, "fractions", "outputs", "value", "percentile", "controls", "band")
        _frozen_mapping(self, "details")


@dataclass(frozen=True, eq=False)
class Randomization:
    """How much of a method's scores is left when the model's weights are drawn anew, from the head downwards.

    Attributes:
        method, params: registry name and settings; weight_sha256: of the model; task: what the model did.
        layers (S,): how many of the last layers were drawn anew besides the head.
        correlations (S,): mean size of Spearman's correlation with the scores of the model itself, over texts and
            seeds; error (S,): half-widths of their 95 % intervals. NaN where no text, or only one, has any.
        chance: the same of random scores, None where no text has any; texts, seeds: how many.
        undefined (S,): texts that are left out of each mean, since all scores of one model are the same.
    """

    method: str
    params: Mapping[str, Any]
    weight_sha256: str
    task: str
    layers: tuple[int, ...]
    correlations: FloatArray
    error: FloatArray
    chance: float | None
    texts: int
    seeds: int
    undefined: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "undefined", tuple(self.undefined) or (0,) * len(self.layers))
        _array(self, "correlations", (len(self.layers),))
        _array(self, "error", (len(self.layers),))
        _finite(self, "chance")
        if np.isinf([self.correlations, self.error]).any() or len(self.undefined) != len(self.layers):
            raise ValueError("Randomization has an infinite number, or no count of undefined texts for each stage.")
        _frozen_mapping(self, "params")


VERDICTS = {"green": "it holds", "amber": "with care", "red": "don't rely on it", "grey": "too short to tell"}


@dataclass(frozen=True)
class Verdict:
    """Whether an explanation holds for its text.

    Attributes:
        color: "green", "amber", "red", or "grey" (too little text to tell); sentence: why, with its numbers.
        facts: the numbers by name: "gap" (share), "agreement" (rank correlation), "percentile" (of random orders),
            "references" and "random_weights" (rank correlations).
    """

    method: str
    color: str
    sentence: str
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _frozen_mapping(self, "facts")
        if self.color not in VERDICTS:
            raise ValueError(f"Verdict.color is {self.color!r}; expected one of {tuple(VERDICTS)}.")

    @property
    def word(self) -> str:
        """The color in words."""
        return VERDICTS[self.color]


@dataclass(frozen=True)
class Plausibility:
    """How far one method and a reader name the same words; see `explain.numerics.plausibility`. All from 0 to 1.

    Attributes:
        method: registry name.
        f1, iou: of the method's highest-scored words, as many as are marked, with the marked ones.
        auprc: average precision of its scores.
    """

    method: str
    f1: float
    iou: float
    auprc: float

    def __post_init__(self) -> None:
        _finite(self, "f1", "iou", "auprc")


@dataclass(frozen=True)
class Rationale:
    """The words that a reader finds decisive, and how far methods name the same ones.

    Attributes:
        words (K): the numbers of the marked words, as in `Tokens.words`, in reading order.
        spans (K): where they stand: (segment, first character, last character + 1).
        out_of: how many words there were to mark.
        figures: of each method that puts words in an order; none where every word is marked.
        chance: the mean of each figure over all orders of the words, method "random"; None where every word is marked.
    """

    words: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]
    out_of: int
    figures: tuple[Plausibility, ...] = ()
    chance: Plausibility | None = None

    def __post_init__(self) -> None:
        for name in ("words", "spans", "figures"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(self.words) != len(self.spans):
            raise ValueError("Rationale.spans needs one entry per word.")
        if not 0 < len(self.words) <= self.out_of:
            raise ValueError(f"{len(self.words)} of {self.out_of} words are marked; some must be.")


@dataclass(frozen=True)
class ModelRecord:
    """Which model it was, so that another machine can tell whether it has the same one.

    `weight_sha256` is of the tensors' files, `settings_sha256` of what else decides: configuration, labels, vocabulary.
    """

    id: str
    revision: str
    weight_sha256: str
    settings_sha256: str
    architecture: str
    parameters: int
    layers: int
    heads: int
    hidden: int
    vocabulary: int
    task: str


@dataclass(frozen=True, eq=False)
class TextVectors:
    """Texts as vectors, in the order they were given.

    Attributes:
        vectors (N, D): float32, of any length, in no unit.
        pieces (N,): pieces read of each text, special tokens included.
        unknown (N,): how many of them the vocabulary has no entry for.
        truncated (N,): whether the text is longer than the model reads.
        model, pooling: whose vectors they are, and how rows became one; see `explain.models.pooling`.
    """

    vectors: FloatArray
    pieces: IntArray
    unknown: IntArray
    truncated: BoolArray
    model: ModelRecord
    pooling: str

    def __post_init__(self) -> None:
        count = len(self.vectors)
        _array(self, "vectors", (count, None), np.float32)
        _array(self, "pieces", (count,), np.int64)
        _array(self, "unknown", (count,), np.int64)
        _array(self, "truncated", (count,), np.bool_)
        _finite(self, "vectors")

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Texts by their nearness to something, the nearest first.

    Attributes:
        members (K,): which of the texts; cosines (K,): with what they are ranked by, -1 to 1.
        truncated: whether a query was longer than the model reads.
    """

    members: IntArray
    cosines: FloatArray
    truncated: bool = False

    def __post_init__(self) -> None:
        _array(self, "members", (len(self.members),), np.int64)
        _array(self, "cosines", (len(self.members),))
        _finite(self, "cosines")


@dataclass(frozen=True, eq=False)
class TextMatrix:
    """How near some texts are to each other.

    Attributes:
        members (M,): which of the texts.
        cosines (M, M): -1 to 1, symmetric.
        pairs (K, 2): of different texts, rows and columns of the matrix, the nearest first.
    """

    members: IntArray
    cosines: FloatArray
    pairs: IntArray

    def __post_init__(self) -> None:
        _array(self, "members", (len(self.members),), np.int64)
        _array(self, "cosines", (len(self.members), len(self.members)))
        _array(self, "pairs", (len(self.pairs), 2), np.int64)
        _finite(self, "cosines")


@dataclass(frozen=True, eq=False)
class TextMap:
    """Texts as points in a plane.

    Attributes:
        kind: "pca" or "umap".
        members (M,): which of the texts have a point; texts: of how many they were drawn.
        points (M, 2): in no unit: only who lies near whom says something.
        explained (2,): the share of the vectors' variance along each axis, or None where axes have no such share.
    """

    kind: str
    members: IntArray
    texts: int
    points: FloatArray
    explained: FloatArray | None = None

    def __post_init__(self) -> None:
        _array(self, "members", (len(self.members),), np.int64)
        _array(self, "points", (len(self.members), 2))
        _finite(self, "points")
        if self.explained is not None:
            _array(self, "explained", (2,))


@dataclass(frozen=True, eq=False)
class TextClusters:
    """Texts in groups of like vectors.

    Attributes:
        of (N,): each text's cluster, from 0, the largest first; sizes (C,).
        silhouette: the mean over the texts it was measured on, -1 to 1; by_cluster (C,): the same of each, not a number
            for a cluster of which no text was measured; measured: on how many texts.
        one_cloud: the silhouette of as many clusters cut out of one cloud without groups, of the same mean and
            covariance.
        typical (C, K): the texts nearest to each cluster's middle, the nearest first; -1 where there are no more.
    """

    of: IntArray
    sizes: IntArray
    silhouette: float
    by_cluster: FloatArray
    measured: int
    one_cloud: float
    typical: IntArray

    def __post_init__(self) -> None:
        count = len(self.sizes)
        _array(self, "of", (len(self.of),), np.int64)
        _array(self, "sizes", (count,), np.int64)
        _array(self, "by_cluster", (count,))
        _array(self, "typical", (count, None), np.int64)
        _finite(self, "silhouette", "one_cloud")


@dataclass(frozen=True)
class AttentionEdge:
    """One attention weight, averaged over heads: token `to` looked at token `source` in `layer`."""

    layer: int
    to: int
    source: int
    weight: float


@dataclass(frozen=True, eq=False)
class Report:
    """One text explained: all that is shown, and all that recomputing it needs.

    `created` and the attributions' `seconds` are no part of what a replay compares. `rationale` is a reader's, or None.
    `test_settings` say how `metrics` were found: "orders", "seed", and "metrics" with their settings by name.
    `similarity` is there where two texts were compared, `empty_text` where key phrases were searched for.
    """

    schema: str
    created: str
    text: str
    text_pair: str | None
    model: ModelRecord
    prediction: Prediction
    target: Target
    attributions: tuple[Attribution, ...]
    phrases: tuple[Phrase, ...]
    phrase_settings: Mapping[str, Any]
    metrics: tuple[MetricResult, ...]
    edges: tuple[AttentionEdge, ...]
    versions: Mapping[str, str]
    seed: int
    rationale: Rationale | None = None
    test_settings: Mapping[str, Any] = field(default_factory=dict)
    similarity: SimilarityMatrix | None = None
    empty_text: EmptyText | None = None

    def __post_init__(self) -> None:
        _frozen_mapping(self, "test_settings")
        for name in ("attributions", "phrases", "metrics", "edges"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _frozen_mapping(self, "versions")
        _frozen_mapping(self, "phrase_settings")

    def attribution(self, method: str) -> Attribution:
        """The attribution by one method.

        Raises:
            KeyError: the report holds none by that method.
        """
        for attribution in self.attributions:
            if attribution.method == method:
                return attribution
        raise KeyError(f"No {method!r} in this report; it has: {', '.join(a.method for a in self.attributions)}.")


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what it is of.
        points: (across, up), in order.
        style: which of the five looks it has; a thing keeps its look from chart to chart.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    style: int = 0


@dataclass(frozen=True)
class Chart:
    """Lines over one axis.

    Attributes:
        title: what is shown; across, up: what the axes are, with their unit.
        lines: those without a point are not drawn.
        shares: whether both axes are shares, from 0 to 1; else both begin at 0.
        high: where the upward axis ends, or None: at the highest point.
    """

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]
    shares: bool = False
    high: float | None = None


@dataclass(frozen=True)
class Charts:
    """Charts that are looked at together, and a note on what they show and what they do not."""

    charts: tuple[Chart, ...]
    note: str
    caption: str


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often texts of each right label were taken for each label.

    Attributes:
        labels (C); counts (C, C): texts, rows by the right label, columns by the predicted one.
    """

    labels: tuple[str, ...]
    counts: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        _array(self, "counts", (len(self.labels), len(self.labels)), np.int64)

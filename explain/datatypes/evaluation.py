"""Tests of an explanation, and the verdict that follows."""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import FloatArray, check_finite, freeze_mapping, set_array

QUARTILES = (0.25, 0.5, 0.75)  # of the curves of random orders: nine in ten of them cover nearly the whole picture


@dataclass(frozen=True, eq=False)
class MetricResult(Displayed):
    """The result of a test of faithfulness.

    Attributes:
        metric, method: registry names.
        fractions (K,), outputs (K,): the curve: the share removed or kept, and the output then; empty without a curve.
        value: the figure that summarizes the curve; higher_is_better: the direction of a better explanation.
        percentile: the share of random orders it beats, 0 to 100; a metric without its control is not shown.
        scale: the unit of outputs: "probability", or the target's unit; "ratio" if the figure has no unit.
        operator: how words were removed; None if no words were.
        controls (R,): the figure of each random order; band (3, K): quantiles of their curves.
        quantiles: which ones; the first records held the 5th, 50th and 95th percentile and did not say so.
        details: further figures, JSON values.
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
    quantiles: tuple[float, float, float] = (0.05, 0.5, 0.95)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantiles", tuple(self.quantiles))
        if not 0 <= self.quantiles[0] < self.quantiles[1] < self.quantiles[2] <= 1:
            raise ValueError(f"MetricResult.quantiles are {self.quantiles}; expected three that rise from 0 to 1.")
        set_array(self, "fractions", (None,))
        set_array(self, "outputs", (len(self.fractions),))
        if self.controls is not None:
            set_array(self, "controls", (None,))
        if self.band is not None:
            set_array(self, "band", (3, len(self.fractions)))
        check_finite(self, "fractions", "outputs", "value", "percentile", "controls", "band")
        freeze_mapping(self, "details")


@dataclass(frozen=True, eq=False)
class TestResults(Displayed):
    """The metrics of one attribution; none where a text has too few words to order."""

    __test__ = False  # pytest would take the class for a test

    metrics: tuple[MetricResult, ...]


@dataclass(frozen=True, eq=False)
class Randomization(Displayed):
    """The similarity of a method's scores before and after the model's weights are randomized, from the head down.

    Attributes:
        method, params: registry name and settings; weight_sha256, task: of the model.
        layers (S,): the number of last layers that were randomized besides the head.
        correlations (S,): mean size of Spearman's correlation with the scores of the model itself, over texts and
            seeds; error (S,): half-widths of their 95 % intervals. NaN where no text, or only one, has any.
        chance: the same figure of random scores, None if no text has any; texts, seeds: their numbers.
        undefined (S,): the number of texts left out of each mean, since all their scores are the same.
    """

    may_be_nan: ClassVar[tuple[str, ...]] = ("correlations", "error")  # if nothing is defined

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
        set_array(self, "correlations", (len(self.layers),))
        set_array(self, "error", (len(self.layers),))
        check_finite(self, "chance")
        if np.isinf([self.correlations, self.error]).any() or len(self.undefined) != len(self.layers):
            raise ValueError("Randomization has an infinite number, or no count of undefined texts for each stage.")
        freeze_mapping(self, "params")


VERDICT_COLORS = ("green", "amber", "red", "grey")
CHECK_STATES = ("passed", "doubtful", "failed", "noted", "open", "undefined")


@dataclass(frozen=True)
class Check:
    """One check of an explanation, a part of its verdict.

    Attributes:
        name: "additivity", "agreement" (with other methods), "effects" (measured ones), "signs", "reference" (texts),
            or "random_weights".
        state: "passed", "doubtful", "failed", "noted" (it decides nothing), "open" (not measured), or "undefined"
            (it does not apply to these scores).
        finding: what was found, in one sentence without numbers.
        evidence: the same with its numbers, as a clause of the verdict's sentence; empty where it adds none.
        facts: the numbers by name, as in `Verdict`.
    """

    name: str
    state: str
    finding: str
    evidence: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        freeze_mapping(self, "facts")
        if self.state not in CHECK_STATES:
            raise ValueError(f"Check.state is {self.state!r}; expected one of {CHECK_STATES}.")


@dataclass(frozen=True)
class Verdict(Displayed):
    """A verdict on an explanation: does it hold for its text?

    Attributes:
        color: "green", "amber", "red", or "grey" (too little text to tell, or tests are running); sentence: the reason,
            with its numbers.
        facts: the numbers by name: "gap" (share), "agreement" (rank correlation with other methods), "effects" and
            "blind" (agreement with measured effects, of the scores and of the best order that knows nothing of the
            model), "percentile" (of random orders with less of it), "signs" (share), "references" and "random_weights"
            (rank correlations).
        pending: what is still being computed, in words; the verdict is grey until it is there.
        checks: what it rests on, in reading order; none for a text that is too short.
    """

    method: str
    color: str
    sentence: str
    facts: Mapping[str, float] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        freeze_mapping(self, "facts")
        object.__setattr__(self, "pending", tuple(self.pending))
        object.__setattr__(self, "checks", tuple(self.checks))
        if self.color not in VERDICT_COLORS:
            raise ValueError(f"Verdict.color is {self.color!r}; expected one of {VERDICT_COLORS}.")
        if self.pending and self.color != "grey":
            raise ValueError(f"Verdict.color is {self.color!r} while tests are running; expected 'grey'.")

    @property
    def word(self) -> str:
        """The color in words; now `explain.views.verdicts.verdict_word`, this property goes with the next release."""
        verdicts = importlib.import_module("explain.views.verdicts")  # a room above this one
        warnings.warn("Verdict.word is now explain.views.verdicts.verdict_word.", DeprecationWarning, stacklevel=2)
        return str(verdicts.verdict_word(self))


@dataclass(frozen=True)
class Plausibility(Displayed):
    """Figures of agreement of a method with a reader's marked words, from 0 to 1; see `explain.numerics.plausibility`.

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
        check_finite(self, "f1", "iou", "auprc")


@dataclass(frozen=True)
class Rationale:
    """The words that a reader finds decisive, and the agreement of methods with them.

    Attributes:
        words (K): the numbers of the marked words, as in `Tokens.words`, in reading order.
        spans (K): their characters: (segment, first character, last character + 1).
        out_of: the number of words that could be marked.
        figures: of each method that orders words; empty if every word is marked.
        chance: the mean of each figure over all orders of the words, method "random"; None if every word is marked.
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

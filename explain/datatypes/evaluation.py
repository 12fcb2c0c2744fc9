"""Tests of an explanation, and the verdict they lead to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from explain.datatypes.arrays import FloatArray, check_finite, freeze_mapping, set_array


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
        set_array(self, "fractions", (None,))
        set_array(self, "outputs", (len(self.fractions),))
        if self.controls is not None:
            set_array(self, "controls", (None,))
        if self.band is not None:
            set_array(self, "band", (3, len(self.fractions)))
        check_finite(self, "fractions", "outputs", "value", "percentile", "controls", "band")
        freeze_mapping(self, "details")


@dataclass(frozen=True, eq=False)
class TestResults:
    """The metrics of one attribution; none where a text has too few words to order."""

    __test__ = False  # no test of pytest's

    metrics: tuple[MetricResult, ...]


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

    may_be_nan: ClassVar[tuple[str, ...]] = ("correlations", "error")  # where nothing is defined

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
        freeze_mapping(self, "facts")
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
        check_finite(self, "f1", "iou", "auprc")


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

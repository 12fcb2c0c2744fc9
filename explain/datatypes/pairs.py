"""Scores of pairs of units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain.core.display import Displayed
from explain.core.meter import Passes
from explain.datatypes.arrays import FloatArray, IntArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


@dataclass(frozen=True, eq=False)
class SimilarityMatrix(Displayed):
    """The contribution of every two parts, one of each text, to the texts' similarity.

    With f a text's vector at length 1, a and b the two texts, r and s their empty texts:

        values.sum() = f(a) f(b) - f(r) f(b) - f(a) f(s) + f(r) f(s)

    The similarity is that sum plus the reference terms: f(r) f(b) + f(a) f(s) - f(r) f(s).

    Attributes:
        left (U), right (V): sets of token indices, of the first text and of the second.
        values (U, V): in cosine.
        output: f(a) f(b), the similarity; left_empty: f(r) f(b); right_empty: f(a) f(s); both_empty: f(r) f(s).
        granularity: "token", "word", "phrase" or "sentence"; params: the settings.
        passes: the cost; diagnostics: further figures, JSON values.
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
        set_array(self, "values", (len(self.left), len(self.right)))
        check_finite(self, "values", "output", "left_empty", "right_empty", "both_empty")
        freeze_mapping(self, "params")
        freeze_mapping(self, "diagnostics")

    @property
    def reference(self) -> float:
        """The part of the similarity that no two parts account for, and that empty texts have as well."""
        return self.left_empty + self.right_empty - self.both_empty

    @property
    def gap(self) -> float:
        """The similarity less values and reference terms; 0 for the exact integral."""
        return self.output - self.reference - float(self.values.sum())

    def strongest(self, most: int = 10) -> IntArray:
        """Return rows and columns (K, 2) of the values of largest size, the largest first."""
        order = np.argsort(-np.abs(self.values), axis=None, kind="stable")[:most]
        return np.stack(np.unravel_index(order, self.values.shape), axis=1)


@dataclass(frozen=True, eq=False)
class PairInteractions(Displayed):
    """The effect of every two parts of a text beyond their effects alone, averaged over the presence of other parts.

    The sign: with both parts the target is higher than the sum of their effects (positive), or lower (negative). For
    two parts that speak for the target, positive is a conjunction (each needs the other) and negative a backup (either
    is enough); for two that speak against it, the reverse. "Not" before "good" is negative for "positive".

    Attributes:
        units (U): sets of token indices.
        pairs (K, 2): numbers of units, the first in the text first; every two of them.
        values (K,): in the unit of `target.scale`.
        error (K,): half-widths of 95 % intervals; 0 where every set of units was run.
        granularity: "token", "word", "phrase" or "sentence".
        output, baseline_output: the target's value for the text, and without any unit.
        passes: the cost; diagnostics: further figures, JSON values.
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
        set_array(self, "pairs", (count, 2), np.int64)
        set_array(self, "values", (count,))
        set_array(self, "error", (count,))
        check_finite(self, "values", "error", "output", "baseline_output")
        freeze_mapping(self, "diagnostics")

    @property
    def names(self) -> tuple[str, ...]:
        """The text of each unit."""
        return tuple(map(self.tokens.unit_text, self.units))

    def strongest(self, most: int = 10) -> IntArray:
        """Return numbers of the pairs with values of largest size, the largest first."""
        return np.argsort(-np.abs(self.values), kind="stable")[:most]

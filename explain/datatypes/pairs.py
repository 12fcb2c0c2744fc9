"""Scores of pairs of units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain.core.meter import Passes
from explain.datatypes.arrays import FloatArray, IntArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


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
        set_array(self, "values", (len(self.left), len(self.right)))
        check_finite(self, "values", "output", "left_empty", "right_empty", "both_empty")
        freeze_mapping(self, "params")
        freeze_mapping(self, "diagnostics")

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
        """Numbers of the pairs with the largest values, whatever their sign, the largest first."""
        return np.argsort(-np.abs(self.values), kind="stable")[:most]

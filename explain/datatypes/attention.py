"""Attention weights, and effects of removing some."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.datatypes.arrays import BoolArray, FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.attribution import Attribution
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


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
        check_finite(self, "queries", "keys")


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
        set_array(self, "effects", (None, None))
        set_array(self, "flips", self.effects.shape, np.bool_)
        freeze_mapping(self, "figures")
        freeze_mapping(self, "agreement")
        check_finite(self, "effects", "output")


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
        set_array(self, "values", (len(self.cuts),))
        set_array(self, "flips", (len(self.cuts),), np.bool_)
        check_finite(self, "values", "output")


@dataclass(frozen=True)
class AttentionEdge:
    """One attention weight, averaged over heads: token `to` looked at token `source` in `layer`."""

    layer: int
    to: int
    source: int
    weight: float


@dataclass(frozen=True, eq=False)
class HeadFigures:
    """Figures that tell attention heads apart.

    Attributes:
        figures: by name (L, H), see `explain.numerics.heads`.
    """

    tokens: Tokens
    figures: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        freeze_mapping(self, "figures")


@dataclass(frozen=True, eq=False)
class LayerWeightMaps:
    """The weights that a method of the rollout family gives each layer, and the attribution that follows."""

    maps: AttentionMaps
    attribution: Attribution

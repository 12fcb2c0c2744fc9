"""Attention weights, and the effects of removing some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.core.display import Displayed
from explain.datatypes.arrays import BoolArray, FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.attribution import Attribution
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


@dataclass(frozen=True, eq=False)
class AttentionMaps(Displayed):
    """The attention weights of every layer.

    Attributes:
        weights (L, G, T, T): row = the token that attends (query), column = the attended token (key).
        groups (G): the names of the second axis: head numbers as strings, or ("mean",).
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
        """Return weights averaged over heads (by default all): (L, T, T)."""
        averaged = self.weights if heads is None else self.weights[:, list(heads)]
        return averaged.mean(axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class AttentionVectors(Displayed):
    """Queries of the attending tokens and keys of the attended ones.

    Attributes:
        queries, keys (L, H, T, d): the factors of the dot product, rotary positions included; d is the width of a
            head. They are not divided by sqrt(d).
    """

    tokens: Tokens
    queries: FloatArray
    keys: FloatArray

    def __post_init__(self) -> None:
        count = len(self.tokens)
        for name in ("queries", "keys"):
            vectors = np.asarray(getattr(self, name), dtype=np.float32)  # no copy, as with the weights
            if vectors.ndim != 4 or vectors.shape[2] != count or vectors.shape != np.shape(self.queries):
                raise ValueError(
                    f"AttentionVectors.{name} has shape {vectors.shape}; expected (L, H, {count}, d), as the queries."
                )
            vectors.flags.writeable = False
            object.__setattr__(self, name, vectors)
        check_finite(self, "queries", "keys")


@dataclass(frozen=True)
class Cut:
    """Attention weights that are set to zero; the other weights stay, and None means all.

    An edge is (layer, head, to, source) or, through all heads, (layer, None, to, source); a head (layer, head); a
    layer's attention (layer,); a token that no token may attend to, in any layer, (source=token).
    """

    layer: int | None = None
    head: int | None = None
    to: int | None = None
    source: int | None = None


@dataclass(frozen=True, eq=False)
class HeadEffects(Displayed):
    """The effect of each head's removal on the target, beside figures of its attention.

    Attributes:
        effects (L, H): the target's value less its value without the head, in the unit of `target.scale`.
        flips (L, H): without the head the decision changes.
        figures: by name (L, H), see `explain.numerics.heads`.
        agreement: Spearman's correlation, over all heads, of each figure with the size of the effect; None where it is
            undefined, since all heads have the same figure.
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
class CutEffects(Displayed):
    """The effect of cutting attention weights on the target, a set of cuts at a time.

    Attributes:
        cuts (K): the weights that were cut; values (K,): the target then; flips (K,): the decision changes.
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
    """The attention weight of token `to` on token `source` in a layer, averaged over heads."""

    layer: int
    to: int
    source: int
    weight: float


@dataclass(frozen=True, eq=False)
class HeadFigures(Displayed):
    """Figures that tell attention heads apart.

    Attributes:
        figures: by name (L, H), see `explain.numerics.heads`.
    """

    tokens: Tokens
    figures: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        freeze_mapping(self, "figures")


@dataclass(frozen=True, eq=False)
class LayerWeightMaps(Displayed):
    """The weights that a method of the rollout family gives each layer, and the attribution that follows."""

    maps: AttentionMaps
    attribution: Attribution

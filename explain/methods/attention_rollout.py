"""Attention rollout: which tokens the prediction attends to, accumulated over all layers.

    A_l = (1 - r) mean_h W_lh + r I,    share = row of A_L ... A_1 that the head reads     [share, sums to 1]

Abnar and Zuidema (2020), https://arxiv.org/abs/2005.00928, section 3 (r = 1/2). It costs one forward pass, the one
that predicts.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray
from explain.methods.base import HEADS, METHODS, Item, ShareMethod, chosen_heads
from explain.models.base import TextModel
from explain.numerics.rollout import roll_back, with_residual


@METHODS.register("attention_rollout")
@dataclass(frozen=True, kw_only=True)
class AttentionRollout(ShareMethod):
    """Attention, followed back from the row the head reads to the input."""

    name: ClassVar[str] = "attention_rollout"
    title: ClassVar[str] = "Attention rollout"
    meaning: ClassVar[str] = "The share of attention that reaches each word from the prediction, through all layers."
    limits: ClassVar[str] = (
        "The same for every label. It shows where the model looked, not what the words did. Values, feed-"
        "forward layers and norms are left out."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"attention"})
    reads: ClassVar[str] = "observe"

    residual: float = setting(0.5, low=0.0, high=0.95, help="The share of the residual stream in each layer.")
    heads: str = HEADS

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        observation = model.observe(tokens, meter)
        weights = with_residual(observation.maps.mean(chosen_heads(self.heads, model.heads)), self.residual)
        maps = AttentionMaps(tokens, weights[:, None], ("mean",), self.name)
        return maps, model.value(observation.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return roll_back(maps.weights[:, 0], rows)

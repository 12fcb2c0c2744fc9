"""Gradient-weighted attention: rollout of the attention that speaks for the target.

    C_l = mean_h max(0, dF/dW_lh * W_lh),    R = R + C_l R from R = I,    share = row of R - I that the head reads

Chefer, Gur and Wolf (2021), https://arxiv.org/abs/2103.15679, equations 5 and 6, over all layers. F is the target. The
mean over heads is taken after the product and its positive part. The identity's own part is left out, as in the paper.
It costs one forward and one backward pass.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, FloatArray, Tokens
from explain.methods.base import METHODS, Item, ShareMethod
from explain.models.base import TextModel
from explain.numerics.rollout import roll_back


@METHODS.register("gradient_weighted_attention")
@dataclass(frozen=True, kw_only=True)
class GradientWeightedAttention(ShareMethod):
    """Rollout of attention weights times the positive part of the target's gradient."""

    name: ClassVar[str] = "gradient_weighted_attention"
    title: ClassVar[str] = "Gradient-weighted attention"
    meaning: ClassVar[str] = "The share of each word in the attention that speaks for the target, through all layers."
    limits: ClassVar[str] = (
        "Attention that speaks against the target is cut off, so there is no sign. Gradients are local."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"attention_gradients"})
    reads: ClassVar[str] = "gradients"

    def cost(self, tokens: Tokens) -> int:
        return 2

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        attention = model.attention.gradients(tokens, target, meter)
        weights = (attention.weights * attention.gradients).clamp(min=0).mean(dim=1, keepdim=True)
        return AttentionMaps(tokens, weights.numpy(), ("mean",), self.name, row_stochastic=False), attention.value

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return np.maximum(roll_back(maps.weights[:, 0], rows, keep=True) - rows, 0.0)

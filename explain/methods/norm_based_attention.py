"""Norm-based attention: the size of each token's contribution to a layer's output, not only its attention weight.

    N_l[i, j] = | sum_h W_lhij W_O^h (W_V^h x_j + b_V^h) |                              parts = attention
    N_l[i, j] = | the same + [i = j] x_i |                                             parts = with_residual
    N_l[i, j] = | Norm1'(the same + [i = j] x_i) |                                     parts = with_norm (default)
    A_l = N_l with rows scaled to sum to 1,    share = row of A_L ... A_1 that the head reads     [share, sums to 1]

Kobayashi et al. (2020), https://arxiv.org/abs/2004.10102, equation 5, and (2021), https://arxiv.org/abs/2109.07152,
equation 9. Norm1' is the layer norm as a linear map, with its mean and deviation held. For parts = attention, which
leaves out the residual, A_l = (1 - r) A_l + r I with r = 1/2 as in rollout. It costs one forward pass.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray
from explain.methods.base import METHODS, Item, ShareMethod
from explain.models.base import TextModel
from explain.numerics.rollout import roll_back, rows_to_one, with_residual


@METHODS.register("norm_based_attention")
@dataclass(frozen=True, kw_only=True)
class NormBasedAttention(ShareMethod):
    """The size of one token's contribution to another."""

    name: ClassVar[str] = "norm_based_attention"
    title: ClassVar[str] = "Norm-based attention"
    meaning: ClassVar[str] = "The share of each word in the layers' outputs, by the size of its contribution."
    limits: ClassVar[str] = (
        "The same for every label. Large contributions may cancel each other. Feed-forward parts are left out."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"trace", "post_norm"})
    reads: ClassVar[str] = "trace"

    parts: str = setting(
        "with_norm",
        choices=("attention", "with_residual", "with_norm"),
        help="What is measured: attention's output alone, with the residual, or both after the layer norm.",
    )

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        trace = model.attention.trace(tokens, meter)
        norms = torch.empty(model.layers, 1, len(tokens), len(tokens), device=trace.states.device)
        with torch.inference_mode():
            for number, layer in enumerate(model.post_norm):
                for rows, contributions in layer.contributions(
                    trace.weights[number],
                    trace.values[number],
                    trace.states[number],
                    residual=self.parts != "attention",
                    norm=self.parts == "with_norm",
                ):
                    norms[number, 0, rows] = contributions.norm(dim=-1)
        maps = AttentionMaps(tokens, norms.numpy(), ("norm",), self.name, row_stochastic=False)
        return maps, model.value(trace.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        weights = rows_to_one(maps.weights[:, 0])
        return roll_back(with_residual(weights, 0.5) if self.parts == "attention" else weights, rows)

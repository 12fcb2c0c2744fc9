"""ALTI: how far each token's contribution moves a layer's output toward its final value, layer after layer.

    y_i = sum_j T_i(x_j) + biases,    T_i(x_j) = Norm1'(sum_h W_lhij W_O^h v_hj + [i = j] x_i)
    c_l[i, j] = max(0, |y_i|_1 - |y_i - T_i(x_j)|_1), rows scaled to sum to 1
    share = row of c_L ... c_1 that the head reads     [share, sums to 1]

Ferrando, Gállego and Costa-jussà (2022), https://arxiv.org/abs/2203.04212, equations 7 to 9. The residual is inside,
so no identity is added. It costs one forward pass.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, FloatArray
from explain.methods.base import METHODS, Item, ShareMethod
from explain.models.base import TextModel
from explain.numerics.rollout import roll_back, rows_to_one


@METHODS.register("alti")
@dataclass(frozen=True, kw_only=True)
class Alti(ShareMethod):
    """Aggregated token-to-token contributions."""

    name: ClassVar[str] = "alti"
    title: ClassVar[str] = "ALTI"
    meaning: ClassVar[str] = (
        "The share of each word in what the prediction is read from, by how far it moves each layer's output."
    )
    limits: ClassVar[str] = (
        "The same for every label. Feed-forward parts are left out. A contribution that moves an output away "
        "counts as zero."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"trace", "post_norm"})
    reads: ClassVar[str] = "trace"

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        trace = model.attention.trace(tokens, meter)
        near = torch.empty(model.layers, 1, len(tokens), len(tokens), device=trace.states.device)
        with torch.inference_mode():
            for number, layer in enumerate(model.post_norm):
                weights, values, inputs = trace.weights[number], trace.values[number], trace.states[number]
                context = (weights @ values).transpose(0, 1).flatten(1)
                outputs = layer.after_attention(context, inputs)
                for rows, parts in layer.contributions(weights, values, inputs):
                    far = (outputs[rows][:, None] - parts).abs().sum(dim=-1)
                    near[number, 0, rows] = (outputs[rows].abs().sum(dim=-1, keepdim=True) - far).clamp(min=0)
        # A row in which no contribution brings the output nearer is all zeros, so the maps are not row-stochastic.
        maps = AttentionMaps(tokens, rows_to_one(near.numpy()), ("alti",), self.name, row_stochastic=False)
        return maps, model.value(trace.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return roll_back(maps.weights[:, 0], rows)

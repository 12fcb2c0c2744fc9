"""Value zeroing: how far each token's state turns when another token's value vector is zero.

    C_l[i, j] = 1 - cos(z_i, z_i with v_j = 0 in layer l), rows scaled to sum to 1
    share = row of C_L ... C_1 that the head reads     [share, sums to 1]

Mohebbi et al. (2023), https://arxiv.org/abs/2301.12971, equation 4. The value vector is zeroed after its bias, in all
heads, and each layer starts from the unchanged one below. z_i is the output of the whole layer. No identity is added,
since the residual is in z. It costs one forward pass, and T more, since every layer is run once without each token.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray, Tokens
from explain.methods.base import METHODS, Item, ShareMethod
from explain.models.base import TextModel
from explain.numerics.rollout import roll_back, rows_to_one


@METHODS.register("value_zeroing")
@dataclass(frozen=True, kw_only=True)
class ValueZeroing(ShareMethod):
    """The change of each layer's states when one token's value is zero."""

    name: ClassVar[str] = "value_zeroing"
    title: ClassVar[str] = "Value zeroing"
    meaning: ClassVar[str] = (
        "The share of each word in how states change when its value vector is zero, layer by layer."
    )
    limits: ClassVar[str] = (
        "The same for every label. Each layer is tried alone. An angle between states does not say what the "
        "prediction head reads."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"trace", "post_norm"})
    batched: ClassVar[bool] = False  # an angle near 0 is known to few digits, which another batch changes

    most_tokens: int = setting(192, low=8, high=512, help="Longer texts are refused, because each token costs a pass.")

    def cost(self, tokens: Tokens) -> int:
        return 1 + len(tokens)

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        count = len(tokens)
        if count > self.most_tokens:
            raise SettingError(
                f"Value zeroing costs a pass for each of {count} tokens; value_zeroing.most_tokens is "
                f"{self.most_tokens}. Shorten the text, or raise that and wait."
            )
        trace = model.attention.trace(tokens, meter)
        turned = torch.empty(model.layers, 1, count, count, device=trace.states.device)
        done = 0
        for number, layer in enumerate(model.post_norm):
            with torch.inference_mode():
                weights, values, inputs = trace.weights[number], trace.values[number], trace.states[number]
                before = inputs + layer.output((weights @ values).transpose(0, 1).flatten(1))
                for rows, parts in layer.contributions(weights, values, inputs, residual=False, norm=False):
                    without = layer.finish(layer.attention_norm(before[rows][:, None] - parts))  # (R, T, D)
                    clean = trace.states[number + 1][rows][:, None]
                    turned[number, 0, rows] = (1 - torch.cosine_similarity(clean, without, dim=-1)).clamp(min=0)
            if meter is not None:  # each layer is a part of T passes
                passes = count * (number + 1) // model.layers - done
                done += passes
                meter.tick(forward=passes, positions=passes * count)
        maps = AttentionMaps(tokens, rows_to_one(turned.numpy()), ("value zeroing",), self.name, row_stochastic=False)
        return maps, model.value(trace.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return roll_back(maps.weights[:, 0], rows)

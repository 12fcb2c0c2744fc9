"""Attention x gradient: the estimated effect on the target if no token attended to this one.

    E_l = sum_h W_lh * dF/dW_lh,    score_j = sum_l sum_i E_l[i, j]     [unit of F]

W - W * 1 = 0 is the weight removed, so W dF/dW is the first-order term of F(text) - F(cut) for each weight. The scores
sum these over layers, heads and the tokens that attend. Serrano and Smith (2019), https://arxiv.org/abs/1906.03731,
rank attention weights this way. It costs one forward and one backward pass.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray, Tokens
from explain.methods.base import METHODS, AttentionMethod, Item
from explain.models.base import TextModel


@METHODS.register("attention_times_gradient")
@dataclass(frozen=True, kw_only=True)
class AttentionTimesGradient(AttentionMethod):
    """Attention weights times the target's gradient with respect to them."""

    name: ClassVar[str] = "attention_times_gradient"
    title: ClassVar[str] = "Attention × gradient"
    meaning: ClassVar[str] = "How far the target would fall, to first order, if no token attended to this word."
    limits: ClassVar[str] = (
        "A first-order estimate: cutting the weights often gives another number. In later layers a position "
        "holds a mixture of the whole text."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset({"attention_gradients"})
    reads: ClassVar[str] = "gradients"

    layers: str = setting(
        "all", choices=("all", "first", "last"), help="All layers together, or only the first or last."
    )

    def cost(self, tokens: Tokens) -> int:
        return 2

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        attention = model.attention.gradients(tokens, target, meter)
        weights = (attention.weights * attention.gradients).sum(dim=1, keepdim=True)
        return AttentionMaps(tokens, weights.numpy(), ("sum",), self.name, row_stochastic=False), attention.value

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        layers = {"all": slice(None), "first": slice(0, 1), "last": slice(-1, None)}[self.layers]
        return maps.weights[layers, 0].sum(axis=(0, 1), dtype=float)

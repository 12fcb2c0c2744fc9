"""Attention flow: how much could pass from each input token to the prediction, with attention weights as pipes.

    A_l = (1 - r) mean_h W_lh + r I,    flow_j = maximum flow from the rows read to input token j, capacities A_l

Abnar and Zuidema (2020), https://arxiv.org/abs/2005.00928, section 3 (r = 1/2). The flow is exact for capacities
rounded to 2^-30. It costs one forward pass and one maximum-flow problem for each token.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray, Tokens
from explain.methods.base import HEADS, METHODS, Item, ShareMethod, chosen_heads
from explain.models.base import TextModel
from explain.numerics.flow import maximum_flows
from explain.numerics.rollout import with_residual


@METHODS.register("attention_flow")
@dataclass(frozen=True, kw_only=True)
class AttentionFlow(ShareMethod):
    """The maximum flow through the layers, with attention weights as capacities."""

    name: ClassVar[str] = "attention_flow"
    title: ClassVar[str] = "Attention flow"
    meaning: ClassVar[str] = (
        "How much could pass from each word to the prediction, if attention weights were the widths of pipes."
    )
    limits: ClassVar[str] = (
        "The same for every label. It is an upper bound of what could pass, not what passes. One pipe may count"
        " for many words."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"attention"})
    reads: ClassVar[str] = "observe"

    residual: float = setting(0.5, low=0.0, high=0.95, help="The share of the residual stream in each layer.")
    heads: str = HEADS
    most_tokens: int = setting(
        96,
        low=8,
        high=512,
        help="Longer texts are refused, because the time grows with the fourth power of the length.",
    )

    def arithmetic(self, tokens: Tokens) -> int:
        return len(tokens)

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        if len(tokens) > self.most_tokens:
            raise SettingError(
                f"Attention flow solves one problem for each of {len(tokens)} tokens; attention_flow.most_tokens is "
                f"{self.most_tokens}. Shorten the text, or raise that and wait."
            )
        heads = chosen_heads(self.heads, model.heads)
        observation = model.observe(tokens, meter)
        weights = with_residual(observation.maps.mean(heads), self.residual)
        maps = AttentionMaps(tokens, weights[:, None], ("mean",), self.name)
        return maps, model.value(observation.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return maximum_flows(maps.weights[:, 0], rows, (lambda: meter.tick(steps=1)) if meter else (lambda: None))

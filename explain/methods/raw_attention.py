"""Raw attention: which tokens the prediction attends to, in one layer.

    share = row of mean_h W_lh that the head reads, l the last layer unless chosen     [share, sums to 1]

Vaswani et al. (2017), https://arxiv.org/abs/1706.03762, equation 1. It costs one forward pass, the one that predicts.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import AttentionMaps, FloatArray
from explain.methods.base import HEADS, METHODS, Item, ShareMethod, chosen_heads
from explain.models.base import TextModel


@METHODS.register("raw_attention")
@dataclass(frozen=True, kw_only=True)
class RawAttention(ShareMethod):
    """The attention of the row that the prediction is read from."""

    name: ClassVar[str] = "raw_attention"
    title: ClassVar[str] = "Raw attention"
    meaning: ClassVar[str] = "The share of attention that the prediction's row gives each token, in one layer."
    limits: ClassVar[str] = (
        "The same for every label. In later layers a position holds a mixture of the whole text, so this is a "
        "share of positions, not of words."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"attention"})
    reads: ClassVar[str] = "observe"

    layer: int | None = setting(None, low=0, high=100, help="The layer, counted from 0. Empty: the last.")
    heads: str = HEADS

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        if self.layer is not None and self.layer >= model.layers:
            raise SettingError(f"layer is {self.layer}; {model.name} has layers 0 to {model.layers - 1}.")
        tokens, target = item
        heads = chosen_heads(self.heads, model.heads)
        observation = model.observe(tokens, meter)
        maps = AttentionMaps(tokens, observation.maps.mean(heads)[:, None], ("mean",), self.name)
        return maps, model.value(observation.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return rows @ maps.weights[-1 if self.layer is None else self.layer, 0]

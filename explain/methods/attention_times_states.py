"""Attention x last states: the last layer's attention, times the size of each token's last hidden state.

    score_j = mean_h W_Lh[read, j] * |z_j|,    z the states that come out of the last layer     [share, sums to 1]

A score from teaching material, kept for comparison. The prediction head reads one row of z only, so the other z_j in
the product reach no decision. (The same material calls one of BERT's objectives "PLM"; what it describes is
next-sentence prediction.) No paper. It costs one forward pass.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, FloatArray
from explain.methods.base import HEADS, METHODS, Item, ShareMethod, chosen_heads
from explain.models.base import TextModel


@METHODS.register("attention_times_states")
@dataclass(frozen=True, kw_only=True)
class AttentionTimesStates(ShareMethod):
    """Last-layer attention times the length of the last hidden states."""

    name: ClassVar[str] = "attention_times_states"
    title: ClassVar[str] = "Attention × last states"
    meaning: ClassVar[str] = "Last-layer attention to each token, times the length of that token's last hidden state."
    limits: ClassVar[str] = (
        "The same for every label. The prediction head never reads these states. A layer norm makes them nearly"
        " equally long, so this is almost raw attention."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"trace"})
    reads: ClassVar[str] = "trace"

    heads: str = HEADS

    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        tokens, target = item
        heads = chosen_heads(self.heads, model.heads)
        trace = model.attention.trace(tokens, meter)
        attention = trace.weights if heads is None else trace.weights[:, heads]
        sizes = trace.states[1:].norm(dim=-1)[:, None, None, :]  # (L, 1, 1, T)
        weights = attention.mean(dim=1, keepdim=True) * sizes
        maps = AttentionMaps(tokens, weights.numpy(), ("mean",), self.name, row_stochastic=False)
        return maps, model.value(trace.prediction, target)

    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        return rows @ maps.weights[-1, 0]

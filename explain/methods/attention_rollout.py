"""Attention rollout: where the head's rows look, followed back through all layers to the input tokens.

    A_l = (1 - r) mean_h W_lh + r I,    share = row of A_L ... A_1 that the head reads     [share, sums to 1]

Abnar and Zuidema (2020), https://arxiv.org/abs/2005.00928, section 3 (r = 1/2). It costs one forward pass, the one
that predicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.datatypes import Attribution, Tokens
from explain.errors import KnobError
from explain.knobs import knob
from explain.meter import Meter
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.numerics.rollout import rollout


@METHODS.register("attention_rollout")
@dataclass(frozen=True, kw_only=True)
class AttentionRollout(Method):
    """Attention, followed back from the row the head reads to the input."""

    name: ClassVar[str] = "attention_rollout"
    title: ClassVar[str] = "Attention rollout"
    meaning: ClassVar[str] = "The share of the head's attention that reaches each word through all layers."
    limits: ClassVar[str] = (
        "Same for every label: it shows where the model looked, not what the words did. "
        "It leaves out values, feed-forward layers and norms."
    )
    signed: ClassVar[bool] = False
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})

    residual: float = knob(0.5, low=0.0, high=0.95, help="Share of the residual stream in each layer.")
    heads: str = knob("all", help="Heads to average: all, or numbers from 0 such as 0,3,11.")
    special_tokens: str = knob(
        "set_aside",
        choices=("set_aside", "keep"),
        help="[CLS] and [SEP] take most of it: set them aside and rescale the rest to sum to 1, or keep them.",
    )

    def cost(self, tokens: Tokens) -> int:
        return 1

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        chosen = self._chosen_heads(model.heads)
        results = []
        for tokens, target in items:
            watch = Stopwatch(meter)
            seen = model.observe(tokens, watch.meter)
            shares = rollout(seen.maps.mean(chosen), model.rows_read(tokens, target), self.residual)
            units = np.arange(len(tokens))
            on_special = float(shares[tokens.special].sum())
            if self.special_tokens == "set_aside":
                units = tokens.ordinary
                rest = shares[units].sum()
                shares = shares[units] / rest if rest > 0 else np.zeros(len(units))
            results.append(
                self._result(
                    (tokens, target),
                    [(int(unit),) for unit in units],
                    shares,
                    scale="share",
                    output=model.value(seen.prediction, target),
                    watch=watch,
                    diagnostics={"share_on_special_tokens": on_special},
                )
            )
        return tuple(results)

    def _chosen_heads(self, count: int) -> list[int] | None:
        if self.heads.strip().lower() == "all":
            return None
        try:
            chosen = sorted({int(part) for part in self.heads.split(",")})
        except ValueError:
            chosen = [-1]
        if not chosen or chosen[0] < 0 or chosen[-1] >= count:
            raise KnobError(f"heads is {self.heads!r}; expected 'all' or numbers from 0 to {count - 1}, with commas.")
        return chosen

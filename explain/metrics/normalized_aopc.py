"""Normalized AOPC: where the mean drop lies between the smallest and the largest of any order of the words.

    AOPC  = mean_k [ F(x) - F(x without its top k words) ],    k from 1 to U
    value = (AOPC - lowest) / (highest - lowest)               0: no order is worse, 1: none is better

Edin et al. (2024), https://arxiv.org/abs/2408.08137, section 4. The limits are exact for up to 10 words: every set of
words is run, and the best order follows from the best orders of its parts. For more words beam search (5 wide) finds
them, and may miss the true ones. Then the value can be slightly too extreme, and is reported as approximate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError
from explain.core.settings import setting
from explain.datatypes import Attribution, MetricResult
from explain.metrics.base import METRICS, SCALE, Metric, Trial, order_of, percentile, removal_curves

_Outputs = Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]]


@METRICS.register("normalized_aopc")
@dataclass(frozen=True, kw_only=True)
class NormalizedAopc(Metric):
    """The mean drop between the limits that this text and model allow."""

    name: ClassVar[str] = "normalized_aopc"
    title: ClassVar[str] = "Normalized AOPC"
    meaning: ClassVar[str] = (
        "The mean drop while words are removed: 0 as in the worst order there is, 1 as in the best."
    )
    limits: ClassVar[str] = "The best order is best for this way of removing words. It need not be an explanation."
    higher_is_better: ClassVar[bool] = True

    scale: str = SCALE
    exact_up_to: int = setting(10, low=2, high=16, help="The largest number of words for which every set is run.")
    beam: int = setting(5, low=1, high=50, help="The number of orders followed at a time in longer texts.")
    longest: int = setting(
        40, low=2, high=400, help="Longer texts are refused, because the search grows with the square of the length."
    )

    def cost(self, words: int, orders: int) -> int:
        own = words * (orders + 1)
        if words <= self.exact_up_to:
            return 2**words
        return own + 2 * self.beam * words * (words + 1) // 2

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        words = len(trial.units)
        if words > self.longest:
            raise MetricError(
                f"The best order of {words} words is searched for up to {self.longest} only: raise "
                "normalized_aopc.longest and wait, or shorten the text."
            )
        operator = trial.operator_for(attribution)
        full = float(trial.outputs(np.ones((1, words), dtype=bool), operator, self.scale)[0])
        orders = np.concatenate([order_of(trial.scores(attribution))[None], trial.random])
        curves = removal_curves(trial, orders, list(range(1, words + 1)), operator, self.scale, keeps=False)
        drops = full - curves.mean(axis=1)
        exact = words <= self.exact_up_to
        search = _exact if exact else _beam(self.beam)

        def least(sign: int) -> float:
            return search(lambda there: sign * trial.outputs(there, operator, self.scale), words)

        ends = (full + least(-1), full - least(1))
        lowest, highest = min(ends[0], float(drops.min())), max(ends[1], float(drops.max()))
        values = (drops - lowest) / (highest - lowest) if highest > lowest else np.full(len(drops), 0.5)
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.arange(1, words + 1) / words,
            outputs=curves[0],
            value=float(values[0]),
            higher_is_better=True,
            percentile=percentile(float(values[0]), values[1:], True),
            scale=trial.unit_of(self.scale),
            operator=operator,
            controls=values[1:],
            band=np.quantile(curves[1:], (0.05, 0.5, 0.95), axis=0),
            details={"exact": exact, "lowest": lowest, "highest": highest},
        )


def _exact(outputs: _Outputs, words: int) -> float:
    """The smallest mean output over the orders in which words may go, one by one; every set of words is run."""
    sets = np.arange(2**words)
    there = (sets[:, None] >> np.arange(words)) & 1 == 1
    values = outputs(there)
    best = np.full(len(sets), np.inf)  # the smallest sum of outputs on a way from all words to this set
    best[-1] = 0.0
    sizes = there.sum(axis=1)
    for size in range(words - 1, -1, -1):
        here = sets[sizes == size]
        from_more = np.where(there[here], np.inf, best[here[:, None] | (1 << np.arange(words))])
        best[here] = values[here] + from_more.min(axis=1)
    return float(best[0] / words)


def _beam(width: int) -> Callable[[_Outputs, int], float]:
    """The same by beam search, so many orders followed at a time."""

    def search(outputs: _Outputs, words: int) -> float:
        kept = {(1 << words) - 1: 0.0}
        for _ in range(words):
            found: dict[int, float] = {}
            for held, total in kept.items():
                for word in range(words):
                    if held >> word & 1:
                        smaller = held & ~(1 << word)
                        found[smaller] = min(total, found.get(smaller, np.inf))
            there = np.array([[one >> word & 1 == 1 for word in range(words)] for one in found])
            sums = {one: found[one] + value for one, value in zip(found, outputs(there).tolist())}
            kept = dict(sorted(sums.items(), key=lambda item: item[1])[:width])
        return min(kept.values()) / words

    return search

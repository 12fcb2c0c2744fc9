"""Normalized AOPC: the mean drop, relative to the smallest and the largest mean drop of any order of the words.

    AOPC  = mean_k [ F(x) - F(x without its top k words) ],    k from 1 to U
    value = (AOPC - lowest) / (highest - lowest)               0: no order is worse, 1: no order is better

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
from explain.datatypes import QUARTILES, Attribution, MetricResult
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
            return search(lambda present: sign * trial.outputs(present, operator, self.scale), words)

        ends = (full + least(-1), full - least(1))
        lowest, highest = min(ends[0], float(drops.min())), max(ends[1], float(drops.max()))
        figures = (drops - lowest) / (highest - lowest) if highest > lowest else np.full(len(drops), 0.5)
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.arange(1, words + 1) / words,
            outputs=curves[0],
            value=float(figures[0]),
            higher_is_better=True,
            percentile=percentile(float(figures[0]), figures[1:], True),
            scale=trial.unit_of(self.scale),
            operator=operator,
            controls=figures[1:],
            band=np.quantile(curves[1:], QUARTILES, axis=0),
            quantiles=QUARTILES,
            details={"exact": exact, "lowest": lowest, "highest": highest},
        )


def _exact(outputs: _Outputs, words: int) -> float:
    """Return the smallest mean output over all orders of removal; every set of words is run."""
    sets = np.arange(2**words)
    present = (sets[:, None] >> np.arange(words)) & 1 == 1
    by_set = outputs(present)
    best = np.full(len(sets), np.inf)  # the smallest sum of outputs on the way from all words to this set
    best[-1] = 0.0
    sizes = present.sum(axis=1)
    for size in range(words - 1, -1, -1):
        here = sets[sizes == size]
        from_more = np.where(present[here], np.inf, best[here[:, None] | (1 << np.arange(words))])
        best[here] = by_set[here] + from_more.min(axis=1)
    return float(best[0] / words)


def _beam(width: int) -> Callable[[_Outputs, int], float]:
    """Return a function that searches the smallest mean output, following `width` orders at a time."""

    def search(outputs: _Outputs, words: int) -> float:
        kept = {(1 << words) - 1: 0.0}
        for _ in range(words):
            totals: dict[int, float] = {}  # the sum of outputs by set of words, a bit for each word
            for present, total in kept.items():
                for word in range(words):
                    if present >> word & 1:
                        smaller = present & ~(1 << word)
                        totals[smaller] = min(total, totals.get(smaller, np.inf))
            coalitions = np.array([[members >> word & 1 == 1 for word in range(words)] for members in totals])
            sums = {members: totals[members] + out for members, out in zip(totals, outputs(coalitions).tolist())}
            kept = dict(sorted(sums.items(), key=lambda entry: entry[1])[:width])
        return min(kept.values()) / words

    return search

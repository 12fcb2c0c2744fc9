"""Symmetric relevance gain: the area between keeping the words scored highest and removing them.

    value = area of [ F(only the top k words) - F(x without its top k words) ] over k / U, k from 0 to U
          = insertion - deletion                                            (at most 10 steps; trapezoids)

Bluecher, Vielhaben and Strodthoff (2024), https://arxiv.org/abs/2401.06654, who find it steadier than either area
alone: effects of the removal that are the same for all orders cancel. It is measured in the target's own unit,
since near certainty a probability hardly moves.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.datatypes import QUARTILES, Attribution, MetricResult
from explain.metrics.base import METRICS, Metric, Trial, order_of, percentile, removal_curves
from explain.numerics.curves import area, steps


@METRICS.register("symmetric_relevance_gain")
@dataclass(frozen=True, kw_only=True)
class SymmetricRelevanceGain(Metric):
    """Insertion minus deletion."""

    name: ClassVar[str] = "symmetric_relevance_gain"
    title: ClassVar[str] = "Symmetric relevance gain"
    meaning: ClassVar[str] = (
        "How much more the highest-scored words do than the lowest-scored, averaged over every number of words."
    )
    limits: ClassVar[str] = "It tests the order of the words, not the size of their scores."
    higher_is_better: ClassVar[bool] = True

    def cost(self, words: int, orders: int) -> int:
        return len(steps(words)) * (orders + 2)  # a random order and its reverse go through the same texts

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        operator = trial.operator_for(attribution)
        counts = steps(len(trial.units))
        fractions = np.array(counts) / len(trial.units)
        orders = np.concatenate([order_of(trial.scores(attribution))[None], trial.random])
        kept, removed = (
            removal_curves(trial, orders, counts, operator, "target", keeps=keeps) for keeps in (True, False)
        )
        figures = area(kept - removed, fractions)
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=fractions,
            outputs=(kept - removed)[0],
            value=float(figures[0]),
            higher_is_better=True,
            percentile=percentile(float(figures[0]), figures[1:], True),
            scale=trial.unit_of("target"),
            operator=operator,
            controls=figures[1:],
            band=np.quantile((kept - removed)[1:], QUARTILES, axis=0),
            quantiles=QUARTILES,
        )

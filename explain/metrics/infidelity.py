"""Infidelity: how badly the scores predict the effect of removing random sets of words.

    value = mean over sets S of (b * sum of score_i, i in S, - drop(S))^2 / variance of drop(S)
    drop(S) = F(x) - F(x without S)

Yeh et al. (2019), https://arxiv.org/abs/1901.09392, definition 2.1, with the scale b that fits the scores best, so
that methods in other units can be compared; computed by captum's `infidelity`. It is divided by the variance: 1 is the
error of predicting the mean. S holds each word with a probability that is drawn for each set. Its control is the same
scores, shuffled over the words.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from captum.metrics import infidelity
from torch import Tensor

from explain.core.settings import setting
from explain.datatypes import Attribution, MetricResult
from explain.metrics.base import METRICS, Metric, Trial, percentile


@METRICS.register("infidelity")
@dataclass(frozen=True, kw_only=True)
class Infidelity(Metric):
    """The scores as a forecast of removals."""

    name: ClassVar[str] = "infidelity"
    title: ClassVar[str] = "Infidelity"
    meaning: ClassVar[str] = "The error of the scores as a forecast of removing random sets of words."
    limits: ClassVar[str] = "A sum cannot be right where words act together, so zero is out of reach."
    higher_is_better: ClassVar[bool] = False

    sets: int = setting(64, low=8, high=1000, help="The number of sets of words that are removed.")
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the sets.")

    def cost(self, words: int, orders: int) -> int:
        return self.sets + 1

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        operator = trial.operator_for(attribution)
        words = len(trial.units)
        draw = np.random.default_rng(self.seed)
        removed = draw.random((self.sets, words)) < draw.random((self.sets, 1))
        full = torch.from_numpy(np.ones((1, words)))
        scores = trial.scores(attribution)
        candidates = np.stack([scores, *(scores[order] for order in trial.random)])
        spread = float(np.var(trial.outputs(~removed, operator, "target")))

        def output(present: Tensor) -> Tensor:
            return torch.from_numpy(trial.outputs(present.numpy() > 0.5, operator, "target"))

        def remove(inputs: Tensor) -> tuple[Tensor, Tensor]:
            removal = torch.from_numpy(removed.astype(np.float64))
            return removal, inputs - removal

        def error(row: Any) -> float:
            errors = infidelity(
                output, remove, full, torch.from_numpy(row)[None], n_perturb_samples=self.sets, normalize=True
            )
            return float(errors[0]) / spread if spread > 0 else 0.0

        figures = np.array([error(row) for row in candidates])
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.empty(0),
            outputs=np.empty(0),
            value=float(figures[0]),
            higher_is_better=False,
            percentile=percentile(float(figures[0]), figures[1:], False),
            scale=trial.target.scale,
            operator=operator,
            controls=figures[1:],
        )

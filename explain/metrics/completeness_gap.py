"""Completeness gap: how far the sum of the scores is from the difference it should equal.

    value = | sum of all scores - (F(x) - F(x')) | / max(| F(x) - F(x') |, 0.001)

Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365, proposition 1; x' is the text the method starts
from. F(x) and F(x') are computed here, not taken from the method: if a method treats positions or segments differently
from the model, its scores sum to another function's difference, and that is the gap. If two texts are emptied in turn,
each has its sum, and the larger gap counts. It needs no control, since the right gap is zero. It costs two forward
passes, and one more for each further x'.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from explain.core.errors import MetricError
from explain.datatypes import Attribution, MetricResult
from explain.metrics.base import METRICS, Metric, Trial
from explain.text.removal import emptied_together

SMALLEST = 1e-3  # a gap can't be a share of a difference of zero


@METRICS.register("completeness_gap")
@dataclass(frozen=True, kw_only=True)
class CompletenessGap(Metric):
    """The part of the difference that the scores' sum misses."""

    name: ClassVar[str] = "completeness_gap"
    title: ClassVar[str] = "Completeness gap"
    meaning: ClassVar[str] = "How far the scores' sum is from the difference it should equal, as a share of it."
    limits: ClassVar[str] = "A small gap means that the sum is right, not that it is divided rightly among the words."
    higher_is_better: ClassVar[bool] = False

    def cost(self, words: int, orders: int) -> int:
        return 9  # the text, and at most four kinds of empty ones, of each of two texts

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        if attribution.completeness_gap is None:
            raise MetricError(f"The scores of {attribution.method} are not meant to add up to anything.")
        full, empty = _ends(trial, attribution)
        gaps = [(abs(total - (full - start)), full - start) for (total, _), start in zip(attribution.sums, empty)]
        gap, difference = max(gaps, key=lambda pair: pair[0] / max(abs(pair[1]), SMALLEST))
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.empty(0),
            outputs=np.empty(0),
            value=gap / max(abs(difference), SMALLEST),
            higher_is_better=False,
            details={"gap": gap, "difference": difference},
        )


def _ends(trial: Trial, attribution: Attribution) -> tuple[float, list[float]]:
    """Return F of the text and of the method's empty texts, see `Attribution.sums`; over several kinds their mean."""
    model, tokens, target = trial.model, trial.tokens, trial.target
    about = attribution.diagnostics
    sets = emptied_together(tokens, "in_turn" if attribution.emptied_outputs else "together")
    kinds = list(about.get("baseline_outputs") or ([about["baseline"]] if "baseline" in about else []))
    if kinds:
        points = [model.baseline(tokens, target, kind, together) for kind in kinds for together in sets]
        outputs = model.values(tokens, target, torch.stack([model.word_embeddings(tokens), *points]), trial.meter)
        return float(outputs[0]), outputs[1:].double().reshape(len(kinds), len(sets)).mean(dim=0).tolist()
    if "operator" in about:
        units = [
            [token for unit in attribution.units if unit[0] in set(together) for token in unit] for together in sets
        ]
        rows = [model.removed(tokens, unit, about["operator"], target) for unit in ([], *units)]
        full, *empty = model.scores(rows, trial.meter).values.tolist()
        return full, empty
    full = float(model.scores([model.removed(tokens, [], "zero", target)], trial.meter).values[0])
    return full, [float(attribution.baseline_output or 0.0)]  # the start is no text: the biases alone

"""Robustness to the reference: the agreement of a method's scores with its scores from another empty text.

    value = mean over other references r of Spearman( words' scores; the same with r )

over the r for which the correlation is defined: if all words have the same score, they have no order.

A reference replaces missing words: the baseline of a path, or the operator that removes words. No reference is the
right one (Sturmfels, Lundberg and Lee 2020, https://distill.pub/2020/attribution-baselines), so what depends on it is
no finding about the text. A word's whisker is the range of its scores over all references. It has no control by
order: a method whose scores do not depend on the text gives zero.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from explain.core.errors import MetricError
from explain.core.settings import make, settings_of
from explain.datatypes import Attribution, MetricResult, Tokens
from explain.methods.base import METHODS, Method
from explain.metrics.base import METRICS, Metric, Trial
from explain.models.base import TextModel
from explain.numerics.agreement import agreement

REFERENCE_SETTINGS = ("baseline", "operator")
OPERATORS = ("mask", "attention_off", "delete")  # those that leave a text a model may have been trained on
NEGLIGIBLE = 0.05  # of the largest score: a sign change of smaller ones is not reported


@METRICS.register("reference_robustness")
@dataclass(frozen=True, kw_only=True)
class ReferenceRobustness(Metric):
    """The rank correlation with the same method from every other reference."""

    name: ClassVar[str] = "reference_robustness"
    title: ClassVar[str] = "Robustness to the reference"
    meaning: ClassVar[str] = "The rank correlation of the scores with the method's scores from another empty text."
    limits: ClassVar[str] = "Methods without a reference have no such number. That is not a merit."
    higher_is_better: ClassVar[bool] = True

    def cost(self, words: int, orders: int) -> int:
        return 0

    def reruns(self, model: TextModel, tokens: Tokens, method: Method) -> int:
        return sum(other.cost(tokens) for other in others(model, method, _own(model, method)).values())

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        method: Method = make(METHODS[attribution.method], attribution.params)
        own = str(
            next((attribution.diagnostics[name] for name in REFERENCE_SETTINGS if name in attribution.diagnostics), "")
        )
        again = others(trial.model, method, own)
        if not again:
            raise MetricError(f"{method.title} has no other empty text to start from.")
        scores = {own: trial.scores(attribution)}
        for name, other in again.items():
            scores[name] = trial.scores(other.attribute(trial.model, trial.tokens, trial.target, trial.meter))
        every = np.stack(list(scores.values()))  # (R, U), the method's own reference first
        correlations = {
            name: agreement(every[0], row, signed=attribution.signed)["spearman"]
            for name, row in list(scores.items())[1:]
        }
        defined = [correlation for correlation in correlations.values() if correlation is not None]
        undefined = [name for name, correlation in correlations.items() if correlation is None]
        if not defined:
            raise MetricError("From no two empty texts can scores be compared: all words have the same score.")
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.empty(0),
            outputs=np.empty(0),
            value=float(np.mean(defined)),
            higher_is_better=True,
            details={
                "references": {name: row.tolist() for name, row in scores.items()},
                "units": [list(unit) for unit in trial.units],
                "sign_changes": sign_changes(every).tolist(),
                **({"undefined": undefined} if undefined else {}),
            },
        )


def sign_changes(scores: np.ndarray) -> np.ndarray:
    """Mark the words (U,) whose scores (R, U) lie on both sides of zero, both beyond the negligible."""
    least = NEGLIGIBLE * np.abs(scores).max(axis=1, keepdims=True)
    changes: np.ndarray = (scores > least).any(axis=0) & (scores < -least).any(axis=0)
    return changes


def others(model: TextModel, method: Method, own: str) -> dict[str, Method]:
    """Return the same method from every other reference it can start from, by the reference's name."""
    for setting in settings_of(method):
        if setting.name in REFERENCE_SETTINGS:
            possible = model.baselines() if setting.name == "baseline" else OPERATORS
            names = [name for name in possible if name != own and (name != "mask" or model.mask_id is not None)]
            change: list[tuple[str, dict[str, Any]]] = [(name, {setting.name: name}) for name in names]
            return {name: replace(method, **changed) for name, changed in change}
    return {}


def _own(model: TextModel, method: Method) -> str:
    """Return the reference that a method would start from."""
    baseline = getattr(method, "baseline", None)
    if baseline is not None:
        return model.default_baseline() if baseline == "auto" else baseline
    return model.operator(getattr(method, "operator", "auto"))

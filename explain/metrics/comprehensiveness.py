"""Comprehensiveness: how far the output falls when the words scored highest are removed.

    value = mean_q [ p(x) - p(x without its top k_q words) ],    k_q = max(1, ceil(q U)),  q in 1, 5, 10, 20, 50 %

DeYoung et al. (2020, ERASER), https://arxiv.org/abs/1911.03429, section 4 (AOPC over these bins; the mean is over the
five bins, as in the released scorer, without the paper's empty one). p is the probability of the label explained.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric
from explain.numerics.curves import eraser_counts

_Floats = npt.NDArray[np.float64]


@METRICS.register("comprehensiveness")
@dataclass(frozen=True, kw_only=True)
class Comprehensiveness(RemovalMetric):
    """The drop when the top words are removed."""

    name: ClassVar[str] = "comprehensiveness"
    title: ClassVar[str] = "Comprehensiveness"
    meaning: ClassVar[str] = "How far the output falls when the highest-scored words are removed."
    limits: ClassVar[str] = (
        "Texts with missing words are unlike any the model was trained on. Numbers of two models cannot be compared."
    )
    higher_is_better: ClassVar[bool] = True
    keeps: ClassVar[bool] = False

    def counts(self, words: int) -> list[int]:
        return eraser_counts(words)

    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        return full - outputs.mean(axis=1)

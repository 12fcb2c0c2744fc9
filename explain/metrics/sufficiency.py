"""Sufficiency: how much of the output is missing when only the words scored highest are left.

    value = mean_q [ p(x) - p(only the top k_q words of x) ],    k_q = max(1, ceil(q U)),  q in 1, 5, 10, 20, 50 %

DeYoung et al. (2020, ERASER), https://arxiv.org/abs/1911.03429, section 4; bins as in comprehensiveness. Lower is
better. Below zero, the top words alone decide more clearly than the whole text.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric
from explain.numerics.curves import eraser_counts

_Floats = npt.NDArray[np.float64]


@METRICS.register("sufficiency")
@dataclass(frozen=True, kw_only=True)
class Sufficiency(RemovalMetric):
    """The drop when only the top words are left."""

    name: ClassVar[str] = "sufficiency"
    title: ClassVar[str] = "Sufficiency"
    meaning: ClassVar[str] = "How much of the output is missing when only the highest-scored words are left."
    limits: ClassVar[str] = "A few words alone are unlike any text the model was trained on."
    higher_is_better: ClassVar[bool] = False
    keeps: ClassVar[bool] = True

    def counts(self, words: int) -> list[int]:
        return eraser_counts(words)

    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        return full - outputs.mean(axis=1)

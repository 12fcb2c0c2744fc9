"""Deletion: the area under the output while words are removed, highest-scored first.

    value = area under p(x without its top k words) over k / U, k from 0 to U (at most 10 steps; trapezoids)

Petsiuk, Das and Saenko (2018, RISE), https://arxiv.org/abs/1806.07421, section 3.3. A small area means that the
high-scored words were needed.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric
from explain.numerics.curves import area, steps

_Floats = npt.NDArray[np.float64]


@METRICS.register("deletion")
@dataclass(frozen=True, kw_only=True)
class Deletion(RemovalMetric):
    """The area under the deletion curve."""

    name: ClassVar[str] = "deletion"
    title: ClassVar[str] = "Deletion"
    meaning: ClassVar[str] = "The mean output while words are removed, the highest-scored first."
    limits: ClassVar[str] = "Most of the area comes from texts with most words missing."
    higher_is_better: ClassVar[bool] = False
    keeps: ClassVar[bool] = False

    def counts(self, words: int) -> list[int]:
        return steps(words)

    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        return area(outputs, fractions)

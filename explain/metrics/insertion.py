"""Insertion: the area under the output while words come back, highest-scored first.

    value = area under p(only the top k words of x) over k / U, k from 0 to U (at most 10 steps; trapezoids)

Petsiuk, Das and Saenko (2018, RISE), https://arxiv.org/abs/1806.07421, section 3.3. A large area means that the
high-scored words were enough.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric
from explain.numerics.curves import area, steps

_Floats = npt.NDArray[np.float64]


@METRICS.register("insertion")
@dataclass(frozen=True, kw_only=True)
class Insertion(RemovalMetric):
    """The area under the insertion curve."""

    name: ClassVar[str] = "insertion"
    title: ClassVar[str] = "Insertion"
    meaning: ClassVar[str] = "The mean output while words come back into an empty text, the highest-scored first."
    limits: ClassVar[str] = "Most of the area comes from texts with most words missing."
    higher_is_better: ClassVar[bool] = True
    keeps: ClassVar[bool] = True

    def counts(self, words: int) -> list[int]:
        return steps(words)

    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        return area(outputs, fractions)

"""Monotonicity: whether each word that comes back, lowest-scored first, raises the output.

    value = share of steps k -> k + 1 (at most 10) at which p(only the k lowest-scored words) does not fall

Luss et al. (2021), https://arxiv.org/abs/1905.12698, section 4.2 (there yes or no; here the share of steps).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric
from explain.numerics.curves import steps

_Floats = npt.NDArray[np.float64]


@METRICS.register("monotonicity")
@dataclass(frozen=True, kw_only=True)
class Monotonicity(RemovalMetric):
    """The share of words whose return does not lower the output."""

    name: ClassVar[str] = "monotonicity"
    title: ClassVar[str] = "Monotonicity"
    meaning: ClassVar[str] = (
        "The share of steps that do not lower the output while words come back, the lowest-scored first."
    )
    limits: ClassVar[str] = (
        "It counts steps, not how far each one goes. Words that speak against the label should lower the output."
    )
    higher_is_better: ClassVar[bool] = True
    keeps: ClassVar[bool] = False  # the lowest k are present when the highest U - k are removed

    def counts(self, words: int) -> list[int]:
        return steps(words)

    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        return (np.diff(outputs, axis=1) <= 0).mean(
            axis=1
        )  # the curve removes the highest first, so it is read backwards

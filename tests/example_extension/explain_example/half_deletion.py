"""Half deletion: how much of the output is lost when the higher-scored half of the words is removed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from explain.metrics.base import METRICS, RemovalMetric


@METRICS.register("half_deletion")
@dataclass(frozen=True, kw_only=True)
class HalfDeletion(RemovalMetric):
    """The loss of output without the top half of the words."""

    name: ClassVar[str] = "half_deletion"
    title: ClassVar[str] = "Half deletion"
    meaning: ClassVar[str] = "How much of the output is lost when the higher-scored half of the words is removed."
    limits: ClassVar[str] = "Half a text is unlike any text the model was trained on."
    higher_is_better: ClassVar[bool] = True
    keeps: ClassVar[bool] = False

    def counts(self, words: int) -> list[int]:
        return [max(1, words // 2)]

    def summary(
        self, outputs: npt.NDArray[np.float64], full: float, fractions: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return full - outputs[:, 0]

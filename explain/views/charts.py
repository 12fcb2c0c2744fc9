"""Charts as data: lines over an axis, and tables of confusions."""

from dataclasses import dataclass

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import IntArray, set_array


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: of the series.
        points: (across, up), in order.
        style: one of the five line styles; a series keeps its style from chart to chart.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    style: int = 0


@dataclass(frozen=True)
class Chart:
    """Lines over one axis.

    Attributes:
        title: of the chart; across, up: labels of the axes, with their unit.
        lines: those without a point are not drawn.
        shares: whether both axes are shares, from 0 to 1; else both begin at 0.
        high: where the upward axis ends, or None: at the highest point.
    """

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]
    shares: bool = False
    high: float | None = None


@dataclass(frozen=True)
class Charts(Displayed):
    """Charts that are shown together, and a note on what they show and what they do not."""

    charts: tuple[Chart, ...]
    note: str
    caption: str


@dataclass(frozen=True, eq=False)
class Confusion(Displayed):
    """Number of texts by right label and predicted label.

    Attributes:
        labels (C); counts (C, C): texts, rows by the right label, columns by the predicted one.
    """

    labels: tuple[str, ...]
    counts: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        set_array(self, "counts", (len(self.labels), len(self.labels)), np.int64)

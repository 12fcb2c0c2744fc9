"""Points at which a text is taken apart, and areas under what comes out."""

import math

import numpy as np
import numpy.typing as npt

ERASER_BINS = (0.01, 0.05, 0.1, 0.2, 0.5)
MOST_STEPS = 10

_Floats = npt.NDArray[np.float64]


def eraser_counts(words: int) -> list[int]:
    """How many of so many words ERASER's bins are: at least one each, so that short texts have five bins too."""
    return [max(1, math.ceil(share * words)) for share in ERASER_BINS]


def steps(words: int) -> list[int]:
    """From none to all, one by one, or at 11 evenly spread counts, the same from either end."""
    count = min(words, MOST_STEPS)
    lower = [round(step * words / count) for step in range(count // 2 + 1)]
    return lower + [words - step for step in reversed(lower[: (count + 1) // 2])]


def area(outputs: _Floats, fractions: _Floats) -> _Floats:
    """Areas (R,) under curves (R, K) over fractions (K,) from 0 to 1, by trapezoids."""
    return np.asarray(np.trapezoid(outputs, fractions, axis=1))

"""Numbers of words to remove along a deletion curve, and areas under such curves."""

import math

import numpy as np
import numpy.typing as npt

ERASER_BINS = (0.01, 0.05, 0.1, 0.2, 0.5)
MOST_STEPS = 10

_Floats = npt.NDArray[np.float64]


def eraser_counts(words: int) -> list[int]:
    """Return the number of words in each of ERASER's bins: at least one, so that short texts have five bins too.

    >>> eraser_counts(20)
    [1, 1, 2, 4, 10]
    """
    return [max(1, math.ceil(share * words)) for share in ERASER_BINS]


def steps(words: int) -> list[int]:
    """Return counts of words from none to all: one by one, or 11 evenly spread, the same from either end.

    >>> steps(4), steps(20)
    ([0, 1, 2, 3, 4], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    """
    count = min(words, MOST_STEPS)
    lower = [round(step * words / count) for step in range(count // 2 + 1)]
    return lower + [words - step for step in reversed(lower[: (count + 1) // 2])]


def area(outputs: _Floats, fractions: _Floats) -> _Floats:
    """Return the areas (R,) under curves (R, K) over fractions (K,) from 0 to 1, by trapezoids.

    >>> area(np.array([[0.0, 1.0]]), np.array([0.0, 1.0]))
    array([0.5])
    """
    return np.asarray(np.trapezoid(outputs, fractions, axis=1))

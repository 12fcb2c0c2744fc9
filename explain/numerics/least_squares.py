"""Weighted least squares of which some equations were drawn at random, with the intervals that follow.

The intervals are those of White (1980), https://doi.org/10.2307/1912934, whatever the residuals' spread; each residual
is divided by one less its leverage (MacKinnon and White 1985, HC3), since few equations fit too well by themselves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.datatypes import BoolArray, FloatArray
from explain.numerics.statistics import NORMAL

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Equations:
    """design (N, U) . values = wanted (N,), each with a weight (N,); the last `drawn` were drawn independently."""

    design: FloatArray
    wanted: FloatArray
    weights: FloatArray
    drawn: int


def constrained_fit(equations: Equations, sums: FloatArray, totals: FloatArray) -> tuple[_Floats, _Floats]:
    """Return the coefficients that fit best under sums (S, U) . values = totals (S,).

    Returns:
        Values (U,), and half-widths of their 95 % intervals (U,): 0 where nothing was drawn.

    >>> equations = Equations(np.eye(2), np.array([1.0, 2.0]), np.ones(2), drawn=0)
    >>> constrained_fit(equations, np.ones((1, 2)), np.array([4.0]))[0].round(6)
    array([1.5, 2.5])
    """
    design, weights = equations.design, equations.weights
    inverse = np.linalg.pinv((design.T * weights) @ design + sums.T @ sums, hermitian=True)  # sums are fixed anyhow
    bound = np.linalg.pinv(sums @ inverse @ sums.T, hermitian=True)
    onto = inverse @ sums.T @ bound  # (U, S)
    free = inverse - onto @ sums @ inverse
    values = free @ (design.T @ (weights * equations.wanted)) + onto @ totals
    return values, _half_widths(equations, values, free)


@dataclass(frozen=True, eq=False)
class LocalFit:
    """Scores (U,), half-widths of their 95 % intervals (U,) or None, the intercept, and the weighted R squared."""

    scores: _Floats
    error: _Floats | None
    intercept: float
    r_squared: float


def local_fit(draws: BoolArray, worth: FloatArray, weights: FloatArray, ridge: float) -> LocalFit:
    """Fit a weighted ridge regression whose intercept is not penalized.

    Args:
        draws (N, U): the first is fixed, all others were drawn independently.
        worth (N,), weights (N,): of each.

    Returns:
        The fit. No intervals where there are no more draws than numbers to fit; R squared is 1 where nothing varies.

    >>> fit = local_fit(np.array([[True, True], [True, False], [False, True]]), np.array([3.0, 1, 2]), np.ones(3), 0.0)
    >>> fit.scores.round(6), fit.error is None
    (array([1., 2.]), True)
    """
    design = np.column_stack([np.ones(len(draws)), draws])
    equations = Equations(design, worth, weights, len(draws) - 1)
    pull = np.diag([0.0, *[ridge] * draws.shape[1]])
    inverse = np.linalg.pinv((design.T * weights) @ design + pull, hermitian=True)
    values = inverse @ (design.T @ (weights * worth))
    enough = len(draws) > design.shape[1] + 1
    error = _half_widths(equations, values, inverse)[1:] if enough else None
    spread = weights @ (worth - np.average(worth, weights=weights)) ** 2
    left = weights @ (worth - design @ values) ** 2
    return LocalFit(values[1:], error, float(values[0]), float(1 - left / spread) if spread > 0 else 1.0)


def _half_widths(equations: Equations, values: FloatArray, inverse: FloatArray) -> _Floats:
    """Return half-widths of 95 % intervals (U,) by White's formula.

    Args:
        inverse (U, U): of the second derivative of the minimized function, along the free directions.
    """
    last = slice(len(equations.wanted) - equations.drawn, None)
    design, weights = equations.design[last], equations.weights[last]
    if not len(design):
        return np.zeros(len(values))
    leverage = weights * ((design @ inverse) * design).sum(axis=1)
    misses = (equations.wanted[last] - design @ values) / np.maximum(1 - leverage, 1e-9)
    steps = (weights * misses)[:, None] * design
    return NORMAL * np.sqrt((((steps - steps.mean(axis=0)) @ inverse) ** 2).sum(axis=0))

"""Integrals along a path at 32 Gauss-Legendre points, with an error for each part, and at 65 where that is too large.

The error of each part is estimated from the points that there are. A null rule has weights that make every polynomial
of low degree zero, so what it gives of a slope is what the points resolve badly: Berntsen and Espelid (1991), "Error
estimation in automatic quadrature routines", ACM Transactions on Mathematical Software 17(2). Here the null rules are
the slope's Legendre coefficients of the eight highest degrees, of which the root mean square is the *roughness* h. F is
known at both ends, so the error of the sum of T parts is known, the gap g. The half-width of a part is

    c h^(3/4) (g / sqrt(T))^(1/4)

where g / sqrt(T) is no less than a share of the largest h, as a gap can be small by luck. If all half-widths together,
the root of the sum of their squares, are less than the gap, they are widened to it. The exponents and c were set on
gradients of the shipped models, such that 95 % of errors are within, and judged on other texts
(docs/decisions/0032-an-error-for-each-word.md; `python -m benchmarks.integrals`). Of a slope that the points do not
resolve, such as a sudden rise, the error is larger than this; but then the integral is not converged.
"""

import functools

import numpy as np

from explain.numerics.quadrature import (
    SMALLEST_TOLERANCE,
    Floats,
    PathIntegral,
    Sample,
    gauss_kronrod,
    gauss_legendre,
)

POINTS = 32
COEFFICIENTS = 8  # of the highest degrees: fewer depend on luck, more on what is resolved well
LEAST_GAP = 0.02  # of the largest roughness
GAUSS_FACTOR, KRONROD_FACTOR = 0.28, 0.03
GAP_ALLOWED = 1.5  # times the largest error allowed: the gap is a sum of errors, of which some cancel
DIFFERENCE_ALLOWED = 2.0  # times the tolerance: the gap as a share of what all parts sum to, which may be little
SMALLEST_ERROR = 1e-5  # in the unit of F: what rounding makes of an integral


def integrated(sample: Sample, ends: tuple[float, float], tolerance: float, most: int) -> PathIntegral:
    """Integrate at 32 points; at 65 where an error or the gap is too large; at 128, 256 or 512 where it still is.

    The first 32 points are among the 65; those of later levels are new.

    Args:
        ends: F at both ends.
        tolerance: the largest error of a part allowed, as a share of the largest part. The gap may be 1.5 times that,
            but no more than 2 times this share of the difference between the ends.
        most: no level has more points; the integral of the last is then returned as not converged.

    >>> square = integrated(lambda nodes: (nodes**2, 2 * nodes[:, None]), (0.0, 1.0), tolerance=0.01, most=65)
    >>> square.converged, square.about["points"], square.parts.round(6), square.error.round(6)
    (True, 32, array([1.]), array([0.]))
    """
    slopes = sample(gauss_legendre(POINTS)[0])[1]
    integral = _judged(slopes, ends, tolerance)
    for points in levels(most)[1:]:
        if integral.converged:
            break
        if points % 2:
            coarser, slopes = slopes, np.empty((points, *slopes.shape[1:]))
            slopes[1::2], slopes[::2] = coarser, sample(gauss_kronrod(POINTS)[0][::2])[1]
        else:
            slopes = sample(gauss_legendre(points)[0])[1]
        integral = _judged(slopes, ends, tolerance)
    return integral


def levels(most: int) -> tuple[int, ...]:
    """Return the numbers of points, of which none is above `most` but the first.

    >>> levels(65), levels(513)
    ((32, 65), (32, 65, 128, 256, 512))
    """
    later = (POINTS * 2**doubled for doubled in range(2, 5))
    return POINTS, *(points for points in (2 * POINTS + 1, *later) if points <= most)


def most_nodes(most: int) -> int:
    """Return the nodes that `integrated` samples at most.

    >>> most_nodes(33), most_nodes(65), most_nodes(129)
    (32, 65, 193)
    """
    return sum(levels(most)[1:]) or POINTS


def half_widths(slopes: Floats, gap: float) -> Floats:
    """Return half-widths (...) of the parts of an integral, from slopes (K, ...) at the nodes of one of its levels.

    Args:
        gap: the error of the sum of all parts.

    >>> nodes = gauss_legendre(32)[0]
    >>> half_widths(np.stack([nodes**2, np.exp(-900 * (nodes - 0.4)**2)], axis=1), gap=0.01).round(4)
    array([0.  , 0.01])
    """
    rough = roughness(slopes)
    factor = KRONROD_FACTOR if len(slopes) % 2 else GAUSS_FACTOR
    typical = abs(gap) / max(1, int(np.count_nonzero(rough))) ** 0.5  # of T errors that add up at random
    scale = max(typical, LEAST_GAP * float(rough.max(initial=0.0)))
    widths = factor * rough**0.75 * scale**0.25
    together = float(np.sqrt(np.sum(widths**2)))
    return np.asarray(widths * max(1.0, abs(gap) / together) if together else widths)


def roughness(slopes: Floats) -> Floats:
    """Return the root mean square (...) of the highest Legendre coefficients that slopes (K, ...) have at the K points.

    The polynomials have a mean square of 1 on the path.

    >>> nodes = gauss_legendre(32)[0]
    >>> highest = 61**0.5 * np.polynomial.legendre.legval(2 * nodes - 1, [0] * 30 + [1])
    >>> roughness(np.stack([nodes**20, highest], axis=1)).round(3)
    array([0.   , 0.354])
    """
    return np.asarray(np.sqrt(np.mean(np.tensordot(_null_rules(len(slopes)), slopes, axes=1) ** 2, axis=0)))


@functools.lru_cache(maxsize=8)
def _null_rules(points: int) -> Floats:
    """Return weights (8, K) of the highest Legendre coefficients that a rule computes exactly of polynomials."""
    nodes, weights = _rule(points)
    highest = points - 1 if points % 2 == 0 else (3 * points - 1) // 4  # half the degree that the rule integrates
    degrees = np.arange(highest + 1 - COEFFICIENTS, highest + 1)
    values = np.polynomial.legendre.legvander(2 * nodes - 1, highest)[:, -COEFFICIENTS:]
    return np.asarray((values * np.sqrt(2 * degrees + 1) * weights[:, None]).T)


def _rule(points: int) -> tuple[Floats, Floats]:
    return gauss_kronrod(points // 2) if points % 2 else gauss_legendre(points)


def _judged(slopes: Floats, ends: tuple[float, float], tolerance: float) -> PathIntegral:
    """Return the integral of slopes (K, T) with its errors, and whether they and the gap are small enough."""
    parts = np.tensordot(_rule(len(slopes))[1], slopes, axes=1)
    gap = ends[1] - ends[0] - float(parts.sum())
    error = half_widths(slopes, gap)
    allowed = max(SMALLEST_ERROR, tolerance * float(np.abs(parts).max(initial=0.0)))
    of_difference = DIFFERENCE_ALLOWED * tolerance * abs(ends[1] - ends[0])
    allowed_gap = max(SMALLEST_TOLERANCE, min(GAP_ALLOWED * allowed, of_difference))
    widest = float(error.max(initial=0.0))
    converged = widest <= allowed and abs(gap) <= allowed_gap
    about = {"rule": "gauss_kronrod", "points": len(slopes), "converged": converged, "tolerance": allowed_gap}
    return PathIntegral(parts, *ends, allowed_gap, converged, about | {"largest_error": widest}, error)

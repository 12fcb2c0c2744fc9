"""Integrals over [0, 1]: points and weights, and how many points are enough.

Gauss-Legendre is the most exact for a number of points fixed beforehand. Kronrod's points lie between those of a Gauss
rule, so an integral is refined once without wasting an evaluation (`explain.numerics.gauss`, with an error for each
part). Clenshaw-Curtis points are nested: 17, 33, 65, 129 ... points each contain the ones before, and both ends.
Trefethen (2008), "Is Gauss quadrature better than Clenshaw-Curtis?", SIAM Review 50(1). Patterson (1968), "The optimum
addition of points to quadrature formulae", Mathematics of Computation 22.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

FIRST_LEVEL = 33  # below that a small gap is too often luck
SMALLEST_TOLERANCE = 1e-3  # in the unit of F
CHANGE_ALLOWED = 0.02  # of the largest part, between a level and the one with half its points


@functools.lru_cache(maxsize=64)
def gauss_legendre(points: int) -> tuple[Floats, Floats]:
    """Return nodes (K,) ascending and weights (K,) summing to 1; exact for polynomials of degree 2K - 1.

    >>> nodes, weights = gauss_legendre(2)
    >>> round(float(weights @ nodes**3), 12)  # the integral of x^3
    0.25
    """
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return _frozen((nodes + 1) / 2), _frozen(weights / 2)


@functools.lru_cache(maxsize=8)
def gauss_kronrod(points: int) -> tuple[Floats, Floats]:
    """Return nodes (2K + 1,) and weights of Kronrod's rule for K points: every second node is of `gauss_legendre(K)`.

    It is exact for polynomials of degree 3K + 1. The other nodes are the zeros of the polynomial that, times Legendre's
    of degree K, is orthogonal to every polynomial of degree K (Stieltjes); weights follow from the nodes.

    >>> nodes, weights = gauss_kronrod(7)
    >>> bool(np.allclose(nodes[1::2], gauss_legendre(7)[0])), round(float(weights @ nodes**22), 12)
    (True, 0.04347826087)
    """
    legendre = np.polynomial.legendre
    between, weights = legendre.leggauss(2 * points)
    values = legendre.legvander(between, points + 1)
    products = (values[:, :-1] * (weights * values[:, points])[:, None]).T @ values  # integrals of P_K P_i P_j
    lower = np.linalg.lstsq(products[:, :-1], -products[:, -1], rcond=1e-13)[0]
    polynomial = np.append(np.where((np.arange(points + 1) - points) % 2 == 0, 0.0, lower), 1.0)
    zeros = np.sort(legendre.legroots(polynomial).real)
    for _ in range(2):  # Newton's steps, to the last digit
        zeros -= legendre.legval(zeros, polynomial) / legendre.legval(zeros, legendre.legder(polynomial))
    nodes = np.empty(2 * points + 1)
    nodes[::2], nodes[1::2] = zeros, legendre.leggauss(points)[0]
    degrees = np.arange(len(nodes))
    weights = np.linalg.solve((legendre.legvander(nodes, len(nodes) - 1) * np.sqrt(2 * degrees + 1)).T, degrees == 0)
    return _frozen((nodes + 1) / 2), _frozen(weights)


@functools.lru_cache(maxsize=64)
def clenshaw_curtis(points: int) -> tuple[Floats, Floats]:
    """Return nodes (K,) ascending from 0 to 1 and weights (K,) summing to 1, for an odd number of at least 3 points.

    Raises:
        ValueError: an even number of points, or fewer than three.

    >>> nodes, weights = clenshaw_curtis(3)
    >>> nodes.round(12), weights.round(6)
    (array([0. , 0.5, 1. ]), array([0.166667, 0.666667, 0.166667]))
    """
    if points < 3 or points % 2 == 0:
        raise ValueError(f"Clenshaw-Curtis takes an odd number of at least 3 points, not {points}.")
    last = points - 1
    order = np.arange(points)
    nodes = (1 - np.cos(np.pi * order / last)) / 2
    harmonic = np.arange(1, last // 2 + 1)
    factor = np.where(harmonic == last // 2, 1.0, 2.0) / (4.0 * harmonic**2 - 1)
    weights = (1 - np.cos(2 * np.pi * np.outer(order, harmonic) / last) @ factor) / last
    weights[[0, -1]] /= 2
    return _frozen(nodes), _frozen(weights)


def new_nodes(points: int) -> Floats:
    """Return the nodes of `clenshaw_curtis(points)` that the level before lacks: every second one.

    >>> new_nodes(3).round(12)
    array([0.5])
    """
    return clenshaw_curtis(points)[0][1::2]


@dataclass(frozen=True, eq=False)
class PathIntegral:
    """The gradient of F, integrated along a path; the exact total is known: the difference of F at both ends.

    Attributes:
        parts (T,): each token's part.
        start, end: F at both ends.
        tolerance: largest gap allowed between the sum of the parts and end - start.
        converged: the gap is within it and, where points were added, the last ones changed little.
        about: rule, points, convergence and tolerance, as JSON values.
        error (T,): half-width of a 95 % interval around each part, or None where it is not estimated.
    """

    parts: Floats
    start: float
    end: float
    tolerance: float
    converged: bool
    about: dict[str, Any]
    error: Floats | None = None


# At nodes (K,): F (K,), and its derivative along the path by token (K, T).
Sample = Callable[[Floats], tuple[Floats, Floats]]


def nested(sample: Sample, most: int) -> Iterator[tuple[Floats, Floats]]:
    """Sample at 33, 65, 129 ... Clenshaw-Curtis points, up to `most`; no node is sampled twice.

    Yields:
        Values (K, ...) and slopes (K, ...) at the nodes of `clenshaw_curtis(K)`; values are of the first level's nodes
        only, whose first and last are those of every level.

    >>> [len(slopes) for values, slopes in nested(lambda nodes: (nodes**2, 2 * nodes[:, None]), most=65)]
    [33, 65]
    """
    points = FIRST_LEVEL
    values, slopes = sample(clenshaw_curtis(points)[0])
    yield values, slopes
    while points < most:
        points = 2 * points - 1
        finer = np.empty((points, *slopes.shape[1:]))
        finer[::2], finer[1::2] = slopes, sample(new_nodes(points))[1]
        slopes = finer
        yield values, slopes


def two_levels(slopes: Floats) -> tuple[Floats, Floats]:
    """Return the integral of slopes (K, ...) at Clenshaw-Curtis nodes, and the integral by every second node.

    >>> [round(float(integral), 6) for integral in two_levels(2 * clenshaw_curtis(5)[0])]
    [1.0, 1.0]
    """
    points = len(slopes)
    whole = np.tensordot(clenshaw_curtis(points)[1], slopes, axes=1)
    return whole, np.tensordot(clenshaw_curtis(points // 2 + 1)[1], slopes[::2], axes=1)


def agree(parts: Floats, coarser: Floats) -> tuple[bool, float]:
    """Return whether two successive levels agree, and the largest change from one to the other.

    >>> agree(np.array([1.0, 2.0]), np.array([1.0, 1.5]))
    (False, 0.5)
    """
    change = float(np.abs(parts - coarser).max(initial=0.0))
    return change <= CHANGE_ALLOWED * float(np.abs(parts).max(initial=0.0)) + SMALLEST_TOLERANCE, change


def refined(sample: Sample, tolerance: float, most: int) -> PathIntegral:
    """Integrate on nested Clenshaw-Curtis points until the gap is small and two successive levels agree.

    Args:
        tolerance: largest gap allowed, as a part of the difference between the ends.
        most: the largest number of points; the integral is then returned as not converged.

    >>> square = refined(lambda nodes: (nodes**2, 2 * nodes[:, None]), tolerance=0.05, most=65)
    >>> square.converged, square.about["points"], square.parts.round(6)
    (True, 33, array([1.]))
    """
    for values, slopes in nested(sample, most):
        start, end = float(values[0]), float(values[-1])
        allowed = allowed_gap(tolerance, end - start)
        parts, coarser = two_levels(slopes)
        agreed, change = agree(parts, coarser)
        converged = abs(end - start - float(parts.sum())) <= allowed and agreed
        if converged:
            break
    about = {"rule": "clenshaw_curtis", "points": len(slopes), "converged": converged, "tolerance": allowed}
    return PathIntegral(parts, start, end, allowed, converged, about | {"change_from_half_the_points": change})


def fixed(sample: Sample, ends: tuple[float, float], tolerance: float, points: int) -> PathIntegral:
    """Integrate on a fixed number of Gauss-Legendre points; F at the ends is an argument, as they are no such points.

    >>> fixed(lambda nodes: (nodes**2, 2 * nodes[:, None]), (0.0, 1.0), tolerance=0.05, points=4).parts.round(6)
    array([1.])
    """
    nodes, weights = gauss_legendre(points)
    parts = weights @ sample(nodes)[1]
    allowed = allowed_gap(tolerance, ends[1] - ends[0])
    converged = abs(ends[1] - ends[0] - float(parts.sum())) <= allowed
    about = {"rule": "gauss_legendre", "points": points, "converged": converged, "tolerance": allowed}
    return PathIntegral(parts, *ends, allowed, converged, about)


def about_all(integrals: Sequence[PathIntegral]) -> dict[str, Any]:
    """Return `about` of several integrals together: the worst of each figure.

    >>> square = lambda nodes: (nodes**2, 2 * nodes[:, None])
    >>> about_all([fixed(square, (0.0, 1.0), 0.05, 4), fixed(square, (0.0, 1.0), 0.05, 8)])["points"]
    8
    """
    merged = dict(integrals[0].about)
    for integral in integrals[1:]:
        for name, figure in integral.about.items():
            if name != "rule":
                merged[name] = merged[name] and figure if name == "converged" else max(merged[name], figure)
    return merged


def allowed_gap(tolerance: float, difference: float) -> float:
    """Return the largest gap allowed, in the unit of F: a part of a difference of F, but no less than rounding makes.

    >>> allowed_gap(0.05, difference=-2.0), allowed_gap(0.05, difference=0.0)
    (0.1, 0.001)
    """
    return max(SMALLEST_TOLERANCE, tolerance * abs(difference))


def _frozen(values: Floats) -> Floats:
    values.flags.writeable = False
    return values

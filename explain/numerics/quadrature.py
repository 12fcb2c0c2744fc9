"""Points and weights for integrals over [0, 1].

Clenshaw-Curtis points are nested: 17, 33, 65, 129 ... points each contain the ones before, so an integral is refined
without throwing a value away. They contain both ends. Gauss-Legendre is the most exact for a number of points fixed
beforehand. Trefethen (2008), "Is Gauss quadrature better than Clenshaw-Curtis?", SIAM Review 50(1).
"""

import functools

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@functools.lru_cache(maxsize=64)
def gauss_legendre(points: int) -> tuple[Floats, Floats]:
    """Nodes (K,) ascending and weights (K,) summing to 1; exact for polynomials of degree 2K - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return _frozen((nodes + 1) / 2), _frozen(weights / 2)


@functools.lru_cache(maxsize=64)
def clenshaw_curtis(points: int) -> tuple[Floats, Floats]:
    """Nodes (K,) ascending from 0 to 1 and weights (K,) summing to 1, for an odd number of points of at least 3.

    Raises:
        ValueError: an even number of points, or fewer than three.
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
    """The nodes of `clenshaw_curtis(points)` that half as many intervals do not have: every second one."""
    return clenshaw_curtis(points)[0][1::2]


def _frozen(values: Floats) -> Floats:
    values.flags.writeable = False
    return values

"""Exact nearest vectors by cosine, in blocks that bound the memory."""

import numpy as np
import numpy.typing as npt

BLOCK = 8192  # vectors compared at once
_DIGITS = 9  # equal vectors must have equal cosines, wherever they stand in a product of matrices


def unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Scale vectors (N, D) to length 1; a vector of length 0 stays, and is orthogonal to all.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def cosines(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the cosine (N, M) of every vector of a set (N, D) with every vector of another (M, D).

    >>> cosines(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [3.0, 4.0]]))
    array([[1. , 0.6]])
    """
    product = unit(left.astype(np.float64)) @ unit(right.astype(np.float64)).T
    return np.clip(np.round(product, _DIGITS), -1.0, 1.0)


def nearest(
    vectors: npt.NDArray[np.floating], query: npt.NDArray[np.floating], most: int, block: int = BLOCK
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the vectors with the largest cosine to a query, by comparing all of them.

    Args:
        vectors (N, D), query (D,).
        block: vectors compared at once.

    Returns:
        Their numbers (K,) and cosines (K,), the nearest first, equal ones in their order; K is `most`, or N if less.

    >>> nearest(np.array([[0.0, 1.0], [3.0, 4.0], [1.0, 0.0]]), np.array([1.0, 0.0]), most=2)
    (array([2, 1]), array([1. , 0.6]))
    """
    members, similarities = np.empty(0, dtype=np.int64), np.empty(0)
    for start in range(0, len(vectors), block):
        part = cosines(query[None], vectors[start : start + block])[0]
        members = np.concatenate([members, np.arange(start, start + len(part))])
        similarities = np.concatenate([similarities, part])
        best = np.argsort(-similarities, kind="stable")[:most]
        members, similarities = members[best], similarities[best]
    return members, similarities


def evenly_drawn(count: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most `most` of the numbers below `count`, drawn evenly, in their order.

    >>> evenly_drawn(3, most=5, seed=0)
    array([0, 1, 2])
    >>> len(evenly_drawn(100, most=5, seed=0))
    5
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))

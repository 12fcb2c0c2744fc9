"""Who lies nearest to whom: cosines of vectors, exactly, in blocks that bound the memory."""

import numpy as np
import numpy.typing as npt

BLOCK = 8192  # vectors compared at once
_DIGITS = 9  # equal vectors are to have equal cosines, wherever in a product of matrices they stand


def unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Vectors (N, D) at length 1; one of length 0 stays, and is at a right angle to all."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def cosines(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The cosine (N, M) of every vector of one set (N, D) with every one of another (M, D)."""
    product = unit(left.astype(np.float64)) @ unit(right.astype(np.float64)).T
    return np.clip(np.round(product, _DIGITS), -1.0, 1.0)


def nearest(
    vectors: npt.NDArray[np.floating], query: npt.NDArray[np.floating], most: int, block: int = BLOCK
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The vectors with the largest cosine to a query, found by looking at all of them.

    Args:
        vectors (N, D), query (D,).
        block: vectors compared at once.

    Returns:
        Their numbers (K,) and cosines (K,), the nearest first, equal ones in their order; K is `most`, or N if less.
    """
    members, found = np.empty(0, dtype=np.int64), np.empty(0)
    for start in range(0, len(vectors), block):
        part = cosines(query[None], vectors[start : start + block])[0]
        members = np.concatenate([members, np.arange(start, start + len(part))])
        found = np.concatenate([found, part])
        best = np.argsort(-found, kind="stable")[:most]
        members, found = members[best], found[best]
    return members, found


def evenly_drawn(count: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most `most` of the numbers below `count`, drawn evenly, in their order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))

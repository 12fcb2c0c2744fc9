"""Token weights by word, or by any other set of tokens."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def by_unit(weights: npt.NDArray[np.floating], units: Sequence[Sequence[int]]) -> npt.NDArray[np.floating]:
    """Return weights (..., T, T) between units (..., U, U): sums over attended tokens, means over attending ones.

    So rows that summed to 1 still do, where every token is in a unit. Clark et al. (2019),
    https://arxiv.org/abs/1906.04341, section 4.1.

    >>> by_unit(np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]), [[0], [1, 2]])
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    member = np.zeros((weights.shape[-1], len(units)), dtype=weights.dtype)
    for number, unit in enumerate(units):
        member[list(unit), number] = 1
    return (member / np.maximum(member.sum(axis=0), 1)).T @ weights @ member


def pooled(weights: npt.NDArray[np.floating], most: int) -> npt.NDArray[np.floating]:
    """Shrink maps (..., T, T) to at most `most` cells a side, each the largest weight of the cells it covers.

    >>> pooled(np.arange(16.0).reshape(4, 4), 2)
    array([[ 5.,  7.],
           [13., 15.]])
    """
    count = weights.shape[-1]
    if count <= most:
        return weights
    starts = np.linspace(0, count, most, endpoint=False).astype(int)
    return np.maximum.reduceat(np.maximum.reduceat(weights, starts, axis=-2), starts, axis=-1)

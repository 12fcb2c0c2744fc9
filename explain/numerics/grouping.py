"""Token weights by word, or by any other set of tokens."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def by_unit(weights: npt.NDArray[np.floating], units: Sequence[Sequence[int]]) -> npt.NDArray[np.floating]:
    """Weights (..., T, T) between units (..., U, U): summed over the tokens looked at, averaged over those that look.

    So rows that summed to 1 still do, where every token is in a unit. Clark et al. (2019),
    https://arxiv.org/abs/1906.04341, section 4.1.
    """
    member = np.zeros((weights.shape[-1], len(units)), dtype=weights.dtype)
    for number, unit in enumerate(units):
        member[list(unit), number] = 1
    return (member / np.maximum(member.sum(axis=0), 1)).T @ weights @ member


def pooled(weights: npt.NDArray[np.floating], most: int) -> npt.NDArray[np.floating]:
    """Maps (..., T, T) made at most `most` wide and high, each cell the largest weight of those it stands for."""
    count = weights.shape[-1]
    if count <= most:
        return weights
    starts = np.linspace(0, count, most, endpoint=False).astype(int)
    return np.maximum.reduceat(np.maximum.reduceat(weights, starts, axis=-2), starts, axis=-1)

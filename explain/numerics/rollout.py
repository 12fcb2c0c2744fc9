"""Attention rollout: attention weights multiplied back through the layers.

    A_l = (1 - r) W_l + r I,    R = A_L ... A_2 A_1,    later layers on the left; rows of R sum to 1

W_l is a layer's attention averaged over heads, r the share of the residual. Abnar and Zuidema (2020),
https://arxiv.org/abs/2005.00928, section 3, with r = 1/2.
"""

import numpy as np
import numpy.typing as npt


def with_residual(weights: npt.NDArray[np.floating], residual: float) -> npt.NDArray[np.floating]:
    """Return A_l of each layer (L, T, T), for a share of the residual in [0, 1].

    >>> with_residual(np.array([[[0.2, 0.8], [0.6, 0.4]]]), 0.5)
    array([[[0.6, 0.4],
            [0.3, 0.7]]])
    """
    mixed = (1 - residual) * weights
    diagonal = np.arange(weights.shape[-1])
    mixed[:, diagonal, diagonal] += residual
    return mixed


def roll_back(
    weights: npt.NDArray[np.floating], rows: npt.NDArray[np.floating], *, keep: bool = False
) -> npt.NDArray[np.float64]:
    """Return the share of each input token in the rows that are read: rows A_L ... A_1.

    Args:
        weights (L, T, T): of each layer, first to last.
        rows (T,): how the last layer's rows are weighed.
        keep: multiply with I + A_l instead of A_l, as in R = R + A_l R.

    Returns:
        (T,). A vector times L matrices, not L products of matrices.

    >>> roll_back(np.array([[[0.5, 0.5], [0.0, 1.0]]] * 2), np.array([1.0, 0.0]))
    array([0.25, 0.75])
    """
    share = np.asarray(rows, dtype=np.float64)
    for layer in weights[::-1]:
        share = share @ layer + share if keep else share @ layer
    return share


def rows_to_one(weights: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Scale each row of non-negative weights (..., T) to sum to 1; rows of zeros stay zero.

    >>> rows_to_one(np.array([[1.0, 3.0], [0.0, 0.0]]))
    array([[0.25, 0.75],
           [0.  , 0.  ]])
    """
    total = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)

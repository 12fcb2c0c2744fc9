"""Attention rollout: attention followed back through the layers, the residual stream counted as looking at oneself.

    A_l = (1 - r) W_l + r I,    R = A_L ... A_2 A_1,    later layers on the left; rows of R sum to 1

W_l is a layer's attention averaged over heads, r the share of the residual. Abnar and Zuidema (2020),
https://arxiv.org/abs/2005.00928, section 3, with r = 1/2.
"""

import numpy as np
import numpy.typing as npt


def rollout(
    weights: npt.NDArray[np.floating], rows: npt.NDArray[np.floating], residual: float = 0.5
) -> npt.NDArray[np.float64]:
    """Roll attention back to the input, for the rows a head reads.

    Args:
        weights (L, T, T): attention averaged over heads; rows sum to 1.
        rows (T,): how the head weighs the last layer's rows; sums to 1.
        residual: r above, in [0, 1].

    Returns:
        (T,): the share of each input token, sums to 1. A vector times L matrices, not L products of matrices.
    """
    share = np.asarray(rows, dtype=np.float64)
    for layer in reversed(range(len(weights))):
        share = (1 - residual) * (share @ weights[layer]) + residual * share
    return share


def rollout_matrix(weights: npt.NDArray[np.floating], residual: float = 0.5) -> npt.NDArray[np.float64]:
    """The whole matrix R (T, T), written as the formula is; `rollout` is its product with the rows read."""
    count = weights.shape[-1]
    joint = np.eye(count)
    for layer in weights:
        joint = ((1 - residual) * layer + residual * np.eye(count)) @ joint
    return joint

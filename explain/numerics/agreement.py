"""How far two explanations of one text agree: word by word, on the same words in the same order."""

import math

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


def agreement(left: _Floats, right: _Floats, *, signed: bool) -> dict[str, float]:
    """Figures of agreement of two sets of scores (U,).

    Args:
        signed: both have signs; else sizes are compared, and "signs" is not among the figures.

    Returns:
        "spearman" and "kendall" (tau-b): rank correlations, 0 where one side says the same of every word;
        "top_overlap": the share of the top words of the one that are among the top words of the other, sizes compared,
        a fifth of the words but at least three; "signs": the share of the union of these that have the same sign.
    """
    from scipy.stats import kendalltau, spearmanr

    if not signed:
        left, right = np.abs(left), np.abs(right)
    top = min(len(left), max(3, math.ceil(len(left) / 5)))
    one, other = (set(np.argsort(-np.abs(side), kind="stable")[:top].tolist()) for side in (left, right))
    plain = np.ptp(left) == 0 or np.ptp(right) == 0
    found = {
        "spearman": 0.0 if plain else float(spearmanr(left, right).statistic),
        "kendall": 0.0 if plain else float(kendalltau(left, right).statistic),
        "top_overlap": len(one & other) / top,
    }
    if signed:
        either = sorted(one | other)
        found["signs"] = float(np.mean(np.sign(left[either]) == np.sign(right[either])))
    return found

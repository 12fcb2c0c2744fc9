"""Agreement of two explanations of one text: word by word, on the same words in the same order."""

import math

import numpy as np
import numpy.typing as npt

from explain.numerics.statistics import kendall, spearman

_Floats = npt.NDArray[np.float64]


def leading(words: int) -> int:
    """Return the number of top words: a fifth of all words, but at least three.

    >>> leading(40), leading(5), leading(2)
    (8, 3, 2)
    """
    return min(words, max(3, math.ceil(words / 5)))


def places(scores: _Floats) -> npt.NDArray[np.int64]:
    """Return each word's rank (..., U) by the size of its score, the largest being 1; ties by position in the text.

    >>> places(np.array([0.1, -0.9, 0.4]))
    array([3, 1, 2])
    """
    return np.argsort(np.argsort(-np.abs(scores), axis=-1, kind="stable"), axis=-1) + 1


def disputed(scores: _Floats, most: int = 3) -> list[int]:
    """Return the words whose rank differs most between methods, among the top words of any method.

    Args:
        scores (M, U): of M methods on the same words.

    >>> disputed(np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 1.0, 2.0, 3.0]]))
    [1, 3]
    """
    ranks = places(scores)
    top = np.flatnonzero((ranks <= leading(scores.shape[1])).any(axis=0))
    spread = np.ptp(ranks[:, top], axis=0)
    return [int(top[number]) for number in np.argsort(-spread, kind="stable")[:most] if spread[number] > 0]


def order_and_sign(scores: _Floats, effects: _Floats) -> float | None:
    """Return how well scores (U,) order and sign words as effects (U,) do: -1 to 1.

    It is the mean of Spearman's rank correlation, which asks for the order alone, and of the cosine of signed square
    roots, which asks for sign and size, without one strong word that hides the others.

    Returns:
        None where the rank correlation is undefined, see `spearman`.

    >>> round(order_and_sign(np.array([3.0, 0.0, -2.0]), np.array([9.0, 0.0, -6.0])), 3)
    1.0
    >>> round(order_and_sign(np.array([9.0, 4.0, 1.0]), np.array([9.0, -4.0, -1.0])), 3)  # two signs are wrong
    0.393
    """
    order = spearman(scores, effects)
    if order is None:
        return None
    left, right = roots(scores), roots(effects)
    return (order + float(left @ right) / float(np.linalg.norm(left) * np.linalg.norm(right))) / 2


def roots(scores: _Floats) -> _Floats:
    """Return square roots of sizes, with the signs.

    >>> roots(np.array([4.0, -9.0, 0.0]))
    array([ 2., -3.,  0.])
    """
    return np.asarray(np.sign(scores) * np.sqrt(np.abs(scores)))


def balanced_signs(scores: _Floats, signs: npt.NDArray[np.int64]) -> float | None:
    """Return the share of known signs (U,) that scores (U,) have, averaged over words that speak for and against.

    So a method that calls every word a reason for the decision gets half, whatever their number.

    Args:
        signs: 1, -1, or 0 where the sign is not known.

    Returns:
        None where no sign is known.

    >>> balanced_signs(np.array([2.0, 1.0, 3.0, 1.0]), np.array([1, 1, -1, 0]))
    0.5
    """
    shares = [float(np.mean(np.sign(scores[signs == sign]) == sign)) for sign in (1, -1) if (signs == sign).any()]
    return float(np.mean(shares)) if shares else None


def agreement(left: _Floats, right: _Floats, *, signed: bool) -> dict[str, float | None]:
    """Return figures of agreement of two sets of scores (U,), each None where it is undefined.

    Args:
        signed: both have signs; else sizes are compared, and "signs" is not among the figures.

    Returns:
        "spearman" and "kendall" (tau-b): rank correlations, undefined where a side gives every word the same score, and
        for fewer than three words; "top_overlap": the share of the top words of the one that are among the top words of
        the other, sizes compared, a fifth of the words but at least three; "signs": the share of the union of these
        that have the same sign. The last two are undefined where all scores of a side have the same size.

    >>> agreement(np.array([3.0, -2.0, 1.0]), np.array([3.0, 2.0, 1.0]), signed=True)["signs"]  # two of three
    0.6666666666666666
    """
    if not signed:
        left, right = np.abs(left), np.abs(right)
    figures: dict[str, float | None] = {"spearman": spearman(left, right), "kendall": kendall(left, right)}
    if np.ptp(np.abs(left)) == 0 or np.ptp(np.abs(right)) == 0:  # no top words
        return figures | dict.fromkeys(("top_overlap", "signs") if signed else ("top_overlap",))
    top = leading(len(left))
    of_left, of_right = (set(np.argsort(-np.abs(side), kind="stable")[:top].tolist()) for side in (left, right))
    figures["top_overlap"] = len(of_left & of_right) / top
    if signed:
        either = sorted(of_left | of_right)
        figures["signs"] = float(np.mean(np.sign(left[either]) == np.sign(right[either])))
    return figures

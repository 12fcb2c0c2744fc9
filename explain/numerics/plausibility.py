"""Agreement of scores with a reader's marked words: token F1, IOU and AUPRC, and their means over random orders.

After ERASER, DeYoung et al. (2020), https://arxiv.org/abs/1911.03429, section 4: overlap for a choice of words, the
area under the precision-recall curve for scores. A choice must have a size; here it is that of the reader's.
"""

from math import comb

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


def plausibility(scores: _Floats, marked: _Bools) -> dict[str, float]:
    """Return figures of agreement of one method's scores with marked words.

    Args:
        scores (U,): of words, the highest first in the method's order (signed or not); equal ones by place in the text.
        marked (U,): the words a reader marked: one at least, and not all of them.

    Returns:
        With k words marked, and the k highest-scored ones as the method's choice: "f1" (precision and recall are the
        same here) and "iou", the choices' intersection over their union. "auprc": the average precision of the scores,
        sum over distinct scores of (recall gained) x (precision), in which equal scores make one step. (ERASER's scorer
        joins the points by straight lines, which flatters.) All from 0 to 1.

    Raises:
        ValueError: no word is marked, or every word.

    >>> plausibility(np.array([0.9, 0.1, 0.5, -0.2]), np.array([True, False, False, False]))
    {'f1': 1.0, 'iou': 1.0, 'auprc': 1.0}
    """
    count = int(marked.sum())
    _check(len(marked), count)
    top = np.argsort(-scores, kind="stable")[:count]
    shared = int(marked[top].sum())
    return {
        "f1": shared / count,
        "iou": shared / (2 * count - shared),
        "auprc": _average_precision(scores, marked),
    }


def chance(words: int, marked: int) -> dict[str, float]:
    """Return the mean of each figure over all orders of the words: the chance level, without ties.

    The mean average precision is above marked / words, the precision of an endless list, and far above in short texts.

    Raises:
        ValueError: no word is marked, or every word.

    >>> chance(words=4, marked=1)
    {'f1': 0.25, 'iou': 0.25, 'auprc': 0.5208333333333333}
    """
    _check(words, marked)
    ways = comb(words, marked)
    overlap = [  # how many of a random choice are marked: hypergeometric
        (shared, comb(marked, shared) * comb(words - marked, marked - shared) / ways) for shared in range(marked + 1)
    ]
    harmonic = float((1 / np.arange(1, words + 1)).sum())
    # At a marked word in place i the precision is (1 + (i - 1) (marked - 1) / (words - 1)) / i; the mean over places.
    others = (marked - 1) / (words - 1)
    return {
        "f1": marked / words,
        "iou": sum(shared / (2 * marked - shared) * weight for shared, weight in overlap),
        "auprc": others + (1 - others) * harmonic / words,
    }


def _check(words: int, marked: int) -> None:
    if not 0 < marked < words:
        raise ValueError(f"{marked} of {words} words are marked; some must be, and some not.")


def _average_precision(scores: _Floats, marked: _Bools) -> float:
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # of each run of equal scores
    hits = np.cumsum(marked[order])[last]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / (last + 1)).sum() / marked.sum())

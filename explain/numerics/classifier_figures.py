"""Figures of a classifier with 95 % intervals that cost as much for a million rows as for a hundred."""

import math

import numpy as np
import numpy.typing as npt

from explain.numerics.statistics import NORMAL, wilson

Interval = tuple[float, float, float]  # the figure, and the ends of its 95 % interval
_Numbers = npt.NDArray[np.floating]
_Flags = npt.NDArray[np.bool_]
DRAWS = 2000


def share(hits: int, count: int) -> Interval | None:
    """Return a share with its interval (Wilson 1927); None of nothing.

    >>> print("{:.2f} ({:.2f} to {:.2f})".format(*share(8, 10)))
    0.80 (0.49 to 0.94)
    """
    return (hits / count, *wilson(hits, count)) if count else None


def f1(hits: int, positives: int, predictions: int, count: int, seed: int = 0) -> Interval | None:
    """Return F1 with its interval: percentiles of a bootstrap over rows (Efron 1979).

    Only the numbers of rows matter that are hits, missed, wrongly predicted, and none of these, so they are drawn.

    Args:
        hits: rows that are predicted and have the label; positives: that have it; predictions: that are predicted.
        count: of all rows.

    >>> print("{:.2f} ({:.2f} to {:.2f})".format(*f1(40, 50, 60, 200)))
    0.73 (0.62 to 0.81)
    """
    if not positives + predictions:
        return None
    cells = np.array([hits, positives - hits, predictions - hits, count - positives - predictions + hits])
    drawn = np.random.default_rng(seed).multinomial(count, cells / count, size=DRAWS)
    both = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
    low, high = np.percentile(2 * drawn[both > 0, 0] / both[both > 0], [2.5, 97.5])
    return 2 * hits / (positives + predictions), float(low), float(high)


def roc_area(right: _Flags, scores: _Numbers) -> Interval | None:
    """Return the area under the ROC curve with its interval.

    The variance is DeLong's (1988) by midranks (Sun and Xu 2014, equations 5 to 8); the interval is taken on the scale
    of log-odds, so that it stays inside 0 and 1. None where all rows have the label, or none.

    Args:
        right (N): whether a row has the label; scores (N): its probability.

    >>> print("{:.2f} ({:.2f} to {:.2f})".format(*roc_area(np.arange(40) % 3 == 0, np.arange(40) / 40)))
    0.50 (0.31 to 0.69)
    """
    from scipy.stats import rankdata  # scipy takes long to import

    positives, negatives = scores[right], scores[~right]
    m, n = len(positives), len(negatives)
    if not m or not n:
        return None
    ranks = rankdata(np.concatenate([positives, negatives]))
    area = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    if m < 2 or n < 2 or not 0 < area < 1:
        return _exact_end(area, min(m, n))
    of_positives = (ranks[:m] - rankdata(positives)) / n
    of_negatives = 1 - (ranks[m:] - rankdata(negatives)) / m
    variance = of_positives.var(ddof=1) / m + of_negatives.var(ddof=1) / n
    return area, *on_log_odds(area, math.sqrt(variance) / (area * (1 - area)))


def average_precision(right: _Flags, scores: _Numbers) -> Interval | None:
    """Return the area under the precision-recall curve with its interval.

    The area is the mean precision at the rows that have the label. The interval is the logit interval of Boyd, Eng and
    Page (2013, section 3.2), by the number of these rows. None where all rows have the label, or none.

    Args:
        right (N): whether a row has the label; scores (N): its probability.

    >>> print("{:.2f} ({:.2f} to {:.2f})".format(*average_precision(np.arange(40) >= 20, np.arange(40) % 25 / 25)))
    0.62 (0.40 to 0.80)
    """
    positives = int(right.sum())
    if not positives or positives == len(right):
        return None
    order = np.argsort(-scores, kind="stable")
    falling, hits = scores[order], np.cumsum(right[order])
    last = np.append(falling[1:] != falling[:-1], True)  # equal scores share one threshold
    gained = np.diff(hits[last], prepend=0)
    area = min(1.0, float((gained * hits[last] / (np.flatnonzero(last) + 1)).sum() / positives))
    if not 0 < area < 1:
        return _exact_end(area, positives)
    return area, *on_log_odds(area, 1 / math.sqrt(positives * area * (1 - area)))


def calibration_error(confidence: _Numbers, right: _Flags, bins: int = 15, seed: int = 0) -> Interval:
    """Return the expected calibration error over equal bins (Guo et al. 2017, equation 3), and a bootstrap interval.

    Rows of one bin that are right, and those that are wrong, count with their mean confidence. Of draws from a
    calibrated model the error is above 0, too: it is biased upward, the more so the fewer rows there are. So the low
    end is what is left when the bins' excesses err as far, all together, as in 97.5 % of the draws.

    Args:
        confidence (N): probability of the decision; right (N): whether it was right.

    >>> print("{:.2f} ({:.2f} to {:.2f})".format(*calibration_error(np.full(100, 0.9), np.arange(100) % 2 == 0)))
    0.40 (0.29 to 0.50)
    """
    cells = 2 * np.minimum((confidence * bins).astype(int), bins - 1) + right
    counts = np.bincount(cells, minlength=2 * bins)
    sums = np.bincount(cells, weights=confidence, minlength=2 * bins)
    means = sums / np.maximum(counts, 1)

    drawn = np.random.default_rng(seed).multinomial(len(right), counts / len(right), size=DRAWS)
    return error_of_excess(bin_excess(counts, means) / len(right), bin_excess(drawn, means) / len(right))


def bin_excess(counts: npt.NDArray[np.number], means: _Numbers) -> _Numbers:
    """Return the sum of right less confidence in each bin. (..., bins)

    Args:
        counts (..., 2 x bins): of wrong and right rows of each bin; means (2 x bins): their confidence.

    >>> bin_excess(np.array([1.0, 3.0]), np.array([0.5, 0.75]))
    array([0.25])
    """
    signed = counts * (np.arange(len(means)) % 2 - means)
    return np.asarray(signed.reshape(*counts.shape[:-1], -1, 2).sum(axis=-1))


def error_of_excess(excess: _Numbers, drawn: _Numbers) -> Interval:
    """Return the calibration error with its interval; see `calibration_error`.

    Args:
        excess (bins): the share of right less the mean confidence, times the bin's share of rows.
        drawn (draws, bins): the same of rows that are drawn again.

    >>> error_of_excess(np.array([0.1, -0.1]), np.array([[0.1, -0.1], [0.2, -0.1]]))[0]
    0.2
    """
    error = float(np.abs(excess).sum())
    astray = np.percentile(np.abs(drawn - excess).sum(axis=-1), 97.5)
    high = max(error, float(np.percentile(np.abs(drawn).sum(axis=-1), 97.5)))
    return error, max(0.0, error - float(astray)), high


def calibration_groups(
    confidence: _Numbers, right: _Flags, groups: int = 10
) -> list[tuple[float, float, float, float, int]]:
    """Return groups of rows of equal size by confidence: mean confidence, share right with its interval, rows.

    Args:
        confidence (N): probability of the decision; right (N): whether it was right.

    >>> [(group[1], group[-1]) for group in calibration_groups(np.arange(40) / 40, np.arange(40) >= 20)]
    [(0.0, 20), (1.0, 20)]
    """
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, max(1, min(groups, len(order) // 20))) if len(part)]
    return [
        (
            float(confidence[part].mean()),
            float(right[part].mean()),
            *wilson(int(right[part].sum()), len(part)),
            len(part),
        )
        for part in parts
    ]


def on_log_odds(figure: float, error: float, z: float = NORMAL) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a figure between 0 and 1, taken on the scale of log-odds.

    Args:
        error: the standard error there; z: half of the interval in standard errors.

    >>> print("{:.2f} to {:.2f}".format(*on_log_odds(0.9, 0.5)))
    0.77 to 0.96
    """
    middle = math.log(figure / (1 - figure))
    low, high = (1 / (1 + math.exp(-min(700.0, max(-700.0, middle + sign * z * error)))) for sign in (-1, 1))
    return low, high


def _exact_end(area: float, count: int) -> Interval:
    """Return an area of 0 or 1, or of a single row, with the interval of a share of so many rows."""
    return area, *wilson(area * count, count)


def curve_points(
    right: _Flags, scores: _Numbers, most: int = 80, weights: _Numbers | None = None
) -> tuple[list[tuple[float, float]], ...]:
    """Return the points of the ROC curve (false positive rate, recall) and of precision by recall.

    Args:
        right (N), some of which have the label and some not; scores (N); most: points of a curve, thinned evenly.
        weights (N): as how many rows each counts; None: as one.

    >>> curve_points(np.array([True, False]), np.array([0.9, 0.1]))
    ([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)], [(0.0, 1.0), (1.0, 1.0), (1.0, 0.5)])
    """
    order = np.argsort(-scores, kind="stable")
    falling, weight = scores[order], np.ones(len(order)) if weights is None else weights[order]
    last = np.append(falling[1:] != falling[:-1], True)
    hits, predicted = np.cumsum(weight * right[order])[last], np.cumsum(weight)[last]
    recall, precision = hits / hits[-1], hits / predicted
    wrong = (predicted - hits) / (predicted[-1] - hits[-1])
    kept = np.unique(np.linspace(0, len(hits) - 1, min(len(hits), most)).round().astype(int))
    roc = [(0.0, 0.0), *zip(wrong[kept].tolist(), recall[kept].tolist())]
    return roc, [(0.0, float(precision[0])), *zip(recall[kept].tolist(), precision[kept].tolist())]

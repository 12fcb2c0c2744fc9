"""The size of a stratified sample whose intervals are as narrow as is wanted, by the variances of a pilot sample."""

import math
from collections.abc import Callable, Mapping, Sequence

from explain.numerics.statistics import wilson
from explain.numerics.stratified import RatioSums, Strata, residual_variance, stratified_ratio, student

_SURE = 0.8  # the probability with which the pilot's variance, as it is raised, is not too small
_SURE_NORMAL = 0.8416  # the normal distribution's quantile of it
_TAILS = 3  # scores have longer tails than the normal distribution: a kurtosis of 7, so a variance is less certain
_POOLED = 5  # rows as many of which the variance of all strata counts in the variance of a stratum


def planned_half_width(sums: Mapping[int, RatioSums], pilot: Strata, planned: Strata) -> float:
    """Return the half-width of a mean's interval in a planned sample, as a pilot sample of the same strata lets expect.

    The pilot's variance is raised to what it is at most in four of five draws.

    >>> sums = RatioSums()
    >>> for score in (0.0, 1.0) * 20:
    ...     sums.add([score])
    >>> pilot = Strata.planned([10_000], 40)
    >>> [round(planned_half_width({0: sums}, pilot, Strata.planned([10_000], size)), 2) for size in (40, 160)]
    [0.2, 0.1]
    """
    from scipy.special import chdtri  # scipy takes long to import

    estimate = stratified_ratio(sums, pilot)
    counts = sum(pilot.weight(stratum) * part.counts for stratum, part in sums.items())
    variances = {
        stratum: residual_variance(part, estimate.ratio, pilot.seen[stratum]) for stratum, part in sums.items()
    }
    seen = {stratum: pilot.seen[stratum] for stratum in sums}
    pooled = sum(variances[stratum] * seen[stratum] for stratum in sums) / sum(seen.values())
    variance = 0.0
    for stratum in sums:
        own = (variances[stratum] * seen[stratum] + pooled * _POOLED) / (seen[stratum] + _POOLED)
        weight = planned.weight(stratum)
        variance += weight**2 * planned.left(stratum) * planned.drawn[stratum] * own
    texts = estimate.texts
    freedom = max(1, texts - 1)
    raised = max(1.0, freedom / _TAILS) / chdtri(max(1.0, freedom / _TAILS), _SURE) * texts / freedom
    later = texts * sum(planned.drawn) / sum(pilot.drawn)
    return float(student(max(1, round(later) - len(sums))) * math.sqrt(raised * variance) / counts)


def planned_share_half_width(sums: Mapping[int, RatioSums], pilot: Strata, planned: Strata) -> float:
    """Return the half-width of a share's interval in a planned sample; see `planned_half_width`.

    The share is taken to be the one nearest to a half that the pilot lets expect in four of five draws.

    >>> sums = RatioSums()
    >>> for score in (0.0, 1.0) * 20:
    ...     sums.add([score])
    >>> pilot = Strata.planned([10_000], 40)
    >>> [round(planned_share_half_width({0: sums}, pilot, Strata.planned([10_000], size)), 2) for size in (40, 160)]
    [0.15, 0.08]
    """
    estimate = stratified_ratio(sums, pilot)
    low, high = estimate.share_interval(z=_SURE_NORMAL)
    share = min(max(0.5, low), high)
    standing = alike = 0.0
    for stratum, part in sums.items():
        later = part.texts / pilot.seen[stratum] * planned.drawn[stratum]
        standing += planned.weight(stratum) * later
        alike += planned.weight(stratum) ** 2 * planned.left(stratum) * later
    if alike <= 0:
        return 0.0
    size = standing**2 / alike * estimate.effective_of_share / estimate.effective
    later_low, later_high = wilson(share * size, size)
    return (later_high - later_low) / 2


def size_for(width: float, rows: Sequence[int], least: int, width_of: Callable[[Strata], float]) -> int:
    """Return the smallest sample whose widest interval is within a half-width.

    Args:
        width: the half-width that is wanted.
        rows (H): of each stratum.
        least: a size that is drawn in any case.
        width_of: the half-width that a planned sample lets expect; that of all rows is 0.

    >>> size_for(0.1, [1000], 2, lambda strata: strata.drawn[0] ** -0.5)
    100
    """
    low, high = min(least, sum(rows)), sum(rows)
    while low < high:
        middle = (low + high) // 2
        if width_of(Strata.planned(rows, middle)) <= width:
            high = middle
        else:
            low = middle + 1
    return high

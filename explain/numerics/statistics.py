"""Rank correlations, and 95 % intervals of means, shares and ratios. What is undefined is None, never 0."""

import math

import numpy as np
import numpy.typing as npt

NORMAL = 1.96  # half the width of a 95 % interval, in standard errors, where the samples are many
FEWEST_RANKS = 3  # any two values correlate by +1 or -1, whatever they are

_Numbers = npt.NDArray[np.floating]
_Floats = npt.NDArray[np.float64]


def spearman(left: npt.ArrayLike, right: npt.ArrayLike) -> float | None:
    """Return Spearman's rank correlation of two arrays of one shape.

    Returns:
        -1 to 1; None where it is undefined: fewer than three values, or a side whose values are all the same.

    >>> spearman([1, 2, 3], [2, 4, 9])
    1.0
    >>> spearman([1, 2, 3], [5, 5, 5]) is None
    True
    """
    from scipy.stats import spearmanr  # scipy takes long to import, and few calls need it

    sides = _with_ranks(left, right)
    return None if sides is None else float(spearmanr(*sides).statistic)


def kendall(left: npt.ArrayLike, right: npt.ArrayLike) -> float | None:
    """Return Kendall's tau-b of two arrays of one shape; None where it is undefined, see `spearman`.

    >>> kendall([1, 2, 3], [3, 2, 1])
    -1.0
    """
    from scipy.stats import kendalltau

    sides = _with_ranks(left, right)
    return None if sides is None else float(kendalltau(*sides).statistic)


def _with_ranks(left: npt.ArrayLike, right: npt.ArrayLike) -> tuple[_Floats, _Floats] | None:
    """Return both sides, flat; None where a side has no order."""
    sides = np.asarray(left, dtype=np.float64).ravel(), np.asarray(right, dtype=np.float64).ravel()
    ordered = all(len(side) >= FEWEST_RANKS and np.ptp(side) > 0 for side in sides)
    return sides if ordered else None


def mean_and_half_width(samples: _Numbers) -> tuple[_Floats, _Floats | None]:
    """Return means of independent samples, and half-widths of their 95 % intervals by Student's t.

    The normal distribution's 1.96 covers much less than it says where samples are few.

    Args:
        samples (N, ...): at least one of each.

    Returns:
        Means (...) and half-widths (...), in the unit of the samples; None for half-widths of a single sample.

    >>> mean, half_width = mean_and_half_width(np.array([1.0, 2.0, 3.0]))
    >>> print(f"{mean:.1f} ± {half_width:.2f}")
    2.0 ± 2.48
    """
    from scipy.special import stdtrit

    count = len(samples)
    means = samples.mean(axis=0, dtype=np.float64)
    if count < 2:
        return means, None
    deviation = samples.std(axis=0, ddof=1, dtype=np.float64)
    return means, stdtrit(count - 1, 0.975) * deviation / np.sqrt(count)


def wilson(hits: float, count: float, z: float = NORMAL) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), which stays inside 0 and 1.

    Args:
        hits: successes among `count`. They are no whole number where shares are averaged; shares vary less than yes and
            no with the same mean, so the interval is then, if anything, too wide.
        count: no whole number where rows of different weights count as so many of one weight.

    >>> low, high = wilson(8, 10)
    >>> print(f"{low:.2f} to {high:.2f}")
    0.49 to 0.94
    """
    share = hits / count
    center = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return max(0.0, center - half), min(1.0, center + half)


def bootstrap_ratio(
    numerators: _Numbers, denominators: _Numbers, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of sum(numerators) / sum(denominators), by bootstrap over texts (Efron 1979).

    The ends are percentiles.
    F1 over all texts is such a ratio: twice the spans found, by those right plus those predicted.

    Args:
        numerators (N), denominators (N): what each text adds to either sum.

    Returns:
        Low and high, of the draws whose denominators are not all zero; not a number where no draw is left.

    >>> bootstrap_ratio(np.array([1.0, 1.0]), np.array([2.0, 2.0]))  # every draw gives one half
    (0.5, 0.5)
    """
    random = np.random.default_rng(seed)
    ratios = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(random.integers(len(numerators), size=len(numerators)), minlength=len(numerators))
        below = float(times @ denominators)
        ratios[draw] = float(times @ numerators) / below if below else math.nan
    defined = ratios[~np.isnan(ratios)]
    low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (math.nan, math.nan)
    return float(low), float(high)

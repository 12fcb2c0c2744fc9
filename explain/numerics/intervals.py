"""Means and shares of random samples, with how far they are to be trusted."""

import math

import numpy as np
import numpy.typing as npt


def mean_and_error(samples: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The mean of independent samples and the half-width of its 95 % interval, by Student's t.

    Args:
        samples (N, U): at least two of each.

    Returns:
        Mean (U,) and half-width (U,), in the unit of the samples.
    """
    from scipy.special import stdtrit  # scipy takes long to import, and few ask

    count = len(samples)
    deviation = samples.std(axis=0, ddof=1, dtype=np.float64)
    return samples.mean(axis=0, dtype=np.float64), stdtrit(count - 1, 0.975) * deviation / np.sqrt(count)


def wilson(hits: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which stays inside 0 and 1.

    Args:
        hits: how many of `count` are; not whole where what is counted are shares themselves. These vary less than yes
            and no do with the same mean, so the interval is then, if anything, too wide.
    """
    share = hits / count
    center = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return max(0.0, center - half), min(1.0, center + half)


def bootstrap_ratio(
    numerators: npt.NDArray[np.floating], denominators: npt.NDArray[np.floating], draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of sum(numerators) / sum(denominators), texts being drawn anew (Efron 1979; percentiles).

    F1 over all texts is such a ratio: twice the spans found, by those right plus those predicted.

    Args:
        numerators (N), denominators (N): what each text adds to either sum.

    Returns:
        Low and high, of the draws whose denominators are not all zero; not a number where no draw is left.
    """
    random = np.random.default_rng(seed)
    ratios = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(random.integers(len(numerators), size=len(numerators)), minlength=len(numerators))
        below = float(times @ denominators)
        ratios[draw] = float(times @ numerators) / below if below else math.nan
    told = ratios[~np.isnan(ratios)]
    low, high = np.percentile(told, [2.5, 97.5]) if len(told) else (math.nan, math.nan)
    return float(low), float(high)

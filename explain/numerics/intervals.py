"""Means of random samples, with how far they are to be trusted."""

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

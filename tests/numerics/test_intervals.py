"""Intervals against scipy's own, and by how often they hold."""

import numpy as np
from scipy import stats

from explain.numerics.intervals import mean_and_error


def test_equals_scipys_interval() -> None:
    samples = np.random.default_rng(1).exponential(size=(7, 3))
    mean, error = mean_and_error(samples)
    low, high = stats.t.interval(0.95, 6, loc=samples.mean(axis=0), scale=stats.sem(samples, axis=0))
    assert np.allclose(mean - error, low) and np.allclose(mean + error, high)


def test_it_holds_in_95_of_100() -> None:
    samples = np.random.default_rng(2).normal(3.0, 2.0, size=(10, 4000))
    mean, error = mean_and_error(samples)
    assert abs((np.abs(mean - 3.0) <= error).mean() - 0.95) < 0.015


def test_what_does_not_vary_is_certain() -> None:
    mean, error = mean_and_error(np.full((5, 2), 0.1, dtype=np.float32))
    assert np.allclose(mean, 0.1) and np.allclose(error, 0.0, atol=1e-7)

"""Rank correlations and intervals: against scipy's own, by hand, and by how often intervals hold."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from explain.numerics.statistics import kendall, mean_and_half_width, spearman

Pair = tuple[list[float], list[float]]


def test_rank_correlations_by_hand() -> None:
    """Places 1 4 2 3 and 1 2 4 3: differences 0 2 2 0, so 1 - 6 * 8 / (4 * 15); three pairs alike, three not."""
    left, right = np.array([3.0, -2.0, 1.0, 0.0]), np.array([3.0, 2.0, -1.0, 0.5])
    assert spearman(left, right) == pytest.approx(0.2) and kendall(left, right) == pytest.approx(0.0)
    table = left.reshape(2, 2)
    assert spearman(table, right.reshape(2, 2)) == pytest.approx(0.2)


@pytest.mark.parametrize("correlation", [spearman, kendall])
@pytest.mark.parametrize(
    "pair",
    [
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        ([2.0, 2.0], [2.0, 2.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([], []),
    ],
)
def test_what_has_no_order_has_no_correlation(correlation: Callable[..., float | None], pair: Pair) -> None:
    assert correlation(*pair) is None and correlation(*reversed(pair)) is None


@given(arrays(np.float64, (2, 6), elements=st.integers(-3, 3)))
def test_where_it_is_defined_it_is_scipys(pair: np.ndarray) -> None:
    for correlation, by_scipy in ((spearman, stats.spearmanr), (kendall, stats.kendalltau)):
        found = correlation(*pair)
        assert (found is None) == (np.ptp(pair, axis=1).min() == 0)
        assert found is None or found == pytest.approx(by_scipy(*pair).statistic)


def test_equals_scipys_interval() -> None:
    samples = np.random.default_rng(1).exponential(size=(7, 3))
    mean, half_width = mean_and_half_width(samples)
    low, high = stats.t.interval(0.95, 6, loc=samples.mean(axis=0), scale=stats.sem(samples, axis=0))
    assert np.allclose(mean - half_width, low) and np.allclose(mean + half_width, high)


def test_it_holds_in_95_of_100() -> None:
    samples = np.random.default_rng(2).normal(3.0, 2.0, size=(10, 4000))
    mean, half_width = mean_and_half_width(samples)
    assert abs((np.abs(mean - 3.0) <= half_width).mean() - 0.95) < 0.015


def test_few_samples_have_wide_intervals() -> None:
    samples = np.random.default_rng(0).normal(size=(3, 4000))
    mean, half_width = mean_and_half_width(samples)
    assert 0.94 < np.mean(np.abs(mean) <= half_width) < 0.96  # 1.96 standard errors hold 81 %


def test_a_single_sample_has_no_interval() -> None:
    assert mean_and_half_width(np.array([[4.0, 5.0]]))[1] is None


def test_what_does_not_vary_is_certain() -> None:
    mean, half_width = mean_and_half_width(np.full((5, 2), 0.1, dtype=np.float32))
    assert np.allclose(mean, 0.1) and np.allclose(half_width, 0.0, atol=1e-7)

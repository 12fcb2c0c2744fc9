"""Estimates from stratified samples: closed forms, and a simulation of how often their intervals hold."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.numerics.sample_sizes import planned_half_width, planned_share_half_width, size_for
from explain.numerics.statistics import wilson
from explain.numerics.stratified import Estimate, RatioSums, Strata, allocation, stratified_ratio

Population = Sequence[tuple[np.ndarray, np.ndarray]]  # of each stratum: the summed scores of texts, and their counts
ROUNDS = 1500
PILOT_ROUNDS = 150


def shares(rng: np.random.Generator, rows: Sequence[int], right: Sequence[float]) -> Population:
    """Texts that are right or wrong, so many of each stratum."""
    population = []
    for count, share in zip(rows, right):
        hits = np.zeros(count)
        hits[: round(share * count)] = 1
        population.append((rng.permutation(hits), np.ones(count, dtype=int)))
    return population


def words(
    rng: np.random.Generator, rows: Sequence[int], present: Sequence[float], means: Sequence[float], skewed: bool
) -> Population:
    """Texts of which a share has a word, up to three times, with scores that are alike in a text."""
    population = []
    for count, share, mean in zip(rows, present, means):
        counts = np.where(rng.random(count) < share, rng.integers(1, 4, count), 0)
        levels = (rng.gamma(4.0, 1.0, count) - 4) / 2 if skewed else rng.normal(size=count)
        scores = counts * (mean + levels) + 0.2 * np.sqrt(counts) * rng.normal(size=count)
        population.append((scores, counts))
    return population


def sums_of(population: Population, drawn: Sequence[np.ndarray]) -> dict[int, RatioSums]:
    """The sums of the texts that count; the same numbers as by `RatioSums.add`, in less time."""
    sums = {}
    for stratum, ((scores, counts), places) in enumerate(zip(population, drawn)):
        s, n = scores[places], counts[places]
        if (n > 0).any():
            part = sums[stratum] = RatioSums()
            part.texts, part.counts, part.counts_squared = int((n > 0).sum()), int(n.sum()), int((n * n).sum())
            part.scores, part.scores_squared, part.products = float(s.sum()), float((s * s).sum()), float((s * n).sum())
    return sums


def ordered(rng: np.random.Generator, population: Population) -> list[np.ndarray]:
    """An order of the texts of each stratum, of which a sample takes the first."""
    return [rng.permutation(len(scores)) for scores, _ in population]


def first(orders: Sequence[np.ndarray], strata: Strata) -> list[np.ndarray]:
    return [order[:drawn] for order, drawn in zip(orders, strata.drawn)]


def truth(population: Population) -> float:
    return float(sum(scores.sum() for scores, _ in population) / sum(counts.sum() for _, counts in population))


def of_share(estimate: Estimate) -> tuple[float, float]:
    return estimate.share_interval()


def of_mean(estimate: Estimate) -> tuple[float, float]:
    half_width = math.inf if estimate.half_width is None else estimate.half_width
    return estimate.ratio - half_width, estimate.ratio + half_width


def coverage(population: Population, size: int, interval: Callable[[Estimate], tuple[float, float]]) -> float:
    """How often the interval of a sample holds the figure of all rows; samples without an interval don't count."""
    rng, held, true = np.random.default_rng(1), [], truth(population)
    strata = Strata.planned([len(scores) for scores, _ in population], size)
    for _ in range(ROUNDS):
        sums = sums_of(population, first(ordered(rng, population), strata))
        low, high = interval(stratified_ratio(sums, strata))
        if math.isfinite(low):
            held.append(low - 1e-12 <= true <= high + 1e-12)
    assert len(held) > 0.98 * ROUNDS
    return float(np.mean(held))


@pytest.mark.parametrize(
    ("rows", "right", "size"),
    [
        ((9000, 900, 90, 10), (0.98, 0.7, 0.5, 0.1), 300),  # skewed strata
        ((400, 60, 30, 5, 3), (0.9, 0.6, 0.5, 0.4, 0.33), 60),  # small strata
        ((3000,) + (6,) * 10, (0.95,) + (0.33,) * 10, 120),  # many small strata
        ((5000, 5000), (0.999, 0.995), 400),  # a share near 1
        ((20000, 500), (0.001, 0.01), 300),  # near 0
        ((5000, 500), (0.0, 0.4), 110),  # a stratum without any
        ((1000, 200), (1.0, 1.0), 100),  # all
        ((300, 100), (0.9, 0.5), 200),  # half of all rows
    ],
)
def test_intervals_of_accuracy_hold(rows: Sequence[int], right: Sequence[float], size: int) -> None:
    assert coverage(shares(np.random.default_rng(0), rows, right), size, of_share) >= 0.93


@pytest.mark.parametrize(
    ("rows", "present", "means", "skewed", "size"),
    [
        ((8000, 2000), (0.3, 0.5), (0.5, -0.5), False, 300),
        ((8000, 2000), (0.02, 0.05), (0.5, -0.5), False, 400),  # a rare word: some twelve texts
        ((9000, 900, 90, 10), (0.2, 0.3, 0.5, 0.5), (0.2, 1, 2, 3), True, 300),  # skewed strata and scores
        ((1000,) + (8,) * 10, (0.5,) * 11, (0.0,) + (1.0,) * 10, False, 120),  # small strata
        ((300, 100), (0.9, 0.5), (0.3, -0.3), True, 200),  # half of all rows
    ],
)
def test_intervals_of_mean_scores_hold(
    rows: Sequence[int], present: Sequence[float], means: Sequence[float], skewed: bool, size: int
) -> None:
    population = words(np.random.default_rng(0), rows, present, means, skewed)
    assert coverage(population, size, of_mean) >= 0.93


def pilot_rounds(
    population: Population,
    width: float,
    planned: Callable[[dict[int, RatioSums], Strata, Strata], float],
    interval: Callable[[Estimate], tuple[float, float]],
) -> tuple[float, float, float]:
    """Set sizes by pilot samples, which are the beginnings of the samples as in a run.

    Returns:
        How often the interval holds, how often its half-width is reached, and the median of reached ones.
    """
    rng, true, held, reached = np.random.default_rng(2), truth(population), 0, []
    rows = [len(scores) for scores, _ in population]
    pilot = Strata.planned(rows, 200)
    for _ in range(PILOT_ROUNDS):
        orders = ordered(rng, population)
        sums = sums_of(population, first(orders, pilot))
        if sum(part.texts for part in sums.values()) < 5:
            continue  # no leading word
        size = size_for(width, rows, 200, partial(planned, sums, pilot))
        strata = Strata.planned(rows, size)
        low, high = interval(stratified_ratio(sums_of(population, first(orders, strata)), strata))
        held += low <= true <= high
        reached.append((high - low) / 2)
    assert len(reached) > 0.8 * PILOT_ROUNDS
    return held / len(reached), float(np.mean(np.array(reached) <= width)), float(np.median(reached))


@pytest.mark.parametrize(("right", "width"), [((0.95, 0.8, 0.6, 0.5), 0.02), ((0.995, 0.99, 0.98, 0.9), 0.01)])
def test_a_pilot_sets_a_size_that_reaches_the_width_of_a_share(right: Sequence[float], width: float) -> None:
    population = shares(np.random.default_rng(0), (16000, 3000, 900, 100), right)
    held, reached, median = pilot_rounds(population, width, planned_share_half_width, of_share)
    assert held >= 0.93 and reached >= 0.8 and median > 0.6 * width, "no sample is much larger than it has to be"


@pytest.mark.parametrize(("present", "width"), [((0.3, 0.5, 0.4, 0.2), 0.1), ((0.04, 0.05, 0.03, 0.05), 0.2)])
def test_a_pilot_sets_a_size_that_reaches_the_width_of_a_mean(present: Sequence[float], width: float) -> None:
    population = words(np.random.default_rng(0), (16000, 3000, 900, 100), present, (0.5, -0.5, 0.2, 0.0), skewed=True)
    held, reached, median = pilot_rounds(population, width, planned_half_width, of_mean)
    assert held >= 0.93 and reached >= 0.8 and median > 0.5 * width


def test_a_mean_is_that_of_strata() -> None:
    """One score for each text: the mean of strata's means by their rows, and its variance, as any book has them."""
    rng, rows, drawn = np.random.default_rng(0), (1000, 200, 50), (40, 20, 10)
    scores = [rng.normal(stratum, 1 + stratum, count) for stratum, count in enumerate(drawn)]
    sums = {stratum: RatioSums() for stratum in range(3)}
    for stratum, part in enumerate(scores):
        for score in part:
            sums[stratum].add([score])
    estimate = stratified_ratio(sums, Strata(rows, drawn, drawn))
    shares_of_rows = np.array(rows) / sum(rows)
    assert estimate.ratio == pytest.approx(shares_of_rows @ [part.mean() for part in scores])
    variance = sum(
        share**2 * (1 - count / total) * part.var(ddof=1) / count
        for share, total, count, part in zip(shares_of_rows, rows, drawn, scores)
    )
    weights = np.repeat(np.array(rows) / drawn, drawn)
    texts = weights.sum() ** 2 / (weights**2).sum()
    assert estimate.variance == pytest.approx(variance * texts / (texts - 1))
    assert estimate.freedom == pytest.approx(texts - 3)


def test_all_rows_leave_nothing_uncertain() -> None:
    sums = {0: RatioSums(), 1: RatioSums()}
    for stratum, score in ((0, 1.0), (0, 0.0), (1, 1.0)):
        sums[stratum].add([score])
    estimate = stratified_ratio(sums, Strata((2, 1), (2, 1), (2, 1)))
    assert (estimate.ratio, estimate.half_width) == (2 / 3, 0.0) and estimate.share_interval() == (2 / 3, 2 / 3)
    pilot = Strata((20, 10), (2, 1), (2, 1))
    everything = Strata.planned((20, 10), 30)
    assert planned_half_width(sums, pilot, everything) == planned_share_half_width(sums, pilot, everything) == 0


def test_a_share_of_a_simple_sample_is_that_of_wilson() -> None:
    """Of very many rows; a share of 0 or 1 has an interval, too."""
    for hits in (0, 3, 40):
        sums = RatioSums()
        for place in range(40):
            sums.add([float(place < hits)])
        estimate = stratified_ratio({0: sums}, Strata((10**9,), (40,), (40,)))
        assert estimate.effective == pytest.approx(40, rel=1e-6)
        effective = min(40, 39 * (40 - 1) / 40) if 0 < hits < 40 else 40
        expected = wilson(hits / 40 * effective, effective, z=2.0227)  # Student's t of 39
        assert estimate.share_interval() == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=30), st.integers(1, 5000))
def test_rows_are_drawn_in_proportion(rows: list[int], size: int) -> None:
    drawn = np.array(allocation(rows, size))
    least = np.minimum(rows, 2)
    assert drawn.sum() == min(max(size, least.sum()), sum(rows))
    assert (drawn >= least).all() and (drawn <= rows).all()
    free = (drawn > least) & (drawn < rows)
    if free.sum() > 1:
        ratios = [(count - 1) / total for count, total in zip(drawn[free], np.array(rows)[free])]
        assert max(ratios) <= min((drawn[free] + 1) / np.array(rows)[free]) + 1e-9, "none has a row too many"


def test_the_smallest_size_is_taken() -> None:
    rows = (100, 60)
    width = {size: 1 / size for size in range(1, 161)}
    size = size_for(0.02, rows, 10, lambda strata: width[sum(strata.drawn)])
    assert size == 50 and size_for(1.0, rows, 10, lambda strata: width[sum(strata.drawn)]) == 10
    assert size_for(1e-9, rows, 10, lambda strata: width[sum(strata.drawn)]) == 160

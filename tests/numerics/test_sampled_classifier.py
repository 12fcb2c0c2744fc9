"""Figures of a classifier by drawn rows: scikit-learn with weights, numeric derivatives, and how often they hold."""

import math

import numpy as np
import pytest
from sklearn import metrics

from explain.numerics import classifier_figures
from explain.numerics.sampled_classifier import EqualRows, SampledRows
from explain.numerics.stratified import Strata, allocation, student

ROWS = (3000, 600, 60)


def population(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each row has the label, its probability, and its stratum."""
    places = np.repeat([0, 1, 2], ROWS)
    right = random.random(len(places)) < np.array([0.2, 0.5, 0.8])[places]
    steep = np.array([1.5, 1.0, 0.3])[places]
    return right, np.round(1 / (1 + np.exp(1 - steep * right - 1.2 * random.normal(size=len(places)))), 2), places


def drawn(random: np.random.Generator, places: np.ndarray, size: int) -> tuple[SampledRows, np.ndarray]:
    """A sample, and the numbers of its rows."""
    sizes = allocation(ROWS, size)
    numbers = [random.choice(np.flatnonzero(places == at), count, replace=False) for at, count in enumerate(sizes)]
    rows = np.concatenate(numbers)
    return SampledRows(Strata(ROWS, sizes, sizes), places[rows]), rows


def test_estimates_are_figures_of_weighted_rows() -> None:
    right, scores, places = population(np.random.default_rng(1))
    sample, rows = drawn(np.random.default_rng(2), places, 300)
    right, scores = right[rows], scores[rows]
    decided, weights = scores >= 0.5, sample.weights
    everything = np.ones(len(rows), dtype=bool)
    confidence, correct = np.maximum(scores, 1 - scores), decided == right
    expected = {
        metrics.accuracy_score(right, decided, sample_weight=weights): sample.share(correct, everything),
        metrics.precision_score(right, decided, sample_weight=weights): sample.share(right, decided),
        metrics.recall_score(right, decided, sample_weight=weights): sample.share(decided, right),
        metrics.f1_score(right, decided, sample_weight=weights): sample.f1(right, decided),
        metrics.roc_auc_score(right, scores, sample_weight=weights): sample.roc_area(right, scores),
        metrics.average_precision_score(right, scores, sample_weight=weights): sample.average_precision(right, scores),
    }
    for number, figure in expected.items():
        assert figure is not None and figure[0] == pytest.approx(number) and figure[1] < number < figure[2]
    points = classifier_figures.curve_points(right, scores, 10**6, weights)
    wrong, recall, _ = metrics.roc_curve(right, scores, sample_weight=weights, drop_intermediate=False)
    assert np.allclose(points[0], np.column_stack([wrong, recall]))
    groups = sample.calibration_groups(confidence, correct)
    assert sum(group[-1] for group in groups) == 300 and len(groups) == 10
    assert all(low <= share <= high for _, share, low, high, _ in groups)


def test_rows_of_whole_weights_are_repeated_rows() -> None:
    random = np.random.default_rng(3)
    places = np.repeat([0, 1], [30, 20])
    confidence, correct = random.random(50), random.random(50) < 0.6
    sample = SampledRows(Strata((90, 20), (30, 20), (30, 20)), places)
    repeated = np.repeat(np.arange(50), sample.weights.astype(int))
    whole = EqualRows(len(repeated)).calibration_error(confidence[repeated], correct[repeated])
    assert sample.calibration_error(confidence, correct)[0] == pytest.approx(whole[0])
    all_there = SampledRows(Strata((30, 20), (30, 20), (30, 20)), places)
    equal = EqualRows(50)
    for mine, theirs in (
        (all_there.roc_area(correct, confidence), equal.roc_area(correct, confidence)),
        (all_there.average_precision(correct, confidence), equal.average_precision(correct, confidence)),
        (all_there.calibration_error(confidence, correct), equal.calibration_error(confidence, correct)),
        (all_there.f1(correct, confidence > 0.5), equal.f1(correct, confidence > 0.5)),
    ):
        assert mine is not None and theirs is not None
        assert mine == pytest.approx((theirs[0],) * 3)  # where every row is there, nothing is uncertain


def test_the_variance_of_areas_is_that_of_numeric_derivatives() -> None:
    right, scores, places = population(np.random.default_rng(4))
    sample, rows = drawn(np.random.default_rng(5), places, 90)
    right, scores, weights, step = right[rows], scores[rows], sample.weights, 1e-4
    counts, seen = np.array(ROWS), np.array(sample.strata.seen)
    for area, figure in (
        (metrics.roc_auc_score, sample.roc_area(right, scores)),
        (metrics.average_precision_score, sample.average_precision(right, scores)),
    ):
        assert figure is not None
        derivatives = np.array(
            [(area(right, scores, sample_weight=weights + step * row) - figure[0]) / step for row in np.eye(len(rows))]
        )
        of_strata = [derivatives[sample.places == place].var(ddof=1) for place in range(3)]
        variance = float(((counts / seen) ** 2 * (1 - seen / counts) * seen * of_strata).sum())
        equal = counts.sum() ** 2 / (counts**2 / seen).sum()
        variance *= equal / (equal - 1)
        if area is metrics.average_precision_score:
            standing, squares = weights[right].sum(), (weights**2 * (1 - seen / counts)[sample.places])[right].sum()
            variance = max(variance, figure[0] * (1 - figure[0]) * squares / standing**2)
        low, middle, high = (math.log(end / (1 - end)) for end in (figure[1], figure[0], figure[2]))
        half = student(equal - 3) * math.sqrt(variance) / (figure[0] * (1 - figure[0]))
        assert middle - low == pytest.approx(half, rel=1e-3) and high - middle == pytest.approx(half, rel=1e-3)


def test_undefined_figures_are_none_and_ends_are_wide() -> None:
    sample = SampledRows(Strata((100,), (10,), (10,)), np.zeros(10, dtype=int))
    right, scores = np.arange(10) >= 5, np.arange(10) / 10
    none = np.zeros(10, dtype=bool)
    assert sample.roc_area(none, scores) is None and sample.average_precision(~none, scores) is None
    assert sample.share(right, none) is None and sample.f1(none, none) is None
    for area in (sample.roc_area(right, scores), sample.average_precision(right, scores)):
        assert area is not None and area[0] == area[2] == 1 and 0.3 < area[1] < 0.7
    begun = SampledRows(Strata((50, 50), (5, 5), (4, 1)), np.array([0, 0, 0, 0, 1]))  # a run that goes on
    assert begun.calibration_error(np.full(5, 0.9), np.arange(5) > 2)[2] <= 1


def test_intervals_hold_the_figure_of_all_rows() -> None:
    """Of 95 % intervals at least 93 % hold it, in strata of 3,000, 600 and 60 rows; at both sizes together."""
    random = np.random.default_rng(0)
    right, scores, places = population(random)
    decided, confidence = scores >= 0.5, np.maximum(scores, 1 - scores)
    correct = decided == right
    truth = (metrics.roc_auc_score(right, scores), metrics.average_precision_score(right, scores))
    truth += (metrics.f1_score(right, decided),)
    error = EqualRows(len(right)).calibration_error(confidence, correct)[0]
    held, held_error = np.zeros(3), np.zeros(2)
    for number in range(200):
        sample, rows = drawn(random, places, (60, 250)[number % 2])
        figures = (
            sample.roc_area(right[rows], scores[rows]),
            sample.average_precision(right[rows], scores[rows]),
            sample.f1(right[rows], decided[rows]),
        )
        for place, (interval, of_all) in enumerate(zip(figures, truth, strict=True)):
            assert interval is not None
            held[place] += interval[1] <= of_all <= interval[2]
        if number < 100:
            alike = random.integers(0, len(right), 60)
            figure = EqualRows(60).calibration_error(confidence[alike], correct[alike])
            held_error[0] += figure[1] <= error <= figure[2]
        if number < 40:  # it takes longer, and its interval errs on the side of width
            figure = sample.calibration_error(confidence[rows], correct[rows])
            held_error[1] += figure[1] <= error <= figure[2]
    assert (held / 200 >= 0.93).all() and (held_error >= [93, 38]).all()

"""Integrals with an error for each part, against closed forms."""

import numpy as np
import pytest

from explain.numerics.gauss import half_widths, integrated, levels, most_nodes, roughness
from explain.numerics.quadrature import Sample, gauss_kronrod, gauss_legendre

ENDS = (0.0, 1.0)


def along(powers: np.ndarray) -> Sample:
    """F(a) = sum over t of a^p_t, of which each token's part of F(1) - F(0) is 1."""
    return lambda nodes: ((nodes[:, None] ** powers).sum(axis=1), powers * nodes[:, None] ** (powers - 1))


def rises(places: np.ndarray, widths: np.ndarray) -> tuple[Sample, np.ndarray]:
    """Logistic curves in a, one for each token, and each one's rise from 0 to 1."""

    def curve(nodes: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp((places - nodes[:, None]) / widths))

    def sample(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = curve(nodes)
        return values.sum(axis=1), values * (1 - values) / widths

    return sample, np.diff(curve(np.array(ENDS)), axis=0)[0]


def test_polynomials_take_32_points_and_have_no_error() -> None:
    nodes: list[float] = []

    def sample(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nodes.extend(at.tolist())
        return along(np.array([1.0, 5.0, 24.0]))(at)

    found = integrated(sample, (0.0, 3.0), tolerance=1e-3, most=65)
    assert found.converged and found.about["points"] == len(nodes) == 32
    assert np.allclose(found.parts, 1.0, atol=1e-12) and (found.error < 1e-6).all()


@pytest.mark.parametrize("width", [0.05, 0.03, 0.02])
def test_the_error_of_logistic_rises_is_within_what_is_said(width: float) -> None:
    places = np.linspace(0.05, 0.95, 60)
    for most in (33, 65):
        sample, exact = rises(places, np.full(60, width))
        ends = (0.0, float(exact.sum()))
        found = integrated(sample, ends, tolerance=1e-5, most=most)
        errors = np.abs(found.parts - exact)
        assert np.mean(errors <= found.error + 1e-12) >= 0.95
        assert found.about["largest_error"] == found.error.max()


@pytest.mark.parametrize("width", [0.01, 0.005, 0.002])
def test_what_32_points_do_not_resolve_is_not_converged(width: float) -> None:
    sample, exact = rises(np.linspace(0.05, 0.95, 60), np.full(60, width))
    assert not integrated(sample, (0.0, float(exact.sum())), tolerance=0.05, most=33).converged


def test_points_are_added_where_an_error_is_too_large() -> None:
    nodes: list[float] = []
    sample, exact = rises(np.array([0.3, 0.5]), np.array([0.1, 0.015]))

    def counted(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nodes.extend(at.tolist())
        return sample(at)

    ends = (0.0, float(exact.sum()))
    rough = integrated(counted, ends, tolerance=0.01, most=33)
    assert not rough.converged and len(nodes) == 32 and rough.error[1] > 0.01 > rough.error[0]
    nodes.clear()
    fine = integrated(counted, ends, tolerance=0.01, most=65)
    assert fine.converged and fine.about["points"] == len(nodes) == len(set(nodes)) == 65  # the first 32 are kept
    assert (np.abs(fine.parts - exact) <= fine.error).all() and fine.error.max() < 0.1 * rough.error.max()


def test_a_large_gap_adds_points_though_every_error_seems_small() -> None:
    found = integrated(along(np.array([2.0])), (0.0, 1.5), tolerance=0.01, most=65)  # an end that does not fit
    assert found.about["points"] == 65 and not found.converged


def test_a_gap_that_is_much_of_a_small_difference_adds_points() -> None:
    (sample, exact), signs = rises(np.array([0.3, 0.5]), np.array([0.06, 0.025])), np.array([1.0, -0.99])

    def opposed(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, slopes = sample(nodes)
        return values, signs * slopes

    of_parts = integrated(sample, (0.0, float(exact.sum())), tolerance=0.02, most=65)
    of_difference = integrated(opposed, (0.0, float(signs @ exact)), tolerance=0.02, most=65)
    assert of_parts.about["points"] == 32 and of_difference.tolerance < 0.1 * of_parts.tolerance


def test_a_gap_that_is_small_by_luck_hides_no_error() -> None:
    nodes = gauss_legendre(32)[0]
    ripple = np.polynomial.legendre.legval(2 * nodes - 1, [0.0] * 30 + [1.0])
    lucky, plain = (half_widths(np.stack([ripple, -ripple], axis=1), gap) for gap in (0.0, 0.01))
    assert (lucky > 0.2 * plain).all()


def test_later_levels_are_taken_where_more_points_are_allowed() -> None:
    sample, exact = rises(np.array([0.4]), np.array([0.005]))
    found = integrated(sample, (0.0, float(exact[0])), tolerance=1e-3, most=513)
    assert found.converged and found.about["points"] in levels(513)[2:]
    assert found.parts == pytest.approx(exact, abs=float(found.error[0]))
    assert [most_nodes(most) for most in (33, 65, 129, 257, 513)] == [32, 65, 193, 449, 961]


@pytest.mark.parametrize(("rule", "highest"), [(gauss_legendre(32)[0], 31), (gauss_kronrod(32)[0], 48)])
def test_roughness_is_that_of_the_highest_degrees(rule: np.ndarray, highest: int) -> None:
    waves = np.polynomial.legendre.legvander(2 * rule - 1, highest) * np.sqrt(2 * np.arange(highest + 1) + 1)
    assert np.allclose(roughness(waves)[:-8], 0.0, atol=1e-12)
    assert np.allclose(roughness(waves)[-8:], np.sqrt(1 / 8))


def test_what_does_not_move_has_no_error() -> None:
    found = integrated(lambda nodes: (nodes, np.stack([np.ones(len(nodes)), np.zeros(len(nodes))], 1)), ENDS, 0.01, 65)
    assert found.parts.tolist() == pytest.approx([1.0, 0.0]) and found.error[1] == 0.0

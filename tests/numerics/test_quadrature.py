import numpy as np
import pytest

from explain.numerics.quadrature import (
    Sample,
    clenshaw_curtis,
    fixed,
    gauss_kronrod,
    gauss_legendre,
    new_nodes,
    refined,
)


@pytest.mark.parametrize("points", [3, 5, 17, 33, 65, 129])
def test_clenshaw_curtis_is_exact_for_polynomials_below_its_points(points: int) -> None:
    nodes, weights = clenshaw_curtis(points)
    assert nodes[0] == 0 and nodes[-1] == pytest.approx(1) and np.all(np.diff(nodes) > 0)
    for power in range(min(points, 24)):
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), abs=1e-12)


@pytest.mark.parametrize("points", [1, 2, 8, 50])
def test_gauss_legendre_is_exact_to_twice_its_points(points: int) -> None:
    nodes, weights = gauss_legendre(points)
    for power in range(min(2 * points, 24)):
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), abs=1e-12)


@pytest.mark.parametrize("points", [7, 15, 32])
def test_kronrod_adds_points_between_those_of_gauss(points: int) -> None:
    nodes, weights = gauss_kronrod(points)
    assert len(nodes) == 2 * points + 1 and np.all(np.diff(nodes) > 0) and nodes[0] > 0 and nodes[-1] < 1
    assert np.allclose(nodes[1::2], gauss_legendre(points)[0], atol=1e-14) and (weights > 0).all()
    for degree in range(3 * points + 2):
        of_degree = np.polynomial.legendre.legval(2 * nodes - 1, [0.0] * degree + [1.0])
        assert weights @ of_degree == pytest.approx(float(degree == 0), abs=1e-13)


def test_kronrods_own_points() -> None:
    """Kronrod (1965), the rule of 15 points on [-1, 1], as QUADPACK lists it."""
    nodes, weights = gauss_kronrod(7)
    assert 2 * nodes[[0, 2, 4]] - 1 == pytest.approx([-0.991455371120813, -0.864864423359769, -0.586087235467691])
    assert 2 * weights[[0, 7]] == pytest.approx([0.022935322010529, 0.209482141084728])


def test_levels_are_nested() -> None:
    coarse, fine = clenshaw_curtis(17)[0], clenshaw_curtis(33)[0]
    assert np.allclose(fine[::2], coarse)
    assert np.allclose(fine[1::2], new_nodes(33))


@pytest.mark.parametrize("points", [0, 2, 32])
def test_even_numbers_are_refused(points: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        clenshaw_curtis(points)


def along(powers: np.ndarray) -> Sample:
    """F(a) = sum over t of a^p_t, of which each token's part of F(1) - F(0) is 1."""
    return lambda nodes: ((nodes[:, None] ** powers).sum(axis=1), powers * nodes[:, None] ** (powers - 1))


def test_refining_stops_as_soon_as_it_is_exact() -> None:
    found = refined(along(np.array([1.0, 5.0, 20.0])), tolerance=1e-3, most=129)
    assert found.converged and found.about["points"] == 33
    assert np.allclose(found.parts, 1.0) and (found.start, found.end) == (0.0, 3.0)


def test_refining_adds_points_where_they_are_needed() -> None:
    asked: list[float] = []

    def sample(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked.extend(nodes.tolist())
        values, slopes = along(np.array([2.0]))(nodes)
        return values, slopes + np.cos(60 * np.pi * nodes)[:, None]  # adds up to nothing

    found = refined(sample, tolerance=1e-5, most=129)
    assert found.about["points"] > 33 and len(asked) == len(set(asked)) == found.about["points"]
    assert found.parts[0] == pytest.approx(1.0, abs=2 * found.tolerance)


def test_a_gap_that_is_small_by_luck_does_not_stop_it() -> None:
    def sample(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ripple = 50 * np.cos(2 * np.pi * 32 * nodes)
        return nodes, np.stack([0.5 + ripple, 0.5 - ripple], axis=1)  # the errors of the two cancel in the sum

    found = refined(sample, tolerance=1e-3, most=513)
    assert found.about["points"] > 33 and np.allclose(found.parts, 0.5, atol=0.05)
    given_up = refined(sample, tolerance=1e-3, most=33)
    assert not given_up.converged and abs(given_up.parts.sum() - 1) < 1e-3


def test_a_fixed_number_of_points_says_whether_it_was_enough() -> None:
    sample = along(np.array([9.0]))
    assert fixed(sample, (0.0, 1.0), 1e-3, 5).converged
    few = fixed(sample, (0.0, 1.0), 1e-3, 2)
    assert not few.converged and abs(few.parts.sum() - 1) > few.tolerance == 1e-3

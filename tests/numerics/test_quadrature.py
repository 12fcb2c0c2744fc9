import numpy as np
import pytest

from explain.numerics.quadrature import clenshaw_curtis, gauss_legendre, new_nodes


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


def test_levels_are_nested() -> None:
    coarse, fine = clenshaw_curtis(17)[0], clenshaw_curtis(33)[0]
    assert np.allclose(fine[::2], coarse)
    assert np.allclose(fine[1::2], new_nodes(33))


@pytest.mark.parametrize("points", [0, 2, 32])
def test_even_numbers_are_refused(points: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        clenshaw_curtis(points)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explain.numerics.rollout import roll_back, with_residual
from explain.testing import uniform_rollout
from tests.twins import rollout_matrix


def random_attention(seed: int, layers: int, count: int) -> np.ndarray:
    weights = np.random.default_rng(seed).random((layers, count, count))
    return weights / weights.sum(axis=-1, keepdims=True)


@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 8), st.floats(0, 0.95))
def test_shares_sum_to_one_and_equal_the_matrix(seed: int, layers: int, count: int, residual: float) -> None:
    weights = random_attention(seed, layers, count)
    rows = np.random.default_rng(seed).random(count)
    rows /= rows.sum()
    shares = roll_back(with_residual(weights, residual), rows)
    assert np.isclose(shares.sum(), 1.0)
    assert np.allclose(shares, rows @ rollout_matrix(weights, residual))
    assert np.allclose(rollout_matrix(weights, residual).sum(axis=-1), 1.0)


@given(st.integers(1, 6), st.integers(1, 8), st.floats(0, 0.95))
def test_uniform_attention_in_closed_form(layers: int, count: int, residual: float) -> None:
    weights = np.full((layers, count, count), 1 / count)
    assert np.allclose(rollout_matrix(weights, residual), uniform_rollout(count, layers, residual))


def test_later_layers_stand_on_the_left() -> None:
    # Layer 1 copies token 1 to token 0, layer 2 lets token 2 look at token 0: token 2 sees token 1, not the reverse.
    first = np.array([[0.0, 1, 0], [0, 1, 0], [0, 0, 1]])
    second = np.array([[1.0, 0, 0], [0, 1, 0], [1, 0, 0]])
    shares = roll_back(np.stack([first, second]), np.array([0.0, 0, 1]))
    assert shares.tolist() == [0, 1, 0]

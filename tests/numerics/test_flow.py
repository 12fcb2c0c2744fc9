import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.core.errors import Cancelled
from explain.numerics.flow import maximum_flows
from tests.numerics.test_rollout import random_attention
from tests.twins import maximum_flow


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(1, 4), st.integers(2, 7))
def test_equals_networkx(seed: int, layers: int, count: int) -> None:
    weights = random_attention(seed, layers, count)
    read = seed % count
    assert np.allclose(maximum_flows(weights, np.eye(count)[read]), maximum_flow(weights, read), atol=1e-7)


def test_by_hand() -> None:
    # Token 1 gets half of row 0 in the upper layer; below, its place takes .2 from token 0 and row 0 takes .3 of it.
    upper = np.array([[0.5, 0.5], [0.0, 1.0]])
    lower = np.array([[0.7, 0.3], [0.2, 0.8]])
    flows = maximum_flows(np.stack([lower, upper]), np.array([1.0, 0.0]))
    assert flows == pytest.approx([0.5 + 0.2, 0.3 + 0.5])


def test_one_layer_is_the_weights_themselves() -> None:
    weights = random_attention(3, 1, 5)
    assert np.allclose(maximum_flows(weights, np.eye(5)[2]), weights[0, 2])


def test_may_be_stopped() -> None:
    def stop() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        maximum_flows(random_attention(0, 2, 4), np.eye(4)[0], stop)

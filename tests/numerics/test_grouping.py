import numpy as np

from explain.numerics.grouping import by_unit, pooled
from tests.numerics.test_rollout import random_attention


def test_by_hand_and_rows_still_sum_to_one() -> None:
    weights = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.0, 1.0, 0.0]])
    found = by_unit(weights, [(0, 1), (2,)])
    # The word looks at itself with the mean of .8 and .7, the other token at it with 0 + 1.
    assert np.allclose(found, [[0.75, 0.25], [1.0, 0.0]])
    many = by_unit(random_attention(0, 4, 9), [(0,), (1, 2, 3), (4, 5), (6, 7, 8)])
    assert many.shape == (4, 4, 4) and np.allclose(many.sum(axis=-1), 1)


def test_pooling_keeps_the_largest() -> None:
    weights = random_attention(1, 2, 37)
    small = pooled(weights, 8)
    assert small.shape == (2, 8, 8)
    assert np.allclose(small.max(axis=(1, 2)), weights.max(axis=(1, 2)))
    assert pooled(weights, 40) is weights

"""The nearest by cosine, beside the plainest code that finds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.numerics.nearest import cosines, nearest, unit


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 70), st.integers(1, 20))
def test_search_in_blocks_is_search_in_all(seed: int, count: int, most: int, block: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, 5)).astype(np.float32)
    vectors[random.integers(count, size=count // 3)] = vectors[0]  # equal ones keep their order
    query = random.normal(size=5).astype(np.float32)
    members, found = nearest(vectors, query, most, block)
    plain = [
        float(one @ query.astype(float) / np.linalg.norm(one) / np.linalg.norm(query)) for one in vectors.astype(float)
    ]
    order = sorted(range(count), key=lambda number: (-round(plain[number], 9), number))[:most]
    assert members.tolist() == order and np.allclose(found, [plain[number] for number in order], atol=1e-6)


def test_a_vector_of_length_zero_is_near_to_nobody() -> None:
    vectors = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert unit(vectors).tolist() == [[0.0, 0.0], [0.6, 0.8]]
    assert cosines(vectors, vectors) == pytest.approx(np.array([[0.0, 0.0], [0.0, 1.0]]))

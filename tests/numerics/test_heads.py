import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.numerics.heads import HEAD_FIGURES, head_figures
from tests.numerics.test_rollout import random_attention


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 7))
def test_equals_loops(seed: int, layers: int, count: int) -> None:
    weights = np.stack([random_attention(seed + head, layers, count) for head in range(2)], axis=1)
    special = np.random.default_rng(seed).random(count) < 0.4
    word = np.sort(np.random.default_rng(seed).integers(-1, 3, count))
    found = head_figures(weights, special, word)
    assert set(found) == set(HEAD_FIGURES)
    looks = [i for i in range(count) if not special[i]] or list(range(count))
    for layer in range(layers):
        for head in range(2):
            w = weights[layer, head]
            expected = {
                "confidence": np.mean(
                    [max((w[i, j] for j in range(count) if not special[j]), default=0) for i in looks]
                ),
                "entropy": np.mean([-sum(w[i, j] * np.log(w[i, j]) for j in range(count)) for i in looks]),
                "distance": np.mean([sum(w[i, j] * abs(i - j) for j in range(count)) for i in looks]),
                "special": np.mean([sum(w[i, j] for j in range(count) if special[j]) for i in looks]),
                "itself": np.mean([w[i, i] for i in looks]),
                "previous": np.mean([w[i, i - 1] if i else 0 for i in looks]),
                "next": np.mean([w[i, i + 1] if i + 1 < count else 0 for i in looks]),
                "same_word": np.mean(
                    [sum(w[i, j] for j in range(count) if j != i and word[i] == word[j] >= 0) for i in looks]
                ),
            }
            for name, value in expected.items():
                assert found[name][layer, head] == pytest.approx(value, abs=1e-5), name


def test_by_hand() -> None:
    # [CLS] a b: a looks at b, b at a and [CLS] half and half.
    weights = np.array([[[[1, 0, 0], [0, 0, 1], [0.5, 0.5, 0]]]])
    found = head_figures(weights, np.array([True, False, False]), np.array([-1, 0, 0]))
    figures = {name: float(value[0, 0]) for name, value in found.items()}
    assert figures == pytest.approx(
        {
            "confidence": 0.75,
            "entropy": np.log(2) / 2,
            "distance": (1 + 0.5 * 2 + 0.5 * 1) / 2,
            "special": 0.25,
            "itself": 0.0,
            "previous": 0.25,
            "next": 0.5,
            "same_word": (1 + 0.5) / 2,
        },
        abs=1e-6,
    )

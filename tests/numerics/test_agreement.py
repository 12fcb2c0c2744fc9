"""Figures of agreement, worked out by hand."""

import numpy as np
import pytest

from explain.numerics.agreement import agreement, disputed, leading, places

ONE = np.array([3.0, -2.0, 1.0, 0.0])
OTHER = np.array([3.0, 2.0, -1.0, 0.5])


def test_with_signs() -> None:
    """Places 1 4 2 3 and 1 2 4 3: differences 0 2 2 0, so 1 - 6 * 8 / (4 * 15); three pairs alike, three not."""
    found = agreement(ONE, OTHER, signed=True)
    assert found["spearman"] == pytest.approx(0.2) and found["kendall"] == pytest.approx(0.0)
    assert found["top_overlap"] == 1.0 and found["signs"] == pytest.approx(1 / 3)


def test_of_sizes() -> None:
    found = agreement(ONE, OTHER, signed=False)
    assert found["spearman"] == pytest.approx(1.0) and "signs" not in found


@pytest.mark.parametrize("flat", [np.ones(4), np.zeros(4), np.full(4, -0.5)])
def test_where_one_says_the_same_of_every_word_nothing_is_defined(flat: np.ndarray) -> None:
    for pair in ((ONE, flat), (flat, ONE), (flat, flat)):
        assert agreement(*pair, signed=True) == dict.fromkeys(("spearman", "kendall", "top_overlap", "signs"))
        assert agreement(*pair, signed=False) == dict.fromkeys(("spearman", "kendall", "top_overlap"))


def test_where_all_sizes_are_the_same_there_are_no_top_words() -> None:
    """1 -1 1 -1 are in an order; their sizes are in none."""
    found = agreement(np.array([1.0, -1.0, 1.0, -1.0]), ONE, signed=True)
    assert found["spearman"] is not None and found["top_overlap"] is found["signs"] is None


def test_two_words_have_no_rank_correlation() -> None:
    found = agreement(ONE[:2], OTHER[:2], signed=True)
    assert found == {"spearman": None, "kendall": None, "top_overlap": 1.0, "signs": 0.5}


def test_words_they_place_differently() -> None:
    """Of 6 words three lead. The 1st is 1st and 6th, the 4th 4th and 1st; the 6th leads nowhere."""
    scores = np.array([[6.0, -5.0, 4.0, 3.0, 2.0, 1.0], [0.1, 4.0, 3.0, -9.0, 2.0, 1.0]])
    assert leading(6) == 3 and leading(2) == 2 and leading(30) == 6
    assert places(scores).tolist() == [[1, 2, 3, 4, 5, 6], [6, 2, 3, 1, 4, 5]]
    assert disputed(scores) == [0, 3] and disputed(scores, most=1) == [0]
    assert disputed(np.stack([scores[0], scores[0]])) == []

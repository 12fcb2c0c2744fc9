"""Figures of plausibility: worked by hand, beside scikit-learn, and over all orders."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, jaccard_score

from explain.metrics.base import order_of
from explain.numerics.plausibility import chance, plausibility

marks_and_scores = st.integers(2, 12).flatmap(
    lambda words: st.tuples(
        st.lists(st.integers(-3, 3).map(float), min_size=words, max_size=words),  # with equal ones among them
        st.lists(st.booleans(), min_size=words, max_size=words).filter(lambda marks: any(marks) and not all(marks)),
    )
)


def test_by_hand() -> None:
    # The order is 3, 0, 2, 1, 4; marked are 0 and 1, chosen 3 and 0: one of three words in either.
    found = plausibility(np.array([0.5, 0.1, 0.2, 0.9, -0.7]), np.array([True, True, False, False, False]))
    assert found == pytest.approx({"f1": 1 / 2, "iou": 1 / 3, "auprc": (1 / 2 + 2 / 4) / 2})


def test_the_best_and_the_worst() -> None:
    marked = np.array([True, False, True, False, False])
    assert plausibility(np.where(marked, 1.0, -1.0), marked) == {"f1": 1, "iou": 1, "auprc": 1}
    worst = plausibility(np.where(marked, -1.0, 1.0), marked)
    assert worst["f1"] == worst["iou"] == 0 and worst["auprc"] == pytest.approx(2 / 5)


def test_scores_that_are_all_the_same_are_one_step() -> None:
    assert plausibility(np.zeros(4), np.array([False, False, False, True]))["auprc"] == pytest.approx(1 / 4)


@given(marks_and_scores)
def test_it_is_what_scikit_learn_says(drawn: tuple[list[float], list[bool]]) -> None:
    scores, marked = (np.array(side) for side in drawn)
    found = plausibility(scores, marked)
    assert found["auprc"] == pytest.approx(average_precision_score(marked, scores))
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order_of(scores)[: marked.sum()]] = True  # the order that removal is tested in
    assert found["f1"] == pytest.approx(f1_score(marked, chosen))
    assert found["iou"] == pytest.approx(jaccard_score(marked, chosen))


@pytest.mark.parametrize(("words", "marked"), [(2, 1), (5, 1), (5, 2), (6, 3), (6, 5)])
def test_chance_is_the_mean_over_all_orders(words: int, marked: int) -> None:
    marks = np.arange(words) < marked
    found = [plausibility(np.array(order, dtype=float), marks) for order in permutations(range(words))]
    for name, value in chance(words, marked).items():
        assert value == pytest.approx(np.mean([one[name] for one in found])), name


def test_chance_in_a_long_text_is_the_share_of_marked_words() -> None:
    assert chance(1000, 100) == pytest.approx({"f1": 0.1, "iou": 0.1 / 1.9, "auprc": 0.1}, rel=0.08)


@pytest.mark.parametrize("marked", [[False, False], [True, True]])
def test_all_or_none_is_refused(marked: list[bool]) -> None:
    with pytest.raises(ValueError, match="of 2 words are marked"):
        plausibility(np.array([1.0, 2.0]), np.array(marked))
    with pytest.raises(ValueError, match="of 2 words are marked"):
        chance(2, sum(marked))

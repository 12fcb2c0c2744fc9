"""Printed figures keep their sum, and ticks stand where their labels say."""

import doctest
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.views import axis
from explain.views.axis import adding_up, decimals_for, fixed, percent_ticks, round_ticks, sigmoid, spread

NUMBERS = st.floats(-50, 50, allow_nan=False)


@given(st.lists(NUMBERS, min_size=1, max_size=12), st.integers(0, 4))
def test_rounded_parts_sum_to_the_rounded_whole(parts: list[float], decimals: int) -> None:
    total = round(sum(parts) * 10**decimals)
    whole = adding_up(parts, total, decimals)
    assert sum(whole) == total
    assert all(abs(mine - part * 10**decimals) < 1 + 1e-6 for mine, part in zip(whole, parts))


@given(st.lists(NUMBERS, min_size=1, max_size=12), st.data())
def test_the_rest_takes_what_rounding_leaves(parts: list[float], draw: st.DataObject) -> None:
    rest = draw.draw(st.integers(0, len(parts) - 1))
    total = round(sum(parts) * 100)
    whole = adding_up(parts, total, 2, rest)
    assert sum(whole) == total
    assert [mine for place, mine in enumerate(whole) if place != rest] == [
        round(part * 100) for place, part in enumerate(parts) if place != rest
    ]


@given(st.floats(-12, 12), st.floats(0.01, 12))
def test_percents_stand_at_their_log_odds(low: float, width: float) -> None:
    ticks = percent_ticks(low, low + width)
    assert ticks == sorted(ticks) and len({label for _, label in ticks}) == len(ticks)
    for at, label in ticks:
        assert low <= at <= low + width
        assert sigmoid(at) == pytest.approx(float(label[:-1]) / 100, abs=1e-12)
    assert all(second - first >= axis.CLOSEST * width - 1e-9 for (first, _), (second, _) in pairwise(ticks))


@given(st.floats(-30, 30), st.floats(0.001, 60))
def test_round_ticks_are_few_and_say_where_they_stand(low: float, width: float) -> None:
    ticks = round_ticks(low, low + width, 6, signed=True)
    assert 1 <= len(ticks) <= 6
    for at, label in ticks:
        assert float(label.replace("−", "-")) == pytest.approx(at, abs=1e-9)


def test_an_even_chance_stays_where_ticks_are_left_out() -> None:
    assert spread([(-0.1, "a"), (0.0, "b"), (0.1, "c"), (0.5, "d")], 0.3) == [(0.0, "b"), (0.5, "d")]
    assert round_ticks(1.0, 1.0, 2, signed=True) == []


@pytest.mark.parametrize("log_odds", [-1000.0, -3.0, 0.0, 3.0, 1000.0])
def test_a_sigmoid_never_overflows(log_odds: float) -> None:
    chance = sigmoid(log_odds)
    assert 0 <= chance <= 1 and chance + sigmoid(-log_odds) == pytest.approx(1)
    assert abs(log_odds) > 700 or math.log(chance / (1 - chance)) == pytest.approx(log_odds)


@pytest.mark.parametrize(("largest", "decimals"), [(0.0, 2), (0.5, 3), (0.02, 4), (1e-9, 6), (99.0, 2), (1e5, 0)])
def test_three_digits_of_the_largest_are_shown(largest: float, decimals: int) -> None:
    assert decimals_for(largest) == decimals
    assert fixed(round(largest * 10**decimals), decimals, signed=False) == f"{largest:.{decimals}f}"


def test_examples_run() -> None:
    assert doctest.testmod(axis).failed == 0

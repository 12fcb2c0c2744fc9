"""Axes and printed figures of drawings: round ticks, percents on log-odds, and rounded parts that keep their sum."""

import math
from collections.abc import Sequence

from explain.views.base import rounded

_PERCENTS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
_FINER = tuple(tuple(step / parts for step in range(1, parts)) for parts in (20, 100, 1000))
CLOSEST, CLOSEST_NARROW = 0.15, 0.26  # of the axis: labels of nearer ticks would touch, on a wide and a narrow screen


def sigmoid(log_odds: float) -> float:
    """Return the probability of log-odds.

    >>> sigmoid(0.0), round(sigmoid(2.0), 3), sigmoid(-800.0)
    (0.5, 0.881, 0.0)
    """
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    power = math.exp(max(log_odds, -700.0))
    return power / (1 + power) if log_odds > -700 else 0.0


def decimals_for(largest: float) -> int:
    """Return how many decimals show three digits of the largest number: two from 1 to 100, at most 6.

    >>> decimals_for(4.265), decimals_for(45.0), decimals_for(0.38), decimals_for(120.0), decimals_for(0.0)
    (2, 2, 3, 0, 2)
    """
    if largest <= 0 or 1 <= largest < 100:
        return 2
    return min(6, max(0, 2 - math.floor(math.log10(largest))))


def adding_up(parts: Sequence[float], total: int, decimals: int, rest: int | None = None) -> list[int]:
    """Round parts to integers, in units of the last decimal, that sum to `total`.

    Args:
        parts: numbers, not yet in that unit.
        total: the sum of the integers, in that unit; near the sum of the parts.
        rest: the part that takes what rounding leaves. None: each part differs from its own by less than one unit,
            those first that were rounded off most.

    >>> adding_up([0.333, 0.333, 0.334], 100, 2)
    [33, 33, 34]
    >>> adding_up([1.004, 2.004, -0.001], 301, 2, rest=2)
    [100, 200, 1]
    """
    exact = [part * 10**decimals for part in parts]
    whole = [round(part) for part in exact]
    left = total - sum(whole)
    if rest is not None:
        whole[rest] += left
    elif left:
        step = 1 if left > 0 else -1
        most_cut = sorted(range(len(exact)), key=lambda number: step * (whole[number] - exact[number]))
        for number in most_cut[: abs(left)]:
            whole[number] += step
    return whole


def fixed(units: int, decimals: int, *, signed: bool = True) -> str:
    """Return an integer in units of the last decimal as text, with a typographic minus; zero has no sign.

    >>> fixed(217, 2), fixed(-56, 2), fixed(0, 2), fixed(217, 2, signed=False)
    ('+2.17', '−0.56', '0.00', '2.17')
    """
    return rounded(units / 10**decimals, f"{'+' if signed and units else ''}.{decimals}f")


def percent_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks between two log-odds at round probabilities: log-odds and the percent; an even chance if it fits.

    >>> [label for _, label in percent_ticks(-0.2, 3.6)]
    ['50%', '75%', '90%', '95%']
    """
    for chances in (_PERCENTS, *_FINER):
        places = [(math.log(chance / (1 - chance)), f"{100 * chance:g}%") for chance in chances]
        inside = [place for place in places if low <= place[0] <= high]
        if len(inside) > 1:
            break
    return spread(inside, CLOSEST * (high - low))


def round_ticks(low: float, high: float, decimals: int, *, signed: bool) -> list[tuple[float, str]]:
    """Return two to five ticks between two numbers, in steps of 1, 2 or 5 times a power of ten.

    >>> [label for _, label in round_ticks(-0.31, 1.2, 2, signed=True)]
    ['0', '+0.5', '+1.0']
    """
    if not high > low:
        return []
    power = 10 ** math.floor(math.log10((high - low) / 5))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= (high - low) / 4 * (1 - 1e-9))
    shown = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    sign = "+" if signed else ""
    return [
        (number * step, rounded(number * step, f"{sign}.{min(shown, decimals)}f") if number else "0")
        for number in numbers
    ]


def spread(ticks: Sequence[tuple[float, str]], gap: float) -> list[tuple[float, str]]:
    """Leave out ticks that are nearer than a gap to another; the one at zero stays."""
    kept = [tick for tick in ticks if tick[0] == 0]
    for tick in ticks:
        if all(abs(tick[0] - other[0]) >= gap for other in kept):
            kept.append(tick)
    return sorted(kept)

"""Reports with a thing or a few changed at random, as a stranger, a broken disk or an older program may leave them."""

import json
import random
from collections.abc import Iterator
from typing import Any

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 255, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400),
    *(0.0, -0.0, 0.5, 1.5, -1e-9, 1e-320, 1e50, 1e101, 1e308, -1e308, float("nan"), float("inf"), float("-inf")),
    *("", "x", "1", "nan", "log_odds", "share", "window", "token", "\0", "\ud800", "</script>", "\u202e", "a" * 5000),
    *([], {}, [[]], [None], [0], [0, 1], [1, 0], [-1, 5], [[0, 0]], ["x"], [1.5], [True], {"a": 1}, {"": None}),
)
LITERALS = ("1e400", "-1e999", "9" * 5000, "1" + "0" * 400, "NaN", "Infinity", "[" * 300 + "]" * 300)  # as text only
_MARK = "a literal that stands here"

Place = tuple[Any, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place in JSON values."""
    if place:
        yield place
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in parts:
        yield from places(part, (*place, step))


class Mutations:
    """Documents that differ from a record in one to three places.

    Half of the changes put in what is near: a number a little off, or the value of another place.
    """

    def __init__(self, record: Any, seed: object) -> None:
        self._written = json.dumps(record)
        self._record = record
        self._places = list(places(record))
        self._draw = random.Random(str(seed))

    def __iter__(self) -> Iterator[str]:
        while True:
            yield self._document()

    def _document(self) -> str:
        changed = json.loads(self._written)
        literal = self._draw.choice(LITERALS)
        for _ in range(self._draw.choice((1, 1, 1, 2, 3))):
            self._change(changed, self._draw.choice(self._places))
        return json.dumps(changed).replace(json.dumps(_MARK), literal)

    def _change(self, changed: Any, place: Place) -> None:
        try:
            holder = _at(changed, place[:-1])
            before = holder[place[-1]]
        except (KeyError, IndexError, TypeError):  # gone with a change before
            return
        if isinstance(holder, str):  # a change before put a word where a list was
            return
        kind = self._draw.randrange(12)
        if kind < 4 and type(before) in (int, float):
            holder[place[-1]] = self._moved(before)
        elif kind < 6:
            holder[place[-1]] = json.loads(json.dumps(_at(self._record, self._draw.choice(self._places))))
        elif kind == 6:
            del holder[place[-1]]
        elif kind == 7 and isinstance(holder, list):
            holder.insert(self._draw.randrange(len(holder) + 1), self._draw.choice(holder))
        elif kind == 8 and isinstance(holder, dict):
            holder[self._draw.choice(("every_logit", "tokens", "x", "\ud800", ""))] = self._draw.choice(HOSTILE)
        elif kind == 9:
            holder[place[-1]] = _MARK
        else:
            holder[place[-1]] = self._draw.choice(HOSTILE)

    def _moved(self, number: float) -> float:
        near = (number + 1, number - 1, -number, number * 1000, number / 3, float(number), int(number), number * 1.001)
        return self._draw.choice(near)


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value

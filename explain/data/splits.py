"""Rows to train on, to tune on and to measure on, so that no text stands on two sides.

A row of a split has `text`, `text_b` where there are pairs, and `label` (a name) or, where several may hold, `labels`
(a list of names).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from explain.core.errors import DataError
from explain.data.formats import Row

MOST_TEXTS = 20_000  # to train on
SHARE = 0.15  # of the texts to tune on, and as many to measure on ...
MOST_TUNED, MOST_MEASURED = 500, 1000  # ... but no more than these: tuning is done again and again
TEXTS = ("text", "text_b")  # the columns of a split
CALIBRATION_SHARE = 0.05  # of the texts that are no part of a longer one
SHARED_WORDS = 4  # texts that share fewer are not taken for parts of each other

Item = TypeVar("Item")


def labels_of(row: Row) -> tuple[str, ...]:
    """Return the names of a row's right labels.

    >>> labels_of({"text": "Good.", "label": "praise"})
    ('praise',)
    """
    return tuple(row["labels"]) if "labels" in row else (row["label"],)


def text_key(row: Row) -> str:
    """Return the key that rows of one text share: the first text, without case and spaces.

    >>> text_key({"text": " Good  film"})
    'good film'
    """
    return " ".join(row[TEXTS[0]].casefold().split())


def split_rows(rows: Sequence[Row], counts: Mapping[str, int], seed: int) -> dict[str, list[Row]]:
    """Draw the rows to train on ("train"), to stop by ("dev") and to measure on ("test").

    Every label keeps its share in each, as far as whole texts allow, and has at least two texts in each, however rare
    it is (where several are right, so has the rarest of each text). Of copies of a text, or of a pair, one is measured
    on: intervals take rows for drawn independently.

    Args:
        counts: how many rows each label has.

    >>> rows = [{"text": str(number), "label": "ab"[number % 2]} for number in range(40)]
    >>> {name: len(part) for name, part in split_rows(rows, {"a": 20, "b": 20}, seed=0).items()}
    {'train': 28, 'dev': 6, 'test': 6}
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(text_key(row), []).append(row)
    keys = list(groups)
    strata: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        strata.setdefault(_stratum(groups[key][0], counts), []).append(number)
    draw = np.random.default_rng(seed)
    most = {"test": min(MOST_MEASURED, round(SHARE * len(keys))), "dev": min(MOST_TUNED, round(SHARE * len(keys)))}
    most["train"] = min(MOST_TEXTS, len(keys) - sum(most.values()))
    members: dict[str, list[int]] = {name: [] for name in most}
    left = {stratum: draw.permutation(strata[stratum]).tolist() for stratum in sorted(strata)}
    sizes = {stratum: len(numbers) for stratum, numbers in left.items()}
    for name, total in most.items():
        takes_all = name == "train" and total < MOST_TEXTS
        places = sizes if takes_all else _shared_out(total, sizes)
        for stratum, rest in left.items():
            members[name] += rest[: places[stratum]]
            left[stratum] = rest[places[stratum] :]
    orders = {name: draw.permutation(members[name]).tolist() for name in ("train", "dev", "test")}
    parts = {name: [row for place in order for row in groups[keys[place]]] for name, order in orders.items()}
    parts["test"] = [row for place in orders["test"] for row in _each_once(groups[keys[place]], draw)]
    return parts


def _each_once(rows: Sequence[Row], draw: np.random.Generator) -> list[Row]:
    """Return one row of each text, or pair; which of its copies is drawn, as these may have other labels."""
    copies: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        copies.setdefault(tuple(row[name] for name in TEXTS if name in row), []).append(row)
    return [of_text[int(draw.integers(len(of_text)))] for of_text in copies.values()]


def _shared_out(total: int, sizes: dict[str, int]) -> dict[str, int]:
    """Return places for each, by its size: whole ones, then by the largest rests; two at least, or a third of a few."""
    exact = {name: total * size / sum(sizes.values()) for name, size in sizes.items()}
    places = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: places[name] - exact[name])
    for name in by_rest[: total - sum(places.values())]:
        places[name] += 1
    return {name: max(places[name], min(2, size // 3)) for name, size in sizes.items()}


def _stratum(row: Row, counts: Mapping[str, int]) -> str:
    return min(labels_of(row), key=lambda label: counts[label], default="")


def longest_only(texts: Iterable[str]) -> list[str]:
    """Return the texts of at least four words that are no part of a longer one, compared by runs of four words.

    >>> longest_only(["a film that nobody needs", "film that nobody needs", "two words"])
    ['a film that nobody needs']
    """
    kept: list[str] = []
    seen: dict[tuple[str, ...], list[int]] = {}
    for text in sorted(set(texts), key=lambda text: (-len(text), text)):
        words = text.split()
        if len(words) < SHARED_WORDS:
            continue
        runs = list(_runs(words, SHARED_WORDS))
        if any(text.strip() in kept[number] for number in seen.get(runs[0], ())):
            continue
        for run in runs:
            seen.setdefault(run, []).append(len(kept))
        kept.append(text)
    return kept


def part_of(texts: Iterable[str]) -> Callable[[str], bool]:
    """Return a test of whether a text is one of these, or a part of one of at least four words.

    >>> part_of(["a film that nobody needs"])("film that nobody needs")
    True
    """
    whole = set(texts)
    parts: set[tuple[str, ...]] = set()
    for text in whole:
        words = text.split()
        for length in range(SHARED_WORDS, len(words) + 1):
            parts.update(_runs(words, length))
    return lambda text: text in whole or tuple(text.split()) in parts


def hold_out(items: Sequence[Item], text_of: Callable[[Item], str], seed: int) -> tuple[list[Item], list[Item]]:
    """Split items into those to train on, and those to calibrate on, of whose texts training sees no part.

    Held out are all items of a twentieth of the texts that are no part of a longer one. Parts of them of four words and
    more are in neither half; a word or two says nothing of where it was taken from.

    Args:
        text_of: the text an item is told by; of a pair, the one that several pairs share.

    Raises:
        DataError: nothing is left to train on.

    >>> kept, held = hold_out([f"text {number}" for number in range(40)], str, seed=0)
    >>> len(kept), len(held)
    (38, 2)
    """
    texts = [*map(text_of, items)]
    candidates = sorted(longest_only(texts)) or sorted(set(texts))
    count = max(1, round(CALIBRATION_SHARE * len(candidates)))
    drawn = {candidates[number] for number in np.random.default_rng(seed).permutation(len(candidates))[:count]}
    is_part = part_of(drawn)
    kept = [example for example, text in zip(items, texts) if not is_part(text)]
    held = [example for example, text in zip(items, texts) if text in drawn]
    if not kept:
        raise DataError("There are too few different texts to hold some out and train on the others.")
    return kept, held


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + length]) for start in range(len(words) - length + 1))

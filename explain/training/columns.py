"""What of a table is learned: its text, its label, and which rows are trained on, tuned on and measured on.

Rows of one text (but for case and spaces) stay on one side, or a model would be measured on what it learned by heart.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explain.core.errors import DataError
from explain.text.tables import Row
from explain.training.tables import Table

FEWEST = 10  # different texts of a label: some to train on, some to tune on, some to measure on
MOST_LABELS = 50
LONGEST_LABEL = 80  # characters
MOST_TEXTS = 20_000  # to train on
SHARE = 0.15  # of the texts to tune on, and as many to measure on ...
MOST_TUNED, MOST_MEASURED = 500, 1000  # ... but no more than these: tuning is done again and again
TEXTS = ("text", "text_b")  # the columns of a split


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns are what.

    Attributes:
        text, label: their names.
        text_pair: of a second text, read together with the first; or None.
        several: any number of labels may be right; a cell holds a list, or names parted by "|".
    """

    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    several: bool = False


@dataclass(frozen=True)
class Examples:
    """The rows of a table that can be learned from.

    Attributes:
        rows: each with `text`, `text_b` where there are pairs, and `label` (a name) or, where several may be right,
            `labels` (a list of names).
        labels: all names there are, in order.
        counts: how many rows each label has.
        left_out: rows without a text or without a label.
        repeated: rows whose text stands in an earlier row.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    counts: dict[str, int]
    left_out: int
    repeated: int


def examples(table: Table, columns: Columns) -> Examples:
    """The rows to learn from.

    Raises:
        DataError: a column that is missing or empty, a single label, a label of too few texts, or too many labels.
    """
    _check_columns(table, columns)
    found, left_out = [], 0
    for number, row in enumerate(table.rows, 1):
        try:
            one = _example(row, columns)
        except DataError as error:
            raise DataError(f"{table.name}, row {number:,}: {error}") from error
        if one is None:
            left_out += 1
        else:
            found.append(one)
    if not found:
        raise DataError(f"{table.name}: no row has both a text ({columns.text}) and a label ({columns.label}).")
    counts = Counter(label for row in found for label in labels_of(row))
    _check_labels(table.name, columns, found, counts)
    names = tuple(sorted(counts, key=_in_order))
    texts = Counter(text_key(row) for row in found)
    return Examples(tuple(found), names, {name: counts[name] for name in names}, left_out, len(found) - len(texts))


def labels_of(row: Row) -> tuple[str, ...]:
    """The names of a row's right labels."""
    return tuple(row["labels"]) if "labels" in row else (row["label"],)


def text_key(row: Row) -> str:
    """By what rows are of one text: the first text, less case and spaces."""
    return " ".join(row[TEXTS[0]].casefold().split())


def _in_order(label: str) -> tuple[bool, float, str]:
    """Numbers by size, then names by letter."""
    try:
        return (False, float(label), label)
    except ValueError:
        return (True, 0.0, label)


def _check_columns(table: Table, columns: Columns) -> None:
    wanted = [columns.text, columns.label, *([columns.text_pair] if columns.text_pair else [])]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise DataError(
            f"{table.name} has no column {', '.join(missing)}; it has {', '.join(table.columns)}. Say which of these "
            "holds the text, and which the label."
        )
    if len(table.columns) == 1:
        raise DataError(
            f"{table.name} has one column, {wanted[0]}. To tell texts apart there has to be a second one, of labels."
        )
    if len(set(wanted)) < len(wanted):
        raise DataError(f"The text and the label are one column, {wanted[0]}. Choose another for one of them.")


def _example(row: Row, columns: Columns) -> Row | None:
    """One row as a split holds it; None where it lacks a text or a label."""
    texts = [text_of(row[name]) for name in (columns.text, columns.text_pair) if name]
    if not all(texts):
        return None
    kept: Row = dict(zip(TEXTS, texts))
    cell = row[columns.label]
    if columns.several:
        cells = cell if isinstance(cell, list) else text_of(cell).split("|")
        names = dict.fromkeys(_label(one) for one in cells)
        return kept | {"labels": [name for name in names if name]}
    if isinstance(cell, list | dict):
        raise DataError(
            f"its label is {text_of(str(cell))[:60]}; one name is wanted, unless several labels may be right."
        )
    label = _label(cell)
    return kept | {"label": label} if label else None


def text_of(value: Any) -> str:
    """A cell as text; a missing one is empty.

    Raises:
        DataError: it holds something else than text or a number.
    """
    if value is None or value != value:  # not a number: how some programs write that nothing is there
        return ""
    if isinstance(value, list | dict):
        raise DataError(f"it holds {str(value)[:60]!r}, and plain text is wanted.")
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError("it holds bytes that are no text in UTF-8.") from error
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError:  # half an emoji, where a text was cut off within one: no text that could be written
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _label(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()  # a table's whole numbers come as 1.0 where one is missing
    label = " ".join(text_of(int(value) if whole else value).split())
    if any(unicodedata.category(character) == "Cc" for character in label):
        raise DataError("its label holds control characters; a name is wanted.")
    if len(label) > LONGEST_LABEL:
        raise DataError(f"its label has {len(label):,} characters ({label[:40]} ...); that looks like a text.")
    return label


def _check_labels(name: str, columns: Columns, rows: Sequence[Row], counts: Counter[str]) -> None:
    if len(counts) > MOST_LABELS:
        few = ", ".join(label[:20] for label in list(counts)[:3])
        raise DataError(
            f"{name}: the column {columns.label} holds {len(counts):,} different values ({few} ...); at most "
            f"{MOST_LABELS} labels are told apart. Is it the right column? Numbers are not learned as such: make "
            "ranges of them."
        )
    if len(counts) < 2 and not (columns.several and counts):
        only = f"every row has the label {next(iter(counts))!r}" if counts else "no row has a label"
        raise DataError(f"{name}: {only}; at least two labels are needed, or there is nothing to tell apart.")
    texts: dict[str, set[str]] = {label: set() for label in counts}
    for row in rows:
        for label in labels_of(row):
            texts[label].add(text_key(row))
    rare = sorted((len(of_label), label) for label, of_label in texts.items() if len(of_label) < FEWEST)
    if rare:
        told = ", ".join(f"{label!r} has {count}" for count, label in rare[:5])
        raise DataError(
            f"{name}: a label needs {FEWEST} different texts, to train, tune and measure on; {told}"
            f"{' ...' if len(rare) > 5 else ''}. Add rows, or join rare labels to others."
        )


def split(found: Examples, seed: int) -> dict[str, list[Row]]:
    """The rows to train on ("train"), to stop by ("dev") and to measure on ("test"), drawn by the seed.

    Every label keeps its share in each, as far as whole texts allow, and has at least two texts in each, however rare
    it is (where several are right, so has the rarest of each text). Of copies of a text, or of a pair, one is measured
    on: intervals take rows for drawn independently.
    """
    groups: dict[str, list[Row]] = {}
    for row in found.rows:
        groups.setdefault(text_key(row), []).append(row)
    keys = list(groups)
    strata: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        strata.setdefault(_stratum(groups[key][0], found.counts), []).append(number)
    draw = np.random.default_rng(seed)
    most = {"test": min(MOST_MEASURED, round(SHARE * len(keys))), "dev": min(MOST_TUNED, round(SHARE * len(keys)))}
    most["train"] = min(MOST_TEXTS, len(keys) - sum(most.values()))
    chosen: dict[str, list[int]] = {name: [] for name in most}
    left = {stratum: draw.permutation(strata[stratum]).tolist() for stratum in sorted(strata)}
    sizes = {stratum: len(members) for stratum, members in left.items()}
    for name, total in most.items():
        everything = name == "train" and total < MOST_TEXTS
        counts = sizes if everything else _shared_out(total, sizes)
        for stratum, rest in left.items():
            chosen[name] += rest[: counts[stratum]]
            left[stratum] = rest[counts[stratum] :]
    orders = {name: draw.permutation(chosen[name]).tolist() for name in ("train", "dev", "test")}
    parts = {name: [row for place in order for row in groups[keys[place]]] for name, order in orders.items()}
    parts["test"] = [row for place in orders["test"] for row in _each_once(groups[keys[place]], draw)]
    return parts


def _each_once(rows: Sequence[Row], draw: np.random.Generator) -> list[Row]:
    """Of rows that are the same text, or pair, one: which, is drawn, as copies may have other labels."""
    copies: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        copies.setdefault(tuple(row[name] for name in TEXTS if name in row), []).append(row)
    return [of[int(draw.integers(len(of)))] for of in copies.values()]


def _shared_out(total: int, sizes: dict[str, int]) -> dict[str, int]:
    """Places for each, by its size: whole ones, then by the largest rests; two at least, or a third of a few."""
    exact = {name: total * size / sum(sizes.values()) for name, size in sizes.items()}
    places = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: places[name] - exact[name])
    for name in by_rest[: total - sum(places.values())]:
        places[name] += 1
    return {name: max(places[name], min(2, size // 3)) for name, size in sizes.items()}


def _stratum(row: Row, counts: dict[str, int]) -> str:
    return min(labels_of(row), key=lambda label: counts[label], default="")

"""Texts out of files and pasted lines; rows in which nothing is visible are left out, and counted."""

import bisect
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explain.core.errors import DataError, TextError
from explain.text.checks import check_text
from explain.text.tables import Row, Source, columns_of, rows_of
from explain.text.words import is_visible

MOST_ROWS = 100_000
MOST_CHARACTERS = 200_000_000  # of all texts
_USUAL_NAMES = ("text", "sentence")


@dataclass(frozen=True)
class Texts:
    """Texts in their order. Two are equal when their texts and labels are.

    Attributes:
        texts (N,), rows (N,): and the row each stands in, the first being 1.
        labels (N,): what the file says of each; empty where no label was asked for.
        blank: rows that were left out, as there is nothing to see in them.
        last: the last row that was looked at.
        digest: the sha256 of texts, rows and labels.
    """

    texts: tuple[str, ...] = field(repr=False, compare=False)
    rows: tuple[int, ...] = field(repr=False, compare=False)
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)
    blank: int = field(default=0, compare=False)
    last: int = field(default=0, compare=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(repr((len(self.texts), bool(self.labels), self.rows)).encode())
        for one in (*self.texts, *self.labels):
            encoded = one.encode()
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        object.__setattr__(self, "digest", digest.hexdigest())

    def __len__(self) -> int:
        return len(self.texts)

    def member(self, row: int) -> int | None:
        """The place of the text of a row; None where it is not among the texts."""
        place = bisect.bisect_left(self.rows, row)
        return place if place < len(self) and self.rows[place] == row else None


def of_lines(lines: str, most: int | None = None) -> Texts:
    """One text a line, as someone pasted them, or the first lines only.

    Raises:
        DataError: no texts, or too many.
    """
    return _texts(enumerate(({"text": line} for line in lines.splitlines()), 1), "text", None, "What was given", most)


def read_texts(
    source: str | Path | Source, *, column: str | None = None, label: str | None = None, most: int | None = None
) -> Texts:
    """Read the texts of a file.

    Args:
        source: a .csv, .tsv, .txt, .jsonl or .parquet file; all but the last may end in .gz too.
        column: which holds the texts; by default "text", "sentence", or the only one. A .txt has a text on each line.
        label: the column of what is known of each, if that is wanted.
        most: take the first rows only, so many.

    Raises:
        DataError: no such file or column, another encoding than UTF-8, a row that does not fit, no texts, or more than
            100,000 rows.
    """
    source = source if isinstance(source, Source) else Source.at(source)
    name, columns = source.name, columns_of(source)
    column = _text_column(columns, column, name)
    if label is not None and label not in columns:
        raise DataError(f"{name} has no column {label!r} for labels; it has {', '.join(columns) or 'none'}.")
    wanted = list(dict.fromkeys(filter(None, (column, label))))
    return _texts(rows_of(source, wanted), column, label, name, most)


def _text_column(columns: Sequence[str], asked: str | None, name: str) -> str:
    if not columns:
        if asked not in (None, "text"):
            raise DataError(f"{name} has a text on each line and no columns: leave the column {asked!r} away.")
        return "text"
    if asked is None:
        asked = next((usual for usual in _USUAL_NAMES if usual in columns), columns[0] if len(columns) == 1 else None)
    if asked is None:
        raise DataError(f"Say which column of {name} holds the texts: {', '.join(columns)}.")
    if asked not in columns:
        raise DataError(f"{name} has no column {asked!r}; it has {', '.join(columns)}.")
    return asked


def _texts(rows: Iterable[tuple[int, Row]], column: str, label: str | None, name: str, most: int | None) -> Texts:
    """What is kept of rows, checked one by one."""
    texts: list[str] = []
    numbers: list[int] = []
    labels: list[str] = []
    blank = characters = last = 0
    for number, row in rows:
        if most is not None and number > most:
            break
        last = number
        if number > MOST_ROWS:
            raise DataError(
                f"{name} has more than {MOST_ROWS:,} rows, the most that are taken. Give a part of it, or ask for the "
                "first rows only."
            )
        text = _text(row.get(column), number, column)
        if not any(map(is_visible, text)):
            blank += 1
            continue
        characters += len(text)
        if characters > MOST_CHARACTERS:
            raise DataError(f"{name} has more than {MOST_CHARACTERS:,} characters of text. Give a part of it.")
        texts.append(text)
        numbers.append(number)
        if label is not None:
            labels.append(_label(row.get(label)))
    if not texts:
        raise DataError(f"{name} holds no texts{f' in its column {column!r}' if blank else ''}. Give one a row.")
    return Texts(tuple(texts), tuple(numbers), tuple(labels), blank, last)


def _text(value: Any, number: int, column: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"Row {number}: {column!r} holds {type(value).__name__}, and texts are wanted.")
    try:
        if any(map(is_visible, value)):
            check_text(value)
    except TextError as error:
        raise DataError(f"Row {number}: {error}") from error
    return value


def _label(value: Any) -> str:
    """A label as it is shown; of several, all of them."""
    told = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return told.encode("utf-8", "replace").decode("utf-8")

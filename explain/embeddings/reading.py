"""Texts out of files and pasted lines, read as a stream: CSV, text, JSON lines, Parquet, packed with gzip or not.

Rows are numbered as they stand in a file, the first being 1 (a CSV's header is no row). Rows in which nothing is
visible are left out, and counted.
"""

import bisect
import contextlib
import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from explain.errors import DataError, TextError
from explain.models.encoder import MAX_CHARACTERS, check_text
from explain.text.words import is_visible

MOST_ROWS = 100_000
MOST_CHARACTERS = 200_000_000  # of all texts
_MOST_BYTES = 1 << 30  # that a packed file may unfold to
_USUAL_NAMES = ("text", "sentence")
_DELIMITERS = (",", ";", "\t")
csv.field_size_limit(MAX_CHARACTERS)

Cells = dict[str, Any]


@dataclass(frozen=True)
class Texts:
    """Texts in their order. Two are equal when their texts and labels are.

    Attributes:
        texts (N,), rows (N,): and the row each stands in, the first being 1.
        labels (N,): what the file says of each; empty where no label was asked for.
        blank: rows that were left out, as there is nothing to see in them.
        digest: the sha256 of texts, rows and labels.
    """

    texts: tuple[str, ...] = field(repr=False, compare=False)
    rows: tuple[int, ...] = field(repr=False, compare=False)
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)
    blank: int = field(default=0, compare=False)
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


@dataclass(frozen=True)
class Source:
    """A file: its name, which tells what it is, and how it is opened anew."""

    name: str
    open: Callable[[], BinaryIO]

    @classmethod
    def at(cls, place: str | Path) -> "Source":
        path = Path(place).expanduser()
        return cls(path.name, lambda: path.open("rb"))

    @classmethod
    def of(cls, name: str, content: bytes) -> "Source":
        return cls(name, lambda: io.BytesIO(content))


def of_lines(lines: str) -> Texts:
    """One text a line, as someone pasted them.

    Raises:
        DataError: no texts, or too many.
    """
    return _texts(enumerate(({"text": line} for line in lines.splitlines()), 1), "text", None, "What was pasted", None)


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
    with _told(name), _unpacked(source) as opened:
        return _texts(_KINDS[_kind(name)](opened, name, wanted), column, label, name, most)


def columns_of(source: Source) -> tuple[str, ...]:
    """The names of a file's columns, as its beginning tells: none for lines of text.

    Raises:
        DataError: it is none of the kinds that are read, is empty, or can't be read.
    """
    kind = _kind(source.name)
    with _told(source.name), _unpacked(source) as opened:
        return _COLUMNS[kind](opened, source.name)


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


def _texts(rows: Iterable[tuple[int, Cells]], column: str, label: str | None, name: str, most: int | None) -> Texts:
    """What is kept of rows, checked one by one."""
    texts: list[str] = []
    numbers: list[int] = []
    labels: list[str] = []
    blank = characters = 0
    for number, row in rows:
        if most is not None and number > most:
            break
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
    return Texts(tuple(texts), tuple(numbers), tuple(labels), blank)


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
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")


# Kinds of files, each read row by row.


def _csv_rows(opened: BinaryIO, name: str, wanted: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    header, lines = _csv(opened)
    for number, cells in enumerate(lines, 1):
        if len(cells) > len(header):
            raise DataError(
                f"{name}, row {number} has {len(cells)} cells, its header {len(header)}. A text that holds the "
                "delimiter has to stand in double quotes."
            )
        yield number, dict(zip(header, cells))


def _csv_columns(opened: BinaryIO, name: str) -> tuple[str, ...]:
    header = tuple(_csv(opened)[0])
    if not any(header):
        raise DataError(f"{name} is empty. Its first line should name the columns.")
    if len(set(header)) < len(header):
        raise DataError(f"{name} has two columns of one name: {', '.join(header)}. Name them apart.")
    return header


def _csv(opened: BinaryIO) -> tuple[list[str], Iterator[list[str]]]:
    """The header, cut by the delimiter that cuts it into most names, and the rows."""
    lines = _decoded(opened, newline="")
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    header = next(csv.reader([first], delimiter=delimiter), [])
    return [one.strip() for one in header], (row for row in csv.reader(lines, delimiter=delimiter) if row)


def _lines(opened: BinaryIO, name: str, wanted: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    return ((number, {"text": line.rstrip("\r\n")}) for number, line in enumerate(_decoded(opened), 1))


def _json_rows(opened: BinaryIO, name: str, wanted: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    for number, row in json_lines(_decoded(opened), name):
        if wanted[0] not in row:  # a label may be missing here and there
            raise DataError(f"{name}, line {number} has no {wanted[0]!r}; it has {', '.join(row) or 'nothing'}.")
        yield number, row


def _json_columns(opened: BinaryIO, name: str) -> tuple[str, ...]:
    for _, row in json_lines(_decoded(opened), name):
        return tuple(row)
    raise DataError(f"{name} is empty.")


def json_lines(lines: Iterable[str], name: object) -> Iterator[tuple[int, Cells]]:
    """JSON objects, one a line, with the number of each line; empty lines hold none.

    Raises:
        DataError: a line that is no JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {number}: not JSON ({getattr(error, 'msg', error)}).") from error
        if not isinstance(row, dict):
            raise DataError(
                f"{name}, line {number}: a JSON object is wanted, not {type(row).__name__}; each line holds one."
            )
        yield number, row


def _parquet_rows(opened: BinaryIO, name: str, wanted: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    number = 0
    for batch in _parquet(opened, name).iter_batches(batch_size=1024, columns=list(wanted)):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _parquet_columns(opened: BinaryIO, name: str) -> tuple[str, ...]:
    return tuple(_parquet(opened, name).schema_arrow.names)


def _parquet(opened: BinaryIO, name: str) -> Any:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(opened)
    except pyarrow.ArrowException as error:
        raise DataError(f"{name} is no Parquet file, or a broken one.") from error


_Rows = Callable[[BinaryIO, str, Sequence[str]], Iterator[tuple[int, Cells]]]
_KINDS: dict[str, _Rows] = {"csv": _csv_rows, "txt": _lines, "jsonl": _json_rows, "parquet": _parquet_rows}
_COLUMNS: dict[str, Callable[[BinaryIO, str], tuple[str, ...]]] = {
    "csv": _csv_columns,
    "txt": lambda opened, name: (),
    "jsonl": _json_columns,
    "parquet": _parquet_columns,
}
_ENDINGS = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "txt",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "parquet": "parquet",
}
ENDINGS = tuple(_ENDINGS)


def _kind(name: str) -> str:
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in _ENDINGS:
        raise DataError(f"{name} ends in none of .{', .'.join(_ENDINGS)} (or these and .gz): say by it what it is.")
    return _ENDINGS[ending]


def _unpacked(source: Source) -> BinaryIO:
    opened = source.open()
    if not source.name.lower().endswith(".gz"):
        return opened
    return cast(BinaryIO, io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=opened))))


class _Bounded(io.RawIOBase):
    """A packed stream that does not unfold for ever."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed, self._left = packed, _MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = self._packed.readinto(buffer)
        self._left -= read
        if self._left < 0:
            raise DataError(f"It unfolds to more than {_MOST_BYTES >> 20} MB. Give a part of it.")
        return read


def _decoded(opened: BinaryIO, newline: str | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened, encoding="utf-8-sig", newline=newline)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """What goes wrong inside a file, in words on that file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8. Save it as UTF-8 (in a spreadsheet: CSV UTF-8), and load it again."
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{name} is no CSV that can be read ({error}). Does every quote have its other half?"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name} is not packed with gzip, or broken off. Copy it again.") from error
    except OSError as error:
        raise DataError(f"{name} can't be read: {error.strerror or error}.") from error

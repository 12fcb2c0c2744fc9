"""Rows out of files, read as a stream: CSV, text, JSON lines, Parquet, packed with gzip or not.

Rows are numbered as they stand in a file, the first being 1 (a CSV's header is no row; in text and JSON lines every
line counts). What is wrong with a file is told by its line, with what to do about it.
"""

import contextlib
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from explain.core.errors import DataError
from explain.core.installation import own_path

LONGEST_CELL = 1_000_000  # characters of a CSV's cell
_LONGEST_LINE = 64_000_000  # bytes
_MOST_LINES = 3_000_000  # empty ones too
_LONGEST_LIST = 20_000_000  # characters of a JSON list, which is read whole
_PARQUET_ROWS = 64  # unpacked at once
_DELIMITERS = (",", ";", "\t")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"

Row = dict[str, Any]  # strings where the file is CSV or text, any JSON values where it is not


@dataclass(frozen=True)
class Source:
    """A file.

    Attributes:
        name: tells by its ending what it is.
        open: opens it anew.
        most_bytes: that it may unfold to, where it is packed.
    """

    name: str
    open: Callable[[], BinaryIO]
    most_bytes: int = 1 << 30

    @classmethod
    def at(cls, place: str | Path) -> "Source":
        path = own_path(place)
        return cls(path.name, lambda: path.open("rb"))

    @classmethod
    def of(cls, name: str, content: bytes) -> "Source":
        return cls(name, lambda: io.BytesIO(content))


def columns_of(source: Source) -> tuple[str, ...]:
    """The names of a file's columns, as its beginning tells: none for lines of text.

    Raises:
        DataError: it is none of the kinds that are read, is empty, or can't be read.
    """
    return _read(source, lambda kind, opened: kind.columns(opened, source))


def rows_of(source: Source, columns: Sequence[str] | None = None) -> Iterator[tuple[int, Row]]:
    """A file's rows, with their numbers.

    Args:
        columns: those that are needed; the first of them every row must have. None for all there are.

    Raises:
        DataError: it is none of the kinds that are read, or something in it is broken; says where and what to do.
    """
    kind = _KINDS[_kind(source.name)]
    with _told(source.name), _unpacked(source) as opened:
        for number, row in kind.rows(opened, source, columns):
            if columns and columns[0] not in row:
                has = ", ".join(row) or "nothing"
                raise DataError(f"{source.name}, line {number:,} has no {columns[0]!r}; it has {has}.")
            yield number, row


def json_lines(lines: Iterable[str], name: object) -> Iterator[tuple[int, Row]]:
    """JSON objects, one a line, with the number of each line; empty lines hold none.

    Raises:
        DataError: a line that is no JSON object.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _object(_parsed(line, f"{name}, line {number:,}"), f"{name}, line {number:,}")


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise DataError(f"{place} nests lists in lists too deeply; a row should hold plain values.") from error
    except ValueError as error:
        raise DataError(f"{place}: not JSON ({getattr(error, 'msg', error)}).") from error


def _object(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{place}: a JSON object is wanted, not {type(value).__name__}.")
    return value


def _decoded(opened: BinaryIO, name: str) -> Iterator[str]:
    """Lines with their ends, decoded one by one, so that what can't be is told by its line."""
    for number, line in enumerate(iter(lambda: opened.readline(_LONGEST_LINE + 1), b""), 1):
        if number > _MOST_LINES:
            raise DataError(f"{name} has more than {_MOST_LINES:,} lines. Give a part of it.")
        if number == 1 and line.startswith(_UTF16):
            raise DataError(f"{name} is UTF-16, as Excel's 'Unicode text' is. Save it as UTF-8 (Excel: 'CSV UTF-8').")
        if len(line) > _LONGEST_LINE:
            raise DataError(f"{name}, line {number:,} is longer than {_LONGEST_LINE // 1_000_000} MB. Is it a table?")
        if b"\0" in line:
            raise DataError(f"{name} is no text: its line {number:,} holds zero bytes.")
        try:
            yield (line.removeprefix(_BOM) if number == 1 else line).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} is not UTF-8: line {number:,} holds the byte 0x{error.object[error.start]:02X}. Save it as "
                "UTF-8 (Excel: 'CSV UTF-8'; elsewhere: iconv -f WINDOWS-1252 -t UTF-8)."
            ) from error


# The kinds of files.


def _csv_rows(opened: BinaryIO, source: Source, wanted: Sequence[str] | None) -> Iterator[tuple[int, Row]]:
    reader, columns = _csv(opened, source.name)
    number = 0
    for cells in _records(reader, source.name):
        if not cells:
            continue
        number += 1
        if len(cells) != len(columns):
            raise DataError(
                f"{source.name}, line {reader.line_num:,}: {len(cells)} cells, but {len(columns)} columns "
                f"({', '.join(columns)}). A text that holds a comma, a semicolon or a line break should stand in "
                "double quotes."
            )
        yield number, dict(zip(columns, cells))


def _csv_columns(opened: BinaryIO, source: Source) -> tuple[str, ...]:
    return _csv(opened, source.name)[1]


def _csv(opened: BinaryIO, name: str) -> tuple[Any, tuple[str, ...]]:
    """A reader, and the names of the columns; the delimiter is a tab, or what the header has most of."""
    csv.field_size_limit(LONGEST_CELL)
    lines = _decoded(opened, name)
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise DataError(f"{name} is empty. Its first line should name the columns.")
    by_tabs = name.lower().removesuffix(".gz").endswith(".tsv")
    delimiter = "\t" if by_tabs else max(_DELIMITERS, key=header.count)
    reader = csv.reader((line for part in ((header,), lines) for line in part), delimiter=delimiter, strict=True)
    columns = tuple(column.strip() for column in next(_records(reader, name)))
    if not all(columns) or len(set(columns)) < len(columns):
        raise DataError(
            f"{name}: the first line should name each column, each by a name of its own; it has {', '.join(columns)}."
        )
    return reader, columns


def _records(reader: Any, name: str) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num:,}: no CSV that can be read ({error}). Has every quote its other half?"
        ) from error


def _text_rows(opened: BinaryIO, source: Source, wanted: Sequence[str] | None) -> Iterator[tuple[int, Row]]:
    return ((number, {"text": line.rstrip("\r\n")}) for number, line in enumerate(_decoded(opened, source.name), 1))


def _json_rows(opened: BinaryIO, source: Source, wanted: Sequence[str] | None) -> Iterator[tuple[int, Row]]:
    return json_lines(_decoded(opened, source.name), source.name)


def _listed_rows(opened: BinaryIO, source: Source, wanted: Sequence[str] | None) -> Iterator[tuple[int, Row]]:
    """A list of objects, which is read whole; or else one object a line."""
    lines = _decoded(opened, source.name)
    first = next((line for line in lines if line.strip()), "")
    rest = (line for part in ((first,), lines) for line in part)
    if not first.lstrip().startswith("["):
        yield from json_lines(rest, source.name)
        return
    parts, length = [], 0
    for line in rest:
        parts.append(line)
        length += len(line)
        if length > _LONGEST_LIST:
            raise DataError(
                f"{source.name} holds one list of more than {_LONGEST_LIST // 1_000_000} MB, and a list is read whole. "
                "Write an object a line (.jsonl)."
            )
    for number, row in enumerate(_parsed("".join(parts), source.name), 1):
        yield number, _object(row, f"{source.name}, row {number:,}")


def _first_columns(rows: Callable[..., Iterator[tuple[int, Row]]]) -> Callable[[BinaryIO, Source], tuple[str, ...]]:
    def columns(opened: BinaryIO, source: Source) -> tuple[str, ...]:
        for _, row in rows(opened, source, None):
            for name in row:
                if any(map(_half, name)):
                    raise DataError(f"{source.name} has a column whose name holds half a character: {name!a}.")
            return tuple(row)
        raise DataError(f"{source.name} is empty.")

    return columns


def _half(character: str) -> bool:
    """Half of a character that UTF-16 writes as two: no text that could be written down."""
    return "\ud800" <= character <= "\udfff"


def _parquet_rows(opened: BinaryIO, source: Source, wanted: Sequence[str] | None) -> Iterator[tuple[int, Row]]:
    file = _parquet(opened, source)
    batches = file.iter_batches(batch_size=_PARQUET_ROWS, columns=None if wanted is None else list(wanted))
    number = characters = 0
    while rows := _next_rows(batches, source.name, number):
        for row in rows:
            number += 1
            # What a file says of its size counts a text that stands in it often only once.
            characters += sum(map(_length, row.values()))
            if characters > source.most_bytes:
                raise DataError(
                    f"{source.name} holds more than {source.most_bytes // 1_000_000} MB. Give a part of it."
                )
            yield number, row


def _length(cell: Any) -> int:
    """Characters of a cell, and of all that is in it."""
    if isinstance(cell, dict):
        cell = list(cell.values())
    return sum(map(_length, cell)) if isinstance(cell, list) else len(cell) if isinstance(cell, str | bytes) else 0


def _holds_text(kind: Any) -> bool:
    """Whether a column of Parquet holds texts or bytes, of whatever width their places are counted in."""
    from pyarrow import types

    tests = (types.is_string, types.is_large_string, types.is_string_view)
    return any(test(kind) for test in (*tests, types.is_binary, types.is_large_binary, types.is_binary_view))


def _next_rows(batches: Iterator[Any], name: str, number: int) -> list[Row]:
    """Some more rows; none at the end."""
    import pyarrow
    from pyarrow import compute

    try:
        for batch in batches:
            for column in batch.columns:
                known = column.dictionary if isinstance(column, pyarrow.DictionaryArray) else column
                if _holds_text(known.type):
                    longest = compute.max(compute.binary_length(known)).as_py() or 0
                else:
                    longest = known.nbytes // max(1, len(known))  # of lists and the like, a cell on average
                if longest > 4 * LONGEST_CELL:
                    raise DataError(
                        f"{name}: one of the rows from {number + 1:,} on holds a cell of more than {LONGEST_CELL:,} "
                        "characters."
                    )
            return list(batch.to_pylist())
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DataError(
            f"{name}: the rows from {number + 1:,} on can't be read ({str(error).splitlines()[0][:120]}). Is it whole, "
            "and its text UTF-8?"
        ) from error
    return []


def _parquet_columns(opened: BinaryIO, source: Source) -> tuple[str, ...]:
    return tuple(_parquet(opened, source).schema_arrow.names)


def _parquet(opened: BinaryIO, source: Source) -> Any:
    import pyarrow  # takes a while, and few ask
    from pyarrow.parquet import ParquetFile, read_schema

    try:
        schema = read_schema(opened)
        opened.seek(0)
        # A text that stands in many rows is then unpacked once, however many these are.
        texts = [one.name for one in schema if _holds_text(one.type)]
        file = ParquetFile(opened, read_dictionary=texts)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{source.name} is no Parquet file, or a broken one.") from error
    if len(set(schema.names)) < len(schema.names):
        raise DataError(f"{source.name} has several columns of one name: {', '.join(schema.names)}.")
    unpacked = sum(file.metadata.row_group(number).total_byte_size for number in range(file.metadata.num_row_groups))
    if unpacked > source.most_bytes:
        raise DataError(f"{source.name} holds {unpacked / 1e6:,.0f} MB unpacked. Give a part of it.")
    return file


@dataclass(frozen=True)
class _Kind:
    rows: Callable[[BinaryIO, Source, Sequence[str] | None], Iterator[tuple[int, Row]]]
    columns: Callable[[BinaryIO, Source], tuple[str, ...]]


_CSV = _Kind(_csv_rows, _csv_columns)
_JSON_LINES = _Kind(_json_rows, _first_columns(_json_rows))
_KINDS = {
    "csv": _CSV,
    "tsv": _CSV,
    "txt": _Kind(_text_rows, lambda opened, source: ()),
    "jsonl": _JSON_LINES,
    "ndjson": _JSON_LINES,
    "json": _Kind(_listed_rows, _first_columns(_listed_rows)),
    "parquet": _Kind(_parquet_rows, _parquet_columns),
}
ENDINGS = tuple(_KINDS)


def _kind(name: str) -> str:
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in _KINDS or "." not in name:
        raise DataError(f"{name} ends in none of .{', .'.join(_KINDS)} (or these and .gz): say by it what it is.")
    return ending


def _read(source: Source, read: Callable[[_Kind, BinaryIO], Any]) -> Any:
    kind = _KINDS[_kind(source.name)]
    with _told(source.name), _unpacked(source) as opened:
        return read(kind, opened)


def _unpacked(source: Source) -> BinaryIO:
    opened = source.open()
    if not source.name.lower().endswith(".gz"):
        return opened
    return cast(BinaryIO, io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=opened), source.most_bytes)))


class _Bounded(io.RawIOBase):
    """A packed stream that does not unfold for ever."""

    def __init__(self, packed: gzip.GzipFile, most: int) -> None:
        self._packed, self._most, self._left = packed, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = self._packed.readinto(buffer)
        self._left -= read
        if self._left < 0:
            raise DataError(f"It unfolds to more than {self._most // 1_000_000} MB. Give a part of it.")
        return read


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """What goes wrong inside a file, in words on that file."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name} is not packed with gzip, or broken off. Copy it again.") from error
    except OSError as error:
        raise DataError(f"{name} can't be read: {error.strerror or error}.") from error

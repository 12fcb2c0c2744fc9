"""Rows of one file, read as a stream: CSV, TSV, plain lines, JSON lines, Parquet, packed with gzip or not.

Rows are numbered as they stand in the file, the first being 1: a CSV's header is no row; in plain lines and JSON lines
every line counts. A row that can't be read comes as a `BadRow`, which says where and what to do; a file that can't be
read any further raises a `DataError`.
"""

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

from explain.core.errors import DataError
from explain.core.installation import own_path

LONGEST_CELL = 1_000_000  # characters of a CSV's cell
_LONGEST_LINE = 64_000_000  # bytes
_LONGEST_LIST = 20_000_000  # characters of a JSON list, which is read whole
_NAMING_ROWS = 1000  # rows of JSON lines that are looked at for the names of columns
_PARQUET_ROWS = 64  # unpacked at once
_HASHED_AT_ONCE = 1 << 20  # bytes
_DELIMITERS = (",", ";", "\t")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"

Row = dict[str, Any]  # strings where the file is CSV or text, any JSON values where it is not


@dataclass(frozen=True)
class BadRow:
    """The reason why a row can't be read: the file, the line, and what to do."""

    reason: str


NumberedRow = tuple[int, Row | BadRow]


@dataclass(frozen=True)
class Limits:
    """The most that is read of a data set; None sets no limit.

    Attributes:
        stored: bytes of a file as it lies there.
        unpacked: bytes that a packed file may unfold to.
        lines: lines of a file, empty ones too.
        rows: rows of a data set.
        characters: characters of all texts together.
    """

    stored: int | None = None
    unpacked: int | None = None
    lines: int | None = None
    rows: int | None = None
    characters: int | None = None


@dataclass(frozen=True)
class StoredFile:
    """A file of rows.

    Attributes:
        name: its ending tells its format.
        open: opens it anew.
        size: its bytes.
        limits: the most that is read of it.
    """

    name: str
    open: Callable[[], BinaryIO] = field(repr=False)
    size: int | None = None
    limits: Limits = Limits()

    @classmethod
    def at(cls, place: str | Path, limits: Limits = Limits()) -> "StoredFile":
        """Return a file on disk.

        Raises:
            DataError: it is not there, can't be read, or is larger than `limits` allow.
        """
        path = own_path(place)
        with _reading(path.name):
            size = path.stat().st_size
        _check_size(path.name, size, limits)
        return cls(path.name, lambda: path.open("rb"), size, limits)

    @classmethod
    def of(cls, name: str, content: bytes, limits: Limits = Limits()) -> "StoredFile":
        """Return a file that is held in memory, as an upload is.

        Raises:
            DataError: it is larger than `limits` allow.
        """
        name = Path(name.replace("\\", "/")).name
        _check_size(name, len(content), limits)
        return cls(name, lambda: io.BytesIO(content), len(content), limits)

    @classmethod
    def elsewhere(
        cls, name: str, open_anew: Callable[[], BinaryIO], size: int | None, limits: Limits = Limits()
    ) -> "StoredFile":
        """Return a file that is not on this disk.

        Raises:
            DataError: it is larger than `limits` allow.
        """
        _check_size(name, size or 0, limits)
        return cls(name, open_anew, size, limits)

    @property
    def has_columns(self) -> bool:
        """Whether its rows have columns; plain lines have none."""
        return _format_of(self.name) != "txt"

    def columns(self) -> tuple[str, ...]:
        """Return the names of its columns, as its beginning tells; "text" for plain lines.

        Raises:
            DataError: its format is unknown, it is empty, or it can't be read.
        """
        read_columns = _FORMATS[_format_of(self.name)].columns
        with _reading(self.name), _unpacked(self) as opened:
            return read_columns(opened, self)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
        """Yield its rows with their numbers.

        Args:
            columns: those that are needed; the first of them every row must have. None for all there are.

        Raises:
            DataError: its format is unknown, or it can't be read any further.
        """
        read_rows = _FORMATS[_format_of(self.name)].rows
        with _reading(self.name), _unpacked(self) as opened:
            for number, row in read_rows(opened, self, columns):
                if columns and isinstance(row, dict) and columns[0] not in row:
                    present = ", ".join(row) or "nothing"
                    row = BadRow(f"{self.name}, line {number:,} has no {columns[0]!r}; it has {present}.")
                yield number, row

    def sha256(self) -> str:
        """Return the sha256 of its bytes, as they lie there."""
        digest = hashlib.sha256()
        with _reading(self.name), self.open() as opened:
            while part := opened.read(_HASHED_AT_ONCE):
                digest.update(part)
        return digest.hexdigest()


def format_error(name: str) -> str | None:
    """Return the reason why a file of this name can't be read; None if it can.

    >>> format_error("reviews.csv.gz") is None, format_error("reviews.docx") is None
    (True, False)
    """
    try:
        _format_of(name)
    except DataError as error:
        return str(error)
    return None


def _check_size(name: str, size: int, limits: Limits) -> None:
    if limits.stored is not None and size > limits.stored:
        raise DataError(
            f"{name} has {size / 1e6:,.0f} MB; at most {limits.stored / 1e6:.0f} MB are read. Give a part of it: some "
            "thousands of rows show as much on one machine."
        )


# Lines.


class _DecodedLines:
    """Lines with their ends; a line that is no text is replaced, and `problem` says why until it is taken."""

    def __init__(self, opened: BinaryIO, file: StoredFile) -> None:
        self._opened, self._file = opened, file
        self._number = 0
        self._problem: str | None = None

    def __iter__(self) -> "_DecodedLines":
        return self

    def __next__(self) -> str:
        name, most = self._file.name, self._file.limits.lines
        line = self._opened.readline(_LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._number += 1
        if most is not None and self._number > most:
            raise DataError(f"{name} has more than {most:,} lines. Give a part of it.")
        if self._number == 1 and line.startswith(_UTF16):
            raise DataError(f"{name} is UTF-16, as Excel's 'Unicode text' is. Save it as UTF-8 (Excel: 'CSV UTF-8').")
        if len(line) > _LONGEST_LINE:
            raise DataError(
                f"{name}, line {self._number:,} is longer than {_LONGEST_LINE // 1_000_000} MB. Is it a table?"
            )
        line = line.removeprefix(_BOM) if self._number == 1 else line
        if b"\0" in line:
            self._problem = f"{name} is no text: its line {self._number:,} holds zero bytes."
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._problem = (
                f"{name} is not UTF-8: line {self._number:,} holds the byte 0x{error.object[error.start]:02X}. Save it "
                "as UTF-8 (Excel: 'CSV UTF-8'; elsewhere: iconv -f WINDOWS-1252 -t UTF-8)."
            )
            return line.decode("utf-8", "replace")

    def take_problem(self) -> str | None:
        """Return what is wrong with the lines since the last call."""
        problem, self._problem = self._problem, None
        return problem

    def first_of_content(self) -> str | None:
        """Return the first line in which something is visible; None at the end.

        Raises:
            DataError: it is no text.
        """
        line = next((line for line in self if line.strip()), None)
        if problem := self.take_problem():
            raise DataError(problem)
        return line


def _text_rows(opened: BinaryIO, file: StoredFile, wanted: Sequence[str] | None) -> Iterator[NumberedRow]:
    lines = _DecodedLines(opened, file)
    for number, line in enumerate(lines, 1):
        problem = lines.take_problem()
        yield number, BadRow(problem) if problem else {"text": line.rstrip("\r\n")}


# Cells.


def _csv_rows(opened: BinaryIO, file: StoredFile, wanted: Sequence[str] | None) -> Iterator[NumberedRow]:
    lines, reader, columns = _csv(opened, file)
    number = 0
    while True:
        try:
            cells = next(reader)
            problem = lines.take_problem()
        except StopIteration:
            return
        except csv.Error as error:
            cells, problem = [], lines.take_problem() or _csv_problem(file.name, reader, error)
        if not cells and not problem:
            continue
        number += 1
        if not problem and len(cells) != len(columns):
            problem = (
                f"{file.name}, line {reader.line_num:,}: {len(cells)} cells, but {len(columns)} columns "
                f"({', '.join(columns)}). A text that holds a comma, a semicolon or a line break should stand in "
                "double quotes."
            )
        yield number, BadRow(problem) if problem else dict(zip(columns, cells))


def _csv_problem(name: str, reader: Any, error: csv.Error) -> str:
    if "field larger than" in str(error):
        return (
            f"{name}, line {reader.line_num:,}: a cell of more than {LONGEST_CELL:,} characters. Is a quote open, or a "
            "whole file in one cell?"
        )
    return f"{name}, line {reader.line_num:,}: no CSV that can be read ({error}). Has every quote its other half?"


def _csv_columns(opened: BinaryIO, file: StoredFile) -> tuple[str, ...]:
    return _csv(opened, file)[2]


def _csv(opened: BinaryIO, file: StoredFile) -> tuple[_DecodedLines, Any, tuple[str, ...]]:
    """Return the lines, a reader and the names of the columns; the delimiter is a tab, or what the header has most."""
    csv.field_size_limit(LONGEST_CELL)
    lines = _DecodedLines(opened, file)
    header = lines.first_of_content()
    if header is None:
        raise DataError(f"{file.name} is empty. Its first line should name the columns.")
    by_tabs = file.name.lower().removesuffix(".gz").endswith(".tsv")
    delimiter = "\t" if by_tabs else max(_DELIMITERS, key=header.count)
    reader = csv.reader((line for part in ((header,), lines) for line in part), delimiter=delimiter, strict=True)
    try:
        columns = tuple(column.strip() for column in next(reader))
    except csv.Error as error:
        raise DataError(_csv_problem(file.name, reader, error)) from error
    if not all(columns) or len(set(columns)) < len(columns):
        raise DataError(
            f"{file.name}: the first line should name each column, each by a name of its own; it has "
            f"{', '.join(columns)}."
        )
    return lines, reader, columns


# JSON.


def _json_rows(opened: BinaryIO, file: StoredFile, wanted: Sequence[str] | None) -> Iterator[NumberedRow]:
    lines = _DecodedLines(opened, file)
    return _json_objects(lines, lines, file.name)


def _json_objects(lines: Iterable[str], decoded: _DecodedLines, name: str) -> Iterator[NumberedRow]:
    """Yield JSON objects, one a line; empty lines hold none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            problem = decoded.take_problem()
            yield number, BadRow(problem) if problem else _object(line, f"{name}, line {number:,}")


def _object(text: str, place: str) -> Row | BadRow:
    try:
        return _checked_object(_parsed(text, place), place)
    except DataError as error:
        return BadRow(str(error))


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise DataError(f"{place} nests lists in lists too deeply; a row should hold plain values.") from error
    except ValueError as error:
        raise DataError(f"{place}: not JSON ({getattr(error, 'msg', error)}).") from error


def _checked_object(row: Any, place: str) -> Row | BadRow:
    return row if isinstance(row, dict) else BadRow(f"{place}: a JSON object is wanted, not {type(row).__name__}.")


def _listed_rows(opened: BinaryIO, file: StoredFile, wanted: Sequence[str] | None) -> Iterator[NumberedRow]:
    """Yield the objects of a list, which is read whole; or else one object a line."""
    lines = _DecodedLines(opened, file)
    first = lines.first_of_content() or ""
    rest = (line for part in ((first,), lines) for line in part)
    if not first.lstrip().startswith("["):
        yield from _json_objects(rest, lines, file.name)
        return
    parts, length = [], 0
    for line in rest:
        parts.append(line)
        length += len(line)
        if problem := lines.take_problem():
            raise DataError(problem)
        if length > _LONGEST_LIST:
            raise DataError(
                f"{file.name} holds one list of more than {_LONGEST_LIST // 1_000_000} MB, and a list is read whole. "
                "Write an object a line (.jsonl)."
            )
    for number, row in enumerate(_parsed("".join(parts), file.name), 1):
        yield number, _checked_object(row, f"{file.name}, row {number:,}")


def _columns_of_first(rows: Callable[..., Iterator[NumberedRow]]) -> Callable[[BinaryIO, StoredFile], tuple[str, ...]]:
    """Return a function that takes the names of columns from the first rows that can be read."""

    def columns(opened: BinaryIO, file: StoredFile) -> tuple[str, ...]:
        names: dict[str, None] = {}
        first_problem: str | None = None
        for (_, row), _ in zip(rows(opened, file, None), range(_NAMING_ROWS)):
            if isinstance(row, dict):
                names.update(dict.fromkeys(row))
            else:
                first_problem = first_problem or row.reason
        if not names:
            raise DataError(first_problem or f"{file.name} is empty.")
        for name in names:
            if any(map(_is_half_character, name)):
                raise DataError(f"{file.name} has a column whose name holds half a character: {name!a}.")
        return tuple(names)

    return columns


def _is_half_character(character: str) -> bool:
    """Whether it is one of the two halves by which UTF-16 writes a character: no text that could be written down."""
    return "\ud800" <= character <= "\udfff"


# Parquet.


def _parquet_rows(opened: BinaryIO, file: StoredFile, wanted: Sequence[str] | None) -> Iterator[NumberedRow]:
    parquet, most = _parquet(opened, file), file.limits.unpacked
    batches = parquet.iter_batches(batch_size=_PARQUET_ROWS, columns=None if wanted is None else list(wanted))
    number = characters = 0
    while rows := _next_rows(batches, file.name, number):
        for row in rows:
            number += 1
            # What a file says of its size counts a text that stands in it often only once.
            characters += sum(map(_length, row.values()))
            if most is not None and characters > most:
                raise DataError(f"{file.name} holds more than {most // 1_000_000} MB. Give a part of it.")
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
    """Return some more rows; none at the end."""
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


def _parquet_columns(opened: BinaryIO, file: StoredFile) -> tuple[str, ...]:
    return tuple(_parquet(opened, file).schema_arrow.names)


def _parquet(opened: BinaryIO, file: StoredFile) -> Any:
    import pyarrow  # takes a while, and few ask
    from pyarrow.parquet import ParquetFile, read_schema

    try:
        schema = read_schema(opened)
        opened.seek(0)
        # A text that stands in many rows is then unpacked once, however many these are.
        texts = [column.name for column in schema if _holds_text(column.type)]
        parquet = ParquetFile(opened, read_dictionary=texts)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{file.name} is no Parquet file, or a broken one.") from error
    if len(set(schema.names)) < len(schema.names):
        raise DataError(f"{file.name} has several columns of one name: {', '.join(schema.names)}.")
    groups = range(parquet.metadata.num_row_groups)
    unpacked = sum(parquet.metadata.row_group(number).total_byte_size for number in groups)
    if file.limits.unpacked is not None and unpacked > file.limits.unpacked:
        raise DataError(f"{file.name} holds {unpacked / 1e6:,.0f} MB unpacked. Give a part of it.")
    return parquet


@dataclass(frozen=True)
class _Format:
    rows: Callable[[BinaryIO, StoredFile, Sequence[str] | None], Iterator[NumberedRow]]
    columns: Callable[[BinaryIO, StoredFile], tuple[str, ...]]


_CSV = _Format(_csv_rows, _csv_columns)
_JSON_LINES = _Format(_json_rows, _columns_of_first(_json_rows))
_FORMATS = {
    "csv": _CSV,
    "tsv": _CSV,
    "txt": _Format(_text_rows, lambda opened, file: ("text",)),
    "jsonl": _JSON_LINES,
    "ndjson": _JSON_LINES,
    "json": _Format(_listed_rows, _columns_of_first(_listed_rows)),
    "parquet": _Format(_parquet_rows, _parquet_columns),
}
ENDINGS = tuple(_FORMATS)


def _format_of(name: str) -> str:
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in _FORMATS or "." not in name:
        raise DataError(f"{name} ends in none of .{', .'.join(_FORMATS)} (or these and .gz): say by it what it is.")
    return ending


# Packed files.


def _unpacked(file: StoredFile) -> BinaryIO:
    opened = file.open()
    if not file.name.lower().endswith(".gz"):
        return opened
    packed = gzip.GzipFile(fileobj=opened)
    if file.limits.unpacked is None:
        return cast(BinaryIO, packed)
    return cast(BinaryIO, io.BufferedReader(_Bounded(packed, file.limits.unpacked)))


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
def _reading(name: str) -> Iterator[None]:
    """Tell what goes wrong inside a file in words that name the file."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name} is not packed with gzip, or broken off. Copy it again.") from error
    except OSError as error:
        raise DataError(f"{name} can't be read: {error.strerror or error}.") from error

"""A file of one's own as a table: CSV, JSON lines, Parquet or text; what can't serve is refused before any work."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explain.errors import DataError
from explain.training.rows import json_rows

MOST_BYTES = 50_000_000  # of a file; what the app's uploader takes, too
MOST_ROWS = 200_000
UNPACKED = 10  # times its own size a Parquet file may take when it is unpacked
FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "txt")

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of one file, as it holds them: strings where it is CSV or text, any JSON values where it is not.

    Attributes:
        name: the file's, without its folder.
        sha256: of the file's bytes.
        columns: their names, in order.
        rows: each with every column.
    """

    name: str
    sha256: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_file(path: Path) -> Table:
    """Read a file; its size is looked at before it is opened.

    Raises:
        DataError: no such file, or see `read_table`.
    """
    try:
        size = path.stat().st_size
        _check_size(path.name, size)
        return read_table(path.name, path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error


def read_table(name: str, data: bytes) -> Table:
    """Read a file's bytes; what its name ends in says how.

    Raises:
        DataError: empty, too large, of an unknown kind, not UTF-8, broken, or without rows; says where and what to do.
    """
    name = Path(name.replace("\\", "/")).name
    _check_size(name, len(data))
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise DataError(f"{name} is none of the kinds that can be read; those end in {', '.join(FORMATS)}.")
    try:
        rows = (
            _parquet(name, data) if kind == "parquet" else list(_bounded(name, _READERS[kind](name, _text(name, data))))
        )
    except RecursionError as error:
        raise DataError(f"{name} nests lists in lists too deeply; a row should hold plain values.") from error
    if not rows:
        raise DataError(f"{name} has no rows.")
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    whole = tuple({column: row.get(column) for column in columns} for row in rows)
    return Table(name, hashlib.sha256(data).hexdigest(), columns, whole)


def _check_size(name: str, size: int) -> None:
    if not size:
        raise DataError(f"{name} is empty.")
    if size > MOST_BYTES:
        raise DataError(
            f"{name} has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are read. Give a part of it: some "
            "thousands of rows show as much on one machine."
        )


def _bounded(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            raise DataError(f"{name} has more than {MOST_ROWS:,} rows. Give a part of it.")
        yield row


def _text(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name} is UTF-16, as Excel's 'Unicode text' is. Save it as UTF-8 (Excel: 'CSV UTF-8').")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} is not UTF-8: line {line:,} holds the byte 0x{data[error.start]:02X}. Save it as UTF-8 (Excel: "
            "'CSV UTF-8'; elsewhere: iconv -f WINDOWS-1252 -t UTF-8)."
        ) from error
    if "\0" in text:
        raise DataError(f"{name} is no text: it holds zero bytes.")
    return text


def _csv(name: str, text: str) -> Iterator[Row]:
    """Rows of a file with a header; commas, semicolons or tabs, whichever the header has most of."""
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [column.strip() for column in next(lines, [])]
        if not all(columns) or len(set(columns)) < len(columns):
            raise DataError(f"{name}: the first line should name each column, each by a name of its own.")
        for fields in lines:
            if not fields:
                continue
            if len(fields) != len(columns):
                raise DataError(
                    f"{name}, line {lines.line_num:,}: {len(fields)} fields, but {len(columns)} columns "
                    f"({', '.join(columns)}). A text that holds a comma, a semicolon or a line break should stand in "
                    "double quotes."
                )
            yield dict(zip(columns, fields))
    except csv.Error as error:
        raise DataError(f"{name}, line {lines.line_num:,}: no CSV that can be read ({error}).") from error


def _json_lines(name: str, text: str) -> Iterator[Row]:
    return json_rows(io.StringIO(text), name)  # not splitlines: a string may hold U+2028


def _json(name: str, text: str) -> Iterator[Row]:
    """A list of objects, or one object a line."""
    if not text.lstrip().startswith("["):
        return _json_lines(name, text)
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{name}, line {error.lineno}: not JSON ({error.msg}).") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError(f"{name}, row {number}: a JSON object is wanted, not {type(row).__name__}.")
    return iter(rows)


def _lines(name: str, text: str) -> Iterator[Row]:
    return ({"text": line.strip()} for line in io.StringIO(text) if line.strip())


_READERS = {"csv": _csv, "tsv": _csv, "jsonl": _json_lines, "json": _json, "txt": _lines}


def _parquet(name: str, data: bytes) -> list[Row]:
    import pyarrow  # takes a while, and few ask
    import pyarrow.parquet

    try:
        opened = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        about = opened.metadata
        unpacked = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        if about.num_rows > MOST_ROWS or unpacked > UNPACKED * MOST_BYTES:
            raise DataError(
                f"{name} holds {about.num_rows:,} rows, {unpacked / 1e6:,.0f} MB unpacked. Give a part of it."
            )
        return list(opened.read().to_pylist())
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name} is no Parquet file that can be read ({type(error).__name__}).") from error

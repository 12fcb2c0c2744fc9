"""A file of one's own as a table, all of it in memory; what can't serve is refused before any work."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from explain.core.errors import DataError
from explain.text.tables import Row, Source, rows_of

MOST_BYTES = 50_000_000  # of a file; what the app's uploader takes, too
MOST_ROWS = 200_000
UNPACKED = 10  # times that it may take when it is unpacked


@dataclass(frozen=True)
class Table:
    """Rows of one file, as it holds them; those in which all is blank are left out.

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
    source = replace(Source.of(name, data), most_bytes=UNPACKED * MOST_BYTES)
    rows = []
    for _, row in rows_of(source):
        if any(cell is not None and str(cell).strip() for cell in row.values()):
            rows.append(row)
        if len(rows) > MOST_ROWS:
            raise DataError(f"{name} has more than {MOST_ROWS:,} rows. Give a part of it.")
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

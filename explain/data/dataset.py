"""A data set: rows of texts from anywhere, read as a stream, with a report on what could not be read.

    dataset = Dataset.open("reviews.csv", columns=Columns(label="stars"))
    reading = dataset.reading()
    for rows in reading.batches(256):
        ...
    reading.report()

Memory does not grow with the number of rows: a batch is held at a time, and of each row 8 bytes of a hash, the most of
them in a temporary file, to tell which rows repeat an earlier one.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.data.columns import Columns, checked_columns, plain_text, shown_cell, strict_text
from explain.data.formats import BadRow, Limits, Row, StoredFile
from explain.data.repeats import Repeats
from explain.data.report import MOST_NUMBERS, ReadingReport, RowNumbers
from explain.data.storage import MemoryRows, Storage, storage_at

UNLIMITED, BY_NAME = Limits(), Columns()


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of a data set.

    Attributes:
        number: its place in the data set, the first being 1.
        text, text_pair: what a model reads; there is no second text where no column of it is named.
        label: as a reader sees it; empty where there is none.
        id: its name; its number where no column of names is named.
        groups: of each column of groups the cell.
        cells: all cells that were read.
    """

    number: int
    text: str
    text_pair: str | None = None
    label: str = ""
    id: str = ""
    groups: tuple[str, ...] = ()
    cells: Row = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Dataset:
    """Rows of a file, a folder, pasted lines, a public data set, or of Python; nothing is read before it is needed.

    Attributes:
        storage: where the rows lie.
        columns: which columns are read; see `roles`.
        most: read the rows up to this number only.
        keep_going: leave rows out that can't be read, and report them; else the first of them ends the reading.
        plain_cells: numbers and bytes are texts, too, and spaces at both ends are removed.
        limits: the most that is read.

    >>> dataset = Dataset.of_rows([{"text": "Good."}, {"text": " "}, {"text": "Good."}])
    >>> [row.text for row in dataset]
    ['Good.', 'Good.']
    >>> dataset.report().sentences()
    ('Rows without a text were left out: 1 (row 2).', 'Rows that repeat an earlier text: 1 (row 3).')
    """

    storage: Storage
    columns: Columns = BY_NAME
    most: int | None = None
    keep_going: bool = False
    plain_cells: bool = False
    limits: Limits = UNLIMITED

    @classmethod
    def open(
        cls, place: str | Path, *, split: str | None = None, limits: Limits = UNLIMITED, **options: Any
    ) -> "Dataset":
        """Open a file, a folder in which each .txt file is a text, the split of a folder, or a public data set.

        Args:
            place: a .csv, .tsv, .txt, .jsonl, .json or .parquet file, all but the last packed with gzip or not; a
                folder; the address of one of these, see `explain.core.addresses`; the name of a data set on the
                Hugging Face hub, for which a split is needed, and the network.
            split: of a folder with SPLIT.jsonl or the like, or of a public data set.
            options: `columns`, `most`, `keep_going` and `plain_cells`, see the class.

        Raises:
            DataError: there is nothing that could be read, or more than `limits` allow.
            SettingError: an address that is not taken.
        """
        return cls(storage_at(place, split, limits), limits=limits, **options)

    @classmethod
    def of_bytes(cls, name: str, content: bytes, *, limits: Limits = UNLIMITED, **options: Any) -> "Dataset":
        """Return the data set of a file that is held in memory; its name tells its format.

        >>> [row.text for row in Dataset.of_bytes("a.csv", b"text,label\\nGood.,1\\n")]
        ['Good.']
        """
        return cls(StoredFile.of(name, content, limits), limits=limits, **options)

    @classmethod
    def of_lines(cls, lines: str, name: str = "What was given", **options: Any) -> "Dataset":
        """Return the data set of pasted lines, a text each.

        >>> [(row.number, row.text) for row in Dataset.of_lines("Good.\\n\\nBad.")]
        [(1, 'Good.'), (3, 'Bad.')]
        """
        rows = tuple({"text": line} for line in lines.splitlines())
        return cls(MemoryRows(name, rows, has_columns=False), **options)

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], name: str = "The rows", **options: Any) -> "Dataset":
        """Return the data set of rows in memory."""
        return cls(MemoryRows(name, tuple(map(dict, rows))), **options)

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.storage.name

    @property
    def has_columns(self) -> bool:
        """Whether its rows have named columns; plain lines have none."""
        return self.storage.has_columns

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, as its beginning tells: those of the first thousand rows of JSON lines.

        Raises:
            DataError: it is empty, or can't be read.
        """
        return self.storage.columns()

    @functools.cached_property
    def roles(self) -> Columns:
        """The columns that are read, that of the texts included.

        Raises:
            DataError: a column that is not there, or several that may hold the texts.
        """
        return checked_columns(self.columns, self.names, self.name, has_columns=self.has_columns)

    def with_columns(self, columns: Columns) -> "Dataset":
        """Return the same rows, read by other columns."""
        return replace(self, columns=columns)

    def sha256(self) -> str:
        """Return the sha256 of what is stored, of a file its bytes; "hub" for a public data set."""
        return self.storage.sha256()

    def cells(self, required: Sequence[str] = ()) -> Iterator[tuple[int, Row]]:
        """Yield every row as it is stored, with its number.

        Args:
            required: columns that every row must have.

        Raises:
            DataError: no rows, a row that can't be read or lacks a column, or more than the limits allow.
        """
        count = 0
        for count, (number, row) in enumerate(self._numbered(None), 1):
            if isinstance(row, dict) and (missing := [column for column in required if column not in row]):
                place = self.name if count == 1 else f"Row {number:,} of {self.name}"
                row = BadRow(f"{place} has no column {', '.join(missing)}; it has {', '.join(row)}.")
            if isinstance(row, BadRow):
                raise DataError(row.reason)
            yield number, row
        if not count:
            raise DataError(f"{self.name} has no rows.")

    def reading(self) -> "Reading":
        """Begin to read; the reading reports on what it read."""
        return Reading(self)

    def __iter__(self) -> Iterator[DataRow]:
        return iter(self.reading())

    def batches(self, size: int) -> Iterator[tuple[DataRow, ...]]:
        """Yield the rows in batches of `size`, the last of which may be smaller."""
        return self.reading().batches(size)

    def report(self) -> ReadingReport:
        """Read all rows and return the report."""
        reading = self.reading()
        for _ in reading:
            pass
        return reading.report()

    def _numbered(self, columns: Sequence[str] | None) -> Iterator[tuple[int, Row | BadRow]]:
        """Yield rows up to `most`, and no more than the limits allow."""
        for number, row in self.storage.rows(columns):
            if self.most is not None and number > self.most:
                return
            if self.limits.rows is not None and number > self.limits.rows:
                raise DataError(
                    f"{self.name} has more than {self.limits.rows:,} rows, the most that are taken. Give a part of it, "
                    "or ask for the first rows only."
                )
            yield number, row


class Reading:
    """One reading of a data set: its rows, once, and then a report on them."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._repeats = Repeats()
        self._repeated: RowNumbers | None = None
        self._digest = hashlib.sha256()
        self._rows = self._last = self._kept = self._characters = 0
        self._empty, self._bad = _Numbers(), _Numbers()
        self._reasons: list[str] = []
        self._iterator = self._read()

    def __iter__(self) -> Iterator[DataRow]:
        return self._iterator

    def batches(self, size: int) -> Iterator[tuple[DataRow, ...]]:
        """Yield the rows in batches of `size`, the last of which may be smaller."""
        while rows := tuple(islice(self._iterator, size)):
            yield rows

    def report(self) -> ReadingReport:
        """Report on the rows that were read until now."""
        return ReadingReport(
            name=self.dataset.name,
            rows=self._rows,
            last=self._last,
            kept=self._kept,
            characters=self._characters,
            empty=self._empty.numbers(),
            bad=self._bad.numbers(),
            reasons=tuple(self._reasons),
            repeated=self._repeats.numbers() if self._repeated is None else self._repeated,
            digest=self._digest.hexdigest(),
        )

    def _read(self) -> Iterator[DataRow]:
        yield from self._kept_rows()
        self._repeated = self._repeats.numbers()
        self._repeats.close()

    def _kept_rows(self) -> Iterator[DataRow]:
        dataset, roles = self.dataset, self.dataset.roles
        wanted = None if dataset.plain_cells else roles.names
        for number, cells in dataset._numbered(wanted):
            self._rows, self._last = self._rows + 1, number
            row = cells if isinstance(cells, BadRow) else _row_of(number, cells, dataset)
            if isinstance(row, BadRow):
                self._leave_out(number, row)
            elif row is None:
                self._empty.add(number)
            else:
                self._keep(row)
                yield row

    def _leave_out(self, number: int, row: BadRow) -> None:
        if not self.dataset.keep_going:
            raise DataError(row.reason)
        self._bad.add(number)
        if len(self._reasons) < MOST_NUMBERS:
            self._reasons.append(row.reason)

    def _keep(self, row: DataRow) -> None:
        self._kept += 1
        self._characters += len(row.text) + len(row.text_pair or "")
        most = self.dataset.limits.characters
        if most is not None and self._characters > most:
            raise DataError(f"{self.dataset.name} has more than {most:,} characters of text. Give a part of it.")
        self._repeats.add(row.number, row.text if row.text_pair is None else json.dumps((row.text, row.text_pair)))
        roles = self.dataset.roles
        hash_row(
            self._digest,
            row.number,
            (row.text, row.text_pair),
            row.label if roles.label else None,
            row.id if roles.id else None,
            row.groups,
        )


class _Numbers:
    """Counts rows, and keeps the numbers of the first."""

    def __init__(self) -> None:
        self._count, self._first = 0, list[int]()

    def add(self, number: int) -> None:
        self._count += 1
        if len(self._first) < MOST_NUMBERS:
            self._first.append(number)

    def numbers(self) -> RowNumbers:
        return RowNumbers(self._count, tuple(self._first))


def _row_of(number: int, cells: Row, dataset: Dataset) -> DataRow | BadRow | None:
    """Return a row by its columns; None where it lacks a text."""
    roles = dataset.roles
    text_of = plain_text if dataset.plain_cells else strict_text
    columns = [column for column in (roles.text, roles.text_pair) if column is not None]
    try:
        texts = [text_of(cells.get(column), column) for column in columns]
    except DataError as error:
        return BadRow(f"{dataset.name}, row {number:,}: {error}")
    if not all(texts):
        return None
    return DataRow(
        number,
        texts[0],
        texts[1] if roles.text_pair else None,
        shown_cell(cells.get(roles.label)) if roles.label else "",
        shown_cell(cells.get(roles.id)) if roles.id else str(number),
        tuple(shown_cell(cells.get(group)) for group in roles.groups),
        cells,
    )


def hash_row(
    digest: Any,
    number: int,
    texts: tuple[str, str | None],
    label: str | None = None,
    name: str | None = None,
    groups: Sequence[str] = (),
) -> None:
    """Add a row to the digest of a data set.

    >>> digests = [hashlib.sha256(), hashlib.sha256()]
    >>> for digest, label in zip(digests, ("good", "bad")):
    ...     hash_row(digest, 1, ("A mess.", None), label)
    >>> digests[0].digest() == digests[1].digest()
    False
    """
    digest.update(json.dumps((number, *texts, label, name, *groups)).encode() + b"\n")

"""A report on rows that were read: which were left out, and which repeat an earlier one."""

from dataclasses import dataclass

MOST_NUMBERS = 100  # rows that a report names
_SHOWN = 5  # rows that a sentence names


@dataclass(frozen=True)
class RowNumbers:
    """Rows of one kind: how many, and the numbers of the first hundred.

    >>> print(RowNumbers(3, (2, 4, 7)))
    3 (rows 2, 4 and 7)
    """

    count: int = 0
    first: tuple[int, ...] = ()

    def __str__(self) -> str:
        *others, last = [f"{number:,}" for number in self.first[:_SHOWN]] or [""]
        if self.count == 0:
            return "0"
        if self.count > _SHOWN:
            return f"{self.count:,} (rows {', '.join((*others, last))}, ...)"
        return f"{self.count:,} (rows {', '.join(others)} and {last})" if others else f"{self.count:,} (row {last})"


@dataclass(frozen=True)
class ReadingReport:
    """The rows of a data set that were read, and those that were not.

    Attributes:
        name: the data set's.
        rows: rows that were looked at; `last` is the number of the last one, the first being 1.
        kept: rows that were handed out, `characters` of text in all.
        empty: rows without a text, which are left out.
        bad: rows that can't be read, which are left out; `reasons` says why, of the first hundred.
        repeated: rows whose text (or pair) stands in an earlier row; they are kept.
        digest: the sha256 over number, texts, label, id and groups of every row that was kept.
    """

    name: str = ""
    rows: int = 0
    last: int = 0
    kept: int = 0
    characters: int = 0
    empty: RowNumbers = RowNumbers()
    bad: RowNumbers = RowNumbers()
    reasons: tuple[str, ...] = ()
    repeated: RowNumbers = RowNumbers()
    digest: str = ""

    def sentences(self) -> tuple[str, ...]:
        """Return a sentence for each kind of row that a reader should know of; none where all is well."""
        kinds = (
            ("Rows without a text were left out", self.empty),
            ("Rows that can't be read were left out", self.bad),
            ("Rows that repeat an earlier text", self.repeated),
        )
        return (*(f"{kind}: {numbers}." for kind, numbers in kinds if numbers.count), *self.reasons[:1])

"""The texts of a data set in memory, for what needs all of them at once: vectors, a search for words."""

import bisect
import hashlib
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset, hash_row
from explain.data.formats import Limits
from explain.data.report import ReadingReport

MOST_ROWS = 100_000
MOST_CHARACTERS = 200_000_000  # of all texts
LIMITS = Limits(unpacked=1 << 30, lines=3_000_000, rows=MOST_ROWS, characters=MOST_CHARACTERS)
MOST_LINES = 2000  # of a set of texts whose words are looked at
LINES_LIMITS = Limits(stored=8 << 20, characters=8 << 20)


@dataclass(frozen=True)
class LoadedTexts:
    """Texts in their order. Two are equal when their texts, rows and labels are.

    Attributes:
        texts (N,), rows (N,): and the row each stands in, the first being 1.
        labels (N,): what the file says of each; empty where no label is read.
        report: what was read, and what was left out.
        digest: the sha256 of texts, rows and labels, as in the report.

    >>> LoadedTexts(("Good.", "Bad."), (1, 3)).member(3)
    1
    """

    texts: tuple[str, ...] = field(repr=False, compare=False)
    rows: tuple[int, ...] = field(repr=False, compare=False)
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)
    report: ReadingReport = field(default=ReadingReport(), repr=False, compare=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        labels = self.labels or (None,) * len(self.texts)
        for number, text, label in zip(self.rows, self.texts, labels, strict=True):
            hash_row(digest, number, (text, None), label)
        object.__setattr__(self, "digest", digest.hexdigest())

    def __len__(self) -> int:
        return len(self.texts)

    def member(self, row: int) -> int | None:
        """Return the place of the text of a row; None where it is not among the texts."""
        place = bisect.bisect_left(self.rows, row)
        return place if place < len(self) and self.rows[place] == row else None


def load_texts(dataset: Dataset) -> LoadedTexts:
    """Read the texts of a data set into memory, with their labels where a column of these is read.

    Raises:
        DataError: something can't be read, there are too many, or there is none.

    >>> load_texts(Dataset.of_lines("Good.\\n\\nBad.")).texts
    ('Good.', 'Bad.')
    """
    texts, rows, labels = list[str](), list[int](), list[str]()
    reading = dataset.reading()
    for row in reading:
        texts.append(row.text)
        rows.append(row.number)
        if dataset.roles.label is not None:
            labels.append(row.label)
    report = reading.report()
    if not texts:
        if not dataset.has_columns:
            raise DataError(f"{dataset.name} holds no texts. Give one text a line.")
        column = f" in its column {dataset.roles.text!r}" if report.empty.count else ""
        raise DataError(f"{dataset.name} holds no texts{column}. Give one a row.")
    return LoadedTexts(tuple(texts), tuple(rows), tuple(labels), report)


def read_texts(
    place: str | Path, *, column: str | None = None, label: str | None = None, most: int | None = None
) -> LoadedTexts:
    """Read the texts of a file or of a folder, see `Dataset.open`.

    Args:
        column: which holds the texts; by default "text", "sentence", or the only one. A .txt has a text on each line.
        label: the column of what is known of each, if that is wanted.
        most: take the first rows only, so many.

    Raises:
        DataError: no such file or column, another encoding than UTF-8, a row that does not fit, no texts, or more than
            100,000 rows.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "reviews.txt")
    ...     _ = path.write_text("A mess.\\n\\nA charm.\\n")
    ...     read_texts(path).texts
    ('A mess.', 'A charm.')
    """
    return load_texts(Dataset.open(place, columns=Columns(text=column, label=label), most=most, limits=LIMITS))


def pasted_texts(lines: str, most: int | None = None) -> LoadedTexts:
    """Return the texts of pasted lines, or the first lines only.

    Raises:
        DataError: no texts, or too many.

    >>> pasted_texts("Good.\\n\\nBad.").rows
    (1, 3)
    """
    return load_texts(Dataset.of_lines(lines, most=most, limits=LIMITS))


@dataclass(frozen=True)
class DifferentTexts(LoadedTexts):
    """Texts of which each stands once, without spaces at their ends.

    Attributes:
        left_out: how many more there are than are taken.
    """

    left_out: int = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """The rows, by the name they had in the release before."""
        warnings.warn("`numbers` is now `rows`; the old name goes with the next release.", DeprecationWarning, 2)
        return self.rows


def read_lines(content: bytes | str, most: int = MOST_LINES) -> DifferentTexts:
    """Read the texts of lines; blank lines and repeated ones are left out, and so is what is more than `most`.

    Raises:
        DataError: not UTF-8, too large, or nothing in it.

    >>> read_lines("good\\n\\n bad film\\ngood").rows
    (1, 3)
    """
    if isinstance(content, str):
        dataset = Dataset.of_lines(content, limits=LINES_LIMITS)
    else:
        dataset = Dataset.of_bytes("texts.txt", content, limits=LINES_LIMITS)
    loaded = load_texts(dataset)
    numbers: dict[str, int] = {}
    for text, number in zip(loaded.texts, loaded.rows):
        numbers.setdefault(text.strip(), number)
    return DifferentTexts(
        tuple(numbers)[:most],
        tuple(numbers.values())[:most],
        report=loaded.report,
        left_out=max(0, len(numbers) - most),
    )

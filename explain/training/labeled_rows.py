"""The rows of a data set that a classifier learns from; what can't be learned from is refused before any work."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from explain.core.errors import DataError
from explain.data.columns import Columns, label_of, several_labels
from explain.data.dataset import DataRow, Dataset
from explain.data.formats import Limits, Row
from explain.data.report import MOST_NUMBERS, ReadingReport, RowNumbers
from explain.data.splits import TEXTS, labels_of, text_key

FEWEST = 10  # different texts of a label: some to train on, some to tune on, some to measure on
MOST_LABELS = 50
MOST_BYTES = 50_000_000  # of a file; what the app's uploader takes, too
MOST_ROWS = 200_000
UNPACKED = 10  # times that a file may take when it is unpacked
LIMITS = Limits(stored=MOST_BYTES, unpacked=UNPACKED * MOST_BYTES, lines=3_000_000, rows=MOST_ROWS)


@dataclass(frozen=True)
class LabeledRows:
    """The rows of a data set that can be learned from.

    Attributes:
        rows: each with `text`, `text_b` where there are pairs, and `label` (a name) or, where several may be right,
            `labels` (a list of names).
        labels: all names there are, in order.
        counts: how many rows each label has.
        left_out: rows without a text or without a label.
        repeated: how many rows have the text of an earlier row, but for case and spaces.
        report: what was read.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    counts: dict[str, int]
    left_out: RowNumbers
    repeated: int
    report: ReadingReport = field(default=ReadingReport(), compare=False)


def open_rows(place: str | Path) -> Dataset:
    """Open a file to learn from; its size is looked at before it is opened.

    Raises:
        DataError: it is not there, or too large.
    """
    return Dataset.open(place, plain_cells=True, limits=LIMITS)


def uploaded_rows(name: str, content: bytes) -> Dataset:
    """Return an uploaded file to learn from.

    Raises:
        DataError: it is too large, or its beginning can't be read.
    """
    dataset = Dataset.of_bytes(name, content, plain_cells=True, limits=LIMITS)
    if not content:
        raise DataError(f"{dataset.name} is empty.")
    assert dataset.names
    return dataset


def labeled_rows(dataset: Dataset, columns: Columns) -> LabeledRows:
    """Read the rows to learn from.

    Args:
        columns: by default "text" and "label".

    Raises:
        DataError: a column that is missing or empty, a single label, a label of too few texts, or too many labels.
    """
    columns = replace(columns, text=columns.text or "text", label=columns.label or "label")
    _check_columns(dataset, columns)
    rows, unlabeled = list[Row](), list[int]()
    reading = dataset.with_columns(columns).reading()
    for row in reading:
        try:
            labeled = _labeled(row, columns)
        except DataError as error:
            raise DataError(f"{dataset.name}, row {row.number:,}: {error}") from error
        if labeled is None:
            unlabeled.append(row.number)
        else:
            rows.append(labeled)
    report = reading.report()
    if not report.rows:
        raise DataError(f"{dataset.name} has no rows.")
    if not rows:
        raise DataError(f"{dataset.name}: no row has both a text ({columns.text}) and a label ({columns.label}).")
    counts = Counter(label for row in rows for label in labels_of(row))
    _check_labels(dataset.name, columns, rows, counts)
    names = tuple(sorted(counts, key=_in_order))
    repeated = len(rows) - len({text_key(row) for row in rows})
    first = tuple(sorted((*report.empty.first, *unlabeled)))[:MOST_NUMBERS]
    left_out = RowNumbers(report.empty.count + len(unlabeled), first)
    return LabeledRows(tuple(rows), names, {name: counts[name] for name in names}, left_out, repeated, report)


def _in_order(label: str) -> tuple[bool, float, str]:
    """Numbers by size, then names by letter."""
    try:
        return (False, float(label), label)
    except ValueError:
        return (True, 0.0, label)


def _check_columns(dataset: Dataset, columns: Columns) -> None:
    wanted = [name for name in (columns.text, columns.label, columns.text_pair) if name]
    missing = [name for name in wanted if name not in dataset.names]
    if missing:
        raise DataError(
            f"{dataset.name} has no column {', '.join(missing)}; it has {', '.join(dataset.names)}. Say which of these "
            "holds the text, and which the label."
        )
    if len(dataset.names) == 1:
        raise DataError(
            f"{dataset.name} has one column, {wanted[0]}. To tell texts apart there has to be a second one, of labels."
        )
    if len(set(wanted)) < len(wanted):
        raise DataError(f"The text and the label are one column, {wanted[0]}. Choose another for one of them.")


def _labeled(row: DataRow, columns: Columns) -> Row | None:
    """Return a row as a split holds it; None where it lacks a label."""
    texts = dict(zip(TEXTS, (row.text, *([] if row.text_pair is None else [row.text_pair]))))
    cell = row.cells.get(columns.label or "")
    if columns.several:
        return texts | {"labels": list(several_labels(cell))}
    label = label_of(cell)
    return texts | {"label": label} if label else None


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
        listed = ", ".join(f"{label!r} has {count}" for count, label in rare[:5])
        raise DataError(
            f"{name}: a label needs {FEWEST} different texts, to train, tune and measure on; {listed}"
            f"{' ...' if len(rare) > 5 else ''}. Add rows, or join rare labels to others."
        )

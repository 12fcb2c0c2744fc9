"""The rows of a run that a map shows: their texts, what they are colored by, and the vectors that the run kept."""

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from explain.data.texts import LoadedTexts
from explain.models.base import TextModel
from explain.run.folder_store import MANIFEST_HASH
from explain.run.plan import TextsItem
from explain.run.run_plan import EMBEDDING
from explain.run.run_table import RowFilter, RunTable
from explain.run.vectors import default_pooling, kept_vectors


@dataclass(frozen=True)
class MapRows:
    """Rows of a run as points.

    Attributes:
        subject: their texts, whose `rows` are places in the table; with the vectors that the run kept, if it did.
        cells (N): of the column that they are colored by.
    """

    subject: TextsItem
    cells: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.subject.texts)

    @property
    def kept(self) -> bool:
        """True where the vectors are those that the run kept."""
        return self.subject.kept is not None


def map_rows(table: RunTable, rows: RowFilter, color: str, most: int, model: TextModel, *, of_run: bool) -> MapRows:
    """Return the rows that a map shows: all, or so many spread evenly over the data set; those without a text are out.

    Args:
        color: a column.
        model: whose vectors; of_run: whether it is the run's, whose vectors may be kept. They are not used where the
            model's files are others now.

    Raises:
        SettingError: there is no such column.
    """
    columns, kept = ["place", "text", color], None
    if of_run and EMBEDDING in table.columns and table.run.has_model(model.record):
        kept = table.run.manifest["plan"]["embeddings"]
        columns.append(EMBEDDING)
    drawn = table.even_sample(rows, most, list(dict.fromkeys(columns)))
    for name in ("text", EMBEDDING if kept else "text"):
        drawn = drawn.filter(pc.is_valid(drawn[name]))
    texts = LoadedTexts(tuple(drawn["text"].to_pylist()), tuple(drawn["place"].to_pylist()))
    subject = TextsItem(texts, kept or default_pooling(model))
    if kept and len(texts):
        vectors = kept_vectors(drawn[EMBEDDING], model.record, kept)
        subject = TextsItem(texts, kept, vectors, table.run.manifest[MANIFEST_HASH])
    return MapRows(subject, tuple(drawn[color].to_pylist()))

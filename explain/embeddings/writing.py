"""Vectors as files: for NumPy, for data frames, for anything that reads CSV.

Texts are written to CSV and Parquet; a NumPy file of texts as long as they come would take the room of the longest for
each, so it holds the number of the row instead that each vector's text stands in, and a number for each label, whose
names stand in `about`.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from explain.core.errors import SettingError
from explain.core.files import atomic_file, check_writable
from explain.core.installation import own_path
from explain.data.csv_cells import safe_cell
from explain.data.texts import LoadedTexts
from explain.datatypes import TextClusters, TextVectors

FORMATS = ("npz", "csv", "parquet")


def write(found: TextVectors, texts: LoadedTexts, place: str | Path) -> None:
    """Write vectors to a file whose name ends in .npz, .csv or .parquet.

    Raises:
        SettingError: it ends otherwise.
        FileError: it can't be written; an earlier file is unchanged.
    """
    path = own_path(place)
    form = format_of(path)
    with atomic_file(path) as file:
        write_opened(found, texts, form, file)


def check_place(place: str | Path) -> None:
    """Whether a file could be written there.

    Raises:
        SettingError: its name asks for a format that there is not.
        FileError: it can't be written.
    """
    format_of(place)
    check_writable(own_path(place))


def format_of(place: str | Path) -> str:
    """The format that a file's name asks for.

    Raises:
        SettingError: none of those there are.
    """
    ending = Path(place).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise SettingError(f"{place} ends in none of .{', .'.join(FORMATS)}: say by it what is to be written.")
    return ending


def written(found: TextVectors, texts: LoadedTexts, form: str) -> bytes:
    """A file's content; see `FORMATS`."""
    file = io.BytesIO()
    write_opened(found, texts, form, file)
    return file.getvalue()


def write_opened(found: TextVectors, texts: LoadedTexts, form: str, file: BinaryIO) -> None:
    """Write vectors, row by row as the texts stand; columns are said in `about`, which npz and Parquet hold."""
    if form == "npz":
        names = sorted(set(texts.labels))
        numbered = {name: number for number, name in enumerate(names)}
        labels: dict[str, Any] = {"labels": np.array([numbered[label] for label in texts.labels])} if names else {}
        said = about(found) | ({"labels": {str(number): name for name, number in numbered.items()}} if names else {})
        np.savez(
            file,
            vectors=found.vectors,
            rows=np.array(texts.rows),
            **labels,
            pieces=found.pieces,
            truncated=found.truncated,
            about=np.array(json.dumps(said)),
        )
    elif form == "parquet":
        import pyarrow
        from pyarrow import parquet

        table = _table(found, texts, texts.texts, texts.labels)
        flat = pyarrow.array(found.vectors.ravel())
        table = table.append_column("vector", pyarrow.FixedSizeListArray.from_arrays(flat, found.vectors.shape[1]))
        parquet.write_table(table.replace_schema_metadata({"explain": json.dumps(about(found))}), file)
    else:
        from pyarrow.csv import write_csv

        table = _table(found, texts, list(map(safe_cell, texts.texts)), list(map(safe_cell, texts.labels)))
        for number, column in enumerate(found.vectors.T):
            table = table.append_column(f"v{number}", [np.ascontiguousarray(column)])
        write_csv(table, file)


def clusters_csv(found: TextClusters, texts: LoadedTexts) -> str:
    """Each text with its row and its cluster, counted from 1, as CSV."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["row", "text", "cluster"])
    rows.writerows(
        [row, safe_cell(text), number + 1] for row, text, number in zip(texts.rows, texts.texts, found.of.tolist())
    )
    return file.getvalue()


def _table(found: TextVectors, texts: LoadedTexts, written: Any, labels: Any) -> Any:
    """Row, text, label where there are any, pieces, truncated."""
    import pyarrow

    columns = {"row": texts.rows, "text": written, **({"label": labels} if labels else {})}
    return pyarrow.table({**columns, "pieces": found.pieces, "truncated": found.truncated})


def about(found: TextVectors) -> dict[str, Any]:
    """Whose vectors these are, and what the columns hold."""
    return {
        "model": found.model.id,
        "revision": found.model.revision,
        "weight_sha256": found.model.weight_sha256,
        "pooling": found.pooling,
        "rows": "the row of the file, or the line, that each text stands in, the first being 1",
        "pieces": "pieces read of each text, special tokens included",
        "truncated": "whether the text is longer than the model reads",
        "vectors": "as the model gives them, not brought to length 1",
    }

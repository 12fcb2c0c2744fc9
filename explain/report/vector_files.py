"""Vectors of texts as files: npz for NumPy, Parquet for data frames, CSV.

CSV and Parquet have the texts. A NumPy array of texts would take the space of the longest text for each, so npz has the
row number of each vector's text, and a number for each label, whose names are in `about`.
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


def write(vectors: TextVectors, texts: LoadedTexts, place: str | Path) -> None:
    """Write vectors to a file whose name ends in .npz, .csv or .parquet.

    Raises:
        SettingError: the name ends otherwise.
        FileError: the file can't be written; an earlier file is unchanged.
    """
    path = own_path(place)
    file_format = format_of(path)
    with atomic_file(path) as file:
        write_opened(vectors, texts, file_format, file)


def check_place(place: str | Path) -> None:
    """Check that a file can be written.

    Raises:
        SettingError: its name ends in none of the formats.
        FileError: it can't be written.
    """
    format_of(place)
    check_writable(own_path(place))


def format_of(place: str | Path) -> str:
    """Return the format by the ending of a file's name.

    Raises:
        SettingError: the name ends in none of the formats.
    """
    ending = Path(place).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise SettingError(
            f"{place} ends in none of .{', .'.join(FORMATS)}. The ending sets the format; use one of these."
        )
    return ending


def to_bytes(vectors: TextVectors, texts: LoadedTexts, file_format: str) -> bytes:
    """Return the content of a file; see `FORMATS`."""
    file = io.BytesIO()
    write_opened(vectors, texts, file_format, file)
    return file.getvalue()


def write_opened(vectors: TextVectors, texts: LoadedTexts, file_format: str, file: BinaryIO) -> None:
    """Write vectors to an open file, a row for each text; npz and Parquet have a description, see `about`."""
    if file_format == "npz":
        _write_npz(vectors, texts, file)
    elif file_format == "parquet":
        import pyarrow
        from pyarrow import parquet

        table = _table(vectors, texts, texts.texts, texts.labels)
        flat = pyarrow.array(vectors.vectors.ravel())
        column = pyarrow.FixedSizeListArray.from_arrays(flat, vectors.vectors.shape[1])
        description = {"explain": json.dumps(about(vectors))}
        parquet.write_table(table.append_column("vector", column).replace_schema_metadata(description), file)
    else:
        from pyarrow.csv import write_csv

        table = _table(vectors, texts, list(map(safe_cell, texts.texts)), list(map(safe_cell, texts.labels)))
        for number, column in enumerate(vectors.vectors.T):
            table = table.append_column(f"v{number}", [np.ascontiguousarray(column)])
        write_csv(table, file)


def _write_npz(vectors: TextVectors, texts: LoadedTexts, file: BinaryIO) -> None:
    numbers = {name: number for number, name in enumerate(sorted(set(texts.labels)))}
    labels: dict[str, Any] = {"labels": np.array([numbers[label] for label in texts.labels])} if numbers else {}
    names = {"labels": {str(number): name for name, number in numbers.items()}} if numbers else {}
    np.savez(
        file,
        vectors=vectors.vectors,
        rows=np.array(texts.rows),
        **labels,
        pieces=vectors.pieces,
        truncated=vectors.truncated,
        about=np.array(json.dumps(about(vectors) | names)),
    )


def clusters_csv(clusters: TextClusters, texts: LoadedTexts) -> str:
    """Return CSV with the row, text and cluster of each text; clusters count from 1."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", "text", "cluster"])
    rows = zip(texts.rows, texts.texts, clusters.of.tolist())
    writer.writerows([row, safe_cell(text), number + 1] for row, text, number in rows)
    return file.getvalue()


def _table(vectors: TextVectors, texts: LoadedTexts, shown_texts: Any, shown_labels: Any) -> Any:
    """Return a table of rows, texts, labels if there are any, pieces, and whether each text was truncated."""
    import pyarrow

    columns = {"row": texts.rows, "text": shown_texts, **({"label": shown_labels} if shown_labels else {})}
    return pyarrow.table({**columns, "pieces": vectors.pieces, "truncated": vectors.truncated})


def about(vectors: TextVectors) -> dict[str, Any]:
    """Return a description: the model, and the meaning of the columns."""
    return {
        "model": vectors.model.id,
        "revision": vectors.model.revision,
        "weight_sha256": vectors.model.weight_sha256,
        "pooling": vectors.pooling,
        "rows": "row of the file, or line, of each text, counted from 1",
        "pieces": "pieces read of each text, special tokens included",
        "truncated": "whether the text is longer than the model reads",
        "vectors": "as the model returns them, not normalized to length 1",
    }

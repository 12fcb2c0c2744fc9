"""Rows of a run as files for other programs."""

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from explain.data.csv_cells import safe_cell


def csv_of(rows: pa.Table) -> bytes:
    """Return rows as CSV in UTF-8: lists as JSON, and no text that a spreadsheet would run as a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(map(safe_cell, rows.column_names))
    for batch in rows.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            writer.writerow(map(_cell, row.values()))
    return file.getvalue().encode("utf-8", "surrogatepass")


def parquet_of_rows(rows: pa.Table) -> bytes:
    """Return rows as Parquet, every value as it is."""
    file = io.BytesIO()
    pq.write_table(rows, file, compression="zstd")
    return file.getvalue()


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return safe_cell(cell)
    return json.dumps(cell, ensure_ascii=False) if isinstance(cell, list) else "" if cell is None else cell

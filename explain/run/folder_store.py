"""A store on disk: a folder of Parquet files, one for each shard.

    manifest.json       what is computed, with what; written once, at the start
    parts/000123.parquet
    done/000123.json    the part's hash and count of rows; written after the part

A shard is finished when its marker is there and its part has the marker's hash. A stop at any moment leaves at most a
part without a marker, which is written again. One process at a time writes, under a lock that ends with it.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from explain.core.errors import DataError
from explain.core.files import create_folder, write_file
from explain.core.locks import FolderLock
from explain.run.shards import Row, Rows, differing_setting

MANIFEST = "manifest.json"
_ARROW: Mapping[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    list[int]: pa.list_(pa.int64()),
    list[float]: pa.list_(pa.float64()),
}
_JSON = {"content": "json"}  # of a column whose texts are JSON documents


class FolderStore:
    """Rows of finished shards in a folder of Parquet files.

    Args:
        path: a new or an empty folder, or one that an earlier run with the same manifest began.
        manifest: what is computed, with what, as JSON values: model and its hashes, data and its digest, settings.
        columns: the type of each column: str, int, float, bool, lists of the first three, or dict for anything else
            that JSON holds.
        circumstances: written into a new manifest, too; an earlier run may have begun under others.

    Raises:
        DataError: the folder holds something else, or was begun with another manifest.
        Busy: another process writes there.
        FileError: it can't be begun.
    """

    def __init__(
        self,
        path: Path,
        manifest: Mapping[str, Any],
        columns: Mapping[str, type],
        circumstances: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.columns = dict(columns)
        create_folder(path)
        refusal = f"Another process writes into {path}. Wait until it ends, or name another folder."
        self._lock = FolderLock(path, refusal)
        try:
            self._begin(json.loads(json.dumps({**manifest, "columns": self._column_names()})), circumstances or {})
            self._finished = {
                number for number, marker in marked_parts(path).items() if whole_part(path, number, marker) is not None
            }
        except BaseException:
            self.close()
            raise

    def _column_names(self) -> dict[str, str]:
        return {
            name: "json" if kind not in _ARROW else str(kind) if get_args(kind) else kind.__name__
            for name, kind in self.columns.items()
        }

    def _begin(self, manifest: dict[str, Any], circumstances: Mapping[str, Any]) -> None:
        place = self.path / MANIFEST
        if not place.exists():
            if any(name.name != ".lock" for name in self.path.iterdir()):
                raise DataError(f"{self.path} holds other files. Name a new folder.")
            write_file(place, json.dumps({**manifest, **circumstances}, indent=1, sort_keys=True) + "\n")
        else:
            recorded = read_manifest(self.path)
            if (name := differing_setting(recorded, manifest)) is not None:
                raise DataError(
                    f"{self.path} was begun with {name} {recorded.get(name)!r}, not {manifest[name]!r}. "
                    "Name another folder."
                )
        create_folder(self.path / "parts")
        create_folder(self.path / "done")

    def close(self) -> None:
        """Let another process write."""
        self._lock.close()

    @property
    def finished(self) -> frozenset[int]:
        return frozenset(self._finished)

    def write(self, shard: int, rows: Rows) -> None:
        content = parquet_of(rows, self.columns)
        write_file(self._part(shard), content)
        marker = {"part": self._part(shard).name, "sha256": hashlib.sha256(content).hexdigest(), "rows": len(rows)}
        write_file(self._marker(shard), json.dumps(marker, sort_keys=True) + "\n")
        self._finished.add(shard)

    def rows(self) -> Iterator[Row]:
        for number in sorted(self._finished):
            for row in read_rows(self._part(number).read_bytes()):
                yield {
                    name: part if self.columns[name] in _ARROW else json.loads(part)
                    for name, part in row.items()
                    if part is not None
                }

    def _part(self, shard: int) -> Path:
        return part_of(self.path, shard)

    def _marker(self, shard: int) -> Path:
        return self.path / "done" / f"{shard:06}.json"


def parquet_of(rows: Rows, columns: Mapping[str, Any]) -> bytes:
    """Return the bytes of a part: the same for the same rows and columns.

    Raises:
        ValueError: a row has a column that is not among them.
    """
    schema = pa.schema(
        [
            pa.field(name, _ARROW.get(kind, pa.string()), metadata=None if kind in _ARROW else _JSON)
            for name, kind in columns.items()
        ]
    )
    table = pa.Table.from_pylist([_typed(row, columns) for row in rows], schema=schema)
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def read_rows(content: bytes, columns: Sequence[str] | None = None) -> list[Row]:
    """Return the rows of a part's bytes, of all or some columns."""
    # bytes, since a path that looks like an address would be taken for one
    rows: list[Row] = pq.read_table(io.BytesIO(content), columns=None if columns is None else list(columns)).to_pylist()
    return rows


def _typed(row: Row, columns: Mapping[str, Any]) -> Row:
    if unknown := row.keys() - columns.keys():
        raise ValueError(f"A row has the columns {sorted(unknown)}, which the store does not know.")
    return {
        name: part if part is None or columns[name] in _ARROW else json.dumps(part, allow_nan=False)
        for name, part in row.items()
    }


def marked_parts(path: Path) -> dict[int, dict[str, Any]]:
    """Return the markers of the finished shards in a folder, by number: "part", "sha256" and "rows"."""
    markers = {}
    for place in sorted((path / "done").glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            marker = json.loads(place.read_text(encoding="utf-8"))
            if place.stem.isdecimal() and isinstance(marker, dict) and {"part", "sha256", "rows"} <= marker.keys():
                markers[int(place.stem)] = marker
    return markers


def whole_part(path: Path, number: int, marker: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a shard's part; None where it is not there, or has not the hash of its marker."""
    with contextlib.suppress(OSError):
        content = part_of(path, number).read_bytes()
        if hashlib.sha256(content).hexdigest() == marker["sha256"]:
            return content
    return None


def part_of(path: Path, number: int) -> Path:
    """Return the place of a shard's part in a folder."""
    return path / "parts" / f"{number:06}.parquet"


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a folder's manifest.

    Raises:
        DataError: there is none, or it is damaged.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path / MANIFEST} can't be read. Name another folder.") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{path / MANIFEST} is no manifest. Name another folder.")
    return manifest

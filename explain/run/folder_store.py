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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from explain.core.errors import DataError
from explain.core.files import create_folder, write_file
from explain.core.locks import FolderLock
from explain.run.shards import Row, Rows, differing_setting

MANIFEST = "manifest.json"
_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
_JSON = {"content": "json"}  # of a column whose texts are JSON documents


class FolderStore:
    """Rows of finished shards in a folder of Parquet files.

    Args:
        path: a new or an empty folder, or one that an earlier run with the same manifest began.
        manifest: what is computed, with what, as JSON values: model and its hashes, data and its digest, settings.
        columns: the type of each column: str, int, float, bool, or dict for anything else that JSON holds.

    Raises:
        DataError: the folder holds something else, or was begun with another manifest.
        Busy: another process writes there.
        FileError: it can't be begun.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], columns: Mapping[str, type]) -> None:
        self.path = path
        self.columns = dict(columns)
        self._schema = pa.schema(
            [
                pa.field(name, _ARROW.get(kind, pa.string()), metadata=None if kind in _ARROW else _JSON)
                for name, kind in columns.items()
            ]
        )
        create_folder(path)
        refusal = f"Another process writes into {path}. Wait until it ends, or name another folder."
        self._lock = FolderLock(path, refusal)
        try:
            self._begin(json.loads(json.dumps({**manifest, "columns": self._column_names()})))
            self._finished = {number for number in self._marked() if self._is_whole(number)}
        except BaseException:
            self.close()
            raise

    def _column_names(self) -> dict[str, str]:
        return {name: kind.__name__ if kind in _ARROW else "json" for name, kind in self.columns.items()}

    def _begin(self, manifest: dict[str, Any]) -> None:
        place = self.path / MANIFEST
        if not place.exists():
            if any(name.name != ".lock" for name in self.path.iterdir()):
                raise DataError(f"{self.path} holds other files. Name a new folder.")
            write_file(place, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
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
        content = self._parquet(rows)
        write_file(self._part(shard), content)
        marker = {"part": self._part(shard).name, "sha256": hashlib.sha256(content).hexdigest(), "rows": len(rows)}
        write_file(self._marker(shard), json.dumps(marker, sort_keys=True) + "\n")
        self._finished.add(shard)

    def rows(self) -> Iterator[Row]:
        for number in sorted(self._finished):
            for row in pq.read_table(self._part(number)).to_pylist():
                yield {
                    name: part if self.columns[name] in _ARROW else json.loads(part)
                    for name, part in row.items()
                    if part is not None
                }

    def _parquet(self, rows: Rows) -> bytes:
        table = pa.Table.from_pylist([self._typed(row) for row in rows], schema=self._schema)
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        return file.getvalue()

    def _typed(self, row: Row) -> Row:
        if unknown := row.keys() - self.columns.keys():
            raise ValueError(f"A row has the columns {sorted(unknown)}, which the store does not know.")
        return {
            name: part if part is None or self.columns[name] in _ARROW else json.dumps(part, allow_nan=False)
            for name, part in row.items()
        }

    def _part(self, shard: int) -> Path:
        return self.path / "parts" / f"{shard:06}.parquet"

    def _marker(self, shard: int) -> Path:
        return self.path / "done" / f"{shard:06}.json"

    def _marked(self) -> list[int]:
        return [int(marker.stem) for marker in (self.path / "done").glob("*.json") if marker.stem.isdecimal()]

    def _is_whole(self, shard: int) -> bool:
        """Whether a shard's part has the hash of its marker."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            marker = json.loads(self._marker(shard).read_text(encoding="utf-8"))
            content = self._part(shard).read_bytes()
            return bool(hashlib.sha256(content).hexdigest() == marker["sha256"])
        return False


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

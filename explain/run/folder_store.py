"""A store in a folder: a Parquet file for each shard.

    manifest.json       what is computed, with what; written once, at the start
    parts/000123.parquet, in an object store parts/000123-0f3a....parquet
    done/000123.json    the part's name, hash and count of rows; written after the part

A shard is finished when its marker is there and its part has the marker's hash. A stop at any moment leaves at most a
part without a marker, which is written again. One process at a time writes, under a lock that ends with it.
"""

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from explain.core.errors import DataError
from explain.run.folders import Folder, folder_at
from explain.run.shards import Row, Rows

MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest_sha256"  # of the manifest's other values
_PART_NAME = re.compile(r"\d{6,}(-[0-9a-f]+)?\.parquet")
_ARROW: Mapping[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    list[int]: pa.list_(pa.int64()),
    list[float]: pa.list_(pa.float64()),
    list[np.float32]: pa.list_(pa.float32()),
}
_JSON = {"content": "json"}  # of a column whose texts are JSON documents


class FolderStore:
    """Rows of finished shards in a folder of Parquet files.

    Args:
        place: the path or the address of a new or an empty folder, or of one that an earlier run with the same
            manifest began.
        manifest: what is computed, with what, as JSON values: model and its hashes, data and its digest, settings.
        columns: the type of each column: str, int, float, bool, lists of the first three or of np.float32, or dict for
            anything else that JSON holds.
        circumstances: written into a new manifest, too; an earlier run may have begun under others.

    Raises:
        DataError: the folder holds something else, or was begun with another manifest.
        Busy: another process writes there.
        FileError: it can't be begun.
    """

    def __init__(
        self,
        place: str | Path | Folder,
        manifest: Mapping[str, Any],
        columns: Mapping[str, type],
        circumstances: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder_at(place)
        self.columns = dict(columns)
        self._refuse_others()  # a lock would be left beside what is there
        self._lock = self.folder.lock()
        try:
            self._begin(json.loads(json.dumps({**manifest, "columns": self._column_names()})), circumstances or {})
            self._finished = {
                number: marker
                for number, marker in marked_parts(self.folder).items()
                if whole_part(self.folder, marker) is not None
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
        if self.folder.read(MANIFEST) is None:
            self._refuse_others()
            whole = {**manifest, **circumstances}
            whole[MANIFEST_HASH] = _hash_of(whole)
            self.folder.write(MANIFEST, (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode())
            return
        recorded = read_manifest(self.folder)
        for name, wanted in manifest.items():
            if (difference := _difference(recorded.get(name), wanted, name)) is not None:
                raise DataError(f"{self.folder.name} was begun with {difference}. Name another folder.")
        check_unedited(recorded, self.folder.name)

    def _refuse_others(self) -> None:
        if self.folder.read(MANIFEST) is None and not self.folder.is_unused():
            raise DataError(f"{self.folder.name} holds other files. Name a new folder.")

    def close(self) -> None:
        """Let another process write."""
        self._lock.close()

    @property
    def finished(self) -> frozenset[int]:
        return frozenset(self._finished)

    def write(self, shard: int, rows: Rows) -> None:
        content = parquet_of(rows, self.columns)
        self._lock.check()
        marker = {
            "part": self.folder.part_name(shard),
            "sha256": hashlib.sha256(content).hexdigest(),
            "rows": len(rows),
        }
        self.folder.write(f"parts/{marker['part']}", content)
        self._lock.check()
        self.folder.write(f"done/{shard:06}.json", (json.dumps(marker, sort_keys=True) + "\n").encode())
        self._finished[shard] = marker

    def rows(self) -> Iterator[Row]:
        for number, marker in sorted(self._finished.items()):
            content = whole_part(self.folder, marker)
            if content is None:
                raise DataError(f"Part {number} of {self.folder.name} is damaged. Run the same command again.")
            for row in read_rows(content):
                yield {
                    name: part if self.columns[name] in _ARROW else json.loads(part)
                    for name, part in row.items()
                    if part is not None
                }


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


def marked_parts(place: str | Path | Folder) -> dict[int, dict[str, Any]]:
    """Return the markers of the finished shards in a folder, by number: "part", "sha256" and "rows".

    Raises:
        DataError: a marker can't be read; a damaged one is left out.
    """
    markers = {}
    for name, content in folder_at(place).read_each("done"):
        number = name.removesuffix(".json")
        with contextlib.suppress(ValueError, RecursionError):
            marker = json.loads(content)
            if number.isdecimal() and _is_marker(marker):
                markers[int(number)] = marker
    return markers


def _is_marker(marker: Any) -> bool:
    return (
        isinstance(marker, dict)
        and isinstance(marker.get("sha256"), str)
        and isinstance(marker.get("rows"), int)
        and isinstance(marker.get("part"), str)
        and _PART_NAME.fullmatch(marker["part"]) is not None
    )


def whole_part(place: str | Path | Folder, marker: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a shard's part; None where it is not there, or has not the hash of its marker.

    Raises:
        DataError: it is there, and can't be read.
    """
    content = folder_at(place).read(f"parts/{marker['part']}")
    if content is None or hashlib.sha256(content).hexdigest() != marker["sha256"]:
        return None
    return content


def read_manifest(place: str | Path | Folder) -> dict[str, Any]:
    """Return a folder's manifest.

    Raises:
        DataError: there is none, or it is damaged.
    """
    folder = folder_at(place)
    name = f"{folder.name.rstrip('/')}/{MANIFEST}"
    content = folder.read(MANIFEST)
    try:
        manifest = json.loads(content or b"")
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} can't be read. Name another folder.") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{name} is no manifest. Name another folder.")
    return manifest


def check_unedited(manifest: Mapping[str, Any], name: str) -> None:
    """Check that a manifest is as it was written.

    Raises:
        DataError: it was edited, or has no hash.
    """
    if manifest.get(MANIFEST_HASH) != _hash_of(manifest):
        raise DataError(
            f"{MANIFEST} of {name} is not as it was written: its hash is another. Put the original back, or name "
            "another folder."
        )


def _hash_of(manifest: Mapping[str, Any]) -> str:
    rest = {name: kept for name, kept in manifest.items() if name != MANIFEST_HASH}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _difference(recorded: Any, wanted: Any, name: str) -> str | None:
    """Return the first place at which two JSON values differ, with both values, shortened; None where they are equal.

    >>> _difference({"methods": [{"version": 1}]}, {"methods": [{"version": 2}]}, "plan")
    'plan.methods.0.version 1, not 2'
    """
    if recorded == wanted:
        return None
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(recorded, dict) and isinstance(wanted, dict):
        pairs = [(key, recorded.get(key), wanted.get(key)) for key in dict.fromkeys((*wanted, *recorded))]
    elif isinstance(recorded, list) and isinstance(wanted, list) and len(recorded) == len(wanted):
        pairs = [(number, *pair) for number, pair in enumerate(zip(recorded, wanted))]
    inner = (_difference(old, new, f"{name}.{key}") for key, old, new in pairs)
    return next(filter(None, inner), f"{name} {_shortened(recorded)}, not {_shortened(wanted)}")


def _shortened(recorded: Any) -> str:
    text = repr(recorded)
    return text if len(text) <= 80 else f"{text[:77]}..."

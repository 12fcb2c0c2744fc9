"""Storage of rows other than one file: a folder of splits, a folder of texts, a public data set, memory."""

import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from explain.core.addresses import Address, local_or_address
from explain.core.errors import DataError
from explain.core.installation import own_path
from explain.data.formats import ENDINGS, BadRow, Limits, NumberedRow, Row, StoredFile, format_error
from explain.data.remote_files import RemoteFolder
from explain.text.checks import MAX_CHARACTERS

HUB = "hub"  # in place of the digest of a public data set
_SPLIT_ENDINGS = ("jsonl.gz", "jsonl", *(f"{ending}{packed}" for ending in ENDINGS for packed in ("", ".gz")))
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_HUB_SPLITS = {"dev": "validation", "all": "train"}


class Storage(Protocol):
    """A place where rows lie, to be read as often as needed."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    @property
    def has_columns(self) -> bool:
        """Whether its rows have named columns; plain lines have none."""

    def columns(self) -> tuple[str, ...]:
        """Return the names of its columns, as its beginning tells."""

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
        """Yield its rows with their numbers."""

    def sha256(self) -> str:
        """Return the sha256 of what lies there."""


def storage_at(place: str | Path, split: str | None, limits: Limits) -> Storage:
    """Find a file, the split of a folder, a folder of texts, or a public data set; a file is one split of any name.

    Args:
        place: a path, an address, or the name of a public data set.

    Raises:
        DataError: there is nothing that could be read; SettingError: an address that is not taken.

    >>> storage_at("no such file.csv", None, Limits())
    Traceback (most recent call last):
    explain.core.errors.DataError: no such file.csv can't be read: No such file or directory.
    """
    path = local_or_address(place)
    if isinstance(path, Address):
        return _elsewhere(RemoteFolder(path), split, limits)
    if path.is_dir():
        return _in_folder(path, split, limits)
    if split is None or path.is_file():
        return StoredFile.at(path, limits)
    if not _HUB_NAME.fullmatch(str(place)):
        raise DataError(f"{place} is neither a folder here nor the name of a data set (OWNER/NAME).")
    return HubSplit(str(place), split)


def _elsewhere(place: RemoteFolder, split: str | None, limits: Limits) -> Storage:
    if not place.is_folder:
        return place.file(limits)
    if split is not None:
        return place.inside(_split_file(place.address.name, place.names(), split), limits)
    texts = TextFolder(place.name, place.texts)
    if next(place.texts(), None) is not None:
        return texts
    raise _no_texts(place.address.name, place.names())


def _in_folder(folder: Path, split: str | None, limits: Limits) -> Storage:
    names = [path.name for path in folder.iterdir() if path.is_file()]
    if split is not None:
        path = folder / _split_file(str(folder), names, split)
        file = StoredFile.at(path, limits)
        return StoredFile(f"{folder.name}/{path.name}", file.open, file.size, limits)
    if next(_text_files(folder), None) is not None:
        return TextFolder(folder.name, functools.partial(_text_files, folder))
    raise _no_texts(str(folder), names)


def _no_texts(folder: str, names: Sequence[str]) -> DataError:
    listed = ", ".join(_data_files(names))
    reason = f"its files are {listed}: name one of them" if listed else f"it has no file in .{', .'.join(ENDINGS)}"
    return DataError(f"{folder} is a folder without texts (.txt); {reason}.")


def _data_files(names: Sequence[str]) -> list[str]:
    return sorted(name for name in names if format_error(name) is None)


def _split_file(folder: str, names: Sequence[str], split: str) -> str:
    """Return the name of the file of a split among those of a folder."""
    for ending in _SPLIT_ENDINGS:
        if f"{split}.{ending}" in names:
            return f"{split}.{ending}"
    listed = ", ".join(_data_files(names)) or "no file of rows"
    raise DataError(f"{folder} has no {split}.jsonl or {split}.jsonl.gz (or .csv, .parquet, ...); it has: {listed}.")


def license_of(place: str | Path) -> str:
    """Return what `PLACE/meta.json` says of the license of a data set, or that it says nothing.

    >>> license_of("no/such/folder")
    "see the data set's own page"
    """
    meta = own_path(place) / "meta.json"
    if not meta.is_file():
        return "see the data set's own page"
    about = json.loads(meta.read_text(encoding="utf-8"))
    return str(about.get("license", about.get("licence", "not stated")))


@dataclass(frozen=True)
class TextFolder:
    """A folder in which each .txt file is one text; the names of the folders inside it are a column.

    Attributes:
        texts: yields the name of each text within the folder, and what opens it, in order.
    """

    name: str
    texts: Callable[[], Iterator[tuple[str, Callable[[], BinaryIO]]]] = field(repr=False)
    has_columns: bool = True

    def columns(self) -> tuple[str, ...]:
        return ("text", "file", "folder")

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
        for number, (within, open_anew) in enumerate(self.texts(), 1):
            try:
                with open_anew() as opened:
                    content = opened.read(4 * MAX_CHARACTERS + 1)
                text = content.decode("utf-8-sig").strip("\r\n")
            except UnicodeDecodeError as error:
                yield number, BadRow(f"{within} is not UTF-8 (byte {error.start + 1}). Save it as UTF-8.")
                continue
            except OSError as error:
                yield number, BadRow(f"{within} can't be read: {error.strerror or error}.")
                continue
            yield number, {"text": text, "file": within, "folder": PurePosixPath(within).parent.as_posix()}

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for within, open_anew in self.texts():
            digest.update(f"{within}\0{StoredFile(within, open_anew).sha256()}\n".encode())
        return digest.hexdigest()


def _text_files(folder: Path) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    """Yield the .txt files of a folder and of the folders in it, by name, and what opens each."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if name.lower().endswith(".txt") and path.is_file():  # a pipe would never end
                yield path.relative_to(folder).as_posix(), StoredFile.at(path).open


@dataclass(frozen=True)
class HubSplit:
    """A split of a data set on the Hugging Face hub, which needs the network; its rows lie on disk, not in memory.

    Attributes:
        split: "dev" is the hub's "validation", "all" its "train".
    """

    name: str
    split: str
    has_columns: bool = True

    @functools.cached_property
    def _table(self) -> Any:
        import datasets  # heavy, and of use only with a network

        try:
            return datasets.load_dataset(self.name, split=_HUB_SPLITS.get(self.split, self.split))
        except Exception as error:  # the library raises a dozen kinds; all mean that this name gave no rows
            raise DataError(f"{self.name} is neither a folder here nor a data set the hub gave us: {error}") from error

    def columns(self) -> tuple[str, ...]:
        return next((tuple(row) for _, row in self.rows() if isinstance(row, dict)), ())

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
        for number, cells in enumerate(self._table, 1):
            row = dict(cells)
            if "text" not in row and "sentence" in row:  # as GLUE calls it
                row["text"] = row.pop("sentence")
            yield number, row

    def sha256(self) -> str:
        return HUB


@dataclass(frozen=True)
class MemoryRows:
    """Rows that are held in memory."""

    name: str
    held: tuple[Row, ...] = field(repr=False)
    has_columns: bool = True

    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for row in self.held for name in row)) or ("text",)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
        yield from enumerate(self.held, 1)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for row in self.held:
            digest.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
        return digest.hexdigest()

"""The folder of a run: the one place through which its manifest, parts and markers are read and written."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from explain.core.addresses import local_or_address
from explain.core.errors import Busy, DataError
from explain.core.files import UNFINISHED, create_folder, file_errors, remove_unfinished, write_file
from explain.core.locks import LOCK, FolderLock, LockOwner


class Lock(Protocol):
    """The right to write into a folder."""

    def check(self) -> None:
        """Check that it is still held.

        Raises:
            Busy: another process has taken it.
        """

    def close(self) -> None:
        """Let it go."""


class Folder(Protocol):
    """A folder of files that are written once, each whole or not at all.

    Attributes:
        name: its path or its address, for messages.
    """

    name: str

    def lock(self) -> Lock:
        """Create the folder, and take the right to write into it.

        Raises:
            Busy: another process writes there; its owner is named.
            FileError: it can't be created or written.
        """

    def is_unused(self) -> bool:
        """Return whether nothing lies in the folder but its lock, and parts of files that a stop left."""

    def part_name(self, number: int) -> str:
        """Return the name for a new part."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none.

        Raises:
            DataError: there is one, and it can't be read.
        """

    def read_each(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the names and contents of the .json files of a folder inside this one, by name.

        Raises:
            DataError: one of them can't be read.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole; when this returns, a loss of power does not take it away.

        Raises:
            FileError: it can't be written; an earlier file is unchanged.
        """


def folder_at(place: str | Path | Folder) -> Folder:
    """Return the folder at a path or an address.

    Raises:
        SettingError: an address that is not taken, or whose package is missing.

    >>> folder_at("RUN").name
    'RUN'
    """
    if not isinstance(place, str | Path):
        return place
    here = local_or_address(place, to_write=True)
    if isinstance(here, Path):
        return DiskFolder(here)
    from explain.run.object_folder import ObjectFolder  # of use to few

    return ObjectFolder(here)


def folder_inside(folder: Folder, name: str) -> Folder:
    """Return a folder inside another.

    >>> folder_inside(folder_at("RUN"), "predictions").name
    'RUN/predictions'
    """
    if isinstance(folder, DiskFolder):
        return DiskFolder(folder.path / name)
    return folder_at(f"{folder.name.rstrip('/')}/{name}")


class DiskFolder:
    """A folder on disk.

    A file is written beside its place, synchronized, renamed and its folder synchronized; see `explain.core.files`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def lock(self) -> FolderLock:
        create_folder(self.path)
        try:
            with file_errors(self.path / LOCK):
                lock = FolderLock(self.path, "held")
        except Busy:
            owner = LockOwner.read(self.path / LOCK)
            raise Busy(
                f"Another process writes into {self.name}{f' ({owner})' if owner else ''}. Wait until it ends, or name "
                "another folder."
            ) from None
        lock.note(LockOwner.this_process())
        for folder in (self.path, self.path / "parts", self.path / "done"):
            remove_unfinished(folder)
        return lock

    def is_unused(self) -> bool:
        try:
            return not self.path.is_dir() or all(map(_is_own, self.path.iterdir()))
        except OSError as error:
            raise DataError(f"{self.path} can't be read: {error.strerror or error}.") from error

    def part_name(self, number: int) -> str:
        return f"{number:06}.parquet"

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.EIO:  # the disk has lost it
                return None
            raise DataError(f"{self.path / name} can't be read: {error.strerror or error}.") from error

    def read_each(self, folder: str) -> Iterator[tuple[str, bytes]]:
        for place in sorted((self.path / folder).glob("*.json")):
            content = self.read(f"{folder}/{place.name}")
            if content is not None:
                yield place.name, content

    def write(self, name: str, content: bytes) -> None:
        place = self.path / name
        create_folder(place.parent)
        write_file(place, content)


def _is_own(place: Path) -> bool:
    return place.name == LOCK or place.match(UNFINISHED)

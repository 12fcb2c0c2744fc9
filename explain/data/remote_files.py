"""Files and folders at an address, such as s3://BUCKET/rows.csv, read as those on disk are."""

import contextlib
import errno
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from explain.core.addresses import Address, reason_of, remote_errors
from explain.core.errors import DataError
from explain.data.formats import Limits, StoredFile

_READ_AT_ONCE = 1 << 22  # bytes that are asked for at once
_BUFFER = 1 << 18  # bytes


class RemoteFolder:
    """A file or a folder of files at an address.

    Raises:
        DataError: nothing lies there, or it can't be read; SettingError: a package is missing.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = address.file_name or address.name
        self._system, self._path = address.filesystem()
        with self._reading(address.name):
            self._system.invalidate_cache()
            about = self._system.info(self._path)
        self.is_folder = about.get("type") == "directory"
        self._size = about.get("size")

    def file(self, limits: Limits) -> StoredFile:
        """Return the file.

        Raises:
            DataError: it is larger than `limits` allow.
        """
        return StoredFile.elsewhere(self.name, self._opening(self._path), self._size, limits)

    def inside(self, name: str, limits: Limits) -> StoredFile:
        """Return a file in the folder; see `file`."""
        path = f"{self._path}/{name}"
        with self._reading(f"{self.address.name}/{name}"):
            size = self._system.info(path).get("size")
        return StoredFile.elsewhere(f"{self.name}/{name}", self._opening(path), size, limits)

    def names(self) -> list[str]:
        """Return the names of the files in the folder, without those in folders inside it."""
        with self._reading(self.address.name):
            listed = self._system.ls(self._path, detail=True)
        return sorted(PurePosixPath(about["name"]).name for about in listed if about["type"] == "file")

    def texts(self) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        """Yield the .txt files of the folder and of the folders in it, by name, and what opens each."""
        with self._reading(self.address.name):
            places = [str(place) for place in self._system.find(self._path)]
        within = [place.removeprefix(f"{self._path}/") for place in places if place.lower().endswith(".txt")]
        # as on disk: the files of a folder before the folders in it
        for name in sorted(within, key=lambda name: (PurePosixPath(name).parts[:-1], PurePosixPath(name).name)):
            yield name, self._opening(f"{self._path}/{name}")

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            with remote_errors(DataError, f"{name} can't be read"):
                yield
        except FileNotFoundError as error:
            cause = error.__cause__ if self.address.is_web else None  # for whatever goes wrong there
            reason = reason_of(cause if isinstance(cause, Exception) else error)
            raise DataError(f"{name} can't be read: {reason}.") from None

    def _opening(self, path: str) -> Callable[[], BinaryIO]:
        def open_anew() -> BinaryIO:
            try:
                opened = self._system.open(path, "rb", block_size=0 if self.address.is_web else _READ_AT_ONCE)
            except Exception as error:
                raise _failure(error) from None
            file = cast(BinaryIO, io.BufferedReader(_RemoteFile(opened), _BUFFER))
            if self.address.is_web and self.name.lower().endswith(".parquet"):
                return _copy(file)  # it is not read from its beginning, and a web server may give nothing else
            return file

        return open_anew


def _copy(file: BinaryIO) -> BinaryIO:
    """Return a temporary copy of a file on this disk, which ends when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  whoever reads it closes it
    with file:
        shutil.copyfileobj(file, copy, _BUFFER)
    copy.seek(0)
    return cast(BinaryIO, copy)


class _RemoteFile(io.RawIOBase):
    """An opened file elsewhere, whose failures are errors of the system that hold no address."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._opened.seekable())

    def readinto(self, buffer: Any) -> int:
        try:
            part = self._opened.read(len(buffer))
        except Exception as error:
            raise _failure(error) from None
        buffer[: len(part)] = part
        return len(part)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return int(self._opened.seek(offset, whence))
        except Exception as error:
            raise _failure(error) from None

    def tell(self) -> int:
        return int(self._opened.tell())

    def close(self) -> None:
        if not self.closed:
            self._opened.close()
        super().close()


def _failure(error: Exception) -> OSError:
    return OSError(errno.EIO, reason_of(error))

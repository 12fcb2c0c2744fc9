"""Atomic writing of files: the earlier file stays until the new file is complete on disk.

A file is written beside its target, synchronized to disk and renamed over it. A reader, a full disk or a kill in
mid-write leaves the earlier file or the new one, never half of either. A killed process may leave its hidden part
(`.explain-….part`) beside the target; nothing reads it.

Symbolic links are followed: the file behind the link is replaced. The permissions of the earlier file are kept, and its
owner if the system allows it; a hard link to the earlier file keeps the earlier content. A pipe, a terminal or
`/dev/stdout` is no regular file and can't be replaced, so it is written directly.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from explain.core.errors import FileError

_STREAM = re.compile(r"/dev/(?:(stdout)|(stderr)|fd/(\d{1,4}))|/proc/self/fd/(\d{1,4})")
_PART = ".explain-{}.part"
UNFINISHED = _PART.format("*")  # what a killed process may leave
_CAN_NOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # answers of some file systems; no content is lost
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "the system allows no file of that size here",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "there is no permission to write there",
    errno.EROFS: "that disk can only be read",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "it is a symbolic link that leads back to itself",
}


def write_file(path: str | Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Write a file whole; text is written in UTF-8.

    Args:
        mode: its permissions; by default those of the earlier file, or of any new one.

    Raises:
        FileError: it can't be written; an earlier file is unchanged.
    """
    try:
        encoded = content.encode("utf-8") if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise FileError(f"{path} can't be written: its text holds {half!r}, which is no character.") from error
    with atomic_file(path, mode=mode) as file:
        file.write(encoded)


@contextlib.contextmanager
def atomic_file(path: str | Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a binary file that replaces `path` when the block ends without an error; `mode` as in `write_file`.

    Raises:
        FileError: it can't be written; an earlier file is unchanged.
    """
    path = Path(path)
    with file_errors(path):
        target = _target(path)
        if target is None:
            with _stream(path) as stream:
                yield stream
            return
        part = _new_part(target, 0o666 if mode is None else mode)
        try:
            with part.open("r+b") as file:
                yield file
                file.flush()
                if mode is None:
                    _take_permissions(file.fileno(), target)
                _synchronize(file.fileno())
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    _synchronize_folder(target.parent)


@contextlib.contextmanager
def atomic_files(folder: Path) -> Iterator[Path]:
    """Create an empty folder for a library that writes several files; they move into `folder` when the block ends.

    Each file replaces an earlier file of its name; if the block fails, `folder` is unchanged.

    Raises:
        FileError: a file can't be written.
    """
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / _PART.format(secrets.token_hex(8))
        scratch.mkdir()
        try:
            yield scratch
            written = sorted(path for path in scratch.rglob("*") if path.is_file())
            for path in written:
                with path.open("r+b") as file:
                    _synchronize(file.fileno())
            for path in written:
                target = folder / path.relative_to(scratch)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    _synchronize_folder(folder)


def append_text(path: Path, text: str) -> None:
    """Append text to a file that grows, such as a log of rows: all of it, or nothing.

    Raises:
        FileError: it can't be written; the earlier content is kept.
    """
    with file_errors(path), path.open("ab", buffering=0) as file:
        length = os.fstat(file.fileno()).st_size
        rest = memoryview(text.encode("utf-8"))
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), length)
            raise


def check_writable(path: str | Path) -> None:
    """Check before the work that a file can be written; nothing is changed.

    Raises:
        FileError: the file can't be written.
    """
    path = Path(path)
    with file_errors(path):
        target = _target(path)
        if target is not None:
            _new_part(target).unlink()


def is_missing_or_empty(path: Path) -> bool:
    """Return whether a file is missing or empty.

    Raises:
        FileError: no file can have that path.
    """
    with file_errors(path):
        return not path.exists() or (path.is_file() and not path.stat().st_size)


def create_folder(folder: Path) -> None:
    """Create a folder and its missing parents, and synchronize their names to disk.

    Raises:
        FileError: it can't be created.
    """
    with file_errors(folder):
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    for place in reversed(missing):  # a file is only kept through a loss of power if its folder's name is
        _synchronize_folder(place.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove the parts of files that a killed process left in a folder, which no other process may write into now."""
    for part in folder.glob(UNFINISHED):
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors for a path that can't be written into a `FileError`."""
    name = str(path)
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise FileError(f"{name!r} can't be written: no file can have that name.")
    try:
        yield
    except BrokenPipeError:  # the reader closed the pipe: no failure
        raise
    except OSError as error:
        raise FileError(f"{path} can't be written: {_reason(path, error)}.{_kept(path)}") from error


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"there is no folder {path.parent}"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "a part of its path is a file, not a folder"
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__


def _kept(path: Path) -> str:
    """Return a note on an earlier file; empty if there is none."""
    try:
        kept = path.stat()
    except (OSError, ValueError):
        return ""
    return " The earlier file is unchanged." if stat.S_ISREG(kept.st_mode) and kept.st_size else ""


def _target(path: Path) -> Path | None:
    """Return the file that is replaced, links followed; None if the path is no regular file.

    Raises:
        OSError: the path is a folder, or a file that must not be written.
    """
    if _STREAM.fullmatch(str(path)):
        return None
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Path(os.path.realpath(path))
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        return None
    if not os.access(path, os.W_OK):  # renaming needs the folder's permission only
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return Path(os.path.realpath(path))


def _stream(path: Path) -> BinaryIO:
    """Open a file that is written directly; for this process' own streams a copy, which keeps their position."""
    own = _STREAM.fullmatch(str(path))
    if own is None:
        return path.open("wb")
    sys.stdout.flush()
    stdout, stderr, *numbers = own.groups()
    number = 1 if stdout else 2 if stderr else int(next(filter(None, numbers)))
    return os.fdopen(os.dup(number), "wb")


def _new_part(target: Path, mode: int = 0o666) -> Path:
    """Create an empty file beside a target, with some permissions, less those that the system denies new files."""
    part = target.with_name(_PART.format(secrets.token_hex(8)))
    part.touch(mode, exist_ok=False)
    return part


def _take_permissions(descriptor: int, target: Path) -> None:
    try:
        earlier = target.stat()
    except FileNotFoundError:
        return
    if os.name == "posix":
        with contextlib.suppress(OSError):  # only an administrator may give files away
            os.fchown(descriptor, earlier.st_uid, earlier.st_gid)
        with contextlib.suppress(OSError):  # some file systems know no permissions
            os.fchmod(descriptor, earlier.st_mode & 0o777)


def _synchronize(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CAN_NOT_SYNC:
            raise


def _synchronize_folder(folder: Path) -> None:
    """Synchronize a rename to disk, if the system can; the new file is complete either way."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

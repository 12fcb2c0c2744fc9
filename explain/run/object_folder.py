"""A folder in an object store, such as s3://BUCKET/RUN.

Object stores can't rename, append or lock. A put is whole or not there, so each file is one put; a part has a name of
its own, so that a put that comes late changes nothing that a marker names. The lock is an object with its owner and
the time at which the owner last said that it is there.
"""

import contextlib
import datetime
import errno
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explain.core.addresses import Address, missing_place, reason_of, remote_errors
from explain.core.errors import Busy, DataError, FileError
from explain.core.locks import LockOwner

LOCK = "lock.json"
SEEN_EVERY = 60.0  # seconds, between two notes of a lock's owner
ABANDONED_AFTER = 600.0  # seconds without one; the clocks of two machines may differ by some minutes
_NO_CONDITION = (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.EBUSY)  # of a put, as stores refuse or fail it
_READ_AT_ONCE = 256  # markers


class ObjectFolder:
    """A folder in an object store.

    Args:
        address: one that may be written to.

    Raises:
        SettingError: the package for it is missing; DataError: the service takes no connection.
    """

    def __init__(self, address: Address) -> None:
        self.name = address.name
        self._system, self._root = address.filesystem()

    def lock(self) -> "ObjectLock":
        return ObjectLock(self)

    def is_unused(self) -> bool:
        own = {self._root, self._place(LOCK)}
        try:
            with remote_errors(DataError, f"{self.name} can't be read"):
                self._system.invalidate_cache()
                return all(str(place).rstrip("/") in own for place in self._system.ls(self._root, detail=False))
        except FileNotFoundError:
            return True

    def part_name(self, number: int) -> str:
        return f"{number:06}-{secrets.token_hex(8)}.parquet"

    def read(self, name: str) -> bytes | None:
        try:
            with remote_errors(DataError, f"{self.name}/{name} can't be read"):
                return bytes(self._system.cat_file(self._place(name)))
        except FileNotFoundError:
            return None

    def read_each(self, folder: str) -> Iterator[tuple[str, bytes]]:
        try:
            with remote_errors(DataError, f"{self.name}/{folder} can't be read"):
                self._system.invalidate_cache()
                places = sorted(str(place) for place in self._system.find(self._place(folder)))
        except FileNotFoundError:
            return
        places = [place for place in places if place.endswith(".json")]
        for start in range(0, len(places), _READ_AT_ONCE):
            some = places[start : start + _READ_AT_ONCE]
            ends = [None] * len(some)
            with remote_errors(DataError, f"{self.name}/{folder} can't be read"):
                contents = self._system.cat_ranges(some, ends, ends, on_error="return")  # at once, where it can
            for place, content in zip(some, contents):
                if isinstance(content, FileNotFoundError):
                    continue
                if isinstance(content, Exception):
                    name = place.rpartition("/")[2]
                    raise DataError(f"{self.name}/{folder}/{name} can't be read: {reason_of(content)}.")
                yield place.rpartition("/")[2], bytes(content)

    def write(self, name: str, content: bytes) -> None:
        try:
            with remote_errors(FileError, f"{self.name}/{name} can't be written"):
                self._system.pipe_file(self._place(name), content)
        except FileNotFoundError:
            raise missing_place(self.name) from None

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one; return whether it was written.

        Raises:
            FileError: it can't be written.
        """
        try:
            with remote_errors(FileError, f"{self.name} can't be written"):
                try:
                    self._system.pipe_file(self._place(name), content, mode="create")
                except OSError as error:
                    if error.errno not in _NO_CONDITION:
                        raise
                    if self.read(name) is not None:  # a store that knows no condition: nearly the same
                        return False
                    self._system.pipe_file(self._place(name), content)
        except FileExistsError:
            return False
        except FileNotFoundError:
            raise missing_place(self.name) from None
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            FileError: it can't be removed.
        """
        with contextlib.suppress(FileNotFoundError), remote_errors(FileError, f"{self.name}/{name} can't be removed"):
            self._system.rm_file(self._place(name))

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"


class ObjectLock:
    """The lock of a folder in an object store; its owner says each minute that it is still there.

    A lock whose owner has said nothing for ten minutes, or was a process of this machine that has ended, is taken.
    Where two processes take an abandoned one at the same moment, the later keeps it and the other stops before it
    writes a marker; as parts have names of their own, neither damages what the other wrote.

    Raises:
        Busy: another process holds it; FileError: it can't be written.
    """

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder
        self._token = secrets.token_hex(8)
        self._owner = LockOwner.this_process()
        self._ended = threading.Event()
        try:
            self._take()
        except BaseException:
            self._let_go()  # a put may arrive whose answer does not
            raise
        self._thread = threading.Thread(target=self._go_on, name="lock", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Check that the lock is still held.

        Raises:
            Busy: another process has taken it.
        """
        record = _record(self._folder.read(LOCK))
        if record is None or record.get("token") != self._token:
            owner = "" if record is None else f" by {_owner(record)}"
            raise Busy(
                f"The lock of {self._folder.name} was taken away{owner}, so this process stops. What is finished is "
                "kept."
            )

    def close(self) -> None:
        """Let the lock go."""
        self._ended.set()
        self._thread.join()
        self._let_go()

    def _let_go(self) -> None:
        with contextlib.suppress(Busy, DataError, FileError):  # else it is abandoned in some minutes
            self.check()
            self._folder.remove(LOCK)

    def _take(self) -> None:
        for _ in range(3):
            if self._folder.create(LOCK, self._content()):
                return
            content = self._folder.read(LOCK)
            if content is None:  # let go at this moment
                continue
            record = _record(content)
            if record is None:
                raise Busy(f"{self._folder.name} has a lock that can't be read. Remove {LOCK} if nobody writes there.")
            if record.get("token") == self._token:  # of a put that a library tried twice
                return
            if not _is_abandoned(record):
                ends = datetime.datetime.fromtimestamp(record["seen"] + ABANDONED_AFTER, datetime.UTC)
                raise Busy(
                    f"Another process writes into {self._folder.name} ({_owner(record)}). Wait until it ends, or name "
                    f"another folder. If it was killed, its lock ends at {ends:%H:%M} UTC."
                )
            self._folder.remove(LOCK)
        raise Busy(f"Other processes begin to write into {self._folder.name}. Try again.")

    def _content(self) -> bytes:
        now = datetime.datetime.now(datetime.UTC).timestamp()
        record = {**asdict(self._owner), "token": self._token, "machine": _machine(), "seen": round(now, 1)}
        return json.dumps(record).encode()

    def _go_on(self) -> None:
        while not self._ended.wait(SEEN_EVERY):
            with contextlib.suppress(Busy, DataError, FileError):  # a service that does not answer for a while
                self.check()
                self._folder.write(LOCK, self._content())


def _record(content: bytes | None) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError, RecursionError):
        record = json.loads(content or b"")
        if isinstance(record, dict) and isinstance(record.get("seen"), int | float):
            return record
    return None


def _owner(record: dict[str, Any]) -> LockOwner:
    return LockOwner(str(record.get("host")), record.get("process", 0), str(record.get("since")))


def _is_abandoned(record: dict[str, Any]) -> bool:
    now = datetime.datetime.now(datetime.UTC).timestamp()
    if now - record["seen"] > ABANDONED_AFTER:
        return True
    machine, process = _machine(), record.get("process")
    if machine is None or record.get("machine") != machine or not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it runs, as another user
        return False
    return False


def _machine() -> str | None:
    """Return what names this start of this machine, and the numbering of its processes; None where nothing does."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        numbering = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
        return hashlib.sha256(f"{boot}{numbering}".encode()).hexdigest()[:16]
    return None

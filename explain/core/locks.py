"""A lock on a folder: held by one process, let go by the system however that process ends."""

import contextlib
import datetime
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explain.core.errors import Busy

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

AVAILABLE = fcntl is not None
LOCK = ".lock"


@dataclass(frozen=True)
class LockOwner:
    """The process that holds a lock, written down for whoever is refused.

    Attributes:
        host: the machine's name; process: the number of the process there; since: when it took the lock, UTC.

    >>> print(LockOwner("heron", 12, "2026-11-30T17:00:00+00:00"))
    process 12 on heron, since 2026-11-30 17:00 UTC
    """

    host: str
    process: int
    since: str

    @classmethod
    def this_process(cls) -> "LockOwner":
        """Return this process as an owner from now on."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return cls(platform.node(), os.getpid(), now)

    @classmethod
    def read(cls, place: Path) -> "LockOwner | None":
        """Return the owner that a lock's file names; None where it names none."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(place.read_text(encoding="utf-8")))
        return None

    def __str__(self) -> str:
        text = f"process {self.process} on {self.host}, since {str(self.since)[:16].replace('T', ' ')} UTC"
        return "".join(filter(str.isprintable, text))  # a terminal obeys some of the others


class FolderLock:
    """A lock on a folder, held until `close` or the end of the process.

    Args:
        folder: an existing folder; its file `.lock` is what the system locks; it may name its owner.
        refusal: the message if another process holds it.

    Raises:
        Busy: another process holds it.
    """

    def __init__(self, folder: Path, refusal: str) -> None:
        self.file = (folder / LOCK).open("a")
        try:
            _acquire(self.file, wait=0.05)
        except OSError:
            self.file.close()
            raise Busy(refusal) from None

    def note(self, owner: LockOwner) -> None:
        """Write down who holds the lock."""
        with contextlib.suppress(OSError):  # a full disk; the lock is held all the same
            self.file.truncate(0)
            self.file.write(json.dumps(asdict(owner)) + "\n")
            self.file.flush()

    def check(self) -> None:
        """The system holds a lock on disk until it is let go: there is nothing to check."""

    def close(self) -> None:
        """Let the lock go."""
        self.file.close()


def is_held(folder: Path) -> bool:
    """Return whether a process holds a folder's lock."""
    try:
        with (folder / LOCK).open("a") as file:
            _acquire(file, wait=0.0)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _acquire(file: Any, wait: float) -> None:
    if fcntl is None:
        return
    deadline = time.monotonic() + wait  # a process that only looks whether it is held, holds it for a moment
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)

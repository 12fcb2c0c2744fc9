"""A lock on a folder: held by one process, let go by the system however that process ends."""

import time
from pathlib import Path
from typing import Any

from explain.core.errors import Busy

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

AVAILABLE = fcntl is not None
LOCK = ".lock"


class FolderLock:
    """A lock on a folder, held until `close` or the end of the process.

    Args:
        folder: an existing folder; its file `.lock` is what the system locks.
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

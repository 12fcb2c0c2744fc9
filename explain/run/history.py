"""A history of explanations: in memory, or in a folder of files that only their owner can read.

    <id>.jsonl     the entry, and on a second line the report, which `explain replay` takes
    keep-nothing   its owner wants no history

A file is written whole, by one process at a time. What others put into the folder is never read as an entry of ours:
names, types and sizes are checked, and what can't be read is counted and left alone.
"""

import contextlib
import dataclasses
import json
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explain.core.errors import Busy, ExplainError, FileError
from explain.core.files import UNFINISHED, file_errors, write_file
from explain.core.locks import LOCK, FolderLock
from explain.datatypes import HistoryEntry, HistoryList
from explain.datatypes.decoding import decode, parse
from explain.datatypes.encoding import encode
from explain.text.checks import whole_characters

MOST_ENTRIES, MOST_BYTES = 200, 50_000_000
LONGEST_TITLE = 80  # characters
PAUSED = "keep-nothing"
_ID = re.compile(r"[0-9a-f]{32}")
_SETTLED_SECONDS = 2.0  # a folder changed this lately may change again without another time of change
_LOCK_SECONDS = 2.0
_TYPING_SECONDS = 60.0  # a text that goes on within this time replaces its beginning
_LONGEST_LINE = 2_000_000  # bytes of an entry


class History:
    """Explanations, the latest first, with a star and a name each; bounded, the oldest without a star go first.

    Args:
        folder: where they are kept, made when the first one is kept; None: in memory.
        most_entries, most_bytes: how many are kept, and how much they take together. An entry whose report takes more
            than a tenth of that is kept without it.
    """

    def __init__(
        self, folder: Path | None = None, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder, self._most_entries, self._most_bytes = folder, most_entries, most_bytes
        self._guard = threading.RLock()
        self._entries: dict[str, HistoryEntry] = {}
        self._sizes: dict[str, int] = {}
        self._reports: dict[str, str] = {}  # of a history in memory
        self._seen: dict[str, tuple[int, int, int]] = {}  # of each file: inode, size and time of change
        self._unread = 0
        self._paused = False
        self._changed: tuple[int, ...] | None = None  # of the folder, as it was read last

    def listed(self) -> HistoryList:
        """Return what is kept."""
        with self._guard:
            self._look()
            place = "" if self._folder is None else str(self._folder)
            return HistoryList(tuple(self._entries.values()), place, self._unread, self._paused)

    def entry(self, id: str) -> HistoryEntry | None:
        """Return the entry of an id; None where there is none."""
        with self._guard:
            self._look()
            return self._entries.get(id)

    def report(self, id: str) -> str:
        """Return the report of an entry as a JSON document; empty where there is none, or it is damaged."""
        with self._guard:
            self._look()
            if self._folder is None or id not in self._entries:
                return self._reports.get(id, "")
            with contextlib.suppress(OSError, ValueError, RecursionError):
                _, _, report = self._file(id).read_text(encoding="utf-8").partition("\n")
                return json.dumps(json.loads(report), ensure_ascii=False)
            return ""

    def keep(self, entry: HistoryEntry, report: str = "", *, typed: str = "") -> str:
        """Keep an explanation, in the place of an earlier one that is the same, and return its id; empty: not kept.

        Args:
            report: as one line of JSON.
            typed: the id of the entry before, whose text may be the beginning of this one's.

        Raises:
            FileError: it can't be written.
            Busy: another process writes for long.
        """
        with self._writing():
            if self._paused:
                return ""
            same = next((known for known in self._entries.values() if known.about == entry.about), None)
            same = same or self._beginning(entry, typed)
            if same is None:
                entry = dataclasses.replace(entry, id=secrets.token_hex(16))
            else:
                entry = dataclasses.replace(entry, id=same.id, title=same.title, starred=same.starred)
            self._write(entry, report if len(report.encode()) <= self._most_bytes // 10 else "")
            self._trim()
            return entry.id if entry.id in self._entries else ""

    def _beginning(self, entry: HistoryEntry, id: str) -> HistoryEntry | None:
        """Return the entry of an id where the text of the new one goes on with its text, as while one types."""
        known = self._entries.get(id)
        if known is None or known.starred or known.title or entry.time - known.time > _TYPING_SECONDS:
            return None
        alike = ("text_pair", "model", "weights", "task", "scale", "method")  # the label may change on the way
        if any(getattr(known, name) != getattr(entry, name) for name in alike) or known.text == entry.text:
            return None
        return known if entry.text.startswith(known.text.rstrip()) else None

    def change(self, id: str, *, title: str | None = None, starred: bool | None = None) -> None:
        """Give an entry a name or a star, or take it away; nothing happens where the entry is gone.

        Raises:
            FileError, Busy: as of `keep`.
        """
        with self._writing():
            if (known := self._entries.get(id)) is None:
                return
            changes: dict[str, Any] = {} if starred is None else {"starred": starred}
            if title is not None:
                changes["title"] = " ".join(whole_characters(title).split())[:LONGEST_TITLE]
            self._write(dataclasses.replace(known, **changes), self.report(id))

    def remove(self, id: str) -> None:
        """Delete an entry.

        Raises:
            FileError, Busy: as of `keep`.
        """
        with self._writing():
            if id in self._entries:
                self._delete(id)

    def clear(self) -> None:
        """Delete all entries, and those files of the folder that are named like one.

        Raises:
            FileError, Busy: as of `keep`.
        """
        with self._writing():
            self._delete_all()

    def pause(self, on: bool) -> None:
        """Keep nothing from now on and delete all entries, or keep them again; a folder remembers it.

        Raises:
            FileError, Busy: as of `keep`.
        """
        with self._writing():
            self._paused = on
            if self._folder is not None:
                if on:
                    write_file(self._folder / PAUSED, "", mode=0o600)
                else:
                    with file_errors(self._folder / PAUSED):
                        (self._folder / PAUSED).unlink(missing_ok=True)
            if on:
                self._delete_all()

    def everything(self) -> str:
        """Return all entries with their reports as JSON lines: an object with `entry` and `report` on each."""
        with self._guard:
            lines = []
            for entry in self.listed().entries:
                report = self.report(entry.id) or "null"
                lines.append(f'{{"entry": {_line(entry)}, "report": {report}}}\n')
            return "".join(lines)

    # Files.

    def _file(self, id: str) -> Path:
        assert self._folder is not None and _ID.fullmatch(id)
        return self._folder / f"{id}.jsonl"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the folder against other threads and processes, with what is in it known."""
        with self._guard:
            if self._folder is None:
                yield
                return
            with file_errors(self._folder):
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._folder / LOCK).touch(mode=0o600)
            lock = self._acquire(self._folder)
            try:
                self._look(again=True)
                yield
            finally:
                lock.close()

    def _acquire(self, folder: Path) -> FolderLock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return FolderLock(folder, f"Another process writes into {folder}. Try again.")
            except Busy:
                if time.monotonic() > deadline:
                    raise
            except OSError as error:
                raise FileError(f"{folder} can't be written: {error.strerror}.") from error

    def _write(self, entry: HistoryEntry, report: str) -> None:
        if self._folder is not None:
            write_file(self._file(entry.id), f"{_line(entry)}\n{report}\n", mode=0o600)
            self._remember(entry.id, entry)
            return
        self._entries[entry.id] = entry
        self._reports[entry.id] = report
        self._sizes[entry.id] = len(_line(entry).encode()) + len(report.encode())

    def _remember(self, id: str, entry: HistoryEntry) -> None:
        file = self._file(id).stat()
        self._seen[id] = (file.st_ino, file.st_size, file.st_mtime_ns)
        self._entries[id], self._sizes[id] = entry, file.st_size

    def _delete_all(self) -> None:
        ids = set(self._entries)
        if self._folder is not None:
            ids |= {id for id, _ in _files_of(self._folder) if _ID.fullmatch(id)}
            for part in self._folder.glob(UNFINISHED):  # of a process that was killed while it wrote
                with file_errors(part):
                    part.unlink(missing_ok=True)
        for id in ids:
            self._delete(id)

    def _delete(self, id: str) -> None:
        if self._folder is not None:
            with file_errors(self._file(id)):
                self._file(id).unlink(missing_ok=True)
        self._forget(id)

    def _forget(self, id: str) -> None:
        self._entries.pop(id, None)
        self._reports.pop(id, None)
        self._sizes.pop(id, None)
        self._seen.pop(id, None)

    def _trim(self) -> None:
        """Delete entries until the rest is within the bounds: the oldest without a star first."""
        order = sorted(self._entries.values(), key=lambda entry: (entry.starred, entry.time))
        over = sum(self._sizes.values()) - self._most_bytes
        count = len(order) - self._most_entries
        for entry in order:
            if over <= 0 and count <= 0:
                return
            over, count = over - self._sizes[entry.id], count - 1
            self._delete(entry.id)

    def _look(self, again: bool = False) -> None:
        """Read what has changed in the folder since it was read last; one question to the system where nothing has."""
        if self._folder is None:
            return
        try:
            about = self._folder.stat()
            changed = (about.st_ino, about.st_mtime_ns)
            if changed == self._changed and not again:
                return
            files, paused = dict(_files_of(self._folder)), (self._folder / PAUSED).exists()
        except OSError:  # there is no such folder yet, or it may not be read
            files, paused, changed = {}, False, (0, 0)
        self._paused, self._unread = paused, 0
        for id in self._seen.keys() - files.keys():
            self._forget(id)
        for id, file in files.items():
            mark = (file.st_ino, file.st_size, file.st_mtime_ns)
            if self._seen.get(id) != mark:
                self._forget(id)
                self._seen[id] = mark
                entry = self._read(id) if stat.S_ISREG(file.st_mode) and _ID.fullmatch(id) else None
                if entry is not None:
                    self._entries[id], self._sizes[id] = entry, file.st_size
            self._unread += id not in self._entries
        settled = time.time_ns() - changed[1] > _SETTLED_SECONDS * 1e9
        self._changed = changed if settled else None

    def _read(self, id: str) -> HistoryEntry | None:
        try:
            with self._file(id).open("rb") as file:
                line = file.readline(_LONGEST_LINE).decode("utf-8")
            entry: HistoryEntry = decode(HistoryEntry, parse(line), "entry")
        except (OSError, UnicodeDecodeError, ExplainError, RecursionError):
            return None
        sound = entry.id == id and all(abs(share) <= 1 for *_, share in entry.words) and abs(entry.time) < 1e11
        return entry if sound and (entry.confidence is None or 0 <= entry.confidence <= 1) else None


def _files_of(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the names, without ending, of files that may be entries; another process may delete them meanwhile."""
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError):
            yield path.stem, path.lstat()


def _line(entry: HistoryEntry) -> str:
    return json.dumps(encode(entry), ensure_ascii=False, allow_nan=False)

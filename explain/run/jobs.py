"""Work in the background: a bounded queue, progress, cancelling, and a bounded memory of results.

One model job runs at a time with all cores, since two would only slow each other down; `EXPLAIN_JOBS` and
`EXPLAIN_THREADS` change that. Pages submit a job, draw what it has found so far and ask again a little later.
"""

import dataclasses
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from explain.core.errors import Busy, Cancelled, ExplainError
from explain.core.installation import MOST_THREADS, environment_number
from explain.core.meter import Meter
from explain.core.sizes import size_of
from explain.datatypes import Passes

_log = logging.getLogger(__name__)

QUEUE_LENGTH = 64
ABANDONED_SECONDS = 90  # nobody asked for so long: the visitor is gone (browsers slow down pages in the background)
CACHE_BYTES = 256 << 20


class Cache:
    """Results by key, the least recently used given up when they take too many bytes. Safe from several threads."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most = most_bytes
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any | None:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: Hashable, value: Any) -> None:
        size = size_of(value)
        with self._lock:
            if key in self._entries:
                self._bytes -= self._entries.pop(key)[1]
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._most and len(self._entries) > 1:
                self._bytes -= self._entries.popitem(last=False)[1][1]

    def pop(self, key: Hashable) -> Any | None:
        """Take a result out; None where there is none."""
        with self._lock:
            entry, size = self._entries.pop(key, (None, 0))
            self._bytes -= size
            return entry

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def most_bytes(self) -> int:
        return self._most

    @property
    def bytes(self) -> int:
        return self._bytes


@dataclasses.dataclass(frozen=True)
class CacheCheckpoint:
    """A checkpoint in a cache; see `explain.models.analysis.Checkpoint`."""

    cache: Cache
    key: Hashable

    def take(self) -> Any | None:
        return self.cache.pop((CacheCheckpoint, self.key))

    def leave(self, state: Any) -> None:
        self.cache.put((CacheCheckpoint, self.key), state)


class NotRemembered(Exception):
    """A part is in no cache, and nothing may be computed."""


def recall(cache: Cache, key: Hashable, work: Callable[[], Any], *, compute: bool = True) -> Any:
    """Return the cached result of a key, or compute and cache it.

    Raises:
        NotRemembered: it is not cached, and must not be computed.
    """
    result = cache.get(key)
    if result is None:
        if not compute:
            raise NotRemembered
        result = work()
        cache.put(key, result)
    return result


def remembered(parts: Iterator[tuple[Hashable, Any]]) -> tuple[dict[Any, Any], bool]:
    """Return the parts up to the first that is not cached, and whether these are all.

    Args:
        parts: parts of work that computes nothing and raises `NotRemembered`. Any other error ends the parts, too; the
            job that computes them reports it.
    """
    cached: dict[Any, Any] = {}
    try:
        for name, part in parts:
            cached[name] = part
    except (NotRemembered, ExplainError):
        return cached, False
    return cached, True


Work = Callable[[Meter], Iterator[tuple[Hashable, Any]]]


class Job:
    """One piece of work, seen from outside: its state, its parts so far, and how to stop it.

    Attributes:
        key: what it computes; jobs of one key are one job.
        cost: most passes and steps it may take, for the progress bar.
        state: "queued", "running", "done", "failed" or "cancelled".
        error: what went wrong, if it failed; an `ExplainError` unless it is a mistake of ours.
    """

    def __init__(self, key: Hashable, work: Work, cost: int) -> None:
        self.key = key
        self.cost = max(1, cost)
        self.meter = Meter(on_part=self._take)
        self.state = "queued"
        self.error: BaseException | None = None
        self.watchers = 1
        self.asked_for = time.monotonic()
        self._work = work
        self._parts: dict[Hashable, Any] = {}
        self._changed = threading.Condition()

    @property
    def parts(self) -> dict[Any, Any]:
        """The parts that are computed, by name; a partial one is replaced later."""
        with self._changed:
            return dict(self._parts)

    @property
    def spent(self) -> Passes:
        return self.meter.spent

    @property
    def progress(self) -> float:
        """Passes and steps spent of the most it may take, 0 to 1."""
        return min(1.0, self.done / self.cost)

    @property
    def done(self) -> int:
        """Passes spent so far, and steps of arithmetic beside them."""
        spent = self.spent
        return spent.forward + spent.backward + self.meter.steps

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def wait(self, seconds: float) -> bool:
        """Wait until it has finished, at most so long; tells whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self.finished, timeout=seconds)

    def run(self) -> None:
        """Do the work in this thread; never raises."""
        if self.meter.cancelled:
            return self._finish("cancelled")
        self.state = "running"
        try:
            for name, part in self._work(self.meter):
                self._take(name, part)
                if self.meter.cancelled:
                    raise Cancelled("Stopped, as you asked.")
        except Cancelled as error:
            self.error = error
            self._finish("cancelled")
        except ExplainError as error:
            self.error = error
            self._finish("failed")
        except Exception as error:  # whoever watches says so; the worker goes on with the next job
            _log.exception("A job failed by a mistake of ours.")
            self.error = error
            self._finish("failed")
        else:
            self._finish("done")

    def _take(self, name: Hashable, part: Any) -> None:
        with self._changed:
            self._parts[name] = part
            self._changed.notify_all()

    def _finish(self, state: str) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()


class Jobs:
    """The queue and its workers.

    Args:
        workers: jobs that run at once; by default `EXPLAIN_JOBS`, or one.
        queue_length: jobs that may wait.
    """

    def __init__(self, workers: int | None = None, queue_length: int = QUEUE_LENGTH) -> None:
        self._workers = workers or environment_number("EXPLAIN_JOBS", 1, MOST_THREADS)
        self._queue_length = queue_length
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._changed = threading.Condition()
        self._started = False

    def submit(self, key: Hashable, work: Work, cost: int) -> Job:
        """Queue a piece of work, or join the one of the same key that waits or runs already.

        Raises:
            Busy: the queue is full.
        """
        with self._changed:
            for job in (*self._running, *self._waiting):
                if job.key == key and not job.meter.cancelled:
                    job.watchers += 1
                    job.asked_for = time.monotonic()
                    return job
            if len(self._waiting) >= self._queue_length:
                raise Busy(f"{len(self._waiting)} texts are waiting already. Try again in a minute.")
            job = Job(key, work, cost)
            self._waiting.append(job)
            if not self._started:
                self._started = True
                for number in range(self._workers):
                    threading.Thread(target=self._serve, name=f"explain-job-{number}", daemon=True).start()
            self._changed.notify()
            return job

    def position(self, job: Job) -> int:
        """Return the number of jobs before this one; 0 if it runs or has run. A call shows that its visitor is there.

        Jobs that nobody has asked for in a long time are stopped, so that those who wait get their turn.
        """
        with self._changed:
            job.asked_for = time.monotonic()
            if job in self._waiting:
                for other in (*self._running, *self._waiting):
                    if job.asked_for - other.asked_for > ABANDONED_SECONDS:
                        other.meter.cancel()
            return self._waiting.index(job) + len(self._running) if job in self._waiting else 0

    def leave(self, job: Job) -> None:
        """Watch a job no longer; it is stopped when nobody does."""
        with self._changed:
            job.watchers -= 1
            if job.watchers > 0 or job.finished:
                return
            job.meter.cancel()
            if job in self._waiting:
                self._waiting.remove(job)
                job.run()  # only marks it as cancelled

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                job = self._waiting.pop(0)
                self._running.append(job)
            job.run()
            with self._changed:
                self._running.remove(job)


def failure(job: Job) -> str:
    """Return the message for a job that failed, without a traceback."""
    if isinstance(job.error, ExplainError):
        return str(job.error)
    kind = type(job.error).__name__ if job.error else "unknown error"
    return f"Something went wrong in the tool itself ({kind}). The log has the details; your text is still there."

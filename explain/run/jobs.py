"""Work in the background: a bounded queue, progress, cancelling, and a bounded memory of results.

One model job runs at a time with all cores, since two would only slow each other down; `EXPLAIN_JOBS` and
`EXPLAIN_THREADS` change that. Pages submit a job, draw what it has found so far and ask again a little later.

Visitors take turns; a turn ends with a part when someone else waits. The first parts of a job, of a few passes, are
computed on a fast lane of their own, beside the job that runs. See docs/decisions/0021-turns-and-a-fast-lane.md.
"""

import dataclasses
import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from explain.core.errors import Busy, Cancelled, ExplainError
from explain.core.installation import MOST_THREADS, environment_number
from explain.core.meter import Meter
from explain.core.sizes import size_of
from explain.datatypes import Passes

_log = logging.getLogger(__name__)

QUEUE_LENGTH = 64
LOOK_SECONDS = 1.0  # between two looks at which visitors are connected
MOST_ABSENCES = 3  # looks in a row that a visitor may be missing: a page that is reloaded connects again meanwhile
REMEMBERED = 0.5  # of the pace so far, after each turn: the first passes of a server are slow, and others may compute
LEAST_SHARE = 0.1  # of the tokens that the pace rests on: a turn of fewer says nothing about it
MOST_HELD = 10_000  # tokens the pace rests on, at most, so that a turn of a usual page always counts
ALL = sys.maxsize  # parts of a job
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

    Args:
        at_once: how many of its first parts are computed on the fast lane.
        background: it runs only while nothing else waits, and takes nobody's turn.

    Attributes:
        key: what it computes; jobs of one key are one job.
        cost: most passes and steps it may take, for the progress bar.
        state: "queued", "running", "done", "failed" or "cancelled"; "queued" between two turns.
        error: what went wrong, if it failed; an `ExplainError` unless it is a mistake of ours.
        visitors: who watches it, once for each time it was submitted; None for work that no visitor asked for.
        turn: the round in which it lined up; in a round each visitor has one turn.
    """

    def __init__(self, key: Hashable, work: Work, cost: int, at_once: int = 0, background: bool = False) -> None:
        self.key = key
        self.cost = max(1, cost)
        self.at_once, self.background = at_once, background
        self.meter = Meter(on_part=self._take)
        self.state = "queued"
        self.error: BaseException | None = None
        self.visitors: list[Hashable | None] = []
        self.turn = 0
        self._work = work
        self._computed: Iterator[tuple[Hashable, Any]] | None = None
        self._count = 0
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

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has finished, at most so long; tells whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self.finished, timeout=seconds)

    def run(self, pauses: Callable[[int], bool] = lambda count: False) -> None:
        """Do the work in this thread; never raises.

        Args:
            pauses: whether to pause after a part, by the number of parts so far. The next call goes on from there, in
                any thread.
        """
        if self.meter.cancelled:
            self._finish("cancelled")
            return
        self.state = "running"
        try:
            if self._computed is None:
                self._computed = self._work(self.meter)
            for name, part in self._computed:
                self._take(name, part)
                self._count += 1
                if self.meter.cancelled:
                    raise Cancelled("Stopped, as you asked.")
                if pauses(self._count):
                    self.state = "queued"
                    return
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
        self._computed = None  # what half the work holds is freed
        with self._changed:
            self.state = state
            self._changed.notify_all()


class Jobs:
    """The queue and its workers.

    Args:
        workers: jobs that run at once, the fast lane left out; by default `EXPLAIN_JOBS`, or one.
        queue_length: jobs that may wait.
        present: whether a visitor is still connected. Jobs whose visitors are all gone are stopped. It is called from a
            thread of the queue; without it every visitor counts as connected.
        most_per_visitor: jobs of one visitor that may wait or run.
        look_seconds: time between two looks at which visitors are connected.
    """

    def __init__(
        self,
        workers: int | None = None,
        queue_length: int = QUEUE_LENGTH,
        *,
        present: Callable[[Hashable], bool] | None = None,
        most_per_visitor: int | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._workers = workers or environment_number("EXPLAIN_JOBS", 1, MOST_THREADS)
        self._queue_length = queue_length
        self._present = present
        self._most_per_visitor = most_per_visitor
        self._look_seconds = look_seconds
        self._entering: list[Job] = []  # wait for the fast lane
        self._beginning: list[Job] = []  # run on it
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._round = 0
        self._next_turns: dict[Hashable, int] = {}  # the round of a visitor's next turn, unless it is open to everyone
        self._absences: dict[Hashable, int] = {}
        self._seconds, self._positions = 0.0, 0.0
        self._changed = threading.Condition()
        self._started = False

    def submit(
        self,
        key: Hashable,
        work: Work,
        cost: int,
        visitor: Hashable | None = None,
        *,
        at_once: int = 0,
        replace: bool = True,
        background: bool = False,
    ) -> Job:
        """Queue a piece of work, or join the one of the same key that waits or runs already.

        Args:
            cost: most passes and steps it may take.
            visitor: who asks; None for work that no visitor asked for, which is never given up.
            at_once: how many of its first parts take a few passes only, and are computed on the fast lane; `ALL` for
                the whole job.
            background: nobody waits for it yet, so it runs only while nothing else waits.
            replace: whether the visitor watches his earlier jobs no longer; those that nobody else watches are stopped.

        Raises:
            Busy: the queue is full, or holds as many jobs of this visitor as it may.
        """
        with self._changed:
            if visitor is not None and replace:
                for job in self._all():
                    if job.key != key:
                        self._unwatch(job, visitor)
            for job in self._all():
                if job.key == key and not job.meter.cancelled:
                    job.visitors.append(visitor)
                    job.background = job.background and background
                    return job
            self._check_room(visitor, background)
            job = Job(key, work, cost, at_once, background)
            job.visitors.append(visitor)
            if at_once > 0:
                self._entering.append(job)
            else:
                self._line_up(job)
            self._start()
            self._changed.notify_all()
            return job

    def position(self, job: Job) -> int:
        """Return the number of jobs before this one; 0 if it runs, has run, or is on the fast lane."""
        with self._changed:
            line = self._line()
            return line.index(job) + len(self._running) if job in line else 0

    def leave(self, job: Job, visitor: Hashable | None = None) -> None:
        """Watch a job no longer; it is stopped when nobody does."""
        with self._changed:
            if visitor in job.visitors:
                job.visitors.remove(visitor)
                self._drop_unwatched(job)

    def look(self) -> None:
        """Look which visitors are connected; jobs whose visitors are all gone for `MOST_ABSENCES` looks are stopped."""
        with self._changed:
            visitors = {visitor for job in self._all() for visitor in job.visitors if visitor is not None}
        absent = {visitor for visitor in visitors if self._present is not None and not self._present(visitor)}
        with self._changed:
            self._absences = {visitor: self._absences.get(visitor, 0) + 1 for visitor in absent}
            for visitor, count in self._absences.items():
                if count >= MOST_ABSENCES:
                    for job in self._all():
                        self._unwatch(job, visitor)

    def seconds(self, positions: int) -> float | None:
        """Return about how long passes over so many tokens take, by the last ones; None before there were any."""
        with self._changed:
            return positions * self._seconds / self._positions if self._positions else None

    def _note_pace(self, seconds: float, positions: int) -> None:
        """Take a turn into account; not one of few passes, most of whose time goes into other things."""
        if positions <= 0 or positions < LEAST_SHARE * min(self._positions, MOST_HELD):
            return
        self._seconds = REMEMBERED * self._seconds + seconds
        self._positions = REMEMBERED * self._positions + positions

    def _all(self) -> list[Job]:
        return [*self._beginning, *self._running, *self._entering, *self._waiting]

    def _check_room(self, visitor: Hashable | None, background: bool) -> None:
        foreground = [job for job in self._all() if not job.background]
        own = sum(visitor in job.visitors for job in foreground if not job.meter.cancelled)
        most = None if visitor is None or background else self._most_per_visitor
        if most is not None and own >= most:
            raise Busy(
                f"{own} jobs of yours wait or run already, and this server allows no more. Stop one, or wait until one "
                "has finished."
            )
        waiting = len(self._entering) + sum(background or not job.background for job in self._waiting)
        if waiting >= self._queue_length:
            raise Busy(f"{waiting} texts are waiting already. Try again in a minute.")

    def _unwatch(self, job: Job, visitor: Hashable) -> None:
        """Take a visitor from those who watch a job, however often he submitted it."""
        if visitor in job.visitors:
            job.visitors = [other for other in job.visitors if other != visitor]
            self._drop_unwatched(job)

    def _drop_unwatched(self, job: Job) -> None:
        if job.visitors or job.finished:
            return
        job.meter.cancel()
        for line in (self._entering, self._waiting):
            if job in line:
                line.remove(job)
                job.run()  # only marks it as cancelled

    def _line_up(self, job: Job) -> None:
        """Let a job wait from the next round on; a later one if its visitors have had their turn in that."""
        job.turn = self._round + 1
        self._waiting.append(job)

    def _line(self) -> list[Job]:
        """Return the jobs that wait in the order of their turns, of one round the one first that waits longest.

        Those in the background come last.
        """
        line, waiting, next_turns = [], list(self._waiting), dict(self._next_turns)
        while waiting:
            job = min(waiting, key=lambda waiting_job: (waiting_job.background, _turn(waiting_job, next_turns)))
            waiting.remove(job)
            line.append(job)
            if not job.background:
                next_turns |= dict.fromkeys(_takers(job), _turn(job, next_turns) + 1)
        return line

    def _next_job(self) -> Job:
        """Take the job out whose turn it is."""
        job = self._line()[0]
        self._waiting.remove(job)
        if job.background:
            return job
        self._round = _turn(job, self._next_turns)
        self._next_turns |= dict.fromkeys(_takers(job), self._round + 1)
        self._next_turns = {taker: turn for taker, turn in self._next_turns.items() if turn > self._round}
        return job

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        threads = {f"explain-job-{number}": self._serve for number in range(self._workers)}
        threads["explain-fast"] = self._serve_first_parts
        if self._present is not None:
            threads["explain-visitors"] = self._look_again_and_again
        for name, serve in threads.items():
            threading.Thread(target=serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                job = self._next_job()
                self._running.append(job)
            began, positions = time.monotonic(), job.spent.positions
            job.run(lambda count: bool(self._waiting))
            with self._changed:
                self._note_pace(time.monotonic() - began, job.spent.positions - positions)
                self._running.remove(job)
                self._go_on_later(job)

    def _serve_first_parts(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._entering)
                job = self._entering.pop(0)
                self._beginning.append(job)
            job.run(job.at_once.__le__)
            with self._changed:
                self._beginning.remove(job)
                self._go_on_later(job)

    def _go_on_later(self, job: Job) -> None:
        if not job.finished:
            self._line_up(job)
            self._drop_unwatched(job)  # its visitors may have left since its last part
            self._changed.notify_all()

    def _look_again_and_again(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._all)
            time.sleep(self._look_seconds)
            self.look()


def _takers(job: Job) -> list[Hashable]:
    """Return whose turn a job takes: that of its visitors, or its own where no visitor asked for it."""
    return [job if visitor is None else visitor for visitor in job.visitors]


def _turn(job: Job, next_turns: Mapping[Hashable, int]) -> int:
    """Return the round in which a job has its turn."""
    return max(job.turn, min((next_turns.get(taker, 0) for taker in _takers(job)), default=0))


def failure(job: Job) -> str:
    """Return the message for a job that failed, without a traceback."""
    if isinstance(job.error, ExplainError):
        return str(job.error)
    kind = type(job.error).__name__ if job.error else "unknown error"
    return f"Something went wrong in the tool itself ({kind}). The log has the details."

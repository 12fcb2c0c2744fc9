import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from explain.core.errors import Busy, ExplainError, TextError
from explain.core.meter import Meter
from explain.core.sizes import size_of
from explain.run.jobs import ALL, MOST_ABSENCES, Cache, CacheCheckpoint, Job, Jobs, Work, failure
from tests.waiting import PATIENCE, wait_for


def work(meter: Meter) -> Iterator[tuple[str, Any]]:
    meter.tick(forward=2)
    yield "first", 1
    meter.tick(forward=2)
    yield "second", 2


class Gate:
    """Work that waits to be let through, ticking all the while."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, meter: Meter) -> Iterator[tuple[str, Any]]:
        yield "begun", True
        self.entered.set()
        while not self.open.wait(0.005):
            meter.tick(forward=1)
        yield "done", True


def test_parts_and_progress() -> None:
    job = Jobs().submit("a", work, cost=4)
    assert job.wait(PATIENCE) and job.state == "done"
    assert job.parts == {"first": 1, "second": 2} and job.progress == 1.0


def test_what_is_published_is_shown_until_the_part_is_there() -> None:
    shown: list[dict[str, Any]] = []

    def refining(meter: Meter) -> Iterator[tuple[str, Any]]:
        for state in ("rough", "better"):
            meter.publish("first", state)
            shown.append(job.parts)
        yield "first", "exact"

    job = Job("a", refining, 1)
    job.run()
    assert shown == [{"first": "rough"}, {"first": "better"}] and job.parts == {"first": "exact"}
    Meter().publish("first", "for nobody")


def test_one_runs_the_others_wait_in_order() -> None:
    jobs, gate = Jobs(workers=1), Gate()
    first = jobs.submit("a", gate, cost=10)
    assert gate.entered.wait(PATIENCE)
    second, third = jobs.submit("b", work, cost=4), jobs.submit("c", work, cost=4)
    assert [jobs.position(job) for job in (first, second, third)] == [0, 1, 2]
    gate.open.set()
    assert third.wait(PATIENCE) and second.finished and first.state == "done"


def test_the_same_work_is_one_job() -> None:
    jobs, gate = Jobs(), Gate()
    job = jobs.submit("a", gate, cost=10)
    assert jobs.submit("a", gate, cost=10) is job
    jobs.leave(job)  # one of two watchers
    gate.entered.wait(PATIENCE)
    assert not job.meter.cancelled
    jobs.leave(job)
    assert job.wait(PATIENCE) and job.state == "cancelled" and job.parts == {"begun": True}


def test_waiting_jobs_can_be_left() -> None:
    jobs, gate = Jobs(), Gate()
    first = jobs.submit("a", gate, cost=10)
    gate.entered.wait(PATIENCE)
    second = jobs.submit("b", work, cost=4)
    jobs.leave(second)
    assert second.state == "cancelled" and second.parts == {}
    gate.open.set()
    assert first.wait(PATIENCE)


def test_a_full_queue_says_so() -> None:
    jobs, gate = Jobs(queue_length=1), Gate()
    jobs.submit("a", gate, cost=1)
    gate.entered.wait(PATIENCE)
    jobs.submit("b", work, cost=1)
    with pytest.raises(Busy, match="1 texts are waiting"):
        jobs.submit("c", work, cost=1)
    gate.open.set()


def test_failures_do_not_stop_the_worker_and_show_no_traceback() -> None:
    def refused(meter: Meter) -> Iterator[tuple[str, Any]]:
        raise TextError("Type a sentence.")
        yield

    def broken(meter: Meter) -> Iterator[tuple[str, Any]]:
        yield "begun", 1
        raise ZeroDivisionError("secret path /root")

    jobs = Jobs()
    one, two, three = jobs.submit("a", refused, 1), jobs.submit("b", broken, 1), jobs.submit("c", work, 1)
    assert three.wait(PATIENCE) and three.state == "done"
    assert one.state == two.state == "failed" and failure(one) == "Type a sentence."
    assert "ZeroDivisionError" in failure(two) and "secret" not in failure(two) and two.parts == {"begun": 1}


def listed(order: list[str], name: str, parts: int = 1) -> Work:
    """Work that writes its name into a list with each part."""

    def compute(meter: Meter) -> Iterator[tuple[str, Any]]:
        for number in range(parts):
            order.append(name)
            yield f"{name} {number}", number

    return compute


def test_visitors_take_turns_however_many_jobs_each_has() -> None:
    jobs, gate, order = Jobs(workers=1), Gate(), list[str]()
    first = jobs.submit("gate", gate, 1, "C")
    assert gate.entered.wait(PATIENCE)
    waiting = [
        jobs.submit(f"{visitor}{number}", listed(order, f"{visitor}{number}"), 1, visitor, replace=False)
        for visitor, number in (("A", 1), ("A", 2), ("B", 1), ("A", 3), ("C", 1))
    ]
    assert [jobs.position(job) for job in (first, *waiting)] == [0, 1, 4, 2, 5, 3]
    gate.open.set()
    assert all(job.wait(PATIENCE) for job in waiting)
    assert order == ["A1", "B1", "C1", "A2", "A3"]


def test_a_turn_ends_with_a_part_when_someone_else_waits() -> None:
    jobs, order, second = Jobs(workers=1), list[str](), list[Job]()

    def long(meter: Meter) -> Iterator[tuple[str, Any]]:
        second.append(jobs.submit("short", short, 1, "B"))
        yield from listed(order, "long", parts=3)(meter)

    def short(meter: Meter) -> Iterator[tuple[str, Any]]:
        second.append(jobs.submit("newcomer", listed(order, "newcomer"), 1, "C"))
        yield from listed(order, "short")(meter)

    job = jobs.submit("long", long, 3, "A")
    assert job.wait(PATIENCE) and job.state == "done" and len(job.parts) == 3
    assert all(other.wait(PATIENCE) for other in second)
    # The newcomer came when the first was in the second round already: nobody is overtaken again and again.
    assert order == ["long", "short", "long", "newcomer", "long"]


def test_a_newer_job_of_a_visitor_replaces_the_older_one() -> None:
    jobs, gate = Jobs(workers=1), Gate()
    running = jobs.submit("gate", gate, 1, "A")
    assert gate.entered.wait(PATIENCE)
    older = jobs.submit("older", work, 1, "B")
    newer = jobs.submit("newer", work, 1, "B")
    assert older.state == "cancelled" and older.parts == {} and jobs.position(newer) == 1
    newest = jobs.submit("newest", work, 1, "A")
    assert newest.wait(PATIENCE) and newer.wait(PATIENCE) and not gate.open.is_set()
    assert running.state == "cancelled" and newest.state == newer.state == "done"


def test_a_job_that_someone_else_watches_is_not_replaced() -> None:
    jobs, gate = Jobs(workers=1), Gate()
    shared = jobs.submit("shared", gate, 1, "A")
    assert gate.entered.wait(PATIENCE)
    for visitor in ("A", "B", None):
        assert jobs.submit("shared", gate, 1, visitor) is shared
    own = [jobs.submit(f"own {visitor}", work, 1, visitor) for visitor in ("A", "B")]
    assert shared.visitors == [None] and not shared.meter.cancelled
    jobs.leave(shared, "A")  # who watches it no longer
    assert shared.visitors == [None]
    jobs.leave(shared)
    assert all(job.wait(PATIENCE) for job in (shared, *own)) and shared.state == "cancelled"


def test_first_parts_do_not_wait_behind_long_work_and_are_computed_once() -> None:
    jobs, gate, order = Jobs(workers=1), Gate(), list[str]()
    long = jobs.submit("gate", gate, 1, "A")
    assert gate.entered.wait(PATIENCE)
    job = jobs.submit("new", listed(order, "part", parts=3), 3, "B", at_once=2)
    whole = jobs.submit("whole", listed(order, "whole", parts=2), 2, "C", at_once=ALL)
    assert whole.wait(PATIENCE) and whole.state == "done"  # after the first, as the fast lane is one
    assert list(job.parts) == ["part 0", "part 1"] and not job.finished and jobs.position(job) == 1
    assert not long.finished
    gate.open.set()
    assert job.wait(PATIENCE) and list(job.parts) == ["part 0", "part 1", "part 2"]
    assert order == ["part", "part", "whole", "whole", "part"]


def test_first_parts_that_fail_end_a_job_on_the_fast_lane() -> None:
    def refused(meter: Meter) -> Iterator[tuple[str, Any]]:
        raise TextError("Type a sentence.")
        yield

    jobs, gate = Jobs(workers=1), Gate()
    jobs.submit("gate", gate, 1)
    assert gate.entered.wait(PATIENCE)
    job = jobs.submit("refused", refused, 1, at_once=2)
    assert job.wait(PATIENCE) and failure(job) == "Type a sentence."
    gate.open.set()


def test_a_job_that_is_left_between_two_turns_is_stopped() -> None:
    jobs, gate, freed = Jobs(workers=1), Gate(), threading.Event()

    def two_parts(meter: Meter) -> Iterator[tuple[str, Any]]:
        try:
            yield "first", 1
            yield "second", 2
        finally:
            freed.set()

    jobs.submit("gate", gate, 1)
    assert gate.entered.wait(PATIENCE)
    job = jobs.submit("two", two_parts, 2, "A", at_once=1)
    wait_for(lambda: jobs.position(job) == 1)
    jobs.leave(job, "A")
    assert job.state == "cancelled" and list(job.parts) == ["first"] and freed.is_set()
    gate.open.set()


def test_jobs_of_visitors_who_are_gone_make_way() -> None:
    connected = {"A", "B", "C"}
    jobs, gate = Jobs(workers=1, present=connected.__contains__, look_seconds=PATIENCE), Gate()
    gone = jobs.submit("gone", gate, 1, "A")
    assert gate.entered.wait(PATIENCE)
    shared = jobs.submit("shared", work, 1, "A", replace=False)
    jobs.submit("shared", work, 1, "B")
    of_nobody = jobs.submit("of nobody", work, 1)
    waiting = jobs.submit("waiting", work, 1, "C")
    connected -= {"A", "C"}
    for _ in range(MOST_ABSENCES - 1):
        jobs.look()
    connected.add("C")  # a page that was reloaded
    assert not gone.meter.cancelled
    jobs.look()
    assert gone.wait(PATIENCE) and gone.state == "cancelled" and not gate.open.is_set()
    for job in (shared, of_nobody, waiting):
        assert job.wait(PATIENCE) and job.state == "done"
    connected.remove("C")
    late = jobs.submit("late", Gate(), 1, "C")
    jobs.look()
    assert not late.meter.cancelled  # the looks before are forgotten
    jobs.leave(late, "C")


def test_the_queue_looks_for_visitors_by_itself() -> None:
    jobs, gate = Jobs(present=lambda visitor: visitor == "B", look_seconds=0.001), Gate()
    gone, waiting = jobs.submit("gone", gate, 1, "A"), jobs.submit("waiting", work, 1, "B")
    assert gone.wait(PATIENCE) and waiting.wait(PATIENCE)
    assert (gone.state, waiting.state) == ("cancelled", "done")


def test_a_visitor_has_only_so_many_jobs() -> None:
    jobs, gate = Jobs(workers=1, most_per_visitor=2), Gate()
    jobs.submit("gate", gate, 1, "A")
    assert gate.entered.wait(PATIENCE)
    second = jobs.submit("second", work, 1, "A", replace=False)
    with pytest.raises(Busy, match=r"2 jobs of yours wait or run already.*Stop one, or wait"):
        jobs.submit("third", work, 1, "A", replace=False)
    assert jobs.submit("second", work, 1, "A", replace=False) is second  # it is there already
    others = [jobs.submit(name, work, 1, visitor) for name, visitor in (("b", "B"), ("c", None), ("d", None))]
    assert jobs.submit("third", work, 1, "A").wait(PATIENCE) and second.state == "cancelled"  # in place of the two
    assert all(job.wait(PATIENCE) for job in others)


def test_the_queue_knows_how_long_passes_take() -> None:
    def timed(meter: Meter) -> Iterator[tuple[str, Any]]:
        meter.tick(forward=1, positions=10)
        yield "part", 1

    jobs = Jobs()
    assert jobs.seconds(1000) is None
    assert jobs.submit("a", timed, 1).wait(PATIENCE)
    wait_for(lambda: jobs.seconds(1000) is not None)
    assert jobs.seconds(2000) == pytest.approx(2 * (jobs.seconds(1000) or 0))


def test_the_pace_of_a_servers_first_passes_is_soon_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, took = iter(range(1000)), [64, *[1] * 12]
    now = [0.0]

    def timed(meter: Meter) -> Iterator[tuple[str, Any]]:
        meter.tick(forward=1, positions=10)
        now[0] += took[next(clock)]
        yield "part", 1

    monkeypatch.setattr("explain.run.jobs.time.monotonic", lambda: now[0])
    jobs = Jobs()
    paces = []
    for name in "abcdefghijklm":
        assert jobs.submit(name, timed, 1).wait()
        wait_for(lambda: not jobs._running)
        paces.append(jobs.seconds(10) or 0.0)
    assert paces[0] == 64 and paces[-1] == pytest.approx(1, rel=0.05)
    assert all(after <= before for before, after in itertools.pairwise(paces))


def test_a_turn_of_few_passes_says_nothing_about_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def timed(took: float, positions: int) -> Callable[[Meter], Iterator[tuple[str, Any]]]:
        def parts(meter: Meter) -> Iterator[tuple[str, Any]]:
            meter.tick(forward=1, positions=positions)
            now[0] += took
            yield "part", 1

        return parts

    monkeypatch.setattr("explain.run.jobs.time.monotonic", lambda: now[0])
    jobs = Jobs()

    def pace_after(took: float, positions: int) -> float:
        assert jobs.submit((took, positions), timed(took, positions), 1).wait()
        wait_for(lambda: not jobs._running)
        return jobs.seconds(1000) or 0.0

    assert pace_after(2, 10) == 200  # all that is known
    first = pace_after(1, 1000)
    assert first < 3
    assert pace_after(3, 15) == first  # a prediction, and a picture that takes long
    assert pace_after(400, 100_000) == pytest.approx(4, rel=0.02)
    assert pace_after(1, 1500) == pytest.approx(4, rel=0.05)  # a usual page counts, beside a long text, too


def test_a_meter_stops_at_its_limit() -> None:
    meter = Meter(limit=10)
    meter.tick(forward=10)
    with pytest.raises(ExplainError, match="10 passes"):
        meter.tick(backward=1)


def test_a_meter_tells_as_it_goes() -> None:
    seen: list[int] = []
    meter = Meter(on_pass=lambda spent: seen.append(spent.forward))
    meter.tick(forward=3, positions=9)
    meter.tick(forward=2, backward=2)
    assert seen == [3, 5] and meter.spent.positions == 9 and meter.spent.backward == 2


def test_the_cache_gives_up_what_was_used_longest_ago() -> None:
    cache = Cache(most_bytes=3500)
    for name in "abc":
        cache.put(name, np.zeros(125))  # 1000 bytes and a little
    assert cache.get("a") is not None
    cache.put("d", np.zeros(125))
    assert cache.get("b") is None and cache.get("a") is not None and len(cache) == 3
    cache.put("huge", np.zeros(10_000))  # larger than all: kept alone rather than computed again and again
    assert len(cache) == 1 and cache.get("huge") is not None
    cache.put("huge", np.zeros(1))
    assert cache.bytes < 200


def test_sizes_follow_arrays_into_results() -> None:
    assert size_of({"a": (np.zeros(1000),)}) > 8000
    assert size_of("x" * 1000) >= 1000


def test_a_job_cancelled_before_it_began_does_nothing() -> None:
    job = Job("a", work, 1)
    job.meter.cancel()
    job.run()
    assert job.state == "cancelled" and job.parts == {} and job.wait(0)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_numbers_from_the_environment_are_checked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_JOBS", text)
    with pytest.raises(ExplainError, match=r"EXPLAIN_JOBS is .*; expected a whole number"):
        Jobs()
    monkeypatch.setenv("EXPLAIN_JOBS", "3")
    assert Jobs()._workers == 3


def test_waiting_ends_when_it_is_told_to() -> None:
    assert not Job("a", work, 1).wait(0.05)


def test_what_is_taken_out_of_a_cache_is_no_longer_in_it() -> None:
    cache = Cache()
    cache.put("a", np.zeros(100))
    cache.put("b", 1)
    held = cache.bytes
    assert cache.pop("a") is not None and cache.pop("a") is None and cache.get("a") is None
    assert len(cache) == 1 and cache.bytes < held - 800
    CacheCheckpoint(cache, "b").leave("half")
    assert cache.get("b") == 1  # a result and a checkpoint have places of their own
    assert CacheCheckpoint(cache, "b").take() == "half" and CacheCheckpoint(cache, "b").take() is None


def test_what_nobody_waits_for_runs_last_and_takes_no_turn_and_no_room() -> None:
    jobs, gate, order = Jobs(workers=1, most_per_visitor=2), Gate(), list[str]()
    first = jobs.submit("a", gate, 10, "one")
    assert gate.entered.wait(PATIENCE)
    ahead = jobs.submit("later", listed(order, "background", 2), 2, "one", replace=False, background=True)
    own = jobs.submit("b", listed(order, "own"), 1, "one", replace=False)  # the second of two that are allowed
    with pytest.raises(Busy):
        jobs.submit("c", listed(order, "more"), 1, "one", replace=False)
    other = jobs.submit("d", listed(order, "other"), 1, "another")
    assert jobs.position(ahead) > max(jobs.position(job) for job in (own, other))
    gate.open.set()
    assert all(job.wait(PATIENCE) for job in (first, ahead, own, other))
    assert order[-2:] == ["background"] * 2 and set(order[:-2]) == {"own", "other"}


def test_what_runs_in_the_background_makes_way_and_is_left_with_its_visitor() -> None:
    jobs, gate, order = Jobs(workers=1), Gate(), list[str]()
    ahead = jobs.submit("later", gate, 10, "one", background=True)
    assert gate.entered.wait(PATIENCE)
    assert jobs.submit("later", gate, 10, "one", background=True) is ahead and ahead.background
    assert jobs.submit("later", gate, 10, "one") is ahead and not ahead.background  # now someone waits for it
    jobs.submit("a", listed(order, "own"), 1, "one")  # the visitor moves on
    assert ahead.wait(PATIENCE) and ahead.state == "cancelled"

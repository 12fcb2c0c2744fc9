import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from explain.core.errors import Busy, ExplainError, TextError
from explain.core.meter import Meter
from explain.core.sizes import size_of
from explain.run.jobs import Cache, CacheCheckpoint, Job, Jobs, failure
from tests.waiting import PATIENCE


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


def test_a_job_nobody_asks_for_makes_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.run.jobs.ABANDONED_SECONDS", 0.2)

    def endless(meter: Meter) -> Iterator[tuple[str, int]]:
        while True:
            meter.tick(forward=1)
            time.sleep(0.01)
            yield "round", 1

    jobs = Jobs()
    left = jobs.submit("left", endless, 1)
    assert not left.wait(0.5)
    assert jobs.position(left) == 0 and not left.finished  # asked for, and nobody waits
    time.sleep(0.3)
    waiting = jobs.submit("waiting", work, 1)
    assert jobs.position(waiting) == 1
    assert waiting.wait(PATIENCE) and left.state == "cancelled" and waiting.state == "done"


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

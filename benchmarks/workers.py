"""Two workers over one: of runs in processes and over Ray, beside two plain processes; `python -m benchmarks.runs`.

    plain       two processes that know nothing of each other, each with transformers alone, over one of them
    processes   `explain.run(..., backend="processes")` with two workers over one; its folder is written meanwhile
    ray         the same with `backend="ray"`, on a cluster that is started here

All read the same rows, with one thread a worker, and are timed once each worker has its model. They take turns, so that
a drift of the machine's speed concerns all of them.
"""

import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import explain
from explain.core.installation import weights_folder
from explain.data.dataset import Dataset
from explain.run.shards import ShardProgress

SHARD = 16  # rows
WARM = 2  # shards of each worker before the clock starts


def print_ratios(texts: Sequence[str], methods: Sequence[str], turns: int) -> None:
    """Print the speed of two workers over that of one, the median of some turns, and what Ray costs at start."""
    speeds: dict[tuple[str, int], list[float]] = {}
    starts: list[float] = []
    for _ in range(turns):
        for workers in (1, 2):
            speeds.setdefault(("plain", workers), []).append(plain(texts, workers))
            speeds.setdefault(("processes", workers), []).append(of_run(texts, methods, "processes", workers))
            seconds, speed = over_ray(texts, methods, workers)
            starts.append(seconds)
            speeds.setdefault(("ray", workers), []).append(speed)
    ratios = {
        name: statistics.median(two / one for one, two in zip(speeds[name, 1], speeds[name, 2]))
        for name in ("plain", "processes", "ray")
    }
    what = " and ".join(methods) or "predictions"
    print(f"two workers over one, {what} of {len(texts):,} rows, median of {turns} turns")
    for name, ratio in ratios.items():
        one, two = (statistics.median(speeds[name, workers]) for workers in (1, 2))
        share = "" if name == "plain" else f", {ratio / ratios['plain']:.2f} of plain"
        print(f"  {name:10}{one:8.1f} and {two:8.1f} rows a second: {ratio:.2f}{share}")
    print(f"  ray takes {statistics.median(starts):.1f} s to start a cluster here")


def plain(texts: Sequence[str], workers: int) -> float:
    """Return rows a second of processes that each predict all texts by transformers alone."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(workers)]
    processes = [context.Process(target=_plain_worker, args=(list(texts), theirs)) for _, theirs in pipes]
    for process in processes:
        process.start()
    for mine, _ in pipes:
        mine.recv()  # it has its model
    began = time.perf_counter()
    for mine, _ in pipes:
        mine.send(None)
    for mine, _ in pipes:
        mine.recv()
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return workers * len(texts) / seconds


def _plain_worker(texts: list[str], pipe: Connection) -> None:
    import torch
    from transformers import AutoTokenizer

    from benchmarks.runs import floor
    from benchmarks.speed import plain_twin
    from explain.models.loading.catalogue import load_model

    torch.set_num_threads(1)
    module, tokenizer = plain_twin(load_model()), AutoTokenizer.from_pretrained(weights_folder() / "base")
    floor(module, tokenizer, texts[:SHARD])
    pipe.send(None)
    pipe.recv()
    floor(module, tokenizer, texts)
    pipe.send(None)


def of_run(texts: Sequence[str], methods: Sequence[str], backend: str, workers: int) -> float:
    """Return rows a second of a run, from the time on when each worker has its model."""
    rows = [{"text": text} for text in (*texts[: SHARD * WARM * workers], *texts)]
    events: list[tuple[float, int]] = []

    def note(progress: ShardProgress) -> None:
        events.append((time.perf_counter(), progress.rows))

    folder = Path(tempfile.mkdtemp())
    try:
        explain.run(
            Dataset.of_rows(rows),
            out=folder / "RUN",
            methods=methods,
            backend=backend,
            workers=workers,
            shard_size=SHARD,
            on_progress=note,
        )
    finally:
        shutil.rmtree(folder)
    (began, before), (ended, after) = events[WARM * workers], events[-1]
    return (after - before) / (ended - began)


def over_ray(texts: Sequence[str], methods: Sequence[str], workers: int) -> tuple[float, float]:
    """Return the seconds that a cluster takes to start, and the rows a second of a run on it."""
    from explain.run.backends.ray import RayTasks

    with ExitStack() as stack:
        began = time.perf_counter()
        stack.enter_context(RayTasks(workers).ready())
        seconds = time.perf_counter() - began
        return seconds, of_run(texts, methods, "ray", workers)

"""Shards in this process: one after another, or in several threads of one core each."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from explain.run.backends import completed
from explain.run.shards import Backend, Rows, Shard


@dataclass(frozen=True)
class Threads:
    """Compute shards in this process.

    Attributes:
        workers: 1: one shard after another, with as many threads as torch has been given; more: so many at once, with
            one thread each.
    """

    workers: int = 1

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        if self.workers <= 1:
            for shard in shards:
                yield shard, work(shard)
            return
        threads = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(self.workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield from completed(pool, self.workers, work, shards)
        finally:
            torch.set_num_threads(threads)  # a library below torch keeps one number for all threads

    def ready(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@contextlib.contextmanager
def threads_of_a_worker(backend: Backend) -> Iterator[None]:
    """Let torch have as many threads here as each worker of a backend has, so that times are those of a worker."""
    with one_thread() if backend.workers > 1 or not isinstance(backend, Threads) else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch have one thread here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

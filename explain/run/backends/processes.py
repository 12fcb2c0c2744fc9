"""Shards in other processes of one thread each."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import torch

from explain.core.errors import ExplainError
from explain.run.backends import completed
from explain.run.shards import Rows, Shard


@dataclass(frozen=True)
class Processes:
    """Compute shards in several processes, which load the model by its spec.

    Attributes:
        workers: processes, of one thread each.
    """

    workers: int

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Sequence[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        context = get_context("spawn")  # torch's threads don't survive a fork
        with ProcessPoolExecutor(self.workers, context, torch.set_num_threads, (1,)) as pool:
            try:
                yield from completed(pool, self.workers, work, shards)
            except BrokenProcessPool as error:
                raise ExplainError(
                    "A worker process ended before its work was done; the system may have stopped it for using too "
                    "much memory. Start again with fewer workers; what is done is kept."
                ) from error

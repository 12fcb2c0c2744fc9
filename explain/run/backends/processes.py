"""Shards in other processes of one thread each."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

import torch

from explain.core.errors import ExplainError
from explain.run.backends import completed
from explain.run.shards import ModelWork, Rows, Shard


class _WorkerProcess(SpawnProcess):
    """A spawned process that does not run the script of this one again.

    Python would run it in each worker. In a server it is the page of some visitor, and a script without a guard would
    start its work anew.
    """

    _starting = threading.Lock()

    def start(self) -> None:
        with self._starting:
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = script


class _WithoutScript(SpawnContext):
    Process = _WorkerProcess


def _is_of_script(work: Any) -> bool:
    """Return whether the running script itself defines the work, so that workers have to run it too."""
    while isinstance(work, (ModelWork, partial)):
        work = work.function if isinstance(work, ModelWork) else work.func
    return "__main__" in (getattr(work, "__module__", None), type(work).__module__)


@dataclass(frozen=True)
class Processes:
    """Compute shards in several processes, which load the model by its spec.

    Attributes:
        workers: processes, of one thread each.
    """

    workers: int

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        # Torch's threads don't survive a fork, so workers are spawned.
        context = SpawnContext() if _is_of_script(work) else _WithoutScript()
        with ProcessPoolExecutor(self.workers, context, torch.set_num_threads, (1,)) as pool:
            try:
                yield from completed(pool, self.workers, work, shards)
            except BrokenProcessPool as error:
                raise ExplainError(
                    "A worker process ended before its work was done; the system may have stopped it for using too "
                    "much memory. Start again with fewer workers; what is done is kept."
                ) from error

    def ready(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # which processes are needed depends on the work

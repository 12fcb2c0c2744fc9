"""Shards as tasks of Ray, on this machine or on a cluster. Only this file knows about Ray.

A task is retried by Ray where its worker or its machine is lost. Results come back as plain rows; the store is written
here, by the process that asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from explain.core.errors import ExplainError
from explain.run.shards import Rows, Shard

RETRIES = 3  # of a task whose worker was lost
_MISSING = "The backend ray needs the package Ray: pip install 'explain-transformers[ray]'."


@dataclass(frozen=True)
class RayTasks:
    """Compute shards as tasks of Ray, each on one core with one thread.

    Attributes:
        workers: tasks at once, and cores of a cluster that is started here.
        address: of a cluster that runs already ("ray://HOST:10001"); None: one is started on this machine, and ends
            with the work.

    Whoever reaches an open port of Ray runs code of their own there: keep its ports behind a firewall.
    """

    workers: int
    address: str | None = None

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        ray = _ray()
        mine = not ray.is_initialized()
        if mine:
            self._connect(ray)
        try:
            yield from self._completed(ray, work, iter(shards))
        finally:
            if mine:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        if self.address is None:
            ray.init(num_cpus=self.workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            return
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, TimeoutError, ValueError) as error:
            raise ExplainError(f"Ray can't be reached at {self.address}: {error}") from error

    def _completed(
        self, ray: Any, work: Callable[[Shard[Any]], Rows], waiting: Iterator[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_computed)
        shared = ray.put(work)
        running = {task.remote(shared, shard): shard for shard in islice(waiting, 2 * self.workers)}
        while running:
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            shard = running.pop(done)
            try:
                rows = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                cause = error.as_instanceof_cause()
                raise (cause if isinstance(cause, ExplainError) else ExplainError(_one_line(error))) from error
            except ray.exceptions.RayError as error:
                raise ExplainError(f"Ray lost a task: {_one_line(error)} What is done is kept.") from error
            for further in islice(waiting, 1):
                running[task.remote(shared, further)] = further
            yield shard, rows


def _ray() -> Any:
    """Import Ray, with its usage statistics off.

    Raises:
        ExplainError: it is not installed.
    """
    import os

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ExplainError(_MISSING) from error
    return ray


def _computed(work: Callable[[Shard[Any]], Rows], shard: Shard[Any]) -> Rows:
    """Compute a shard in a worker."""
    import torch

    torch.set_num_threads(1)
    return work(shard)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[-300:]

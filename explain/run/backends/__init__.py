"""Ways to compute shards; see `explain.run.shards.Backend`. Only this room knows about threads and processes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from itertools import islice
from typing import Any

from explain.core.errors import SettingError
from explain.run.shards import Backend, Rows, Shard


def completed(
    pool: Executor, workers: int, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
) -> Iterator[tuple[Shard[Any], Rows]]:
    """Yield shards as a pool completes them; few are handed out at a time, so that a stop waits for few.

    Raises:
        BaseException: what the work raised first, after the shards that were running then have been yielded.
    """
    waiting = iter(shards)
    running = {pool.submit(work, shard): shard for shard in islice(waiting, 2 * workers)}
    failure: BaseException | None = None
    try:
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            ended = [(running.pop(future), future) for future in done]
            failure = failure or next(filter(None, (future.exception() for _, future in ended)), None)
            if failure is None:
                for shard in islice(waiting, len(ended)):
                    running[pool.submit(work, shard)] = shard
            else:
                running = {future: shard for future, shard in running.items() if not future.cancel()}
            for shard, future in ended:
                if future.exception() is None:
                    yield shard, future.result()
    finally:
        for future in running:
            future.cancel()
    if failure is not None:
        raise failure


BACKENDS = ("threads", "processes", "ray")


def backend_named(name: str, workers: int, address: str | None = None) -> Backend:
    """Return a backend by name; "auto" is this process for one worker, processes for more.

    Args:
        address: of a cluster of Ray.

    Raises:
        SettingError: there is no such backend, or an address for another one than ray.
    """
    from explain.run.backends.processes import Processes
    from explain.run.backends.threads import Threads

    if address is not None and name != "ray":
        raise SettingError("An address is that of a cluster of Ray: give the backend ray with it.")
    if name == "ray":
        from explain.run.backends.ray import RayTasks

        return RayTasks(workers, address)
    if name == "auto":
        return backend_of(workers)
    if name not in BACKENDS:
        raise SettingError(f"There is no backend {name!r}. There are: {', '.join(BACKENDS)}.")
    return Threads(workers) if name == "threads" else Processes(workers)


def backend_of(workers: int) -> Backend:
    """Return the backend for a number of workers: this process for one, processes for more."""
    from explain.run.backends.processes import Processes
    from explain.run.backends.threads import Threads

    return Threads() if workers <= 1 else Processes(workers)

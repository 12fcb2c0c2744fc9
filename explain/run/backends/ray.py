"""Shards as tasks of Ray, on this machine or on a cluster. Only this file knows about Ray.

A task is retried by Ray where its worker or its machine is lost. Results come back as plain rows; the store is written
here, by the process that asked.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from explain.core.errors import ExplainError, SettingError
from explain.run.shards import Rows, Shard

RETRIES = 3  # of a task whose worker was lost
_PATIENCE = 20.0  # seconds in which a cluster has to answer
_MISSING = "The backend ray needs the package Ray: pip install 'explain-transformers[ray]'."
_ADDRESS = re.compile(r"(ray://)?([^\s:/@\[\]]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")
# A call that each of the two servers answers, and the other one does not have; both speak gRPC.
_HEAD, _CLIENT = "/ray.rpc.NodeInfoGcsService/CheckAlive", "/ray.rpc.RayletDriver/ClusterInfo"


@dataclass(frozen=True)
class RayTasks:
    """Compute shards as tasks of Ray, each on one core with one thread.

    Attributes:
        workers: tasks at once, and cores of a cluster that is started here.
        address: of a cluster that runs already ("ray://HOST:10001", or "HOST:6379" from one of its machines); None:
            one is started on this machine, and ends with the work.

    Raises:
        SettingError: the address is none; the work raises `ExplainError` where nothing answers there.

    Whoever reaches an open port of Ray runs code of their own there: keep its ports behind a firewall.
    """

    workers: int
    address: str | None = None

    def __post_init__(self) -> None:
        if self.address is not None and not _ADDRESS.fullmatch(self.address):
            raise SettingError(
                f"{self.address!r} is no address of a cluster of Ray. Give ray://HOST:10001, or HOST:6379 on one of "
                "its machines."
            )

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        with self.ready():
            yield from self._completed(_ray(), work, iter(shards))

    @contextlib.contextmanager
    def ready(self) -> Iterator[None]:
        ray = _ray()
        if ray.is_initialized():
            yield
            return
        self._connect(ray)
        try:
            yield
        finally:
            ray.shutdown()  # of a cluster that ran before, the connection only

    def _connect(self, ray: Any) -> None:
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address is None:  # "local": not one that runs on this machine already
            ray.init(address="local", num_cpus=self.workers, include_dashboard=False, **quiet)
            return
        address = _reachable(ray, self.address)
        try:
            ray.init(address=address, **quiet)
        except (OSError, ValueError, RuntimeError, ray.exceptions.RayError, SystemExit) as error:
            raise ExplainError(f"Ray can't be reached at {self.address}: {_one_line(error)}") from error

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


def _reachable(ray: Any, address: str) -> str:
    """Return an address as Ray wants it, where a cluster answers.

    Ray itself waits for two minutes, and then ends the process.

    Raises:
        ExplainError: nothing answers, or another server.
    """
    import os

    import grpc

    parts = _ADDRESS.fullmatch(address)
    assert parts is not None
    client, host, port = parts.groups()
    if client is None and host in ("localhost", "127.0.0.1", "[::1]"):
        host = ray.util.get_node_ip_address()  # Ray takes it so, too
    with_prefix = f"{client or ''}{host}:{port}"
    if os.environ.get("RAY_USE_TLS", "0") != "0":  # who answers then would have to be asked with certificates
        return with_prefix
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"{host}:{port}", options=options) as channel:
        try:
            channel.unary_unary(_HEAD if client is None else _CLIENT)(b"", timeout=_PATIENCE, wait_for_ready=False)
        except grpc.RpcError as error:
            code = error.code()  # an answer that refuses is an answer
            if code is grpc.StatusCode.UNIMPLEMENTED:
                raise ExplainError(
                    f"At {address} another server answers. A cluster's port for clients is ray://HOST:10001; its "
                    "head's, HOST:6379, is for processes on its machines."
                ) from error
            if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise ExplainError(
                    f"Ray can't be reached at {address}: nothing answers there. `ray status` says on its machine "
                    "whether the cluster runs; nothing has been computed."
                ) from error
    return with_prefix


def _computed(work: Callable[[Shard[Any]], Rows], shard: Shard[Any]) -> Rows:
    """Compute a shard in a worker."""
    import torch

    torch.set_num_threads(1)
    return work(shard)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[-300:]

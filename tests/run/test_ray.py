"""Ray as a backend: a real cluster of two machines on this one, a worker of which is killed, and then a machine."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

import explain
from explain.cli.main import main
from explain.core.errors import DataError, ExplainError, SettingError
from explain.data.dataset import Dataset
from explain.run.backends import ray as backend
from explain.run.backends.ray import RayTasks
from explain.run.shards import Row, Shard
from tests.tiny_models import tiny_folder

TEXTS = ("A mess.", "A feast of a film.", "Not one laugh.", "It is so bad as to be good.", "An odd film.")
DEAD_AFTER = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}  # of a machine that is silent


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for all tests here, of two machines with a core each: starting it takes long."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    made = Cluster(True, head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": DEAD_AFTER})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder("bert", tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def by_address(cluster: Cluster, model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Runs of the command line, alone and on the cluster; the connection stays for all tests, and so do the workers."""
    folder = tmp_path_factory.mktemp("runs")
    data = folder / "data.csv"
    data.write_text("text\n" + "".join(f"{row.text}\n" for row in of_rows()))
    command = ["run", str(data), "--model", model, "--method", "occlusion", "--shard-size", "3", "--until", "0.001"]
    on_cluster = ["--backend", "ray", "--address", cluster.address, "--workers", "2"]
    ended: list[bool] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("explain.run.sampled_run.PILOT", 10)
        patched.setattr(ray, "shutdown", lambda: ended.append(ray.is_initialized()))
        assert main([*command, "--out", str(folder / "ALONE")]) == 0
        assert main([*command, "--out", str(folder / "RAY"), *on_cluster]) == 0
    assert ended == [True], "one connection for predictions, pilot sample and explanations"
    yield folder
    ray.shutdown()
    assert backend._reachable(ray, cluster.address), "a run by its address ends the connection only"


def of_rows() -> Dataset:
    return Dataset.of_rows([{"text": f"{text} {number}"} for number in range(4) for text in TEXTS])


def parts(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("parts/*"))}


@dataclass(frozen=True)
class Lost:
    """Work whose first try on shard 2 ends its own worker, and which waits on one machine until that is lost.

    Attributes:
        marks: a folder, where a file says that something has begun; machine: the id of the machine.
    """

    marks: Path
    machine: str

    def __call__(self, shard: Shard[Any]) -> list[Row]:
        here = ray.get_runtime_context().get_node_id()
        if shard.number == 2 and not (self.marks / "killed").exists():
            (self.marks / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if shard.number > 2 and here == self.machine:
            (self.marks / "begun").touch()
            time.sleep(600)
        while shard.number > 2 and not (self.marks / "begun").exists():
            time.sleep(0.05)  # leave it some
        return [{"id": str(item), "worker": os.getpid(), "machine": here} for item in shard.items]


@dataclass(frozen=True)
class Fails:
    """Work that fails on one shard."""

    error: type[Exception]

    def __call__(self, shard: Shard[Any]) -> list[Row]:
        if shard.number == 1:
            raise self.error("This shard can't be computed.")
        return [{"id": "a"}]


def test_a_run_on_a_cluster_by_its_address_leaves_the_bytes_of_threads(by_address: Path) -> None:
    alone, apart = parts(by_address / "ALONE"), parts(by_address / "RAY")
    assert {Path(name).parts[0] for name in alone} == {"parts", "pilot", "predictions"} and alone == apart
    assert (by_address / "ALONE/draw.json").read_bytes() == (by_address / "RAY/draw.json").read_bytes()


@pytest.mark.parametrize("sample", [None, explain.Sample(rows=8), explain.Sample(budget="1h")])
def test_bytes_are_those_of_threads(
    sample: explain.Sample | None, by_address: Path, model: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"methods": ["gradient_times_input"], "shard_size": 3, "sample": sample}
    alone = explain.run(of_rows(), model, out=tmp_path / "ALONE", **options)
    apart = explain.run(of_rows(), model, out=tmp_path / "RAY", backend="ray", workers=2, **options)
    assert parts(alone.path) == parts(apart.path) and apart.verify().whole


def test_what_a_lost_worker_and_a_lost_machine_computed_is_computed_again(
    cluster: Cluster, by_address: Path, tmp_path: Path
) -> None:
    (machine,) = cluster.worker_nodes
    work = Lost(tmp_path, machine.node_id)

    def remove() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        cluster.remove_node(machine, allow_graceful=False)

    removal = threading.Thread(target=remove, daemon=True)
    removal.start()
    shards = [Shard(number, (number,)) for number in range(8)]
    done = {shard.number: rows for shard, rows in RayTasks(2).compute(work, shards)}
    removal.join()
    assert (tmp_path / "killed").exists() and not cluster.worker_nodes
    assert [done[number][0]["id"] for number in range(8)] == [str(number) for number in range(8)]
    assert {done[number][0]["machine"] for number in range(3, 8)} == {cluster.head_node.node_id}
    assert all(row["worker"] != os.getpid() for rows in done.values() for row in rows)


@pytest.mark.parametrize(("error", "raised"), [(DataError, DataError), (ValueError, ExplainError)])
def test_what_the_work_raises_is_one_sentence(
    error: type[Exception], raised: type[Exception], by_address: Path
) -> None:
    shards = [Shard(number, (number,)) for number in range(3)]
    with pytest.raises(raised, match="This shard can't be computed"):
        list(RayTasks(1).compute(Fails(error), shards))


def test_where_no_cluster_answers_that_is_said_and_nothing_begun(cluster: Cluster, tmp_path: Path) -> None:
    with socket.socket() as silent:  # bound, and does not listen
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        for address, sentence in (
            (f"ray://127.0.0.1:{port}", "nothing answers there"),
            (f"localhost:{port}", "nothing answers there"),
            (f"ray://{cluster.address}", "another server answers"),
        ):
            with pytest.raises(ExplainError, match=sentence), pytest.MonkeyPatch.context() as patched:
                patched.setattr(ray, "is_initialized", lambda: False)
                explain.run(of_rows(), out=tmp_path / "RUN", methods=(), backend="ray", address=address)
    for address in ("auto", "s3://bucket", "ray://host", "ray://me:secret@host:1"):
        with pytest.raises(SettingError, match="no address of a cluster"):
            RayTasks(1, address)
    assert not (tmp_path / "RUN").exists()


def test_a_cluster_that_is_started_here_is_a_new_one_and_ends_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    stub = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda **options: calls.append((options["address"], options["num_cpus"])),
        shutdown=lambda: calls.append("shutdown"),
    )
    monkeypatch.setattr(backend, "_ray", lambda: stub)
    with pytest.raises(ValueError), RayTasks(3).ready():
        raise ValueError
    assert calls == [("local", 3), "shutdown"]


def test_where_ray_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExplainError, match="pip install"):
        list(RayTasks(1).compute(Fails(DataError), [Shard(0, (0,))]))
    assert backend._MISSING.endswith(".")

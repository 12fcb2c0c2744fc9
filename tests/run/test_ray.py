"""Ray as a backend: a real one of two workers on this machine, one of which is killed."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ray

import explain
from explain.core.errors import DataError, ExplainError
from explain.data.dataset import Dataset
from explain.run.backends import ray as backend
from explain.run.backends.ray import RayTasks
from explain.run.shards import Row, Shard

TEXTS = ("A mess.", "A feast of a film.", "Not one laugh.", "It is so bad as to be good.", "An odd film.")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One cluster for all tests here: starting it takes long."""
    RayTasks(2)._connect(ray)
    yield
    ray.shutdown()


def of_rows() -> Dataset:
    return Dataset.of_rows([{"text": text} for text in TEXTS * 2])


def parts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "parts").iterdir())}


@dataclass(frozen=True)
class Kills:
    """Work whose first try on one shard ends its own worker, as a machine without memory does."""

    mark: str

    def __call__(self, shard: Shard[Any]) -> list[Row]:
        if shard.number == 2 and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"id": str(item), "worker": os.getpid()} for item in shard.items]


@dataclass(frozen=True)
class Fails:
    """Work that fails on one shard."""

    error: type[Exception]

    def __call__(self, shard: Shard[Any]) -> list[Row]:
        if shard.number == 1:
            raise self.error("This shard can't be computed.")
        return [{"id": "a"}]


def test_bytes_are_those_of_one_process(tmp_path: Path) -> None:
    alone = explain.run(of_rows(), out=tmp_path / "ALONE", methods=["decompx"], shard_size=2)
    apart = explain.run(of_rows(), out=tmp_path / "RAY", methods=["decompx"], shard_size=2, backend="ray", workers=2)
    assert parts(alone.path) == parts(apart.path) and apart.verify().whole


def test_a_task_whose_worker_is_killed_is_computed_again(tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    shards = [Shard(number, (number,)) for number in range(5)]
    done = {shard.number: rows for shard, rows in RayTasks(2).compute(Kills(str(mark)), shards)}
    assert mark.exists() and [done[number][0]["id"] for number in range(5)] == ["0", "1", "2", "3", "4"]
    assert all(row["worker"] != os.getpid() for rows in done.values() for row in rows)


@pytest.mark.parametrize(("error", "raised"), [(DataError, DataError), (ValueError, ExplainError)])
def test_what_the_work_raises_is_one_sentence(error: type[Exception], raised: type[Exception]) -> None:
    shards = [Shard(number, (number,)) for number in range(3)]
    with pytest.raises(raised, match="This shard can't be computed"):
        list(RayTasks(1).compute(Fails(error), shards))


def test_where_ray_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExplainError, match="pip install"):
        list(RayTasks(1).compute(Fails(DataError), [Shard(0, (0,))]))
    assert backend._MISSING.endswith(".")

"""Shards over every backend and store: the same bytes, nothing computed twice, nothing finished lost."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from explain.core.errors import Busy, DataError, ExplainError, FileError
from explain.methods.gradient_times_input import GradientTimesInput
from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.loading.spec import ModelSpec
from explain.run.backends import backend_of
from explain.run.backends.processes import Processes
from explain.run.backends.threads import Threads
from explain.run.folder_store import FolderStore, read_manifest
from explain.run.plan import Plan, TextItem
from explain.run.plan_work import COLUMNS, RowText, rows_of_plan
from explain.run.shards import Backend, MemoryStore, ModelWork, Row, Rows, Shard, Store, run_shards, shards_of
from tests.full_disk import full_disk
from tests.tiny_models import tiny_folder

TEXTS = ("The film isn't good.", "It is bad.", "", "Two people walk along the sea.", "A mess.")
PLAN = Plan.for_text("", methods=(Occlusion(), GradientTimesInput()))
MANIFEST = {"model": "tiny", "seed": 0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    return ModelSpec(str(tiny_folder("bert", tmp_path_factory.mktemp("bert"))), "text-classification").load()


@pytest.fixture
def work(model: TextModel) -> ModelWork[RowText]:
    return ModelWork.of(model, partial(rows_of_plan, plan=PLAN))


@pytest.fixture
def shards() -> list[Shard[RowText]]:
    return list(shards_of([RowText(str(number), TextItem(text)) for number, text in enumerate(TEXTS)], 2))


def path_of(store: FolderStore) -> Path:
    return Path(store.folder.name)


def parts_of(folder: Path) -> dict[str, str]:
    """Return the hash of every part and marker of a store."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent != folder)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def store_in(tmp_path: Path) -> Iterator[Callable[[str], FolderStore]]:
    stores: list[FolderStore] = []

    def make(name: str) -> FolderStore:
        stores.append(FolderStore(tmp_path / name, MANIFEST, COLUMNS))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.mark.parametrize("backend", [Threads(2), Processes(2)], ids=["threads", "processes"])
def test_every_backend_gives_the_same_bytes(
    backend: Backend, work: ModelWork[RowText], shards: list[Shard[RowText]], store_in: Callable[[str], FolderStore]
) -> None:
    expected, store = store_in("one thread"), store_in("other")
    run_shards(work, shards, expected, Threads())
    run_shards(work, shards, store, backend)
    assert len(parts_of(path_of(expected))) == 2 * len(shards) and parts_of(path_of(store)) == parts_of(
        path_of(expected)
    )
    assert list(store.rows()) == list(expected.rows())


def test_workers_do_not_run_the_script_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: ModelWork[RowText], shards: list[Shard[RowText]]
) -> None:
    script = ModuleType("__main__")
    script.__file__ = str(tmp_path / "page.py")
    (tmp_path / "page.py").write_text("raise SystemExit('a page outside of a visit')\n")
    monkeypatch.setitem(sys.modules, "__main__", script)
    store = MemoryStore()
    run_shards(work, shards[:1], store, Processes(1))
    assert list(store.rows()) and sys.modules["__main__"] is script


def test_a_row_holds_what_the_plan_computes(
    model: TextModel, work: ModelWork[RowText], shards: list[Shard[RowText]]
) -> None:
    store = MemoryStore()
    run_shards(work, shards, store, backend_of(1))
    rows = list(store.rows())
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4"] and "empty" in rows[2]["error"]
    tokens = model.encode(TEXTS[0])
    target = model.task.target(model.predict(tokens), model.head)
    scores = Occlusion().attribute(model, tokens, target).scores
    assert rows[0]["label"] == target.label
    assert rows[0]["answers"][0]["result"]["scores"] == pytest.approx(scores.tolist(), abs=1e-6)
    assert rows[0]["output"] == pytest.approx(model.value(model.predict(tokens), target), abs=1e-6)


Work = Callable[[Shard[RowText]], Rows]


class Interrupted(Exception):
    pass


def counting(
    work: Callable[[Shard[RowText]], Rows], computed: list[int], most: int = 99
) -> Callable[[Shard[RowText]], Rows]:
    """Return work that notes each shard, and fails after `most`."""

    def compute(shard: Shard[RowText]) -> Rows:
        if len(computed) >= most:
            raise Interrupted
        computed.append(shard.number)
        return work(shard)

    return compute


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_continues_where_it_stopped(
    workers: int, work: ModelWork[RowText], shards: list[Shard[RowText]], store_in: Callable[[str], FolderStore]
) -> None:
    expected = store_in("undisturbed")
    run_shards(work, shards, expected, Threads())
    computed: list[int] = []
    store = store_in("stopped")
    with pytest.raises(Interrupted):
        run_shards(counting(work, computed, 2), shards, store, Threads(workers))
    finished = store.finished
    assert len(finished) == 2  # what runs when another shard fails is kept
    store.close()
    store, computed = store_in("stopped"), []
    assert store.finished == finished
    run_shards(counting(work, computed), shards, store, Threads(workers))
    assert sorted(computed) == sorted({0, 1, 2} - finished)
    assert parts_of(path_of(store)) == parts_of(path_of(expected))
    run_shards(counting(work, computed, 0), shards, store, Threads(workers))  # nothing is left to do


def test_a_kill_between_part_and_marker_costs_that_shard(
    work: ModelWork[RowText], shards: list[Shard[RowText]], store_in: Callable[[str], FolderStore]
) -> None:
    store = store_in("killed")
    run_shards(work, shards, store, Threads())
    whole = parts_of(path_of(store))
    store.close()
    (path_of(store) / "done" / "000001.json").unlink()
    (path_of(store) / "parts" / "000001.parquet").write_bytes(b"PAR1 half")
    (path_of(store) / "parts" / "000002.parquet").write_bytes(b"damaged")
    store, computed = store_in("killed"), []
    assert store.finished == {0}
    run_shards(counting(work, computed), shards, store, Threads())
    assert computed == [1, 2] and parts_of(path_of(store)) == whole


def test_a_full_disk_keeps_what_is_finished(
    work: ModelWork[RowText], shards: list[Shard[RowText]], store_in: Callable[[str], FolderStore]
) -> None:
    store = store_in("full")
    store.write(0, work(shards[0]))
    with full_disk(100), pytest.raises(FileError, match="can't be written"):
        store.write(1, work(shards[1]))
    store.close()
    again = store_in("full")
    assert again.finished == {0} and len(list(again.rows())) == 2


def test_another_manifest_is_refused_by_name(tmp_path: Path) -> None:
    FolderStore(tmp_path / "run", MANIFEST, {"id": str}).close()
    with pytest.raises(DataError, match="was begun with seed 0, not 1"):
        FolderStore(tmp_path / "run", MANIFEST | {"seed": 1}, {"id": str})
    with pytest.raises(DataError, match="was begun with columns"):
        FolderStore(tmp_path / "run", MANIFEST, {"id": int})
    FolderStore(tmp_path / "run", MANIFEST, {"id": str}).close()
    assert read_manifest(tmp_path / "run")["model"] == "tiny"


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000], ids=["empty", "list", "half", "deep"])
def test_a_damaged_manifest_is_refused(content: str, tmp_path: Path) -> None:
    FolderStore(tmp_path / "run", MANIFEST, {"id": str}).close()
    (tmp_path / "run" / "manifest.json").write_text(content)
    with pytest.raises(DataError, match="manifest"):
        FolderStore(tmp_path / "run", MANIFEST, {"id": str})


def test_a_folder_of_other_files_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match="holds other files"):
        FolderStore(tmp_path, MANIFEST, {"id": str})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt"]


def test_a_second_writer_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code = (
        "import sys, pathlib; from explain.run.folder_store import FolderStore\n"
        "store = FolderStore(pathlib.Path(sys.argv[1]), {'seed': 0}, {'id': str}); print('held', flush=True); input()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdin and writer.stdout and writer.stdout.readline() == "held\n"
    with pytest.raises(Busy, match=rf"Another process writes into .* \(process {writer.pid} on "):
        FolderStore(folder, {"seed": 0}, {"id": str})
    writer.kill()
    writer.wait()
    FolderStore(folder, {"seed": 0}, {"id": str}).close()


def test_a_store_gives_back_what_it_was_given(tmp_path: Path) -> None:
    columns = {"id": str, "words": int, "share": float, "good": bool, "figures": dict}
    rows: list[Row] = [
        {"id": "ä\n\u202e", "words": 3, "share": 0.1, "good": True, "figures": {"a": [1, None, {"b": "x"}]}},
        {"id": "", "figures": []},
    ]
    store = FolderStore(tmp_path / "run", {}, columns)
    store.write(7, rows)
    store.write(3, [])
    assert list(store.rows()) == rows and store.finished == {3, 7}
    with pytest.raises(ValueError, match="figure_s"):
        store.write(8, [{"figure_s": 1}])
    store.close()
    marker = json.loads((tmp_path / "run" / "done" / "000007.json").read_text())
    assert marker["rows"] == 2 and marker["part"] == "000007.parquet"


def _die(shard: Shard[int]) -> Rows:
    os._exit(9)


def test_a_worker_that_dies_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="A worker process ended before its work was done"):
        run_shards(_die, list(shards_of([1], 1)), MemoryStore(), Processes(1))


def test_stores_are_stores(tmp_path: Path) -> None:
    stores: list[Store] = [MemoryStore(), FolderStore(tmp_path / "run", {}, {"id": str})]
    for store in stores:
        store.write(1, [{"id": "b"}])
        store.write(0, [{"id": "a"}])
        assert [row["id"] for row in store.rows()] == ["a", "b"] and store.finished == {0, 1}

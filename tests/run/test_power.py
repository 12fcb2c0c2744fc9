"""A run whose machine loses its power at any moment: nothing finished is lost, no half-written part is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

import explain
from explain.data.dataset import Dataset
from explain.run.folder_store import MANIFEST, marked_parts, read_rows, whole_part
from explain.run.shards import ShardProgress
from tests.power_cut import power_cuts, set_down
from tests.tiny_models import tiny_folder

TEXTS = ("A mess.", "A feast of a film.")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder("bert", tmp_path_factory.mktemp("bert")))


def run_in(
    folder: Path, model: str, resume: bool, on_progress: Callable[[ShardProgress], None] = lambda progress: None
) -> explain.Run:
    data = Dataset.of_rows([{"text": text} for text in TEXTS])
    return explain.run(data, model, out=folder, methods=(), shard_size=1, resume=resume, on_progress=on_progress)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the parts and markers of a run; hidden files hold nothing that is read."""
    return {
        f"{kind}/{place.name}": place.read_bytes()
        for kind in ("parts", "done")
        for place in (folder / kind).iterdir()
        if not place.name.startswith(".")
    }


def test_a_cut_at_any_moment_loses_nothing_finished(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: set[int] = set()

    def note(progress: ShardProgress) -> None:
        finished.update(range(progress.done))  # one worker: in order

    disk = tmp_path / "disk"
    disk.mkdir()
    with power_cuts(disk, monkeypatch, lambda: frozenset(finished)) as cuts:
        undisturbed = contents(run_in(disk / "new" / "RUN", model, False, note).path)
    rows = {number: read_rows(undisturbed[f"parts/{number:06}.parquet"]) for number in range(2)}
    assert len(cuts.disks) > 20 and any(promised == {0, 1} for _, promised in cuts.disks.values())
    for number, (left, (when, promised)) in enumerate(cuts.disks.items()):
        folder = set_down(left, tmp_path / str(number)) / "new" / "RUN"
        whole = {shard: whole_part(folder, marker) for shard, marker in marked_parts(folder).items()}
        assert promised <= whole.keys(), f"a finished part is lost: {when}"
        for shard, part in whole.items():
            assert part is not None and read_rows(part) == rows[shard], f"half a part is read: {when}"
        kept = {place: place.stat().st_mtime_ns for place in folder.glob("done/*.json")}
        again = run_in(folder, model, (folder / MANIFEST).exists())
        assert contents(again.path) == undisturbed and again.verify().whole, when
        assert all(place.stat().st_mtime_ns == written for place, written in kept.items()), f"computed twice: {when}"
        assert not list(folder.rglob(".explain-*")), f"a rest is left: {when}"

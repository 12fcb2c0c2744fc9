"""Runs in an object store: on a real S3 interface (moto's server on this machine) and in memory."""

import contextlib
import datetime
import json
import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer

import explain
from explain.cli.main import main
from explain.core.addresses import local_or_address
from explain.core.errors import Busy, DataError, FileError, SettingError
from explain.data.dataset import Dataset
from explain.run import object_folder
from explain.run.folders import folder_at
from explain.run.object_folder import LOCK, ObjectFolder, ObjectLock
from explain.run.shards import ShardProgress
from tests.tiny_models import tiny_folder

ROWS = b"text,label\nA mess.,negative\nA feast of a film.,positive\nNot one laugh.,negative\nIt is bad.,negative\n"
SECRETS = {"AWS_ACCESS_KEY_ID": "AKIAOFTHETEST", "AWS_SECRET_ACCESS_KEY": "whispered", "AWS_SESSION_TOKEN": "hushed"}
METHODS = ["--label", "label", "--method", "gradient_times_input", "--shard-size", "1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder("bert", tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """An empty bucket, s3://bucket, and what reaches it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patched:
        host, port = server.get_host_and_port()
        settings = {**SECRETS, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, text in settings.items():
            patched.setenv(name, text)
        system = fsspec.filesystem("s3")
        system.mkdir("bucket")
        yield system
        type(system).clear_instance_cache()
    server.stop()


@pytest.fixture
def memory() -> Iterator[str]:
    yield "memory://RUN"
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def of_rows() -> Dataset:
    return Dataset.of_bytes("rows.csv", ROWS)


def run_in(
    place: str | Path, model: str, *, resume: bool = False, on_progress: Callable[[ShardProgress], None] | None = None
) -> explain.Run:
    return explain.run(
        of_rows(),
        model,
        out=place,
        methods=(),
        shard_size=1,
        resume=resume,
        on_progress=on_progress or (lambda _: None),
    )


def parts(place: str | Path) -> dict[str, bytes]:
    """Return the parts that markers name, by the number of the shard."""
    folder = folder_at(place)
    markers = {name: json.loads(content)["part"] for name, content in folder.read_each("done")}
    return {name: folder.read(f"parts/{part}") or b"" for name, part in markers.items()}


def stopping_after(shards: int) -> Callable[[ShardProgress], None]:
    def stop(progress: ShardProgress) -> None:
        if progress.done == shards:
            raise KeyboardInterrupt

    return stop


def test_a_run_on_s3_is_the_run_on_disk(
    bucket: Any, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_bytes(ROWS)
    bucket.pipe_file("bucket/data/rows.csv", ROWS)
    command = ["--model", model, *METHODS, "--out"]
    assert main(["run", str(tmp_path / "rows.csv"), *command, str(tmp_path / "RUN")]) == 0
    assert main(["run", "s3://bucket/data/rows.csv", *command, "s3://bucket/RUN/"]) == 0
    local, remote = explain.Run(tmp_path / "RUN"), explain.Run("s3://bucket/RUN")
    assert parts("s3://bucket/RUN") == parts(tmp_path / "RUN") and len(parts("s3://bucket/RUN")) == 4
    assert list(remote.rows()) == list(local.rows()) and remote.words() == local.words()
    differing = {name for name, kept in local.manifest.items() if remote.manifest[name] != kept}
    assert differing <= {"created", "manifest_sha256"}
    capsys.readouterr()
    assert main(["verify", "s3://bucket/RUN"]) == 0 and main(["replay", "s3://bucket/RUN", "--sample", "2"]) == 0
    assert "The run is whole." in (shown := capsys.readouterr().out) and "The run holds." in shown
    assert main(["run", "s3://bucket/data/rows.csv", *command, "s3://bucket/RUN"]) == 2
    assert "s3://bucket/RUN holds a run already" in capsys.readouterr().err
    assert not bucket.exists("bucket/RUN/lock.json")
    with pytest.raises(SettingError, match="s3://bucket/RUN is no folder on this disk"):
        _ = remote.path


def test_a_stopped_run_on_s3_goes_on_and_a_damaged_part_is_computed_again(
    bucket: Any, model: str, tmp_path: Path
) -> None:
    place = "s3://bucket/STOPPED"
    with pytest.raises(KeyboardInterrupt):
        run_in(place, model, on_progress=stopping_after(2))
    begun = parts(place)
    assert len(begun) == 2 and explain.Run(place).verify().missing == 2
    seen: list[int] = []
    run = run_in(place, model, resume=True, on_progress=lambda progress: seen.append(progress.total))
    whole = parts(run_in(tmp_path / "RUN", model).path)
    assert seen[0] == 2 and parts(place) == whole and begun.items() <= whole.items()
    marker = json.loads(bucket.cat_file("bucket/STOPPED/done/000001.json"))
    bucket.pipe_file(f"bucket/STOPPED/parts/{marker['part']}", b"PAR1 half")
    assert run.verify().damaged == (1,)
    with pytest.raises(DataError, match="Part 1 of s3://bucket/STOPPED is damaged"):
        list(run.rows())
    run_in(place, model, resume=True, on_progress=lambda progress: seen.append(progress.total))
    assert 1 in seen[-2:] and parts(place) == whole and run.verify().whole


def test_no_credential_is_written_or_said(
    bucket: Any, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "s3://bucket/QUIET"
    run_in(place, model)
    for failure in (PermissionError, ValueError):

        def refuse(*arguments: object, failure: type[Exception] = failure, **options: object) -> None:
            raise failure(f"{SECRETS} at https://bucket/?X-Amz-Signature=whispered")

        with monkeypatch.context() as patched:
            for name in ("pipe_file", "cat_file", "cat_ranges", "info", "ls"):
                patched.setattr(bucket, name, refuse)
            assert main(["verify", place]) == 2
            assert main(["run", "s3://bucket/data/rows.csv", "--model", model, "--out", "s3://bucket/OTHER"]) == 2
            with pytest.raises(FileError, match=r"s3://bucket/OTHER can't be written: (access is denied|the service)"):
                folder_at("s3://bucket/OTHER").lock()
    assert main(["run", "s3://bucket/data/rows.csv", "--model", model, "--out", "s3://nothing/RUN"]) == 2
    captured = capsys.readouterr()
    assert "s3://nothing/RUN can't be written: there is no bucket of that name" in captured.err
    kept = b"".join(bucket.cat_file(name) for name in bucket.find("bucket/QUIET"))
    for secret in (*SECRETS.values(), "Signature"):
        assert secret not in captured.out + captured.err and secret.encode() not in kept


class Cut(Exception):
    """The service is gone."""


@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "kept"])
def test_a_put_that_fails_costs_nothing_finished(
    arrives: bool, model: str, memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parts(run_in(tmp_path / "RUN", model).path)
    put = MemoryFileSystem.pipe_file
    for number in range(10):  # the lock, the manifest, four parts, four markers
        place, count, finished = f"{memory}{number}", 0, 0

        def fail(self: MemoryFileSystem, path: str, content: bytes, number: int = number, **options: Any) -> None:
            nonlocal count
            count += 1
            if count == number + 1:
                if arrives:
                    put(self, path, content, **options)
                raise Cut
            put(self, path, content, **options)

        def note(progress: ShardProgress) -> None:
            nonlocal finished
            finished = progress.done

        with monkeypatch.context() as patched, pytest.raises(FileError, match="the service refuses it"):
            patched.setattr(MemoryFileSystem, "pipe_file", fail)
            run_in(place, model, on_progress=note)
        kept = parts(place)
        assert finished <= len(kept) and kept.items() <= whole.items()
        again = run_in(place, model, resume=folder_at(place).read("manifest.json") is not None)
        assert parts(place) == whole and again.verify().whole and kept.items() <= parts(place).items()


def lock_of(place: str) -> ObjectLock:
    lock = folder_at(place).lock()
    assert isinstance(lock, ObjectLock)
    return lock


def noted(place: str, **changes: Any) -> None:
    """Change what a lock says."""
    folder = folder_at(place)
    folder.write(LOCK, json.dumps(json.loads(folder.read(LOCK) or b"{}") | changes).encode())


def test_a_second_writer_is_refused_by_name(memory: str, model: str) -> None:
    lock = lock_of(memory)
    noted(memory, host="heron", process=12, machine="other", since="2026-11-30T17:00:00+00:00")
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=10)
    with pytest.raises(
        Busy, match=r"\(process 12 on heron, since 2026-11-30 17:00 UTC\)\. Wait .* lock ends at"
    ) as told:
        run_in(memory, model)
    hours = {f"{ends - datetime.timedelta(minutes=minutes):%H:%M}" for minutes in (0, 1)}
    assert any(hour in str(told.value) for hour in hours)
    assert folder_at(memory).read("manifest.json") is None
    lock.close()
    assert folder_at(memory).read(LOCK) is None and run_in(memory, model).verify().whole


def test_an_abandoned_lock_is_taken(memory: str, model: str) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    for changes in ({"process": ended.pid}, {"seen": time.time() - 601, "machine": "other"}):
        with contextlib.closing(lock_of(memory)):
            noted(memory, **changes)
            run_in(memory, model, resume=folder_at(memory).read("manifest.json") is not None)
    for content in (b"{", b'{"seen": "yesterday"}'):
        folder_at(memory).write(LOCK, content)
        with pytest.raises(Busy, match=r"lock that can't be read\. Remove lock\.json"):
            run_in(memory, model, resume=True)


def test_a_writer_whose_lock_was_taken_stops_before_it_writes(memory: str, model: str) -> None:
    def take(progress: ShardProgress) -> None:
        if progress.done == 1:
            noted(memory, token="another", host="heron", machine="other")

    with pytest.raises(Busy, match=r"lock of memory://RUN was taken away by process .* on heron"):
        run_in(memory, model, on_progress=take)
    assert len(parts(memory)) == 1 and folder_at(memory).read(LOCK) is not None
    folder = folder_at(memory)
    assert isinstance(folder, ObjectFolder)
    folder.remove(LOCK)
    folder.remove(LOCK)
    assert run_in(memory, model, resume=True).verify().whole


def test_the_owner_of_a_lock_says_that_it_is_there(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_folder, "SEEN_EVERY", 0.01)
    with contextlib.closing(lock_of(memory)) as lock:
        noted(memory, seen=1)
        deadline = time.monotonic() + 20
        while json.loads(folder_at(memory).read(LOCK) or b"{}").get("seen") == 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert json.loads(folder_at(memory).read(LOCK) or b"{}")["seen"] > 1
        lock.check()


def test_a_store_without_conditions_still_has_locks(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put = MemoryFileSystem.pipe_file

    def plain(self: MemoryFileSystem, path: str, content: bytes, mode: str = "overwrite") -> None:
        if mode == "create":
            raise OSError(38, "not implemented")
        put(self, path, content)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", plain)
    with contextlib.closing(lock_of(memory)), pytest.raises(Busy):
        lock_of(memory)
    assert local_or_address(memory) and folder_at(memory).is_unused()


def test_other_files_are_not_written_among(memory: str, model: str) -> None:
    folder_at(memory).write("notes.txt", b"mine")
    with pytest.raises(DataError, match="memory://RUN holds other files"):
        run_in(memory, model)
    assert list(MemoryFileSystem.store) == ["/RUN/notes.txt"]

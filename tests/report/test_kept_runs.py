"""Runs that the app begins: one after the other, in processes that are stopped, killed and continued."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from explain.core.errors import Busy, DataError, SettingError
from explain.data.columns import Columns
from explain.methods.base import METHODS
from explain.report import kept_runs
from explain.report.dataset_run import Run
from explain.report.kept_runs import RunRequest
from explain.run import background
from explain.run.background import read_json
from explain.run.sample import Sample
from explain.run.shipped import REVIEWS

CONTENT = b"".join(REVIEWS.path.read_bytes().splitlines(keepends=True)[:65])
REQUEST = RunRequest(
    "reviews.csv",
    True,
    "sentiment",
    columns=Columns(text="text", label="label", id="id", groups=("form",)),
    methods=(METHODS["gradient_times_input"](),),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLAIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(kept_runs, "LOOK_SECONDS", 0.05)
    return tmp_path / "runs"


def wait_for(reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def prepared(
    name: str, monkeypatch: pytest.MonkeyPatch, request: RunRequest = REQUEST, content: bytes = CONTENT
) -> Path:
    """Return a run's folder, begun but not started."""
    with monkeypatch.context() as patch:
        patch.setattr(kept_runs, "start", lambda folder: None)
        return kept_runs.begin(name, request, content)


def test_a_request_is_written_and_read() -> None:
    about = REQUEST.about()
    assert RunRequest.of(about) == REQUEST
    sampled = replace(REQUEST, tests=True, sample=Sample(rows=20, seed=3))
    assert RunRequest.of(json.loads(json.dumps(sampled.about()))) == sampled
    for damaged in ({}, {**about, "columns": None}, {**about, "methods": [{"name": "nothing"}]}, {**about, "more": 1}):
        with pytest.raises(DataError, match="can't be read"):
            RunRequest.of(damaged)


def test_a_run_is_computed_and_continued_after_a_kill(folder: Path) -> None:
    first = kept_runs.begin("first", REQUEST, CONTENT)
    second = kept_runs.begin("second", REQUEST, CONTENT)
    wait_for(lambda: kept_runs.look_at(second).status.doing.startswith("Waiting for 1 other run"))
    with pytest.raises(Busy, match="at work"):
        kept_runs.start(first)
    with pytest.raises(Busy, match="at work"):
        kept_runs.delete(first)
    wait_for(lambda: len(list((first / "run" / "done").glob("*.json"))) > 0)
    os.kill(int((first / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: kept_runs.look_at(first).status.state != background.ACTIVE)
    assert kept_runs.look_at(first).status.can_go_on and kept_runs.look_at(first).has_rows
    wait_for(lambda: kept_runs.look_at(second).status.doing == "Explaining the rows")  # it need not wait any more
    background.cancel(second)
    wait_for(lambda: kept_runs.look_at(second).status.state == background.CANCELLED)
    kept_runs.work(first)  # goes on, in this process
    kept_runs.work(second)
    assert kept_runs.look_at(first).status.state == background.FINISHED
    bytes_of = [[part.read_bytes() for part in sorted((run / "run" / "parts").iterdir())] for run in (first, second)]
    assert bytes_of[0] == bytes_of[1] and len(bytes_of[0]) == 4
    assert [run.name for run in kept_runs.all_runs()] and Run(first / "run").verify().whole
    assert Run(first / "run").summary().labelled == 64
    elsewhere = kept_runs.look_elsewhere(first / "run")  # as if another command had begun it
    assert (elsewhere.name, elsewhere.status.state) == ("first/run", background.FINISHED)
    assert (
        elsewhere.path == elsewhere.folder and elsewhere.request["data"] == Run(first / "run").manifest["data"]["name"]
    )
    next((first / "run" / "done").iterdir()).unlink()
    assert kept_runs.look_elsewhere(first / "run").status.state == background.INTERRUPTED
    kept_runs.delete(first)
    assert not first.exists() and [run.name for run in kept_runs.all_runs()] == ["second"]


def test_a_run_that_takes_too_much_ends_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    request = replace(REQUEST, most_passes=10)
    run = prepared("dear", monkeypatch, request)
    with pytest.raises(SettingError, match="this server allows 10"):
        kept_runs.work(run)
    status = kept_runs.look_at(run).status
    assert status.state == background.FAILED and "fewer rows" in status.message


def test_a_failure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared("empty", monkeypatch, content=b"text,label,id,form\n")
    with pytest.raises(DataError):
        kept_runs.work(run)
    assert kept_runs.look_at(run).status.message
    assert read_json(run / "nothing.json") == {}


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 61, "a\0b", "end."])
def test_names_that_are_no_folders_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="not valid"):
        kept_runs.check_name(name)


def test_names_are_given_once_and_can_be_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared("taken", monkeypatch)
    with pytest.raises(DataError, match="already"):
        kept_runs.check_name(" taken ")
    assert len({kept_runs.check_name(kept_runs.secret_name()) for _ in range(20)}) == 20
    with pytest.raises(DataError, match="not a run"):
        kept_runs.delete(kept_runs.runs_folder() / "nothing")


def test_old_runs_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = prepared("old", monkeypatch), prepared("new", monkeypatch)
    request = (old / "request.json").read_text().replace('"created": "20', '"created": "19')
    (old / "request.json").write_text(request)
    kept_runs.delete_older_than(1)
    assert new.exists() and not old.exists()

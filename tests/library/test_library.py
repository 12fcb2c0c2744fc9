"""The library, on SQLite and on PostgreSQL: kept, named, searched, shared, exported, deleted, made again."""

import dataclasses
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

import explain
from explain.core.errors import Busy, DataError, ExplainError, FileError, RecordError, SettingError
from explain.core.installation import library_folder
from explain.core.locks import FolderLock
from explain.data.dataset import Dataset
from explain.library import database, folders, tables
from explain.library.entry import MOST_NOTES, Sidecar, folded
from explain.library.library import Library
from explain.library.rows import matching
from explain.report import kept_runs
from explain.run.dataset_run import SCHEMA
from explain.testing import TOY_MODELS
from tests.full_disk import full_disk
from tests.library.conftest import TEXT, Place

DAY = 86_400


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def holding(folder: Path, words: str) -> list[str]:
    """The files below a folder that hold some words."""
    return [name for name in files(folder) if words.encode() in (folder / name).read_bytes()]


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    now = time.time() + days * DAY
    monkeypatch.setattr(time, "time", lambda: now)


# Keeping and reading.


def test_an_explanation_is_kept_and_opened(library: Library, report: explain.Report, record: str) -> None:
    entry = library.keep_explanation(report, name="  The\n street ", owner="ada")
    assert (entry.kind, entry.name, entry.owner, entry.expires) == ("explanation", "The street", "ada", None)
    assert (entry.model, entry.weights, entry.task) == (report.model.id, report.model.weight_sha256, report.model.task)
    assert (entry.snippet, entry.rows, entry.bytes) == (TEXT, 1, len(record.encode()))
    assert library.entry(entry.id) == entry and library.listed() == (entry,) and library.count() == 1
    assert library.record(entry.id) == record and Path(entry.place).read_text() == record
    opened = library.open(entry.id)
    assert isinstance(opened, explain.Report) and opened.text == TEXT
    if os.name == "posix":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in library.folder.rglob("*") if path.is_file()}
        assert modes == {0o600} and stat.S_IMODE(library.folder.stat().st_mode) == 0o700


def test_a_run_is_kept_where_it_is(library: Library, new_run: Callable[[str], Path]) -> None:
    folder = new_run("RUN")
    before = files(folder)
    entry = library.keep_run(folder, name="first", days=3)
    assert (entry.kind, entry.place, entry.rows, entry.title) == ("run", str(folder), 5, "first")
    assert entry.snippet.startswith("Film 0 is a mess. · Film 1") and entry.model == "sentiment"
    assert entry.expires == pytest.approx(time.time() + 3 * DAY, abs=60)
    assert files(folder) == before | {"library.json"}
    opened = library.open(entry.id)
    assert isinstance(opened, explain.Run) and opened.verify().whole
    with pytest.raises(DataError, match="is a run"):
        library.record(entry.id)
    again = library.keep_run(folder)
    assert again == dataclasses.replace(entry, revision=1) and library.count() == 1
    assert explain.Run(folder).summary().rows == 5


def test_a_run_that_was_moved_or_copied(library: Library, new_run: Callable[[str], Path]) -> None:
    folder = new_run("RUN")
    entry = library.annotate(library.keep_run(folder, name="first", owner="ada").id, "Look.")
    library.share(entry.id)
    copy = library.keep_run(new_run("COPY"))
    assert copy.id != entry.id and copy.name == ""
    (new_run("OTHER") / "library.json").write_bytes((folder / "library.json").read_bytes())
    other = library.keep_run(folder.parent / "OTHER")
    assert other.id != entry.id and (other.name, other.owner, other.links) == ("first", "", 0)
    assert [note.text for note in other.notes] == ["Look."] and other.notes[0].id != entry.notes[0].id
    moved = folder.rename(folder.parent / "MOVED")
    with pytest.raises(DataError, match="no longer in"):
        library.rename(entry.id, "second")
    assert library.entry(entry.id) == dataclasses.replace(library.entry(entry.id) or entry, name="first")
    again = library.keep_run(moved)
    assert (again.id, again.place, again.links, again.owner) == (entry.id, str(moved), 1, "ada")


def test_another_run_in_the_same_folder_is_another_entry(library: Library, new_run: Callable[[str], Path]) -> None:
    folder = new_run("RUN")
    first = library.keep_run(folder, name="first")
    (folder / "library.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"created": "later"}))
    second = library.keep_run(folder)
    assert second.id != first.id and library.listed() == (second,) and library.rebuild().entries == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "explain-run-1"}', '{"schema": "other"}', "\udcff"])
def test_what_is_no_run_is_refused(tmp_path: Path, content: str) -> None:
    library = Library(tmp_path / "library", address="")
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN" / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="holds no run of this version"):
        library.keep_run(tmp_path / "RUN")
    with pytest.raises(DataError, match="holds no run of this version"):
        library.keep_run(tmp_path / "nothing")
    assert folders._RUN_SCHEMA.fullmatch(SCHEMA)


def test_a_run_in_a_place_that_no_index_can_hold(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", address="")
    for place, message in (("s3://bucket/RUN", "Copy the run here"), (tmp_path / "\udcff", "Rename the folder")):
        with pytest.raises(DataError, match=message):
            library.keep_run(place)


@pytest.mark.parametrize("document", ["", "{}", "[1]", '{"schema": "explain-report-1"}'])
def test_what_is_no_report_is_refused(tmp_path: Path, document: str) -> None:
    library = Library(tmp_path / "library", address="")
    with pytest.raises(RecordError):
        library.keep_explanation(document)
    assert not library.count() and files(tmp_path / "library") == {".lock", "index.sqlite"}


# Names, notes, searches.


def test_searches_look_at_everything_without_case(
    library: Library, record: str, new_run: Callable[[str], Path]
) -> None:
    text = library.keep_explanation(record, name="Été 100%_a")
    run = library.keep_run(new_run("RUN"))
    library.annotate(run.id, "Check the NEGATIONS.\nThen sleep.", author="ada")

    def searched(words: str, **options: str) -> list[str]:
        assert library.count(words, **options) == len(library.listed(words, **options))
        return [entry.id for entry in library.listed(words, **options)]

    assert searched("") == [run.id, text.id]
    assert searched("STRASSE") == searched("e\u0301te\u0301") == searched("100%_") == searched("planted") == [text.id]
    assert searched("negations sentiment film") == searched("then", kind="run") == [run.id]
    assert searched("mess") == [run.id, text.id] and searched("mess", kind="explanation") == [text.id]
    assert searched("then", kind="explanation") == searched("1%0") == searched("100_") == searched("nothing") == []
    assert searched("mess nothing") == searched("'; DROP TABLE entries; --") == searched("\0\ud800") == []
    assert searched("x" * 100_000) == []
    assert searched("", owner="ada") == [] and searched("", owner="") == [run.id, text.id]
    assert library.listed(most=1) == (library.entry(run.id),) and library.listed(first=1, most=5) == (text,)
    options: dict[str, Any]
    for options in ({"kind": "film"}, {"most": -1}, {"first": -1}):
        with pytest.raises(SettingError):
            library.listed(**options)


def test_entries_by_name_and_by_the_beginning_of_their_id(library: Library, record: str) -> None:
    first, second = (library.keep_explanation(record, name="same") for _ in range(2))
    library.rename(second.id, "other")
    assert library.named(" same ").id == library.named(first.id[:12]).id == library.named(first.id).id == first.id
    library.rename(second.id, "same")
    for words, message in (
        ("same", "Several entries"),
        (first.id[:3], "no entry"),
        ("%", "no entry"),
        ("", "no entry"),
    ):
        with pytest.raises(DataError, match=message):
            library.named(words)
    assert library.rename(first.id, "").name == "" and library.named(first.id).title == TEXT


@pytest.mark.parametrize(
    "change",
    [
        lambda library, id: library.rename(id, "x" * 201),
        lambda library, id: library.annotate(id, " \n"),
        lambda library, id: library.annotate(id, "x" * 10_001),
        *(lambda library, id, days=days: library.keep_for(id, days) for days in (0, -1, float("nan"), 1e9)),
    ],
)
def test_what_can_not_be_changed_changes_nothing(
    place: Place, record: str, change: Callable[[Library, str], object]
) -> None:
    library = place.open()
    entry = library.keep_explanation(record)
    with pytest.raises(SettingError):
        change(library, entry.id)
    with pytest.raises(DataError, match="no entry"):
        library.annotate("0" * 32, "A note.")
    assert library.listed() == (entry,) and library.rebuild().entries == 1 and library.listed() == (entry,)
    library.close()


def test_notes_are_added_and_removed(library: Library, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = library.keep_explanation(record)
    library.annotate(entry.id, " first\0\ud800 ", author="ada")
    entry = library.annotate(entry.id, "second")
    assert [(note.author, note.text) for note in entry.notes] == [("ada", "first\ufffd\ufffd"), ("", "second")]
    assert library.remove_note(entry.id, entry.notes[0].id).notes == entry.notes[1:] and not library.count("first")
    assert library.remove_note(entry.id, "nothing").notes == entry.notes[1:]
    monkeypatch.setattr("explain.library.library.MOST_NOTES", 1)
    with pytest.raises(SettingError, match="at most 1 notes"):
        library.annotate(entry.id, "third")
    assert MOST_NOTES == 1000


def test_a_change_for_an_earlier_revision_is_refused(library: Library, record: str) -> None:
    entry = library.keep_explanation(record)
    library.rename(entry.id, "mine", revision=entry.revision)
    with pytest.raises(Busy, match="Somebody else has changed this entry"):
        library.rename(entry.id, "yours", revision=entry.revision)
    assert library.listed()[0].name == "mine"


@given(st.text(max_size=30), st.text(max_size=30))
def test_folding_joins_what_differs_by_case_alone(left: str, right: str) -> None:
    assert folded(left.upper().lower()) == folded(folded(left.upper().lower()))
    assert (folded(left) in folded(f"{right}\n{left}")) or not left


# Ends.


def test_what_has_ended_is_gone_at_the_next_opening(
    place: Place, record: str, new_run: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = place.open()
    stays = library.keep_explanation(record)
    ends = library.keep_explanation(record, name="ends", days=2)
    longer = library.keep_for(library.keep_explanation(record, days=1).id, 5)
    secret = library.share(ends.id)
    run = library.keep_run(new_run("RUN"), days=2)
    later(monkeypatch, 2.5)
    assert {entry.id for entry in library.listed()} == {stays.id, longer.id}  # before anything is deleted
    assert library.entry(ends.id) is library.by_link(secret) is None
    with pytest.raises(DataError, match="no entry"):
        library.keep_for(ends.id, 5)
    library.close()
    library = place.open()
    assert not Path(run.place).exists() and not Path(ends.place).parent.exists() and library.clean_up() == 0
    assert library.keep_for(longer.id, None).expires is None and library.count() == 2
    library.close()


# Deleting.


def test_deleted_means_deleted(place: Place, record: str, new_run: Callable[[str], Path]) -> None:
    library = place.open()
    entry = library.keep_explanation(record, name="Zebra name")
    secret = library.share(library.annotate(entry.id, "Zebra note").id)
    run = library.keep_run(new_run("RUN"), name="Zebra run")
    assert library.delete(entry.id) == library.delete(run.id) == ()
    assert library.listed() == () and library.by_link(secret) is None and not Path(run.place).exists()
    library.close()
    assert files(place.folder) <= {".lock", "index.sqlite"}
    for words in ("Zebra", TEXT, "Film 0", entry.id):
        assert holding(place.folder, words) == []
    library = place.open()
    with library._database.reading() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in tables.METADATA.sorted_tables
        ]
    assert counts == [0, 0, 0] and library.rebuild().entries == 0
    with pytest.raises(DataError, match="no entry"):
        library.delete(entry.id)
    library.close()


def test_a_run_of_drawn_rows_is_deleted_and_exported_whole(library: Library, tmp_path: Path) -> None:
    rows = Dataset.of_rows([{"text": f"Secret film {number}."} for number in range(6)])
    sample = explain.Sample(until=9.0)
    for name in ("RUN", "OTHER"):
        explain.run(rows, TOY_MODELS["curved"], out=tmp_path / name, methods=["occlusion"], sample=sample)
    entry = library.keep_run(tmp_path / "RUN")
    library.export(entry.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "AGAIN")
    assert {
        "draw.json",
        "predictions/manifest.json",
        "predictions/parts/000000.parquet",
        "pilot/manifest.json",
    } <= names
    assert explain.Run(tmp_path / "AGAIN").verify().whole and not any(name.endswith(".lock") for name in names)
    assert library.delete(entry.id) == () and not (tmp_path / "RUN").exists()
    linked = library.keep_run(tmp_path / "OTHER")
    (tmp_path / "OTHER" / "predictions").rename(tmp_path / "elsewhere")
    (tmp_path / "OTHER" / "predictions").symlink_to(tmp_path / "elsewhere")
    assert library.delete(linked.id) == ("predictions",)
    assert (tmp_path / "elsewhere" / "parts" / "000000.parquet").exists()


def test_files_of_others_stay(library: Library, new_run: Callable[[str], Path], tmp_path: Path) -> None:
    folder, kept = new_run("RUN"), tmp_path / "kept"
    kept.mkdir()
    (kept / "000001.parquet").write_text("not of the run")
    (folder / "mine.txt").write_text("mine")
    (folder / "parts" / "mine.parquet").write_text("mine")
    entry = library.keep_run(folder)
    (folder / "done").rename(tmp_path / "done")
    (folder / "done").symlink_to(kept)
    assert library.delete(entry.id) == ("done", "mine.txt", "parts")
    assert files(folder) == {"mine.txt", "parts/mine.parquet"} and files(kept) == {"000001.parquet"}
    assert library.count() == 0


def test_a_run_that_is_computed_is_not_deleted(library: Library, new_run: Callable[[str], Path]) -> None:
    folder = new_run("RUN")
    entry = library.keep_run(folder)
    lock = FolderLock(folder, "")
    with pytest.raises(Busy, match="is being computed"):
        library.delete(entry.id)
    assert library.listed() == (entry,)
    lock.close()
    library.delete(entry.id)
    assert not folder.exists()


def test_a_run_of_the_page_is_deleted_with_its_upload(
    library: Library, new_run: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLAIN_RUNS", str(tmp_path / "runs"))
    begun, other = tmp_path / "runs" / "mine", tmp_path / "runs" / "other"
    for folder in (begun, other):
        (folder / kept_runs.DATA).mkdir(parents=True)
        (folder / kept_runs.DATA / "rows.csv").write_text("text\nA mess.\n")
        (folder / kept_runs.REQUEST).write_text("{}")
        new_run("RUN").rename(folder / kept_runs.RUN)
    entry = library.keep_run(begun / kept_runs.RUN)
    lock = FolderLock(begun, "")
    with pytest.raises(Busy, match="is being computed"):
        library.delete(entry.id)
    lock.close()
    assert library.listed() == (entry,) and library.delete(entry.id) == ()
    assert not begun.exists() and "data/rows.csv" in files(other) and library.count() == 0


def test_a_folder_that_holds_another_run_now_is_not_deleted(library: Library, new_run: Callable[[str], Path]) -> None:
    folder = new_run("RUN")
    entry = library.keep_run(folder)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    before = files(folder)
    library.delete(entry.id)
    assert library.count() == 0 and files(folder) == before


def test_a_deletion_that_was_stopped_goes_on(
    place: Place, record: str, new_run: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = place.open()
    entry, run = library.keep_explanation(record), library.keep_run(new_run("RUN"))
    stays = library.keep_explanation(record)
    with monkeypatch.context() as patched:

        def fail(path: Path, missing_ok: bool = False) -> None:
            raise PermissionError(13, "no")

        patched.setattr(Path, "unlink", fail)
        for id in (entry.id, run.id):
            with pytest.raises(FileError, match="permission"):
                library.delete(id)
    assert library.listed() == (stays,) and library.rebuild().entries == 3 and library.listed() == (stays,)
    library.close()
    library = place.open()
    assert library.listed() == (stays,) and not Path(run.place).exists() and not Path(entry.place).exists()
    library.close()


def test_what_a_killed_process_left_is_deleted(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    half = library.folder / "explanations" / ("a" * 32)
    other = library.folder / "explanations" / "mine"
    for folder in (half, other):
        folder.mkdir()
        (folder / "report.json").write_text("{}")
    library.clean_up()
    assert half.exists()  # somebody may be writing it
    later(monkeypatch, 1)
    library.clean_up()
    assert not half.exists() and other.exists() and library.rebuild().entries == 0


# Links.


def test_links_open_and_only_their_hashes_are_kept(library: Library, record: str) -> None:
    entry = library.keep_explanation(record)
    secrets = [library.share(entry.id) for _ in range(2)]
    assert len({*secrets}) == 2 and all(len(secret) == 22 for secret in secrets)
    assert library.by_link(secrets[0]) == library.by_link(secrets[1]) == library.entry(entry.id)
    assert library.record_by_link(secrets[0]) == record
    library.close()
    assert all(holding(library.folder, secret) == [] for secret in secrets)
    for wrong in ("", "x", entry.id, secrets[0][:-1], secrets[0] + "\0", "\ud800", "%"):
        assert library.by_link(wrong) is library.record_by_link(wrong) is None and not library.delete_by_link(wrong)
    assert not library.delete_by_link(secrets[0])
    assert library.unshare(entry.id).links == 0 and library.by_link(secrets[0]) is None


# Export.


def test_exports_hold_files_name_and_notes_and_nothing_private(
    library: Library, record: str, new_run: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = new_run("RUN")
    run = library.annotate(library.keep_run(folder, name="first", owner="ada").id, "Look.")
    library.share(run.id)
    library.export(run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "BACK")
    assert files(tmp_path / "BACK") == files(folder) - {".lock"} and explain.Run(tmp_path / "BACK").verify().whole
    sidecar = Sidecar.from_json((tmp_path / "BACK" / "library.json").read_text())
    assert (sidecar.owner, sidecar.links, sidecar.name) == ("", (), "first")
    back = library.keep_run(tmp_path / "BACK")
    assert back.id != run.id and (back.name, [note.text for note in back.notes]) == ("first", ["Look."])
    entry = library.keep_explanation(record, name="second")
    library.export(entry.id, tmp_path / "one.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "one.zip").read_bytes())) as archive:
        assert archive.read("report.json").decode() == record and sorted(archive.namelist())[0] == "library.json"
    with zipfile.ZipFile(io.BytesIO(library.archive(entry.id))) as archive:
        assert archive.read("report.json").decode() == record and len(archive.namelist()) == 2
    Path(entry.place).unlink()
    for gone in (lambda: library.export(entry.id, tmp_path / "no.zip"), lambda: library.open(entry.id)):
        with pytest.raises(DataError, match="gone"):
            gone()
    assert not (tmp_path / "no.zip").exists()


# Made again.


def test_an_index_that_is_lost_is_made_again_with_everything(
    place: Place, record: str, new_run: Callable[[str], Path]
) -> None:
    library = place.open()
    run = library.annotate(library.keep_run(new_run("RUN"), name="first", owner="ada", days=9).id, "Look.")
    text = library.annotate(library.annotate(library.keep_explanation(record, name="Été").id, "one").id, "two")
    secret = library.share(text.id)
    before = library.listed()
    assert [entry.links for entry in before] == [1, 0] or [entry.links for entry in before] == [0, 1]
    forget(place, library)
    if place.address:  # the server's tables are gone while the library is open; a file is made again by itself
        library.close()
        library = place.open()
    assert library.listed() == before and library.by_link(secret) == library.entry(text.id)
    assert library.count("look") == library.count("ÉTÉ two") == 1 and library.entry(run.id) is not None
    assert library.rebuild() == dataclasses.replace(library.rebuild(), entries=2, unreadable=(), missing=())
    assert library.listed() == before
    library.close()


def forget(place: Place, library: Library) -> None:
    """Lose the index."""
    if not place.address:
        (place.folder / "index.sqlite").unlink()
        return
    with library._database.writing() as connection:
        tables.METADATA.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")


def test_the_later_revision_counts_and_what_others_keep_stays(library: Library, record: str, tmp_path: Path) -> None:
    entry = library.keep_explanation(record, name="first")
    sidecar = Path(entry.place).with_name("library.json")
    earlier = sidecar.read_text()
    library.rename(entry.id, "second")
    later_one = sidecar.read_text()
    sidecar.write_text(earlier)
    library.rebuild()
    assert library.named("second")
    sidecar.write_text(later_one.replace("second", "third").replace('"revision": 1', '"revision": 2'))
    library.rebuild()
    assert library.named("third").revision == 2
    elsewhere = library.keep_explanation(record, name="elsewhere")
    Path(elsewhere.place).parent.rename(tmp_path / "away")
    assert library.rebuild() == dataclasses.replace(library.rebuild(), entries=1, missing=("elsewhere",))
    assert library.count() == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda sidecar: "",
        lambda sidecar: "{",
        lambda sidecar: "[" * 10_000,
        lambda sidecar: sidecar.replace('"revision": 0', '"revision": -1'),
        lambda sidecar: sidecar.replace('"kind": "explanation"', '"kind": "run"'),
        lambda sidecar: sidecar.replace('"id": "', '"id": "../'),
        lambda sidecar: sidecar.replace('"created": ', '"created": 1e999, "was": '),
        lambda sidecar: sidecar.replace('"notes": []', '"notes": [{"id": "x"}]'),
        lambda sidecar: sidecar.replace('"links": []', '"links": [{"sha256": "x", "purpose": "open", "time": 0.0}]'),
    ],
)
def test_what_others_put_into_the_folder_is_not_taken(
    tmp_path: Path, record: str, damage: Callable[[str], str]
) -> None:
    library = Library(tmp_path / "library", address="")
    good, bad = (library.keep_explanation(record) for _ in range(2))
    sidecar = Path(bad.place).with_name("library.json")
    sidecar.write_text(damage(sidecar.read_text()))
    (library.folder / "runs" / ("b" * 32 + ".json")).write_text('{"place": "."}')
    (library.folder / "runs" / "readme.json").write_text("x")
    (library.folder / "explanations" / "mine").write_text("x")
    (library.folder / "index.sqlite").unlink()
    assert [entry.id for entry in library.listed()] == [good.id]
    assert sorted(library.rebuild().unreadable) == sorted([".", bad.id])
    assert (library.folder / "explanations" / "mine").exists() and sidecar.exists()


def test_a_damaged_index_is_named_and_made_again(tmp_path: Path, record: str) -> None:
    library = Library(tmp_path / "library", address="")
    entry = library.keep_explanation(record)
    (tmp_path / "library" / "index.sqlite").write_text("no database " * 1000)
    with pytest.raises(DataError, match="explain library rebuild"):
        library.listed()
    with pytest.raises(DataError, match="explain library rebuild"):
        Library(tmp_path / "library", address="")
    again, rebuilt = Library.remade(tmp_path / "library", address="")
    assert again.listed() == (entry,) and rebuilt.entries == 1
    assert Library.remade(tmp_path / "library", address="")[1] == rebuilt


# Migrations.


def test_migrations_lead_to_the_tables(library: Library) -> None:
    scripts = ScriptDirectory(str(database._MIGRATIONS))
    assert scripts.get_heads() == [tables.VERSION]
    assert {script.revision for script in scripts.walk_revisions()} == set(tables.VERSIONS)
    with library._database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.METADATA) == []
        columns = {column["name"] for column in sa.inspect(connection).get_columns("entries")}
    assert {"owner", "expires", "by_link"} <= columns


def test_an_index_of_a_later_version_is_left_alone(place: Place) -> None:
    library = place.open()
    with library._database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    library.close()
    with pytest.raises(DataError, match="has version 9999, which a later version of this package wrote"):
        place.open()


# Several at once.

PROGRAM = """
import sys
from explain.library.library import Library
folder, address, id, mine = sys.argv[1:]
library = Library(folder, address=address)
for number in range(8):
    library.annotate(id, f"{mine} {number}")
    library.rename(id, f"{mine} {number}")
assert "torch" not in sys.modules
"""


def test_two_processes_lose_nothing(place: Place, record: str, new_run: Callable[[str], Path]) -> None:
    """They make the index anew, both at once, and then write."""
    library = place.open()
    entry, run = library.keep_explanation(record), library.keep_run(new_run("RUN"))
    forget(place, library)
    library.close()
    arguments = [sys.executable, "-c", PROGRAM, str(place.folder), place.address, entry.id]
    processes = [subprocess.Popen([*arguments, name], stderr=subprocess.PIPE) for name in ("a", "b")]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    library = place.open()
    after = library.entry(entry.id)
    assert after is not None and after.revision == 32
    assert {note.text for note in after.notes} == {f"{name} {number}" for name in "ab" for number in range(8)}
    for name in "ab":  # of each, in its order
        mine = [note.text for note in after.notes if note.text.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(8)]
    before = library.listed()
    assert {kept.id for kept in before} == {entry.id, run.id}
    forget(place, library)
    library.close()
    library = place.open()
    assert library.listed() == before
    library.close()


def test_threads_keep_at_once(place: Place, record: str, new_run: Callable[[str], Path]) -> None:
    library, folder = place.open(), new_run("RUN")
    failures: list[BaseException] = []

    def keep(number: int) -> None:
        try:
            for turn in range(4):
                library.keep_explanation(record, name=f"{number} {turn}")
            library.keep_run(folder)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and library.count(kind="explanation") == 16 and library.count(kind="run") == 1
    assert library.rebuild().entries == 17
    library.close()


def test_whoever_waits_too_long_is_told(place: Place, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    library, other = place.open(), place.open()
    entry = library.keep_explanation(record)
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    with other._database.writing(), pytest.raises(Busy, match="Others write into the library"):
        library.rename(entry.id, "second")
    assert library.rename(entry.id, "third").name == "third"
    library.close()
    other.close()


# Where nothing can be written, and wrong addresses.


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, record: str) -> None:
    library = Library(tmp_path / "library", address="")
    entry = library.keep_explanation(record)
    with full_disk(4096), pytest.raises(FileError):
        library.keep_explanation(record)
    with full_disk(4096), pytest.raises(ExplainError):
        library.annotate(entry.id, "A note." * 1000)
    assert library.listed() == (entry,) and library.rebuild().entries == 1
    assert library.annotate(entry.id, "A note.").revision == 1


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError):
        Library(tmp_path / "file" / "library", address="")


@pytest.mark.parametrize("address", ["mysql://root:secret@host/x", "secret", "://secret", "sqlite:///secret", "a\nb"])
def test_addresses_of_no_postgresql_are_refused_and_not_shown(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingError, match="EXPLAIN_STORE is no address of PostgreSQL") as refused:
        Library(tmp_path / "library", address=address)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_STORE", f"postgresql://ada:secret@/x?host={tmp_path}")
    with pytest.raises(DataError, match="The server that EXPLAIN_STORE names can't be used") as refused:
        Library(tmp_path / "library")
    assert "secret" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError, match=r"pip install 'explain-transformers\[postgres\]'"):
        Library(tmp_path / "library")


def test_where_the_library_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for history, named, expected in (
        ("", "", tmp_path / "explain" / "library"),
        (str(tmp_path / "h"), "", tmp_path / "h" / "library"),
        ("off", "", None),
        ("off", str(tmp_path / "l"), tmp_path / "l"),
        ("", "off", None),
    ):
        monkeypatch.setenv("EXPLAIN_HISTORY", history)
        monkeypatch.setenv("EXPLAIN_LIBRARY", named)
        assert library_folder() == expected
    with pytest.raises(DataError, match="EXPLAIN_LIBRARY"):
        Library()
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path / "l"))
    assert Library().folder == tmp_path / "l"


def test_the_query_binds_what_is_searched() -> None:
    compiled = matching("100% ' OR 1").compile()
    assert "100" not in str(compiled) and "OR 1" not in str(compiled)


def test_the_index_is_a_file_that_others_may_not_read(tmp_path: Path, record: str) -> None:
    library = Library(tmp_path / "library", address="")
    library.keep_explanation(record)
    with sqlite3.connect(tmp_path / "library" / "index.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

"""Saving where others come: off, or by link alone; what is saved so is never listed and ends by itself."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from explain.cli import serve
from explain.cli.main import parser
from explain.core.errors import Busy, DataError, ExplainError, RecordError
from explain.library import saving
from explain.library.library import Library
from tests.library.test_library import DAY, holding, later


def test_who_may_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPLAIN_ALLOW_SAVING", raising=False)
    assert saving.saving(visitor_is_here=True) == "listed" and saving.saving(visitor_is_here=False) == "off"
    for setting, expected in (("1", "by_link"), ("0", "off"), ("yes", "off")):
        monkeypatch.setenv("EXPLAIN_ALLOW_SAVING", setting)
        assert saving.saving(visitor_is_here=False) == expected and saving.saving(visitor_is_here=True) == "listed"


def test_the_server_hands_the_permission_on(monkeypatch: pytest.MonkeyPatch) -> None:
    environments: list[dict[str, str]] = []
    monkeypatch.delenv("EXPLAIN_ALLOW_SAVING", raising=False)
    monkeypatch.setattr(serve, "check_address", lambda host, port: None)
    monkeypatch.setattr(serve.os, "execve", lambda program, command, environment: environments.append(environment))
    monkeypatch.setattr(serve.subprocess, "run", lambda *_, **__: type("Ended", (), {"returncode": 0}))
    for options in ([], ["--allow-saving"]):
        serve.run(parser().parse_args(["serve", *options]))
    assert [environment.get("EXPLAIN_ALLOW_SAVING") for environment in environments] == [None, "1"]


def test_the_number_of_days(monkeypatch: pytest.MonkeyPatch) -> None:
    assert saving.saving_days() == 30
    monkeypatch.setenv("EXPLAIN_SAVING_DAYS", "7")
    assert saving.saving_days() == 7
    monkeypatch.setenv("EXPLAIN_SAVING_DAYS", "0")
    with pytest.raises(ExplainError, match="EXPLAIN_SAVING_DAYS is '0'; expected a whole number from 1"):
        saving.saving_days()


def test_what_is_saved_by_link_is_never_listed(library: Library, record: str) -> None:
    listed = library.keep_explanation(record)
    saved = saving.save_by_link(library, record)
    assert len(saved.opens) == len(saved.deletes) == 22 and saved.opens != saved.deletes
    assert saved.expires == pytest.approx(time.time() + 30 * DAY, abs=60)
    opened = saving.opened_by_link(library, saved.opens)
    assert opened is not None and opened[1] == record and opened[0].by_link
    hidden = opened[0].id
    assert library.listed() == library.listed("mess") == (listed,) and library.count("mess") == 1
    assert library.entry(hidden) is None
    secret_calls: tuple[Callable[[], object], ...] = (
        lambda: library.named(hidden),
        lambda: library.named(hidden[:8]),
        lambda: library.record(hidden),
        lambda: library.open(hidden),
        lambda: library.share(hidden),
        lambda: library.rename(hidden, "mine"),
        lambda: library.keep_for(hidden, 90),
        lambda: library.export(hidden, Path("never.zip")),
        lambda: library.delete(hidden),
    )
    for call in secret_calls:  # its id is no key
        with pytest.raises(DataError, match="no entry"):
            call()
    library.close()
    assert holding(library.folder, saved.opens) == holding(library.folder, saved.deletes) == []


def test_the_second_link_deletes(library: Library, record: str) -> None:
    saved, other = saving.save_by_link(library, record), saving.save_by_link(library, record)
    assert saving.opened_by_link(library, saved.deletes) is None and not library.delete_by_link(saved.opens)
    opened = saving.opened_by_link(library, saved.opens)
    assert library.deleted_by_link(saved.opens) is None
    assert opened is not None and library.deleted_by_link(saved.deletes) == opened[0]
    assert library.delete_by_link(saved.deletes) and library.deleted_by_link(saved.deletes) is None
    assert saving.opened_by_link(library, saved.opens) is None and not library.delete_by_link(saved.deletes)
    assert not Path(opened[0].place).exists() and saving.opened_by_link(library, other.opens) is not None


def test_it_ends_and_is_deleted(library: Library, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_SAVING_DAYS", "7")
    saved = saving.save_by_link(library, record)
    later(monkeypatch, 6.9)
    assert saving.opened_by_link(library, saved.opens) is not None and library.clean_up() == 0
    later(monkeypatch, 0.2)
    assert saving.opened_by_link(library, saved.opens) is None and not library.delete_by_link(saved.deletes)
    assert library.clean_up() == 1 and not [*(library.folder / "explanations").iterdir()]


def test_it_is_made_again_with_its_links(library: Library, record: str) -> None:
    saved = saving.save_by_link(library, record)
    with library._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM entries")
    assert saving.opened_by_link(library, saved.opens) is None
    assert library.rebuild().entries == 1 and library.listed() == ()
    assert saving.opened_by_link(library, saved.opens) is not None and library.delete_by_link(saved.deletes)


def test_strangers_fill_no_disk(library: Library, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library.keep_explanation(record)  # of the owner, which counts for nothing here
    monkeypatch.setattr(saving, "MOST_ENTRIES", 2)
    first = saving.save_by_link(library, record)
    saving.save_by_link(library, record)
    with pytest.raises(Busy, match="no room"):
        saving.save_by_link(library, record)
    assert library.delete_by_link(first.deletes) and saving.save_by_link(library, record)
    monkeypatch.setattr(saving, "MOST_ENTRIES", 10)
    monkeypatch.setattr(saving, "MOST_BYTES", int(2.5 * len(record.encode())))
    with pytest.raises(Busy, match="no room"):
        saving.save_by_link(library, record)
    with pytest.raises(RecordError):
        saving.save_by_link(library, "{}")
    assert len([*(library.folder / "explanations").iterdir()]) == 3

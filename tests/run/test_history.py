"""The store of what was explained: bounds, modes, damaged files, deletion, several writers."""

import dataclasses
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from explain.core.errors import ExplainError
from explain.core.installation import history_folder
from explain.datatypes import HistoryEntry
from explain.datatypes.encoding import encode
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.report.record import from_json, report_of, to_json
from explain.run import engine
from explain.run.history import History
from explain.run.history_entry import MOST_CHARACTERS, _no_label, entry_of
from explain.run.plan import Plan
from explain.run.results import Results
from explain.testing import TOY_MODELS
from tests.golden import HOSTILE

ROOT = Path(__file__).parents[2]


def entry(text: str = "A mess.", time: float = 1.0, **changes: object) -> HistoryEntry:
    fields = {
        "id": "",
        "time": time,
        "text": text,
        "text_pair": None,
        "model": "sentiment",
        "weights": "0" * 64,
        "task": "text_classification",
        "target": "negative",
        "scale": "log_odds",
        "position": None,
        "method": "occlusion",
        "label": "negative",
        "confidence": 0.75,
        "words": (("", "A", 0.25), (" ", "mess", -1.0)),
        "signed": True,
        "settings": {"methods": ("occlusion", "lime")},
    }
    return HistoryEntry(**fields | changes)


@pytest.fixture(params=["memory", "folder"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    return History(None if request.param == "memory" else tmp_path / "history", most_entries=5, most_bytes=20_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history"


def texts(history: History) -> list[str]:
    return [kept.text for kept in history.listed().entries]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def explained(text: str, model: TextModel, method: str = "occlusion", pair: str | None = None) -> Results:
    return engine.results(Plan.for_text(text, pair, methods=(METHODS[method](),)), model)


# What a history does, in memory and in a folder.


def test_what_is_kept_is_there_with_its_report(history: History) -> None:
    kept = history.keep(entry(HOSTILE), '{"report": 1}')
    assert history.entry(kept) == dataclasses.replace(entry(HOSTILE), id=kept)
    assert history.report(kept) == '{"report": 1}'
    assert history.entry("0" * 32) is None and history.report("0" * 32) == "" == history.report("../../etc/passwd")


def test_the_same_explanation_is_one_entry(history: History) -> None:
    first = history.keep(entry(time=1.0))
    history.change(first, title="  a   name ", starred=True)
    history.keep(entry("Another.", 2.0))
    assert history.keep(entry(time=3.0, confidence=0.5)) == first
    again = history.entry(first)
    assert again is not None and (again.title, again.starred, again.time) == ("a name", True, 3.0)
    for change in ({"method": "lime"}, {"target": "positive"}, {"weights": "1" * 64}, {"text_pair": "b"}):
        assert history.keep(entry(time=4.0, **change)) != first


def test_the_oldest_go_first_and_starred_ones_last(history: History) -> None:
    ids = [history.keep(entry(f"Text {n}.", n)) for n in range(5)]
    history.change(ids[0], starred=True)
    for n in range(5, 8):
        history.keep(entry(f"Text {n}.", n))
    assert texts(history) == ["Text 0.", "Text 7.", "Text 6.", "Text 5.", "Text 4."]


def test_all_together_they_take_no_more_than_the_bound(history: History) -> None:
    for n in range(5):
        history.keep(entry(f"{n}" * 6000, n))
    assert len(texts(history)) == 3
    kept = history.keep(entry("Large.", 9), "x" * 2001)  # more than a tenth
    assert history.report(kept) == "" and "Large." in texts(history)


def test_a_text_that_is_typed_on_replaces_its_beginning(history: History) -> None:
    first = history.keep(entry("A good ", 10))
    assert history.keep(entry("A good film.", 12), typed=first) == first
    assert texts(history) == ["A good film."]
    assert history.keep(entry("A bad film.", 13), typed=first) != first
    assert history.keep(entry("A good film.", 13, method="lime"), typed=first) != first
    assert history.keep(entry("A good film. Yes.", 100), typed=first) != first  # later
    history.change(first, starred=True)
    assert history.keep(entry("A good film. No.", 13), typed=first) != first


def test_removed_and_cleared_entries_are_gone(history: History) -> None:
    ids = [history.keep(entry(f"Text {n}.", n), "{}") for n in range(3)]
    history.remove(ids[1])
    history.remove(ids[1])
    history.change(ids[1], starred=True)
    assert texts(history) == ["Text 2.", "Text 0."] and history.report(ids[1]) == ""
    history.clear()
    assert texts(history) == [] and history.report(ids[0]) == ""


def test_nothing_is_kept_while_it_is_paused(history: History) -> None:
    history.keep(entry())
    history.pause(True)
    assert texts(history) == [] and history.listed().paused
    assert history.keep(entry()) == "" and texts(history) == []
    history.pause(False)
    assert history.keep(entry()) and not history.listed().paused


def test_everything_is_json_lines(history: History) -> None:
    history.keep(entry(HOSTILE, 1.0), '{"schema": 1}')
    history.keep(entry("b", 2.0))
    lines = [json.loads(line) for line in history.everything().splitlines()]
    assert [line["report"] for line in lines] == [None, {"schema": 1}]
    assert lines[1]["entry"]["text"] == HOSTILE


# In a folder.


def test_files_are_for_their_owner_only(folder: Path) -> None:
    earlier = os.umask(0)
    try:
        history = History(folder)
        kept = history.keep(entry(), "{}")
        history.change(kept, title="b")
        history.pause(True)
        history.pause(False)
        history.keep(entry())
        history.pause(True)
    finally:
        os.umask(earlier)
    assert mode(folder) == 0o700
    names = {path.name: mode(path) for path in folder.iterdir()}
    assert set(names.values()) == {0o600} and {".lock", "keep-nothing"} == set(names)
    History(folder).pause(False)
    History(folder).keep(entry())
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_it_outlives_the_process_and_is_seen_by_another(folder: Path) -> None:
    first, second = History(folder), History(folder)
    kept = first.keep(entry(), "{}")
    assert second.entry(kept) == first.entry(kept) and second.report(kept) == "{}"
    second.change(kept, starred=True)
    assert first.listed().entries[0].starred
    first.pause(True)
    assert second.listed().paused and second.keep(entry()) == "" and History(folder).listed().paused


def test_an_unchanged_folder_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(folder)
    history.keep(entry())
    os.utime(folder, (1, 1))  # long ago
    history.listed()
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("the folder was read"))
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("a file was read"))
    assert len(history.listed().entries) == 1


def test_damaged_and_strange_files_are_counted_and_left_alone(folder: Path) -> None:
    history = History(folder)
    sound = history.keep(entry(), "{}")
    line = (folder / f"{sound}.jsonl").read_text().splitlines()[0]
    record = json.loads(line)
    name = iter(range(100))
    damaged: list[bytes] = [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[" * 100_000,
        line.encode(),  # another's id
        line[:-9].encode(),
    ]
    for change in (
        {"time": 1e300}, {"time": "now"}, {"words": [["", "A", 7.0]]}, {"words": [["A"]]}, {"confidence": 2},
        {"settings": {"a": "b"}}, {"settings": []}, {"text": 3}, {"further": 1}, {"starred": "yes"}, {"text": "\ud800"},
    ):  # fmt: skip
        damaged.append(json.dumps({**record, "id": f"{next(name):032x}", **change}).encode())
    for number, content in enumerate(damaged):
        wanted = json.loads(content)["id"] if number > 5 else f"{next(name):032x}"
        (folder / f"{wanted}.jsonl").write_bytes(content)
    (folder / "notes.jsonl").write_text("mine")
    (folder / "f.txt").write_text("mine")
    (folder / f"{'e' * 32}.jsonl").mkdir()
    os.mkfifo(folder / f"{'f' * 32}.jsonl")
    (folder / f"{'d' * 32}.jsonl").symlink_to(folder / f"{sound}.jsonl")
    for store in (history, History(folder)):
        assert [kept.id for kept in store.listed().entries] == [sound]
        assert store.listed().unread == len(damaged) + 4
    (folder / f"{'e' * 32}.jsonl").rmdir()
    (folder / ".explain-12.part").write_text("half")
    history.clear()
    assert {path.name for path in folder.iterdir()} == {".lock", "notes.jsonl", "f.txt"}


def test_a_damaged_report_is_none(folder: Path) -> None:
    history = History(folder)
    kept = history.keep(entry(), '{"a": 1}')
    file = folder / f"{kept}.jsonl"
    for damage in (b'{"a": ', b"\xff", b"[" * 100_000):
        file.write_bytes(file.read_bytes().splitlines()[0] + b"\n" + damage)
        assert history.report(kept) == "" and json.loads(history.everything())["report"] is None


def test_a_folder_that_cannot_be_written_is_a_known_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history")
    assert history.listed().entries == () and history.entry("0" * 32) is None
    with pytest.raises(ExplainError, match="can't be written"):
        history.keep(entry())


def test_threads_do_not_lose_what_others_write(folder: Path) -> None:
    histories = [History(folder), History(folder)]
    kept = histories[0].keep(entry())

    def write(number: int) -> None:
        for step in range(4):
            histories[number % 2].keep(entry(f"{number} {step}", step))
        histories[number % 2].change(kept, **({"starred": True} if number % 2 else {"title": "name"}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for history in (*histories, History(folder)):
        listed = history.listed()
        assert len(listed.entries) == 17 and listed.unread == 0
        assert listed.entries[0].id == kept and listed.entries[0].title == "name"


def test_two_processes_write_one_folder(folder: Path) -> None:
    script = (
        "import dataclasses, json, sys; from pathlib import Path; from explain.datatypes import HistoryEntry\n"
        "from explain.datatypes.decoding import decode; from explain.run.history import History\n"
        "history = History(Path(sys.argv[1]), most_entries=6)\n"
        "sample = decode(HistoryEntry, json.loads(sys.argv[2]), '')\n"
        "for n in range(8): history.keep(dataclasses.replace(sample, text=f'{sys.argv[3]} {n}', time=n), '{}')\n"
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", script, str(folder), json.dumps(encode(entry()))]
    writers = [subprocess.Popen([*command, name], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    listed = History(folder).listed()
    assert len(listed.entries) == 6 and listed.unread == 0
    assert {path.suffix for path in folder.iterdir()} == {".jsonl", ""}


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EXPLAIN_HISTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_folder() == tmp_path / "explain" / "history"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert history_folder() == Path.home() / ".local" / "state" / "explain" / "history"
    monkeypatch.setenv("EXPLAIN_HISTORY", "off")
    assert history_folder() is None
    monkeypatch.setenv("EXPLAIN_HISTORY", "~/mine")
    assert history_folder() == Path.home() / "mine"


# What an entry holds.


def test_an_entry_holds_what_the_report_says_and_takes_no_pass() -> None:
    model = TOY_MODELS["planted"]
    results = explained(HOSTILE, model)
    named = SimpleNamespace(name=model.name, record=model.record, task=model.task)  # it can do nothing
    made = entry_of(results, named, METHODS["occlusion"](), {"model": ("planted",)})
    report = from_json(to_json(report_of(results, named)))
    assert (made.text, made.label, made.confidence) == (
        report.text,
        report.prediction.label,
        report.prediction.confidence,
    )
    assert (made.target, made.weights, made.method) == (report.target.label, report.model.weight_sha256, "occlusion")
    scores = report.attribution("occlusion").per_word()
    texts = {scores.tokens.unit_text(unit): score for unit, score in zip(scores.units, scores.scores.tolist())}
    largest = max(map(abs, texts.values()))
    for _, word, share in made.words:
        if word in texts:
            assert share == pytest.approx(texts[word] / largest, abs=1e-4)
    assert max(abs(share) for *_, share in made.words) == 1.0
    assert History().keep(made)


def test_a_long_text_shows_a_stretch_around_its_largest_score() -> None:
    model = TOY_MODELS["planted"]
    made = entry_of(explained("one two " * 20 + "zebra " + "one " * 6, model), model, METHODS["occlusion"](), {})
    assert max(made.words, key=lambda word: abs(word[2]))[1] == "zebra"
    assert made.words[0][0] == "\u2026 "
    assert len("".join(before + word for before, word, _ in made.words)) < 2 * MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "label"), [("Thank you so much, that helped!", "gratitude"), ("The meeting is at noon.", "neutral")]
)
def test_labels_that_are_decided_each_alone_are_named(text: str, label: str) -> None:
    model = load_model("emotions")
    made = entry_of(explained(text, model), model, METHODS["occlusion"](), {})
    assert (made.label, made.confidence) == (label, None)
    near = TOY_MODELS["near"]
    none = dataclasses.replace(model.predict(model.encode(text)), labels=())
    assert _no_label(none) == "no label" and _no_label(near.predict(near.encode("a film", "so good"))) is None

"""`explain library` and its verbs."""

import json
import zipfile
from pathlib import Path

import pytest

import explain
from explain.cli.main import main
from explain.data.dataset import Dataset
from explain.report.record import to_json
from explain.testing import TOY_MODELS


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    report = explain.explain("A mess \x1b[31m of a film.", TOY_MODELS["planted"], methods=["occlusion"], phrases=False)
    (tmp_path / "report.json").write_text(to_json(report))
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["library", *arguments]) == status
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out and "Traceback" not in captured.err
    return captured.err if status == 2 else captured.out


def test_the_way_of_an_entry(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "list") == "Nothing is kept yet.\n"
    shown = printed(capsys, "keep", "report.json", "--name", "first one", "--note", "Look at \x1b this.", "--days", "3")
    assert "explanation  first one" in shown and "deleted after" in shown and "note 1 (" in shown
    assert "planted, text-classification" in shown
    (entry,) = json.loads(printed(capsys, "list", "--format", "json"))
    assert entry["name"] == "first one" and entry["by_link"] is False and len(entry["notes"]) == 1
    assert "deleted after" not in printed(capsys, "keep", entry["id"][:6], "--forever")
    assert "deleted after" in printed(capsys, "keep", "first one", "--days", "0.5")
    assert "explanation  second" in printed(capsys, "name", "first one", "second")
    assert "note 2 (" in printed(capsys, "note", "second", "Nächste", "--author", "Ada")
    assert printed(capsys, "search", "MESS", "nächste").startswith(entry["id"][:8])
    assert printed(capsys, "search", "nothing") == "Nothing has these words.\n"
    assert printed(capsys, "search", "mess", "--kind", "run") == "Nothing has these words.\n"
    assert "note 2 (" not in printed(capsys, "note", "second", "--remove", "1")
    assert json.loads(printed(capsys, "show", "second", "--format", "json"))["notes"][0]["author"] == "Ada"
    printed(capsys, "export", "second", "--out", "out.zip")
    assert "report.json" in zipfile.ZipFile(place / "out.zip").namelist()
    (place / "library" / "index.sqlite").write_text("damaged")
    assert "explain library rebuild" in printed(capsys, "list", status=2)
    assert printed(capsys, "rebuild") == "The index holds 1 entry of the folders.\n"
    assert printed(capsys, "delete", entry["id"]) == f"Deleted: explanation {entry['id'][:8]}, second\n"
    assert printed(capsys, "list") == "Nothing is kept yet.\n" and not [*(place / "library").glob("*/*")]


def test_a_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [{"text": f"A mess, {number}."} for number in range(3)]
    explain.run(Dataset.of_rows(texts, name="mine"), out=place / "RUN", methods=())
    (place / "RUN" / "mine.txt").write_text("mine")
    assert "3 texts of mine" in printed(capsys, "keep", "RUN")
    printed(capsys, "keep", "report.json")
    listed = printed(capsys, "list", "--most", "1")
    assert listed.count("\n") == 1 and "explanation" in listed
    table = printed(capsys, "list", "--kind", "run")
    assert "sentiment" in table and table.rstrip().endswith("mine")
    assert "Other files stay in" in printed(capsys, "delete", table[:8])
    assert [path.name for path in (place / "RUN").iterdir()] == ["mine.txt"]
    (sidecar,) = (place / "library").glob("explanations/*/library.json")
    sidecar.write_text("{")
    assert "Can't be read: " in printed(capsys, "rebuild", status=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VERB"),
        (["burn"], "invalid choice: 'burn'"),
        (["show", "nothing"], "The library has no entry 'nothing'. `explain library list` lists what there is."),
        (["keep", "nothing"], "no entry 'nothing'"),
        (["keep", "."], "holds no run of this version"),
        (["keep", "report.json", "--days", "1", "--forever"], "not both"),
        (["keep", "report.json", "--days", "0"], "argument --days: expected a number from 0.001 to 36500"),
        (["keep", "rows.csv"], "The report is no JSON"),
        (["note", "nothing"], "Give the text of a note, or --remove"),
        (["note", "nothing", "x", "--remove", "1"], "Give the text of a note, or --remove"),
        (["search"], "the following arguments are required: WORD"),
    ],
)
def test_what_is_refused(place: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "rows.csv").write_text("text\nA mess.\n")
    assert message in printed(capsys, *arguments, status=2)


def test_nothing_is_kept_where_the_history_is_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EXPLAIN_LIBRARY", raising=False)
    assert "EXPLAIN_HISTORY=off" in printed(capsys, "list", status=2)

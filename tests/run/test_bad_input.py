"""Bad input to a run: a clear sentence, nothing lost, nothing half-done."""

import errno
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

import explain
from explain.analyses.key_phrases import KeyPhrases
from explain.core.errors import DataError, FileError, TargetError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.run import folder_store
from explain.run.folder_store import MANIFEST, MANIFEST_HASH
from tests.tiny_models import tiny_folder

OPTIONS: dict[str, Any] = {"methods": ("gradient_times_input",), "shard_size": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder("bert", tmp_path_factory.mktemp("bert")))


def of_rows() -> Dataset:
    return Dataset.of_rows([{"text": text} for text in ("A mess.", "A feast.", "Not one laugh.")])


@pytest.fixture
def made(model: str, tmp_path: Path) -> explain.Run:
    return explain.run(of_rows(), model, out=tmp_path / "RUN", **OPTIONS)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(place): place.read_bytes() for place in folder.rglob("*") if place.is_file() and place.name != ".lock"}


def table(**columns: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "columns", "sentence"),
    [
        ("a.txt", b"", Columns(), "a.txt has no row with a text.$"),
        ("a.jsonl", b"", Columns(), "a.jsonl is empty"),
        ("a.parquet", b"", Columns(), "no Parquet file"),
        ("a.csv", b"text,label\n", Columns(label="label"), "no row with a text.$"),
        ("a.parquet", table(text=[1, 2]), Columns(), "rows 1 and 2.*'text' holds int, and texts are wanted"),
        ("a.parquet", table(text=[{"a": "x"}]), Columns(), "'text' holds dict"),
        ("a.parquet", table(text=[["x"], ["y", "z"]]), Columns(), "'text' holds list"),
        ("a.csv", b"text\ncaf\xe9\n", Columns(), "not UTF-8: line 2 holds the byte 0xE9"),
        ("a.parquet", table(text=["a", "b"], id=[1.0, float("nan")]), Columns(id="id"), "row 2 has no id"),
        ("a.csv", b"text\n" + b"x" * 1_000_001, Columns(), "line 2: a cell of more than 1,000,000 characters"),
        ("a.csv", b"text,id\na, \n", Columns(id="id"), "row 1 has no id"),
    ],
)
def test_data_without_a_row_that_can_be_explained(
    name: str, content: bytes, columns: Columns, sentence: str, model: str, tmp_path: Path
) -> None:
    data = Dataset.of_bytes(name, content, columns=columns, keep_going=True)
    with pytest.raises(DataError, match=sentence):
        explain.run(data, model, out=tmp_path / "RUN", **OPTIONS)
    assert not (tmp_path / "RUN").exists()


def test_rows_that_can_not_be_read_are_named_and_the_others_explained(model: str, tmp_path: Path) -> None:
    rows = [{"text": "A mess."}, {"text": "long " * 200_001}, {"text": 3}, {"text": None}, {"text": "x " * 400_000}]
    lines = "\n".join(map(json.dumps, rows)).encode()
    data = Dataset.of_bytes("a.jsonl", lines, columns=Columns(text="text"), keep_going=True)
    run = explain.run(data, model, out=tmp_path / "RUN", **OPTIONS)
    first, last = run.rows()
    assert (first["number"], last["number"]) == (1, 5) and last["truncated"] and not last["error"]
    empty, bad, reason = run.manifest["left_out"]
    assert "1 (row 4)" in empty and "2 (rows 2 and 3)" in bad and "1,000,005 characters; at most 1,000,000" in reason
    nested = table(text=["A mess."], label=[{"stars": [1]}], id=[["a", "b"]], site=[b"north"])
    columns = Columns(label="label", id="id", groups=("site",))
    data = Dataset.of_bytes("a.parquet", nested, columns=columns)
    (row,) = explain.run(data, model, out=tmp_path / "NESTED", **OPTIONS).rows()
    assert (row["id"], row["label"], row["group_site"]) == ("a, b", "{'stars': [1]}", "b'north'")
    assert row["correct"] is None and not row["error"]


def test_a_text_of_unknown_tokens_is_explained_or_leaves_its_reason(model: str, tmp_path: Path) -> None:
    data = Dataset.of_rows([{"text": "\u1234\u1234 \u1235"}, {"text": "\ufffd"}])
    unknown, unread = explain.run(data, model, out=tmp_path / "RUN", phrases=True, **OPTIONS).rows()
    assert unknown["error"] is unknown["failed_gradient_times_input"] is unknown["failed_phrases"] is None
    assert len(unknown["words"]) == 2 and "tokenizer reads nothing" in unread["error"]


def test_a_search_for_phrases_that_fails_leaves_its_reason(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = KeyPhrases.run

    def fail(self: KeyPhrases, model: Any, subject: Any, *rest: Any) -> Any:
        if "mess" in subject.tokens.text:
            raise TargetError("Nothing can be removed.")
        return search(self, model, subject, *rest)

    monkeypatch.setattr(KeyPhrases, "run", fail)
    failed, *others = explain.run(of_rows(), model, out=tmp_path / "RUN", phrases=True, **OPTIONS).rows()
    assert (failed["phrases"], failed["failed_phrases"]) == (None, "Nothing can be removed.")
    assert failed["error"] is None and failed["scores_gradient_times_input"]
    assert all(row["failed_phrases"] is None and row["phrases"] is not None for row in others)


# The folder.


def edited(folder: Path, *, seal: bool = False, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text()) | changes
    if seal:
        manifest[MANIFEST_HASH] = folder_store._hash_of(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("changes", "read", "resumed"),
    [
        ({"schema": "explain-run-9", "seal": True}, "newer version .*Update this package", "begun with schema"),
        ({"schema": "explain-run-0", "seal": True}, "older version .*Begin a new run", "begun with schema"),
        ({"schema": "notes", "seal": True}, "holds no run", "begun with schema 'notes', not 'explain-run-1'"),
        ({"shard_size": 0}, "is not as it was written", "begun with shard_size 0, not 2"),
        ({"plan": None}, "is not as it was written", "begun with plan None"),
        ({"created": "yesterday"}, "is not as it was written", "is not as it was written"),
        ({MANIFEST_HASH: None}, "is not as it was written", "is not as it was written"),
    ],
)
def test_a_manifest_that_is_not_the_runs(
    changes: dict[str, Any], read: str, resumed: str, made: explain.Run, model: str
) -> None:
    whole = (made.path / MANIFEST).read_bytes()
    edited(made.path, **changes)
    before = contents(made.path)
    with pytest.raises(DataError, match=read):
        explain.Run(made.path)
    with pytest.raises(DataError, match=resumed):
        explain.run(of_rows(), model, out=made.path, resume=True, **OPTIONS)
    assert contents(made.path) == before
    (made.path / MANIFEST).write_bytes(whole)
    assert explain.run(of_rows(), model, out=made.path, resume=True, **OPTIONS).verify().whole


def test_a_manifest_may_be_laid_out_anew(made: explain.Run) -> None:
    manifest = json.loads((made.path / MANIFEST).read_text())
    (made.path / MANIFEST).write_text(json.dumps(dict(reversed(manifest.items())), indent=4))
    assert explain.Run(made.path).verify().whole


def test_what_differs_from_the_run_is_named_by_its_place(made: explain.Run, model: str, tmp_path: Path) -> None:
    other = str(tiny_folder("bert", tmp_path / "other", seed=1))
    for arguments, sentence in (
        ((model, {"settings": {"gradient_times_input": {}}, "texts": False}), "plan.texts True, not False"),
        ((model, {"methods": ("occlusion",)}), "plan.methods.0.name 'gradient_times_input', not 'occlusion'"),
        ((other, {}), r"model\.\w+ '[^']+', not '[^']+'\. Name another folder"),
    ):
        with pytest.raises(DataError, match=sentence) as refusal:
            explain.run(of_rows(), arguments[0], out=made.path, resume=True, **{**OPTIONS, **arguments[1]})
        assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"part": "../../secret.parquet", "sha256": "", "rows": 2}', b"[" * 100_000]
)
def test_a_damaged_marker_costs_its_shard(content: bytes, made: explain.Run, model: str) -> None:
    before = contents(made.path)
    (made.path / "done" / "000001.json").write_bytes(content)
    assert made.verify().missing == 1 and len(list(made.rows())) == 2
    explain.run(of_rows(), model, out=made.path, resume=True, **OPTIONS)
    assert contents(made.path) == before


def refusing(name: str, method: Callable[..., Any], number: int) -> Callable[..., Any]:
    """A method of paths that the system refuses for a name; an administrator would not be refused."""

    def act(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == name:
            raise OSError(number, "Permission denied", str(self))
        return method(self, *arguments, **options)

    return act


def test_a_folder_without_permission(
    made: explain.Run, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(made.path)
    (tmp_path / "OTHERS").mkdir()
    for call, name, raised, sentence in (
        ("open", ".lock", FileError, r"\.lock can't be written: there is no permission"),
        ("mkdir", "NEW", FileError, "NEW can't be written: there is no permission"),
        ("iterdir", "OTHERS", DataError, "OTHERS can't be read: Permission denied"),
        ("read_bytes", MANIFEST, DataError, "manifest.json can't be read: Permission denied"),
        ("read_bytes", "000001.parquet", DataError, "000001.parquet can't be read: Permission denied"),
        ("read_bytes", "000001.json", DataError, "000001.json can't be read: Permission denied"),
    ):
        with monkeypatch.context() as patched, pytest.raises(raised, match=sentence):
            patched.setattr(Path, call, refusing(name, getattr(Path, call), errno.EACCES))
            out = tmp_path / name if name in ("NEW", "OTHERS") else made.path
            explain.run(of_rows(), model, out=out, resume=True, **OPTIONS)
    assert contents(made.path) == before and not (tmp_path / "NEW").exists()


def test_a_part_that_the_disk_has_lost_is_damaged(
    made: explain.Run, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refusing("000001.parquet", Path.read_bytes, errno.EIO))
        assert made.verify().damaged == (1,)

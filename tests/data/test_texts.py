"""Files become texts: every kind, packed or not; and what is wrong with a file is said so that it can be mended."""

import contextlib
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from explain.core.errors import DataError
from explain.data import formats
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import Limits
from explain.data.texts import LIMITS, LoadedTexts, load_texts, pasted_texts, read_texts


def texts_of(
    name: str,
    content: bytes,
    *,
    column: str | None = None,
    label: str | None = None,
    most: int | None = None,
    limits: Limits = LIMITS,
) -> LoadedTexts:
    """The texts of a file that is held in memory."""
    return load_texts(
        Dataset.of_bytes(name, content, columns=Columns(text=column, label=label), most=most, limits=limits)
    )


HOSTILE = '<script>alert(1)</script> **b**, "quoted"; =1+1'
ROWS = [("A good film.", "film"), ("", "none"), (HOSTILE, "x"), ("\u200b ", "blank"), ("电影 😀", "")]
TEXTS = ("A good film.", HOSTILE, "电影 😀")


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def csv_of(rows: list[tuple[str, str]], delimiter: str = ",") -> bytes:
    lines = [f"label{delimiter}text", *(f"{label}{delimiter}{quoted(text)}" for text, label in rows)]
    return "\r\n".join(lines).encode()


def parquet_of(columns: dict[str, list], tmp_path: Path) -> bytes:
    path = tmp_path / "written.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    return path.read_bytes()


@pytest.fixture
def contents(tmp_path: Path) -> dict[str, bytes]:
    texts, labels = ([row[place] for row in ROWS] for place in (0, 1))
    return {
        "a.csv": csv_of(ROWS),
        "a.tsv": b"\xef\xbb\xbf" + csv_of(ROWS, "\t"),
        "semicolons.CSV": csv_of(ROWS, ";"),
        "a.jsonl": "\n".join(json.dumps({"id": 1, "text": text, "label": label}) for text, label in ROWS).encode(),
        "a.parquet": parquet_of({"text": texts, "label": labels}, tmp_path),
    }


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "semicolons.CSV", "a.jsonl", "a.parquet"])
def test_every_kind_gives_the_same(name: str, contents: dict[str, bytes], tmp_path: Path) -> None:
    found = texts_of(name, contents[name], label="label")
    assert found.texts == TEXTS and found.rows == (1, 3, 5) and found.report.empty.count == 2
    assert found.labels == ("film", "x", "") and found.member(3) == 1 and found.member(2) is None
    (tmp_path / name).write_bytes(contents[name])
    assert read_texts(tmp_path / name, label="label") == found
    if name != "a.parquet":
        assert texts_of(f"{name}.gz", gzip.compress(contents[name]), label="label") == found
    assert texts_of(name, contents[name], most=2).texts == TEXTS[:1]
    assert "text" in Dataset.of_bytes(name, contents[name]).names


def test_lines_and_what_tells_texts_apart() -> None:
    pasted = pasted_texts("one\n\n two \r\n")
    assert pasted.texts == ("one", " two ") and pasted.rows == (1, 3) and not pasted.labels
    assert texts_of("a.txt", b"one\n\n two \r\n") == pasted
    others = [
        LoadedTexts(("one", " two "), (1, 2)),
        LoadedTexts(("one two",), (1,)),
        LoadedTexts(("on", "e two "), (1, 3)),
        LoadedTexts(pasted.texts, pasted.rows, ("a", "b")),
    ]
    assert len({pasted, *others}) == 5 and len({one.digest for one in others}) == 4


def test_several_labels_and_numbers_are_labels() -> None:
    rows = [{"text": "a", "label": ["joy", "love"]}, {"text": "b", "label": 3}, {"text": "c"}]
    found = texts_of("a.jsonl", "\n".join(map(json.dumps, rows)).encode(), label="label")
    assert found.labels == ("joy, love", "3", "")


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.csv", b"", {}, "a.csv is empty"),
        ("a.jsonl", b" \n", {}, "a.jsonl is empty"),
        ("a.txt", b"\n \n", {}, r"a.txt holds no texts\. Give one text a line"),
        ("a.csv", b"text\n", {}, "a.csv holds no texts"),
        ("a.csv", b"title,body\na,b\n", {}, "Say which column of a.csv holds the texts: title, body"),
        ("a.csv", b"title,body\na,b\n", {"column": "text"}, "no column 'text'; it has title, body"),
        ("a.csv", b"text\na\n", {"label": "kind"}, "no column 'kind' for labels; it has text"),
        ("a.csv", b"text,text\na,b\n", {}, "each by a name of its own; it has text, text"),
        ("a.csv", b"text,label\na, b, c\n", {}, r"line 2: 3 cells, but 2 columns \(text, label\)"),
        ("a.txt", b"a\n", {"column": "body"}, "no columns: leave the column 'body' away"),
        ("a.txt", "caf\u00e9".encode("latin-1"), {}, "not UTF-8"),
        ("a.csv", "text\ncaf\u00e9".encode("utf-16"), {}, "is UTF-16"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', {}, "a.jsonl, line 2: not JSON"),
        ("a.json", b'[{"text": "a"}, 1]', {}, "row 2: a JSON object is wanted, not int"),
        ("a.jsonl", b'{"text": "a"}\n{"body": "a"}', {}, "line 2 has no 'text'; it has body"),
        ("a.jsonl", b'{"text": 3}', {}, "row 1: 'text' holds int, and texts are wanted"),
        ("a.jsonl", b'{"text": "a \\ud800"}', {}, "row 1: Character 3 of the text is half of a character"),
        ("a.parquet", b"PAR1 no", {}, "no Parquet file, or a broken one"),
        ("a.txt.gz", b"plain", {}, "not packed with gzip"),
        ("a.txt.gz", gzip.compress(b"a line of text" * 99, mtime=0)[:-12], {}, "not packed with gzip, or broken off"),
        ("a.docx", b"a", {}, r"ends in none of .csv, .tsv"),
        ("a.jsonl", b'{"text": "a", "\\ud800": 1}', {}, "a column whose name holds half a character"),
    ],
)
def test_what_is_wrong_is_said(name: str, content: bytes, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        texts_of(name, content, **options)


def test_files_that_are_not_there_or_too_much(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv can't be read: No such file"):
        read_texts(tmp_path / "nothing.csv")
    many = b"a line\n" * 101
    with pytest.raises(DataError, match=r"more than 100 rows.*ask for the first rows only"):
        texts_of("a.txt", many, limits=Limits(rows=100))
    assert len(texts_of("a.txt", many, most=100, limits=Limits(rows=100))) == 100
    with pytest.raises(DataError, match="more than 20 characters"):
        texts_of("a.txt", many, most=100, limits=Limits(characters=20))
    with pytest.raises(DataError, match="unfolds to more than 10 MB"):
        texts_of("a.txt.gz", gzip.compress(b" " * 30_000_000), limits=Limits(unpacked=10_000_000))


def packed(columns: dict[str, pyarrow.Array]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, compression="zstd", write_statistics=False)
    return file.getvalue()


def test_small_files_can_not_unfold_to_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that stands in every row is in a Parquet file once."""
    one = pyarrow.array(np.zeros(1024, dtype=np.int32))
    long = packed({"text": pyarrow.DictionaryArray.from_arrays(one, ["x" * 5_000_000])})
    assert len(long) < 2_000
    with pytest.raises(DataError, match="one of the rows from 1 on holds a cell of more than 1,000,000 characters"):
        texts_of("a.parquet", long)
    many = packed({"text": pyarrow.DictionaryArray.from_arrays(one, ["y" * 100_000])})
    with pytest.raises(DataError, match="holds more than 10 MB"):
        texts_of("a.parquet", many, limits=Limits(unpacked=10_000_000))
    wide = pyarrow.DictionaryArray.from_arrays(one, pyarrow.array(["x" * 5_000_000], pyarrow.large_string()))
    with pytest.raises(DataError, match="holds a cell of more than"):
        texts_of("a.parquet", packed({"text": wide[:4].cast(pyarrow.large_string())}))
    lists = pyarrow.array([["z" * 10_000]] * 1600)
    listed = packed({"text": pyarrow.array(["a"] * 1600), "label": lists})
    with pytest.raises(DataError, match="holds more than 10 MB"):
        texts_of("a.parquet", listed, label="label", limits=Limits(unpacked=10_000_000))
    for name in ("a.jsonl.gz", "a.csv.gz"):
        with pytest.raises(DataError, match="more than 1,000 lines"):
            assert Dataset.of_bytes(name, gzip.compress(b"\n" * 2000), limits=Limits(lines=1000)).names
    monkeypatch.setattr(formats, "_LONGEST_LIST", 1000)
    with pytest.raises(DataError, match="one list of more than 0 MB, and a list is read whole"):
        assert Dataset.of_bytes("a.json", b"[" + b"{}, \n" * 400 + b"{}]").names


def test_broken_and_odd_parquet_files_are_told() -> None:
    bad = pyarrow.Array.from_buffers(pyarrow.string(), 1, pyarrow.array([b"\xff\xfe"]).buffers())
    for content, message in (
        (packed({"text": bad}), "the rows from 1 on can't be read"),
        (
            packed(
                {"text": pyarrow.array(["a"]), "label": pyarrow.array([10**9], pyarrow.int32()).view(pyarrow.date32())}
            ),
            "can't be read",
        ),
    ):
        with pytest.raises(DataError, match=message):
            texts_of("a.parquet", content, label="label" if b"label" in content else None)
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["text", "text"])
    file = io.BytesIO()
    parquet.write_table(twice, file)
    with pytest.raises(DataError, match="several columns of one name: text, text"):
        texts_of("a.parquet", file.getvalue())
    whole = bytearray(packed({"text": pyarrow.array([f"line {number}" for number in range(500)])}))
    draw = np.random.default_rng(0)
    for _ in range(60):  # a byte that fell over: told, or read
        damaged = bytearray(whole)
        damaged[int(draw.integers(len(whole)))] ^= 0xFF
        with contextlib.suppress(DataError):
            texts_of("a.parquet", bytes(damaged))


def test_labels_of_half_characters_are_shown_as_what_they_are() -> None:
    found = texts_of("a.jsonl", b'{"text": "a", "label": ["\\ud800", "b"]}', label="label")
    assert found.labels == ("?, b",)


def test_tabs_part_the_cells_of_a_tsv_file_whatever_its_header_holds() -> None:
    assert texts_of("a.tsv", b"text\nHello, world\nfoo\n").texts == ("Hello, world", "foo")
    content = b"title, or name\ttext\na, b\tc, d\n"
    assert texts_of("a.tsv", content, label="title, or name").labels == ("a, b",)
    assert texts_of("a.tsv.gz", gzip.compress(content)).texts == ("c, d",)


def test_the_last_row_that_was_looked_at_is_known_though_it_is_blank() -> None:
    content = b"a\nb\nc\n" + b" \n" * 7 + b"more\n" * 20
    found = texts_of("a.txt", content, most=10)
    assert (len(found), found.report.last, found.rows[-1], found.report.empty.count) == (3, 10, 3, 7)

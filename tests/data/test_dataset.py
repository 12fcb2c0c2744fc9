"""One data set from anywhere: the same rows in every format, what is wrong with its row, and a bounded memory."""

import doctest
import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from explain.core.errors import DataError
from explain.data import columns, csv_cells, dataset, repeats, report, splits, storage, texts
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import ENDINGS, Limits, StoredFile
from explain.data.repeats import Repeats
from explain.data.report import MOST_NUMBERS, RowNumbers
from explain.data.texts import load_texts

ROWS = [
    {"name": "r1", "text": "A good film.", "other": "Yes, it is.", "stars": "5", "place": "north"},
    {"name": "r2", "text": " ", "other": "No.", "stars": "1", "place": "south"},
    {"name": "r3", "text": '<b>, "quoted"; 电影', "other": "Why?", "stars": "2", "place": "south"},
    {"name": "r4", "text": "A good film.", "other": "Yes, it is.", "stars": "4", "place": "north"},
]
EVERY = Columns(text="text", text_pair="other", label="stars", id="name", groups=("place",))


def written(rows: list[dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    quoted = [
        ['"' + cell.replace('"', '""') + '"' for cell in line] for line in (rows[0], *(row.values() for row in rows))
    ]
    yield "a.csv", "\n".join(",".join(line) for line in quoted).encode()
    yield "a.tsv", b"\xef\xbb\xbf" + "\r\n".join("\t".join(line) for line in quoted).encode()
    yield "a.jsonl", "\n".join(map(json.dumps, rows)).encode()
    yield "a.json", json.dumps(rows).encode()
    table = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), table)
    yield "a.parquet", table.getvalue()
    yield "a.ndjson.gz", gzip.compress("\n".join(map(json.dumps, rows)).encode())


def test_the_examples_run() -> None:
    for module in (columns, csv_cells, dataset, repeats, report, splits, storage, texts):
        results = doctest.testmod(module)
        assert results.attempted and not results.failed, module.__name__


@pytest.mark.parametrize("name", [name for name, _ in written(ROWS)])
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    content = dict(written(ROWS))[name]
    rows = list(Dataset.of_bytes(name, content, columns=EVERY))
    assert [row.number for row in rows] == [1, 3, 4] and [row.id for row in rows] == ["r1", "r3", "r4"]
    assert [row.text for row in rows] == [ROWS[0]["text"], ROWS[2]["text"], ROWS[3]["text"]]
    assert [row.text_pair for row in rows] == ["Yes, it is.", "Why?", "Yes, it is."]
    assert [row.label for row in rows] == ["5", "2", "4"] and [row.groups for row in rows][1] == ("south",)
    (tmp_path / name).write_bytes(content)
    opened = Dataset.open(tmp_path / name, columns=EVERY)
    assert list(opened) == rows == [row for batch in opened.batches(2) for row in batch]
    assert [len(batch) for batch in opened.batches(2)] == [2, 1]
    found = opened.report()
    assert (found.rows, found.kept, found.last) == (4, 3, 4)
    assert found.empty == RowNumbers(1, (2,)) and found.repeated == RowNumbers(1, (4,)) and not found.bad.count
    assert found.digest == Dataset.of_rows(ROWS, columns=EVERY).report().digest
    assert opened.sha256() == Dataset.of_bytes(name, content).sha256() and len(opened.sha256()) == 64


def test_the_digest_is_of_what_was_read() -> None:
    whole = Dataset.of_rows(ROWS, columns=EVERY)
    others = [
        Dataset.of_rows(ROWS, columns=Columns(text="text")),
        Dataset.of_rows(ROWS, columns=Columns(text="text", label="stars")),
        Dataset.of_rows(ROWS, columns=EVERY, most=3),
        Dataset.of_rows([*ROWS[:3], ROWS[3] | {"place": "south"}], columns=EVERY),
    ]
    assert len({each.report().digest for each in (whole, *others)}) == 5
    assert load_texts(others[1]).digest == others[1].report().digest


def test_rows_that_can_not_be_read_are_left_out_with_their_numbers_or_end_the_reading() -> None:
    lines = [b'{"text": "a"}', b'{"text"', b"[1]", b"", b'{"body": "b"}', b'{"text": 3}', b'{"text": "\xff"}']
    content = b"\n".join([*lines, b'{"text": "\\ud800x"}', b'{"text": "z"}'])
    reading = Dataset.of_bytes("a.jsonl", content, columns=Columns(text="text"), keep_going=True).reading()
    assert [(row.number, row.text) for row in reading] == [(1, "a"), (9, "z")]
    found = reading.report()
    assert found.bad == RowNumbers(6, (2, 3, 5, 6, 7, 8)) and found.rows == 8
    for reason, part in zip(
        found.reasons,
        (
            "line 2: not JSON",
            "line 3: a JSON object",
            "line 5 has no 'text'",
            "row 6: 'text' holds int",
            "line 7 holds the byte 0xFF",
            "row 8: Character 1",
        ),
        strict=True,
    ):
        assert reason.startswith("a.jsonl") and part in reason
    assert found.sentences() == (
        "Rows that can't be read were left out: 6 (rows 2, 3, 5, 6, 7, ...).",
        found.reasons[0],
    )
    with pytest.raises(DataError, match=r"a.jsonl, line 2: not JSON"):
        list(Dataset.of_bytes("a.jsonl", content))


def test_a_csv_goes_on_after_a_bad_row() -> None:
    content = b'text,label\na,1\nb, c,2\n"d" e,3\nf,4\n\xe9,5\n\0,6\n"g\nh",7\nlast,8\n'
    reading = Dataset.of_bytes("a.csv", content, columns=Columns(label="label"), keep_going=True).reading()
    assert [(row.number, row.text, row.label) for row in reading] == [
        (1, "a", "1"),
        (4, "f", "4"),
        (7, "g\nh", "7"),
        (8, "last", "8"),
    ]
    report = reading.report()
    assert report.bad.first == (2, 3, 5, 6) and "line 3: 3 cells" in report.reasons[0]
    assert "no CSV that can be read" in report.reasons[1] and "0xE9" in report.reasons[2]
    assert "line 7 holds zero bytes" in report.reasons[3]
    unclosed = Dataset.of_bytes("a.csv", b'text\na\n"b\nc\n', keep_going=True).reading()
    assert [row.text for row in unclosed] == ["a"] and unclosed.report().bad.first == (2,)


def test_a_folder_of_texts(tmp_path: Path) -> None:
    for folder, name, content in (
        ("bad", "2.txt", "Dull.\n"),
        ("bad", "1.txt", "Loud,\nlong.\n"),
        ("good", "3.TXT", "\ufeffFun."),
        ("good", "4.txt", ""),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(content, encoding="utf-8")
    (tmp_path / "good" / "5.txt").write_bytes(b"caf\xe9")
    (tmp_path / "good" / "notes.md").write_text("no text of the data set")
    opened = Dataset.open(tmp_path, columns=Columns(label="folder", id="file"), keep_going=True)
    reading = opened.reading()
    assert [(row.number, row.id, row.label, row.text) for row in reading] == [
        (1, "bad/1.txt", "bad", "Loud,\nlong."),
        (2, "bad/2.txt", "bad", "Dull."),
        (3, "good/3.TXT", "good", "Fun."),
    ]
    report = reading.report()
    assert report.empty.first == (4,) and report.bad.first == (5,) and "good/5.txt is not UTF-8" in report.reasons[0]
    digest = opened.sha256()
    (tmp_path / "bad" / "1.txt").write_text("Louder.")
    assert opened.sha256() != digest
    with pytest.raises(DataError, match=r"good/5.txt is not UTF-8 \(byte 4\)"):
        Dataset.open(tmp_path).report()


def test_splits_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder without texts \(.txt\); it has no file in .csv"):
        Dataset.open(tmp_path)
    (tmp_path / "dev.csv").write_text("text\na\n")
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(b'{"text": "b"}\n'))
    assert [row.text for row in Dataset.open(tmp_path, split="dev")] == ["a"]
    assert [row.text for row in Dataset.open(tmp_path, split="train")] == ["b"]
    with pytest.raises(DataError, match=r"has no test\.jsonl .* it has: dev.csv, train.jsonl.gz"):
        Dataset.open(tmp_path, split="test")
    with pytest.raises(DataError, match=r"its files are dev.csv, train.jsonl.gz: name one of them"):
        Dataset.open(tmp_path)
    with pytest.raises(DataError, match=r"train.jsonl.gz has no column label; it has text"):
        list(Dataset.open(tmp_path, split="train").cells(("text", "label")))


def test_the_guide_names_every_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "data.md").read_text(encoding="utf-8")
    assert not [ending for ending in ENDINGS if f"`.{ending}`" not in page]


def test_columns_are_looked_for() -> None:
    rows = [{"title": "a", "sentence": "b"}]
    assert [row.text for row in Dataset.of_rows(rows)] == ["b"] and Dataset.of_rows(rows).roles.text == "sentence"
    assert Dataset.of_rows([{"body": "b"}]).roles.text == "body"
    assert Dataset.of_rows(rows).with_columns(Columns(text="title")).roles.names == ("title",)
    for chosen, message in (
        (Columns(label="kind"), "no column 'kind' for labels; it has title, sentence"),
        (Columns(text_pair="kind"), "no column 'kind' for second texts"),
        (Columns(groups=("title", "kind")), "no column 'kind' for groups"),
        (Columns(id="kind"), "no column 'kind' for names of rows"),
    ):
        with pytest.raises(DataError, match=message):
            list(Dataset.of_rows(rows, columns=chosen))
    later = b'{"text": "a"}\n{"text": "b", "label": 1}\n'
    assert Dataset.of_bytes("a.jsonl", later).names == ("text", "label")


def test_plain_cells_take_numbers_for_texts() -> None:
    rows = [{"text": 3}, {"text": b" bytes "}, {"text": float("nan")}, {"text": "cut off \ud83d"}]
    assert [row.text for row in Dataset.of_rows(rows, plain_cells=True)] == ["3", "bytes", "cut off \ufffd"]
    with pytest.raises(DataError, match="The rows, row 1: 'text' holds int"):
        list(Dataset.of_rows(rows))


def test_limits() -> None:
    lines = b"a line\n" * 101
    with pytest.raises(DataError, match=r"more than 100 rows.*ask for the first rows only"):
        Dataset.of_bytes("a.txt", lines, limits=Limits(rows=100)).report()
    assert Dataset.of_bytes("a.txt", lines, limits=Limits(rows=100), most=100).report().kept == 100
    with pytest.raises(DataError, match="more than 20 characters"):
        Dataset.of_bytes("a.txt", lines, limits=Limits(characters=20)).report()
    with pytest.raises(DataError, match="more than 50 lines"):
        Dataset.of_bytes("a.txt", lines, limits=Limits(lines=50)).report()
    with pytest.raises(DataError, match="unfolds to more than 10 MB"):
        Dataset.of_bytes("a.txt.gz", gzip.compress(b" " * 30_000_000), limits=Limits(unpacked=10_000_000)).report()
    with pytest.raises(DataError, match="has 0 MB; at most 0 MB are read"):
        Dataset.of_bytes("a.txt", lines, limits=Limits(stored=100))


class GeneratedFile(io.RawIOBase):
    """A file of rows that are made while it is read."""

    def __init__(self, rows: int) -> None:
        self._lines = (
            (json.dumps({"text": f"row {number % 900_000} " + "word " * 40}) + "\n").encode() for number in range(rows)
        )
        self._rest = b""
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        self._rest = self._rest or next(self._lines, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        self.read_bytes += len(part)
        return len(part)


def peak_of(rows: int) -> int:
    """The most memory that is held at once while a file of so many rows is read in batches."""
    file = StoredFile("generated.jsonl", lambda: io.BufferedReader(GeneratedFile(rows)))
    tracemalloc.start()
    try:
        reading = Dataset(file).reading()
        assert sum(len(batch) for batch in reading.batches(64)) == rows == reading.report().kept
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_IN_MEMORY", 64)
    short, long = peak_of(2_000), peak_of(8_000)
    assert long < 1.2 * short and long < 1_000_000 < 8_000 * 200


def test_a_batch_is_read_only_when_it_is_asked_for() -> None:
    opened = []

    def open_anew() -> io.BufferedReader:
        opened.append(GeneratedFile(100_000))
        return io.BufferedReader(opened[-1])

    batches = Dataset(StoredFile("a.jsonl", open_anew), Columns(text="text")).batches(10)
    assert not opened
    assert len(next(batches)) == 10
    assert 0 < sum(file.read_bytes for file in opened) < 1_000_000


@pytest.mark.parametrize("in_memory", [64, 1 << 16])
def test_repeats_among_many_rows(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_IN_MEMORY", in_memory)
    with Repeats() as kept:
        for number in range(1, 4001):
            kept.add(number, f"text {number % 3000}")
        assert kept.numbers() == RowNumbers(1000, tuple(range(3001, 3001 + MOST_NUMBERS)))
        kept.add(5000, "text 1")
        assert kept.numbers().count == 1001


def test_a_data_set_of_the_hub_is_read_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []

    def load_dataset(name: str, split: str) -> list[dict[str, object]]:
        requests.append((name, split))
        return [{"sentence": "good", "label": 1}]

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    opened = Dataset.open("stanfordnlp/sst2", split="dev", columns=Columns(label="label"))
    assert not requests and opened.sha256() == "hub"
    assert list(opened.cells(("text", "label"))) == [(1, {"label": 1, "text": "good"})]
    assert [(row.text, row.label) for row in opened] == [("good", "1")] and requests == [
        ("stanfordnlp/sst2", "validation")
    ]

"""Files of one's own: what is read, and what is refused before any work, in words that say what to do."""

import io
import json
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from explain.core.errors import DataError
from explain.data import splits
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import Limits
from explain.data.splits import labels_of, split_rows, text_key
from explain.training import labeled_rows as module
from explain.training.labeled_rows import FEWEST, LabeledRows, labeled_rows, open_rows, uploaded_rows
from explain.training.recipes import lines

ROWS = [{"text": f"Line {number}, with a comma", "label": "abc"[number % 3]} for number in range(60)]


def parquet(rows: list[dict]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def csv(rows: list[dict], delimiter: str = ",") -> bytes:
    lines = [delimiter.join(rows[0])] + [delimiter.join(f'"{cell}"' for cell in row.values()) for row in rows]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", csv(ROWS)),
        ("a.csv", b"\xef\xbb\xbf" + csv(ROWS).replace(b"\n", b"\r\n")),
        ("a.CSV", csv(ROWS, ";")),
        ("a.tsv", csv(ROWS, "\t")),
        ("a.jsonl", "\n\n".join(map(json.dumps, ROWS)).encode()),
        ("a.json", json.dumps(ROWS).encode()),
        ("a.json", "\n".join(map(json.dumps, ROWS)).encode()),
        ("a.parquet", parquet(ROWS)),
    ],
)
def test_one_table_in_every_format(name: str, data: bytes) -> None:
    found = uploaded_rows(f"..\\some/where/{name}", data)
    assert found.name == name and found.names == ("text", "label")
    assert [row for _, row in found.cells()] == ROWS


def test_lines_of_text() -> None:
    found = uploaded_rows("a.txt", "one\n\n two\u2028half \n".encode())
    assert [row.text for row in found] == ["one", "two\u2028half"] and found.report().empty.first == (2,)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"text,label\n", "has no rows"),
        ("a.txt", b"\n \n", "has no column label; it has text"),
        ("a.xlsx", b"PK", r"ends in none of .csv, .tsv"),
        ("noname", b"x", "ends in none"),
        (
            "a.csv",
            "text,label\nschön,x\n".encode("latin-1"),
            r"not UTF-8: line 2 holds the byte 0xF6. Save it as UTF-8",
        ),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), "is UTF-16"),
        ("a.csv", b"text,label\na\0,b\n", "zero bytes"),
        ("a.csv", b"text,label\nwell, then,x\n", r"line 2: 3 cells, but 2 columns \(text, label\)"),
        ("a.csv", b'text,label\n"never closed,x\n', "no CSV that can be read"),
        ("a.csv", b"text,text\na,b\n", "by a name of its own"),
        ("a.csv", b"text,\na,b\n", "by a name of its own"),
        ("a.csv", b"text,label\n" + b"x" * 2_000_000 + b",y\n", "line 2: a cell of more than 1,000,000 characters"),
        ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text"\n', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", "a JSON object is wanted, not list"),
        ("a.json", b"[1]", "row 1: a JSON object is wanted"),
        ("a.json", b"[{]", "a.json: not JSON"),
        ("a.json", b"[" * 100_000, "nests lists"),
        ("a.parquet", b"PAR1 nonsense PAR1", "no Parquet file"),
    ],
)
def test_bad_files_are_told(name: str, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        labeled_rows(uploaded_rows(name, data), Columns())


def test_sizes_are_bounded_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as opened:
        opened.truncate(1_000_000_000)  # a hole: takes no space
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(DataError, match=r"huge.csv has 1,000 MB; at most 50 MB"):
        open_rows(huge)
    with pytest.raises(DataError, match="can't be read: No such file"):
        open_rows(tmp_path / "none.csv")
    monkeypatch.setattr(module, "LIMITS", Limits(rows=10))
    for name, data in (("a.csv", csv(ROWS)), ("a.parquet", parquet(ROWS))):
        with pytest.raises(DataError, match="Give a part of it"):
            labeled_rows(uploaded_rows(name, data), Columns())


def split_of(found: LabeledRows, seed: int) -> dict[str, list[dict]]:
    return split_rows(found.rows, found.counts, seed)


def table(rows: tuple[dict, ...]) -> Dataset:
    return Dataset.of_rows(rows, "t", plain_cells=True)


def of(rows: list[dict], **columns: object) -> LabeledRows:
    return labeled_rows(uploaded_rows("a.jsonl", "\n".join(map(json.dumps, rows)).encode()), Columns(**columns))


def test_columns_are_found_and_rows_without_a_label_left_out() -> None:
    rows = [
        {"says": row["text"], "then": "more", "is": number % 3 + 1.0, "other": None} for number, row in enumerate(ROWS)
    ]
    found = of([*rows, {"says": " ", "is": 1}, {"says": "no label"}], text="says", text_pair="then", label="is")
    assert (
        found.labels == ("1", "2", "3")
        and found.counts == {"1": 20, "2": 20, "3": 20}
        and found.left_out.first == (61, 62)
    )
    assert found.rows[0] == {"text": "Line 0, with a comma", "text_b": "more", "label": "1"}


def test_several_labels_in_a_cell() -> None:
    cells = ["a|b", "", "a| |a", "b"]
    rows = [{"text": f"line {number}", "label": cells[number % 4]} for number in range(60)]
    lists = [row | {"label": [one for one in row["label"].split("|") if one]} for row in rows]
    found = of(rows, several=True)
    assert [row["labels"] for row in found.rows[:4]] == [["a", "b"], [], ["a"], ["b"]]
    assert found == of(lists, several=True) and found.left_out.count == 0
    assert {name: len(part) for name, part in split_of(found, 0).items()} == {"train": 42, "dev": 9, "test": 9}


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (ROWS, {"text": "body"}, r"has no column body; it has text, label"),
        (ROWS, {"label": "text"}, "one column, text"),
        ([{"text": "a", "label": None}], {}, r"no row has both a text \(text\) and a label"),
        ([row | {"label": "x"} for row in ROWS], {}, "every row has the label 'x'; at least two"),
        ([*ROWS, {"text": "z", "label": "rare"}], {}, "needs 10 different texts, .* 'rare' has 1"),
        ([row | {"text": "the same"} for row in ROWS], {}, "'a' has 1"),
        ([row | {"label": str(n)} for n, row in enumerate(ROWS)], {}, "holds 60 different values .* make ranges"),
        ([row | {"label": "long " * 30} for row in ROWS], {}, "row 1: its label has 149 characters"),
        ([row | {"label": "\x1b[2J"} for row in ROWS], {}, "row 1: its label holds control characters"),
        ([row | {"label": ["a"]} for row in ROWS], {}, r"row 1: its label is \['a'\]; one name is wanted"),
    ],
)
def test_what_can_not_be_learned_is_told(rows: list[dict], columns: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        of(rows, **columns)


def test_no_text_is_on_two_sides_and_labels_keep_their_share() -> None:
    rows = [row | {"text": row["text"].upper() + " "} for row in ROWS[:20]] + ROWS
    rows += [{"text": f"rare {number}", "label": "rare"} for number in range(FEWEST)]
    found = of(rows)
    assert found.repeated == 20
    parts = split_of(found, 0)
    texts = {name: {text_key(row) for row in part} for name, part in parts.items()}
    assert sum(map(len, texts.values())) == 60 + FEWEST == len(set().union(*texts.values()))
    for part in parts.values():
        shares = Counter(label for row in part for label in labels_of(row))
        assert shares.keys() == {"a", "b", "c", "rare"} and max(shares["a"], shares["b"]) <= 2.2 * shares["c"]
    assert parts == split_of(found, 0) and parts != split_of(found, 1)


def test_a_rare_label_of_a_large_file_is_learned_tuned_and_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_TEXTS", 400), ("MOST_TUNED", 50), ("MOST_MEASURED", 60)):
        monkeypatch.setattr(splits, name, most)
    rows = [{"text": f"line {number}", "label": "ab"[number % 2]} for number in range(2000)]
    rows += [{"text": f"rare {number}", "label": "rare"} for number in range(FEWEST)]
    for seed in range(3):
        for name, part in split_of(of(rows), seed).items():
            found = Counter(row["label"] for row in part)
            assert found["rare"] >= 2 and abs(found["a"] - found["b"]) <= 1, name
            assert len(part) <= {"train": 402, "dev": 52, "test": 62}[name]


def test_of_the_copies_of_a_text_one_is_measured_on() -> None:
    rows = [{"text": f"line {number % 40}", "label": "ab"[number // 40 % 2]} for number in range(800)]
    parts = split_of(of(rows), 0)
    assert len(parts["test"]) == len({text_key(row) for row in parts["test"]}) == 6
    assert {row["label"] for row in parts["test"]} == {"a", "b"}  # not the first of each
    assert len(parts["train"]) == 20 * 28


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("cut off \ud83d", "cut off \ufffd"),
        (float("nan"), None),
        (None, None),
        (b"bytes", "bytes"),
        (3, "3"),
        (2.5, "2.5"),
    ],
)
def test_cells_that_are_no_plain_text(cell: object, read: str | None) -> None:
    rows = ({"text": cell, "label": "a"}, *({"text": f"line {n}", "label": "ab"[n % 2]} for n in range(30)))
    found = labeled_rows(table(tuple(rows)), Columns())
    assert (found.rows[0]["text"] == read) if read else (found.left_out.first == (1,))
    labels = tuple(
        {"text": row["text"] or "x", "label": cell if n == 0 else row["label"]} for n, row in enumerate(rows[1:])
    )
    if read is None:
        assert labeled_rows(table(labels), Columns()).left_out.first == (1,)
        assert labeled_rows(table(labels), Columns(several=True)).rows[0]["labels"] == []


def test_cells_that_can_not_be_read_are_told_by_their_row() -> None:
    for cell, message in (
        (["a", "b"], "holds .* plain text is wanted"),
        (b"\xff", "holds bytes that are no text in UTF-8"),
    ):
        with pytest.raises(DataError, match=f"t, row 1: it {message}"):
            labeled_rows(table(({"text": cell, "label": "a"},)), Columns())


def test_long_lines_are_as_many_documents_as_they_have_text() -> None:
    article = " ".join(f"word{number}" for number in range(1000))
    found, _ = lines.documents(uploaded_rows("a.txt", "\n".join([article] * 4).encode()), "text")
    assert len(found) >= 30 and all(120 <= len(row["text"].split()) < 240 for row in found)
    assert " ".join(row["text"].replace("\n", " ") for row in found).split()[:1000] == article.split()
    with pytest.raises(DataError, match="has 40 words in text"):
        lines.documents(uploaded_rows("a.txt", ("x" * 12_000 + "\n").encode() * 40), "text")


def test_pairs_of_one_text_are_all_measured_on_their_copies_once() -> None:
    rows = [
        {
            "text": f"question {number // 10}",
            "answer": f"answer {number}",
            "label": "right" if number % 10 == 0 else "no",
        }
        for number in range(1000)
    ]
    for seed in range(5):
        test = split_of(of([*rows, *rows[:200]], text_pair="answer"), seed)["test"]
        found = Counter(row["label"] for row in test)
        assert found == {"right": 15, "no": 135} and len({(row["text"], row["text_b"]) for row in test}) == 150

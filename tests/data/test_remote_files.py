"""Data sets at an address: the same rows and digests as on disk."""

import gzip
import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet

from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import Limits

CSV = b"text,label\nA mess.,negative\nA feast.,positive\n"


def files() -> dict[str, bytes]:
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["A mess.", "A feast."], "label": ["negative", "positive"]}), table)
    lines = b'{"text": "A mess.", "label": "negative"}\n{"text": "A feast.", "label": "positive"}\n'
    return {
        "data/dev.csv": CSV,
        "data/train.jsonl.gz": gzip.compress(lines),
        "data/rows.parquet": table.getvalue(),
        "texts/b.txt": b"Fun.",
        "texts/bad/2.txt": b"Dull.",
        "texts/bad/1.TXT": b"caf\xe9",
        "texts/bad/deep/3.txt": b"Slow.",
        "texts/good/4.txt": b"Swift.",
        "texts/notes.md": b"no text of the data set",
    }


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The same files in memory, as an object store, and on disk."""
    system = MemoryFileSystem()
    for name, content in files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        system.pipe_file(f"/remote/{name}", content)
    yield "memory://remote", tmp_path
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/dev.csv", None),
        ("data/train.jsonl.gz", None),
        ("data/rows.parquet", None),
        ("data", "dev"),
        ("data", "train"),
        ("texts", None),
    ],
)
def test_rows_and_digests_are_those_on_disk(name: str, split: str | None, places: tuple[str, Path]) -> None:
    columns = Columns(label="folder", id="file") if name == "texts" else Columns(label="label")
    remote, local = (Dataset.open(f"{place}/{name}", split=split, columns=columns, keep_going=True) for place in places)
    assert list(remote) == list(local) and len(list(remote)) == (4 if name == "texts" else 2)
    assert (remote.name, remote.sha256(), remote.report()) == (local.name, local.sha256(), local.report())


def test_what_is_not_there_or_too_large_is_told(places: tuple[str, Path]) -> None:
    for name, split, sentence in (
        ("none.csv", None, "memory://remote/none.csv can't be read: there is nothing of that name"),
        ("data", None, "its files are dev.csv, rows.parquet, train.jsonl.gz: name one of them"),
        ("data", "test", r"memory://remote/data has no test\.jsonl"),
    ):
        with pytest.raises(DataError, match=sentence):
            Dataset.open(f"{places[0]}/{name}", split=split)
    with pytest.raises(DataError, match="at most 0 MB are read"):
        Dataset.open(f"{places[0]}/data/dev.csv", limits=Limits(stored=10))


def test_a_file_that_breaks_off_is_told_without_a_secret(
    places: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ValueError("GET https://host/dev.csv?sig=secret failed")

    dataset = Dataset.open(f"{places[0]}/data/dev.csv")
    monkeypatch.setattr(MemoryFileSystem, "open", lambda *arguments, **options: Broken())
    with pytest.raises(DataError, match=r"dev\.csv can't be read: the service refuses it \(ValueError\)\.$"):
        list(dataset)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of plain files, which gives no parts of a file."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("data/dev.csv", "data/train.jsonl.gz", "data/rows.parquet"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(files()[name])

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_of_a_web_site(site: str) -> None:
    for name in ("dev.csv", "train.jsonl.gz", "rows.parquet"):
        dataset = Dataset.open(f"{site}/data/{name}?token=secret", columns=Columns(label="label"))
        assert [(row.text, row.label) for row in dataset] == [("A mess.", "negative"), ("A feast.", "positive")]
        assert dataset.name == name and "secret" not in repr(dataset)
    for name, sentence in (("none.csv", "there is nothing of that name"), ("", "ends in none of")):
        with pytest.raises(DataError, match=sentence) as refusal:
            Dataset.open(f"{site}/data/{name}?token=secret").report()
        assert "secret" not in str(refusal.value)
    with pytest.raises(DataError, match="the service does not answer"):
        Dataset.open("http://127.0.0.1:9/rows.csv")

"""A library on each database, and things to keep: a report, a run."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

import explain
from explain.data.dataset import Dataset
from explain.library.library import Library
from explain.report.record import to_json
from explain.testing import TOY_MODELS
from tests.library import postgres

TEXT = "The Straße is a mess, isn't it?"


@dataclass
class Place:
    """Where a library is: its folder, and the address of its index."""

    folder: Path
    address: str

    def open(self) -> Library:
        return Library(self.folder, address=self.address)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres.server() as address:
        yield address.format(database="postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A library that is not there yet, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return Place(tmp_path / "library", "")
    server = request.getfixturevalue("server")
    schema = f"library_{os.urandom(6).hex()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    return Place(tmp_path / "library", f"{server}&options={quote(f'-csearch_path={schema}')}")


@pytest.fixture
def library(place: Place) -> Iterator[Library]:
    library = place.open()
    yield library
    library.close()


@pytest.fixture(scope="session")
def report() -> explain.Report:
    return explain.explain(TEXT, TOY_MODELS["planted"], methods=["occlusion"], phrases=False)


@pytest.fixture(scope="session")
def record(report: explain.Report) -> str:
    return to_json(report)


@pytest.fixture(scope="session")
def _made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "RUN"
    rows = [{"text": f"Film {number} is a mess."} for number in range(5)]
    explain.run(Dataset.of_rows(rows), out=folder, methods=("gradient_times_input",), shard_size=2)
    return folder


@pytest.fixture
def new_run(_made_run: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A function that makes the folder of a run."""
    return lambda name: Path(shutil.copytree(_made_run, tmp_path / name))

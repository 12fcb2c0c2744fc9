"""The database of the index: SQLite in the library's folder, or PostgreSQL; its transactions, and its version.

One transaction at a time writes: SQLite knows no other way, and on PostgreSQL a lock makes it so. A transaction takes
milliseconds, and the files that belong to a change are written before it ends.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from explain.core.errors import Busy, DataError, ExplainError, FileError, SettingError
from explain.core.files import file_errors
from explain.core.locks import LOCK, FolderLock
from explain.library.tables import VERSION, VERSIONS

VARIABLE = "EXPLAIN_STORE"
INDEX = "index.sqlite"
_WAIT_SECONDS = 15  # for others who write
_LOCK = 5_918_273_640_217  # the number of the lock on PostgreSQL
_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADING = threading.Lock()  # Alembic's context is one for all threads
_DRIVERS = ("postgresql", "postgres", "postgresql+psycopg")


class DamagedIndex(DataError):
    """The file of the index is no database any more."""


class Database:
    """The index of a library, brought to the version of this package.

    Args:
        folder: of the library, which exists.
        address: of a PostgreSQL database, "postgresql://USER@HOST/NAME"; empty: a file of SQLite in the folder.
        fill: writes into a new index what is in the folders. Nobody sees an index before it is full.

    Raises:
        SettingError: the address is no address of PostgreSQL, or its driver is not installed.
        DataError: a later version of this package wrote the index, or it is damaged, or the server can't be reached.
        Busy: others write for long; FileError: the file can't be written.
    """

    def __init__(self, folder: Path, address: str, fill: Callable[[sa.Connection], object]) -> None:
        self._file = None if address else folder / INDEX
        self._engine = _of_server(address) if address else _of_file(folder / INDEX)
        self._fill = fill
        with self.reading() as connection:
            before = _version(connection)
        if before != VERSION:
            with self.writing() as connection:
                _prepare(connection, fill)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that reads; all of it sees one state."""
        with self._connection() as connection:
            if self._file is None:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes, once no other does; an error within takes all of it back.

        Raises:
            Busy: others write for long; FileError: the disk is full, or may not be written.
        """
        with self._connection() as connection, _written(connection):
            yield connection

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        with _errors(self._file):
            if self._file is not None and not self._file.exists():  # it is new, or somebody has deleted it meanwhile
                self._create(self._file)
            with self._engine.connect() as connection:
                yield connection

    def _create(self, file: Path) -> None:
        """Make the file of the index: beside its place, so that nobody opens half of it."""
        lock = _folder_lock(file.parent)
        part = file.with_name(f".{INDEX}.new")
        try:
            if file.exists():  # another process was faster
                return
            with file_errors(part):
                for path in (part, file):  # what a killed process left beside an index that is gone is not for this one
                    for name in ("", "-wal", "-shm"):
                        path.with_name(path.name + name).unlink(missing_ok=True)
                part.touch(0o600)
            engine = _of_file(part)
            with engine.connect() as connection, _written(connection):
                _prepare(connection, self._fill)
            engine.dispose()
            with file_errors(file):
                part.replace(file)
        finally:
            lock.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


@contextlib.contextmanager
def _written(connection: sa.Connection) -> Iterator[None]:
    """Hold a transaction that writes."""
    connection = connection.execution_options(writes=True)
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        yield


def _folder_lock(folder: Path) -> FolderLock:
    """Hold the folder of a library while its index is made."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            with file_errors(folder):
                (folder / LOCK).touch(mode=0o600)
                return FolderLock(folder, f"Another process makes the index of {folder}. Try again.")
        except Busy:
            if time.monotonic() > deadline:
                raise


def _prepare(connection: sa.Connection, fill: Callable[[sa.Connection], object]) -> None:
    """Bring an index to the version of this package, and fill one that is new."""
    before = _version(connection)  # another process may have done it meanwhile
    if before == VERSION:
        return
    if before not in (None, *VERSIONS):
        raise DataError(
            f"The index of the library has version {before}, which a later version of this package wrote. "
            "Update explain-transformers."
        )
    _upgrade(connection)
    if before is None:
        fill(connection)


def _version(connection: sa.Connection) -> str | None:
    """Return the version of the tables; None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if version is None else str(version)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # takes a while, and is needed once
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    with _UPGRADING:
        command.upgrade(configuration, "head")


def _of_file(path: Path) -> sa.Engine:
    """Return the engine of a file; each transaction opens it anew, so that a file that was replaced is seen."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=f"{path.as_uri()}?mode=rw", query={"uri": "true"}),  # makes no file
        poolclass=NullPool,
        connect_args={"timeout": _WAIT_SECONDS, "isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        for setting in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _of_server(address: str) -> sa.Engine:
    try:
        url = sa.make_url(address)
    except (exc.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _DRIVERS:  # the address may hold a password, so it is not shown
        raise SettingError(f"{VARIABLE} is no address of PostgreSQL; expected postgresql://USER@HOST/DATABASE.")
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_recycle=3600,
            connect_args={} if "connect_timeout" in url.query else {"connect_timeout": _WAIT_SECONDS},
        )
    except ImportError as error:
        raise SettingError(
            f"{VARIABLE} names PostgreSQL, whose driver is not installed: pip install 'explain-transformers[postgres]'."
        ) from error


@contextlib.contextmanager
def _errors(file: Path | None) -> Iterator[None]:
    """Turn errors of the database into those of this package."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _error(error, file) from error


def _error(error: exc.DBAPIError, file: Path | None) -> ExplainError:
    reason = " ".join(str(error.orig).split())[:200]
    busy = Busy("Others write into the library. Try again.")
    if file is None:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            return busy
        if error.connection_invalidated or isinstance(error, exc.OperationalError):
            return DataError(f"The server that {VARIABLE} names can't be used: {reason}.")
        return DataError(f"The index of the library can't be read or written: {reason}.")
    if "locked" in reason or "busy" in reason:
        return busy
    if "malformed" in reason or "not a database" in reason:
        return DamagedIndex(f"{file} is damaged. `explain library rebuild` makes it anew from the folders.")
    if any(word in reason for word in ("full", "readonly", "unable to open", "disk I/O")):
        return FileError(f"{file} can't be written: {reason}.")
    return DataError(f"{file} can't be read or written: {reason}.")

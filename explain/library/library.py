"""The library of runs and explanations: an index that is searched, and the folders that it is made from."""

import dataclasses
import hashlib
import io
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import sqlalchemy as sa

from explain.core.errors import Busy, DataError, ExplainError, SettingError
from explain.core.installation import index_address, library_folder, own_path
from explain.library import folders, rows
from explain.library.database import INDEX, DamagedIndex, Database
from explain.library.entry import (
    DELETE,
    EXPLANATION,
    KINDS,
    LONGEST_OWNER,
    MOST_NOTES,
    OPEN,
    RUN,
    Facts,
    LibraryEntry,
    Link,
    Note,
    Sidecar,
    clean_name,
    clean_note,
    clean_text,
)
from explain.library.tables import ENTRIES, LINKS

if TYPE_CHECKING:
    from explain.datatypes import Report
    from explain.report.dataset_run import Run

MOST_DAYS = 36_500
_DAY = 86_400.0  # seconds
_LINK_BYTES = 16  # 128 random bits


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild: the entries of the index, and files that could not be read.

    Attributes:
        entries: how many there are in the folders.
        unreadable: the files or folders of entries that can't be read.
        missing: names of entries of the index whose files are not here.
    """

    entries: int
    unreadable: tuple[str, ...]
    missing: tuple[str, ...]


class Library:
    """Runs and explanations that are kept. Several threads and processes may use one library at once.

    Opening it deletes what has ended, and makes the index from the folders if there is none.

    Args:
        folder: where records and what is known about entries are kept; None: the folder of this machine's user.
        address: of a PostgreSQL database for the index; None: that of `EXPLAIN_STORE`; empty: a file in the folder.

    Raises:
        DataError: no folder is to be used (`EXPLAIN_LIBRARY`, `EXPLAIN_HISTORY`), or the index can't be used.
        SettingError: the address is wrong. FileError: the folder can't be written. Busy: others write for long.
    """

    def __init__(self, folder: str | Path | None = None, *, address: str | None = None) -> None:
        place = library_folder() if folder is None else own_path(folder)
        if place is None:
            raise DataError("Nothing is kept on this machine (EXPLAIN_HISTORY=off). Name a folder in EXPLAIN_LIBRARY.")
        self.folder = place.absolute()
        self._folders = folders.Folders(self.folder)
        self._database = Database(self.folder, index_address() if address is None else address, self._fill)
        self.clean_up()

    @classmethod
    def remade(cls, folder: str | Path | None = None, *, address: str | None = None) -> tuple["Library", Rebuilt]:
        """Open a library whose index may be damaged, make the index from the folders, and return both."""
        try:
            library = cls(folder, address=address)
        except DamagedIndex:
            place = library_folder() if folder is None else own_path(folder)
            assert place is not None
            for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm"):
                (place / name).unlink(missing_ok=True)
            library = cls(folder, address=address)
        return library, library.rebuild()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # Keeping.

    def keep_run(self, path: str | Path, *, name: str = "", days: float | None = None, owner: str = "") -> LibraryEntry:
        """Keep a run, which stays in its folder; one that is kept already is read again.

        A run that comes from another library brings its name and notes, and neither links nor owner nor end.

        Args:
            path: the folder of the run; name: empty for none.
            days: after which it is deleted, its folder too; None: never.

        Raises:
            DataError: the folder holds no run. SettingError: the name is too long, or days are no number of days.
            FileError: the folder can't be written. Busy: others write for long.
        """
        if "://" in str(path):
            raise DataError(f"{str(path)[:200]} is no folder of this machine. Copy the run here, and keep the copy.")
        place = str(own_path(path).resolve())
        if clean_text(place) != place:
            raise DataError(f"{place!r} is no name that an index can hold. Rename the folder.")
        facts = folders.facts_of_run(Path(place))
        beside = _beside(Path(place))
        name = clean_name(name)
        with self._database.writing() as connection:
            known = self._known_run(connection, place, facts, beside.id)
            if known is None:
                sidecar = _new_sidecar(RUN, name or beside.name, days, owner, beside.notes)
            else:
                end = known.expires if days is None else _end(days)
                name = name or known.name
                sidecar = dataclasses.replace(known, name=name, expires=end, revision=known.revision + 1)
            self._folders.write_sidecar(sidecar, place)
            rows.write(connection, sidecar, facts, place)
            return rows.entry(connection, sidecar.id, self.folder)

    def _known_run(self, connection: sa.Connection, place: str, facts: Facts, id: str) -> Sidecar | None:
        """Return the entry of a run that is kept already, here or in another folder that no longer holds it.

        An entry of another run that was in this folder before is taken out.
        """
        here = sa.select(ENTRIES.c.id, ENTRIES.c.digest).where(
            ENTRIES.c.place == place, ENTRIES.c.kind == RUN, ~ENTRIES.c.deleting
        )
        for known in connection.execute(here).all():
            if known.digest == facts.digest:
                return rows.sidecar(connection, known.id)
            connection.execute(ENTRIES.delete().where(ENTRIES.c.id == known.id))
            self._folders.pointer(known.id).unlink(missing_ok=True)
        moved = sa.select(ENTRIES.c.place).where(
            ENTRIES.c.id == id, ENTRIES.c.digest == facts.digest, ENTRIES.c.kind == RUN, ~ENTRIES.c.deleting
        )
        earlier = connection.execute(moved).scalar()
        if earlier is None or (Path(earlier) / folders.MANIFEST).exists():
            return None
        return rows.sidecar(connection, id)

    def keep_explanation(
        self, report: "Report | str", *, name: str = "", days: float | None = None, owner: str = ""
    ) -> LibraryEntry:
        """Keep an explanation.

        Args:
            report: or its JSON document; name: empty for none.
            days: after which it is deleted; None: never.

        Raises:
            RecordError: the document is no report. SettingError: the name is too long, or days are no number of days.
            FileError: it can't be written. Busy: others write for long.
        """
        return self._keep_record(_document(report), _new_sidecar(EXPLANATION, clean_name(name), days, owner))

    def _keep_record(
        self, document: str, sidecar: Sidecar, check: Callable[[sa.Connection], None] | None = None
    ) -> LibraryEntry:
        try:
            facts = self._folders.write_report(sidecar.id, document)
            with self._database.writing() as connection:
                if check is not None:
                    check(connection)
                self._folders.write_sidecar(sidecar, "")
                rows.write(connection, sidecar, facts, "")
                return rows.entry(connection, sidecar.id, self.folder)
        except BaseException:
            self._folders.delete_explanation(sidecar.id)
            raise

    # Reading.

    def listed(
        self, words: str = "", *, kind: str | None = None, owner: str | None = None, most: int = 100, first: int = 0
    ) -> tuple[LibraryEntry, ...]:
        """Return entries, the latest first; never those that are reached by their links alone.

        Args:
            words: all of which stand in the name, a note, the model's or the data set's name, or the beginning of the
                text, without regard to case.
            kind: "run" or "explanation"; None: both. owner: whose; None: everyone's.
            most: how many at most; first: the number of the first, from 0.

        Raises:
            SettingError: there is no such kind, or a number is below 0.
        """
        if kind is not None and kind not in KINDS:
            raise SettingError(f"kind is {kind!r}; expected run or explanation.")
        if most < 0 or first < 0:
            raise SettingError("most and first are numbers of entries, from 0.")
        with self._database.reading() as connection:
            query = rows.matching(words, kind, owner).order_by(ENTRIES.c.created.desc(), ENTRIES.c.id)
            ids = connection.execute(query.limit(most).offset(first)).scalars().all()
            return rows.entries(connection, ids, self.folder)

    def count(self, words: str = "", *, kind: str | None = None, owner: str | None = None) -> int:
        """Return how many entries `listed` has in all."""
        with self._database.reading() as connection:
            query = rows.matching(words, kind, owner).subquery()
            return int(connection.execute(sa.select(sa.func.count()).select_from(query)).scalar_one())

    def entry(self, id: str) -> LibraryEntry | None:
        """Return the entry of an id; None where none is listed."""
        with self._database.reading() as connection:
            known = connection.execute(rows.matching().where(ENTRIES.c.id == clean_text(id))).scalar()
            return None if known is None else rows.entry(connection, known, self.folder)

    def named(self, words: str) -> LibraryEntry:
        """Return the entry that has an id, a name, or an id with this beginning of at least four characters.

        Raises:
            DataError: there is none, or several have it.
        """
        wanted = clean_text(words).strip()
        with self._database.reading() as connection:
            called = rows.matching().where(sa.or_(ENTRIES.c.id == wanted, ENTRIES.c.name == wanted)).limit(2)
            ids = connection.execute(called).scalars().all()
            if not ids and len(wanted) >= 4:
                beginning = rows.matching().where(ENTRIES.c.id.startswith(wanted, autoescape=True)).limit(2)
                ids = connection.execute(beginning).scalars().all()
            if len(ids) == 1:
                return rows.entry(connection, ids[0], self.folder)
        if ids:
            raise DataError(f"Several entries are called {wanted[:80]!r}. Give the id: `explain library list`.")
        raise _unknown(wanted)

    def record(self, id: str) -> str:
        """Return the JSON document of an explanation.

        Raises:
            DataError: there is no such entry, it is a run, or its record is gone.
        """
        entry = self._required(id)
        if entry.kind == RUN:
            raise DataError(f"{entry.title[:80]} is a run. Its rows are in {entry.place}.")
        return _read(Path(entry.place))

    def open(self, id: str) -> "Report | Run":
        """Return the report of an explanation, or a run.

        Raises:
            DataError: there is no such entry, or its files are gone. RecordError: the record is damaged.
        """
        entry = self._required(id)
        if entry.kind == RUN:
            from explain.report.dataset_run import Run

            return Run(entry.place)
        from explain.report.record import from_json

        return from_json(self.record(id))

    def _required(self, id: str) -> LibraryEntry:
        entry = self.entry(id)
        if entry is None:
            raise _unknown(id)
        return entry

    # Changing.

    def rename(self, id: str, name: str, *, revision: int | None = None) -> LibraryEntry:
        """Give an entry a name; an empty one takes it away.

        Args:
            revision: of the entry that the new name was made for; None: any.

        Raises:
            DataError: there is no such entry. SettingError: the name is too long.
            Busy: somebody has changed the entry since that revision, or others write for long.
        """
        cleaned = clean_name(name)
        return self._change(id, lambda sidecar: dataclasses.replace(sidecar, name=cleaned), revision)

    def annotate(self, id: str, text: str, *, author: str = "") -> LibraryEntry:
        """Add a note to an entry.

        Raises:
            DataError: there is no such entry. SettingError: the note is empty or too long, or there are too many.
        """
        note = Note(secrets.token_hex(16), time.time(), clean_text(author)[:LONGEST_OWNER], clean_note(text))

        def add(sidecar: Sidecar) -> Sidecar:
            if len(sidecar.notes) >= MOST_NOTES:
                raise SettingError(f"An entry has at most {MOST_NOTES:,} notes. Remove one.")
            return dataclasses.replace(sidecar, notes=(*sidecar.notes, note))

        return self._change(id, add)

    def remove_note(self, id: str, note: str) -> LibraryEntry:
        """Delete a note by its id; nothing happens where it is gone."""
        return self._change(
            id,
            lambda sidecar: dataclasses.replace(
                sidecar, notes=tuple(known for known in sidecar.notes if known.id != note)
            ),
        )

    def keep_for(self, id: str, days: float | None) -> LibraryEntry:
        """Let an entry end after some days from now; None: never.

        Raises:
            DataError: there is no such entry. SettingError: it is no number of days.
        """
        end = None if days is None else _end(days)
        return self._change(id, lambda sidecar: dataclasses.replace(sidecar, expires=end))

    def share(self, id: str) -> str:
        """Return the random part of a new link that opens an entry; only its hash is kept, so it can't be read again.

        Raises:
            DataError: there is no such entry.
        """
        secret, link = new_link(OPEN)
        self._change(id, lambda sidecar: dataclasses.replace(sidecar, links=(*sidecar.links, link)))
        return secret

    def unshare(self, id: str) -> LibraryEntry:
        """Make all links to an entry invalid."""
        return self._change(id, lambda sidecar: dataclasses.replace(sidecar, links=()))

    def _change(self, id: str, change: Callable[[Sidecar], Sidecar], revision: int | None = None) -> LibraryEntry:
        """Change what is known about an entry, in the index and beside its files, in one transaction."""
        with self._database.writing() as connection:
            known = connection.execute(rows.matching().where(ENTRIES.c.id == clean_text(id))).scalar()
            if known is None:
                raise _unknown(id)
            before = rows.sidecar(connection, known)
            if revision is not None and before.revision != revision:
                raise Busy("Somebody else has changed this entry meanwhile. Look at it, and try again.")
            after = dataclasses.replace(change(before), revision=before.revision + 1)
            facts, place = rows.facts(connection, known)
            self._folders.write_sidecar(after, place)
            rows.write(connection, after, facts, place)
            return rows.entry(connection, known, self.folder)

    # By link.

    def by_link(self, secret: str) -> LibraryEntry | None:
        """Return the entry that a link opens; None where it opens none."""
        with self._database.reading() as connection:
            id = self._of_link(connection, secret, OPEN)
            return None if id is None else rows.entry(connection, id, self.folder)

    def record_by_link(self, secret: str) -> str | None:
        """Return the JSON document of the explanation that a link opens; None where it opens none."""
        entry = self.by_link(secret)
        return None if entry is None or entry.kind == RUN else _read(Path(entry.place))

    def deleted_by_link(self, secret: str) -> LibraryEntry | None:
        """Return the entry that a link deletes, which is not deleted by that; None where it deletes none."""
        with self._database.reading() as connection:
            id = self._of_link(connection, secret, DELETE)
            return None if id is None else rows.entry(connection, id, self.folder)

    def delete_by_link(self, secret: str) -> bool:
        """Delete the entry of the second link of something that was saved; return whether there was one."""
        with self._database.reading() as connection:
            id = self._of_link(connection, secret, DELETE)
        if id is None:
            return False
        self._delete(id)
        return True

    def _of_link(self, connection: sa.Connection, secret: str, purpose: str) -> str | None:
        query = sa.select(LINKS.c.entry).join(ENTRIES).where(LINKS.c.sha256 == _sha256(secret), rows.there())
        id = connection.execute(query.where(LINKS.c.purpose == purpose)).scalar()
        return None if id is None else str(id)

    def keep_by_link(
        self, report: "Report | str", days: float, *, most_entries: int, most_bytes: int
    ) -> tuple[LibraryEntry, str, str]:
        """Keep an explanation that is never listed; return it with the random parts of two links.

        Args:
            days: after which it is deleted.
            most_entries, most_bytes: of all entries that are kept so.

        Returns:
            The entry, the part that opens it, and the part that deletes it.

        Raises:
            Busy: there is no room for it. Others: see `keep_explanation`.
        """
        document = _document(report)
        self._delete_ended()
        opening, deleting = new_link(OPEN), new_link(DELETE)
        sidecar = dataclasses.replace(
            _new_sidecar(EXPLANATION, "", days, ""), by_link=True, links=(opening[1], deleting[1])
        )

        def check(connection: sa.Connection) -> None:
            sums = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(ENTRIES.c.bytes), 0))
            entries, size = connection.execute(sums.where(ENTRIES.c.by_link)).one()
            if entries >= most_entries or size + len(document.encode()) > most_bytes:
                raise Busy("The server has no room for more explanations. Download this one, or try again later.")

        return self._keep_record(document, sidecar, check), opening[0], deleting[0]

    # Leaving.

    def export(self, id: str, out: str | Path) -> LibraryEntry:
        """Write an entry as a ZIP file: a run's folder or an explanation's record, with name and notes.

        Raises:
            DataError: there is no such entry, or its files are gone. FileError: the file can't be written.
        """
        return self._export(id, own_path(out))

    def archive(self, id: str) -> bytes:
        """Return an entry as the content of a ZIP file; see `export`."""
        content = io.BytesIO()
        self._export(id, content)
        return content.getvalue()

    def _export(self, id: str, out: Path | BinaryIO) -> LibraryEntry:
        entry = self._required(id)
        sidecar = Sidecar(kind=entry.kind, id=entry.id, name=entry.name, created=entry.created, notes=entry.notes)
        write = folders.export_run if entry.kind == RUN else folders.export_explanation
        write(Path(entry.place), sidecar, out)
        return entry

    def delete(self, id: str) -> tuple[str, ...]:
        """Delete an entry: the folder of a run or the record of an explanation, notes, links, and the index's row.

        Returns:
            The names of files that others have put into the folder of a run; they stay.

        Raises:
            DataError: there is no such entry. Busy: the run is being computed, or others write for long.
            FileError: a file can't be deleted; the entry is no longer listed, and the next opening tries again.
        """
        return self._delete(self._required(id).id)

    def _delete(self, id: str) -> tuple[str, ...]:
        with self._database.reading() as connection:
            place = connection.execute(sa.select(ENTRIES.c.place).where(ENTRIES.c.id == id)).scalar()
        if place and (Path(place) / folders.MANIFEST).exists():
            folders.check_idle(Path(place))  # before anything is changed
        with self._database.writing() as connection:
            connection.execute(ENTRIES.update().where(ENTRIES.c.id == id).values(deleting=True))
        return self._finish_deletion(id)

    def _finish_deletion(self, id: str) -> tuple[str, ...]:
        query = sa.select(ENTRIES.c.kind, ENTRIES.c.place, ENTRIES.c.digest).where(ENTRIES.c.id == id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:  # another process was faster
            return ()
        left: tuple[str, ...] = ()
        if row.kind == RUN:
            left = self._folders.delete_run(id, Path(row.place), row.digest)
        else:
            self._folders.delete_explanation(id)
        with self._database.writing() as connection:
            connection.execute(ENTRIES.delete().where(ENTRIES.c.id == id))
        return left

    def clean_up(self) -> int:
        """Delete what has ended, and what is left of deletions that did not end; return how many entries went.

        What can't be deleted now is tried again by the next call.
        """
        deleted = self._delete_ended()
        self._folders.delete_unfinished()
        return deleted

    def _delete_ended(self) -> int:
        over = sa.or_(ENTRIES.c.deleting, ENTRIES.c.expires <= time.time())
        with self._database.reading() as connection:
            ids = connection.execute(sa.select(ENTRIES.c.id).where(over)).scalars().all()
        deleted = 0
        for id in ids:
            try:
                self._delete(id)
            except ExplainError:  # a run that is being computed, a folder without permission
                continue
            deleted += 1
        return deleted

    def rebuild(self) -> Rebuilt:
        """Make the index from the folders; what it holds besides stays.

        Where index and folder differ, the later revision counts.
        """
        with self._database.writing() as connection:
            return self._fill(connection)

    def _fill(self, connection: sa.Connection) -> Rebuilt:
        query = sa.select(ENTRIES.c.id, ENTRIES.c.name, ENTRIES.c.revision, ENTRIES.c.deleting)
        known = {row.id: row for row in connection.execute(query)}
        count, unreadable = 0, []
        for id, sidecar, place, facts in self._folders.kept():
            if sidecar is None or facts is None:
                unreadable.append(place or id)
                continue
            row, count = known.pop(id, None), count + 1
            if row is None or not (row.deleting or row.revision > sidecar.revision):
                rows.write(connection, sidecar, facts, place)
        missing = tuple(row.name or row.id[:8] for row in known.values() if not row.deleting)
        return Rebuilt(count, tuple(unreadable), missing)


def new_link(purpose: str) -> tuple[str, Link]:
    """Return the random part of a new link, 128 bits as text, and what is kept of it."""
    secret = secrets.token_urlsafe(_LINK_BYTES)
    return secret, Link(_sha256(secret), purpose, time.time())


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _end(days: float) -> float:
    if not 0 < days <= MOST_DAYS:
        raise SettingError(f"{days:g} is no number of days; expected more than 0 and at most {MOST_DAYS:,}.")
    return time.time() + days * _DAY


def _new_sidecar(kind: str, name: str, days: float | None, owner: str, notes: tuple[Note, ...] = ()) -> Sidecar:
    """Return what is known about a new entry; notes of another library get ids of their own."""
    return Sidecar(
        id=secrets.token_hex(16),
        kind=kind,
        name=name,
        owner=clean_text(owner)[:LONGEST_OWNER],
        created=time.time(),
        expires=None if days is None else _end(days),
        notes=tuple(dataclasses.replace(note, id=secrets.token_hex(16)) for note in notes),
    )


def _beside(folder: Path) -> Sidecar:
    """Return what is kept beside a run; an empty one where nothing is, or it can't be read."""
    try:
        return folders.read_sidecar(folder) or Sidecar()
    except ExplainError:
        return Sidecar()


def _document(report: "Report | str") -> str:
    from explain.report.record import from_json, to_json

    return to_json(from_json(report) if isinstance(report, str) else report)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The record of the explanation is gone or damaged: {path}.") from error


def _unknown(words: str) -> DataError:
    return DataError(f"The library has no entry {words[:80]!r}. `explain library list` lists what there is.")

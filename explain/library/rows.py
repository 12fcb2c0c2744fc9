"""Rows of the index as entries, and entries as rows."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from explain.library.entry import RUN, Facts, LibraryEntry, Link, Note, Sidecar, clean_text, folded
from explain.library.folders import REPORT
from explain.library.tables import ENTRIES, LINKS, NOTES

LONGEST_SEARCH = 200  # characters
_FACTS = tuple(field.name for field in dataclasses.fields(Facts))


def there() -> sa.ColumnElement[bool]:
    """Return the condition that an entry has not ended and is not being deleted."""
    return sa.and_(~ENTRIES.c.deleting, sa.or_(ENTRIES.c.expires.is_(None), ENTRIES.c.expires > time.time()))


def matching(words: str = "", kind: str | None = None, owner: str | None = None) -> sa.Select[str]:
    """Return the query for ids of listed entries with all words, of a kind, of an owner."""
    query = sa.select(ENTRIES.c.id).where(there(), ~ENTRIES.c.by_link)
    for word in folded(clean_text(words[:LONGEST_SEARCH])).split():
        query = query.where(ENTRIES.c.searched.contains(word, autoescape=True))
    if kind is not None:
        query = query.where(ENTRIES.c.kind == kind)
    if owner is not None:
        query = query.where(ENTRIES.c.owner == clean_text(owner))
    return query


def write(connection: sa.Connection, sidecar: Sidecar, facts: Facts, place: str) -> None:
    """Write an entry with its notes and links in the place of an earlier one of the same id."""
    searched = (sidecar.name, facts.model, facts.dataset, facts.snippet, *(note.text for note in sidecar.notes))
    values = {
        **dataclasses.asdict(facts),
        "place": place,
        "deleting": False,
        "searched": folded("\n".join(searched)),
        **{name: getattr(sidecar, name) for name in ("kind", "name", "owner", "created", "expires", "by_link")},
        "revision": sidecar.revision,
    }
    changed = connection.execute(ENTRIES.update().where(ENTRIES.c.id == sidecar.id).values(values))
    if not changed.rowcount:
        connection.execute(ENTRIES.insert().values(id=sidecar.id, **values))
    for table, parts in ((NOTES, sidecar.notes), (LINKS, sidecar.links)):
        connection.execute(table.delete().where(table.c.entry == sidecar.id))
        if parts:
            connection.execute(table.insert(), [{**dataclasses.asdict(part), "entry": sidecar.id} for part in parts])


def sidecar(connection: sa.Connection, id: str) -> Sidecar:
    """Return what is known about an entry besides its files."""
    row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.id == id)).one()
    links = sa.select(LINKS.c.sha256, LINKS.c.purpose, LINKS.c.time).where(LINKS.c.entry == id)
    return Sidecar(
        id=row.id,
        kind=row.kind,
        name=row.name,
        owner=row.owner,
        created=row.created,
        expires=row.expires,
        by_link=row.by_link,
        revision=row.revision,
        notes=_notes(connection, [id]).get(id, ()),
        links=tuple(Link(*link) for link in connection.execute(links.order_by(LINKS.c.time))),
    )


def facts(connection: sa.Connection, id: str) -> tuple[Facts, str]:
    """Return what the files of an entry said when it was read last, and its place."""
    row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.id == id)).one()
    return Facts(**{name: getattr(row, name) for name in _FACTS}), row.place


def entry(connection: sa.Connection, id: str, folder: Path) -> LibraryEntry:
    """Return the entry of an id that there is."""
    (made,) = entries(connection, [id], folder)
    return made


def entries(connection: sa.Connection, ids: Sequence[str], folder: Path) -> tuple[LibraryEntry, ...]:
    """Return the entries of some ids, in their order.

    Args:
        folder: of the library.
    """
    by_id = {row.id: row for row in connection.execute(sa.select(ENTRIES).where(ENTRIES.c.id.in_(ids)))}
    notes = _notes(connection, ids)
    counts = sa.select(LINKS.c.entry, sa.func.count()).where(LINKS.c.entry.in_(ids)).group_by(LINKS.c.entry)
    links = {row[0]: row[1] for row in connection.execute(counts)}
    made = []
    for row in (by_id[id] for id in ids):
        place = row.place if row.kind == RUN else str(folder / "explanations" / row.id / REPORT)
        names = (
            "name",
            "owner",
            "created",
            "expires",
            "by_link",
            "model",
            "weights",
            "task",
            "dataset",
            "rows",
            "bytes",
        )
        about = {name: getattr(row, name) for name in (*names, "snippet", "revision")}
        made.append(
            LibraryEntry(row.id, row.kind, place, **about, notes=notes.get(row.id, ()), links=links.get(row.id, 0))
        )
    return tuple(made)


def _notes(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[Note, ...]]:
    query = sa.select(NOTES).where(NOTES.c.entry.in_(ids)).order_by(NOTES.c.time, NOTES.c.id)
    notes: dict[str, tuple[Note, ...]] = {}
    for row in connection.execute(query):
        notes[row.entry] = (*notes.get(row.entry, ()), Note(row.id, row.time, row.author, row.text))
    return notes

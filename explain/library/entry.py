"""An entry of the library, and the file that is kept beside what it is about.

What was computed stands in the folder of a run and in the record of an explanation. Everything else about an entry
stands in `library.json` beside it, so that an index that was lost can be made again.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explain.core.errors import SettingError
from explain.datatypes.decoding import decode, parse, require
from explain.datatypes.encoding import encode
from explain.text.checks import whole_characters

RUN, EXPLANATION = "run", "explanation"
KINDS = (RUN, EXPLANATION)
OPEN, DELETE = "open", "delete"  # purposes of links
SIDECAR_SCHEMA = "explain-library-1"
LONGEST_NAME, LONGEST_NOTE, MOST_NOTES, LONGEST_OWNER = 200, 10_000, 1000, 255
ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Note:
    """A note on an entry; time is in seconds since 1970."""

    id: str
    time: float
    author: str
    text: str


@dataclass(frozen=True)
class Link:
    """A link to an entry: the hash of its random part, and whether it opens the entry or deletes it."""

    sha256: str
    purpose: str
    time: float


@dataclass(frozen=True)
class Facts:
    """Facts of an entry that follow from its files.

    Attributes:
        digest: the SHA-256 of the manifest or the report.
        model, weights, task: the model's name, the hash of its weights, and its task.
        dataset: the name of a run's data set; rows: its number of texts; of an explanation empty, and 1.
        bytes: how much the files take.
        snippet: the beginning of the text, or of the first texts of a run.
    """

    digest: str
    model: str
    weights: str
    task: str
    dataset: str
    rows: int
    bytes: int
    snippet: str


@dataclass(frozen=True)
class Sidecar:
    """The content of `library.json`, beside a run or a record: all of an entry that can't be computed again."""

    schema: str = SIDECAR_SCHEMA
    id: str = ""
    kind: str = ""
    name: str = ""
    owner: str = ""
    created: float = 0.0
    expires: float | None = None
    by_link: bool = False
    revision: int = 0
    notes: tuple[Note, ...] = ()
    links: tuple[Link, ...] = ()

    def to_json(self) -> str:
        """Return the content of the file."""
        return json.dumps(encode(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, document: str) -> "Sidecar":
        """Read the content of a file.

        Raises:
            RecordError: it is none, or something in it does not fit.
        """
        sidecar: Sidecar = decode(cls, parse(document), "library.json")
        for fits, what in (
            (sidecar.schema == SIDECAR_SCHEMA, "schema"),
            (ID.fullmatch(sidecar.id), "id"),
            (sidecar.kind in KINDS, "kind"),
            (0 <= sidecar.revision < 2**31 - 1, "revision"),
            (all(ID.fullmatch(note.id) for note in sidecar.notes), "notes"),
            (all(_SHA256.fullmatch(link.sha256) and link.purpose in (OPEN, DELETE) for link in sidecar.links), "links"),
            (len(sidecar.notes) <= MOST_NOTES and len(sidecar.owner) <= LONGEST_OWNER, "notes or owner"),
        ):
            require(bool(fits), f"library.json, {what}", "it is of no form that is written")
        return sidecar


@dataclass(frozen=True)
class LibraryEntry:
    """A run or an explanation that is kept.

    Attributes:
        id: its name in the index; kind: "run" or "explanation".
        place: where its files are: the folder of a run, the report of an explanation.
        name: a name that somebody gave it; empty: none.
        owner: whose it is; empty where nobody signs in.
        created, expires: when it came into the library, and when it ends, in seconds since 1970; None: never.
        by_link: it is reached by its links alone.
        model, weights, task, dataset, rows, bytes, snippet: see `Facts`.
        revision: how often it was changed.
        notes: the oldest first; links: how many there are.
    """

    id: str
    kind: str
    place: str
    name: str
    owner: str
    created: float
    expires: float | None
    by_link: bool
    model: str
    weights: str
    task: str
    dataset: str
    rows: int
    bytes: int
    snippet: str
    revision: int
    notes: tuple[Note, ...] = ()
    links: int = 0

    @property
    def title(self) -> str:
        """Its name, or where it has none what it is about."""
        return self.name or self.dataset or self.snippet

    def about(self) -> Mapping[str, Any]:
        """Return the entry as JSON values."""
        values: Mapping[str, Any] = encode(self)
        return values


def clean_text(text: str) -> str:
    """Return a text that every file and every database can hold."""
    return whole_characters(text).replace("\0", "\ufffd")


def clean_name(name: str) -> str:
    """Return a name as one line.

    Raises:
        SettingError: it is too long.
    """
    line = " ".join(clean_text(name).split())
    if len(line) > LONGEST_NAME:
        raise SettingError(f"The name has {len(line):,} characters; at most {LONGEST_NAME} are kept. Write a note.")
    return line


def clean_note(text: str) -> str:
    """Return the text of a note.

    Raises:
        SettingError: it is empty or too long.
    """
    note = clean_text(text).strip()
    if not note:
        raise SettingError("The note is empty. Write one.")
    if len(note) > LONGEST_NOTE:
        raise SettingError(f"The note has {len(note):,} characters; at most {LONGEST_NOTE:,} are kept. Write two.")
    return note


def folded(text: str) -> str:
    """Return a text without regard to case and to forms of the same character, as searches compare it.

    >>> folded("Straße"), folded("ﬁne")
    ('strasse', 'fine')
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())

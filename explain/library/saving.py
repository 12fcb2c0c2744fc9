"""Who may save explanations: everyone on their own machine; where others come, visitors only by link, or nobody.

A server that others can reach knows nobody's name. So what is saved there is never listed: whoever has its first link
opens it, whoever has its second link deletes it, and it ends by itself.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explain.core.installation import environment_number
from explain.library.entry import LibraryEntry
from explain.library.library import MOST_DAYS, Library

if TYPE_CHECKING:
    from explain.datatypes import Report

OFF, LISTED, BY_LINK = "off", "listed", "by_link"
DAYS = 30  # after which something ends that was saved by link
MOST_ENTRIES = 10_000  # that are kept by link at once
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class SavedByLink:
    """An explanation that was saved by link.

    Attributes:
        opens, deletes: the random parts of its links, 22 letters each; they are kept nowhere else.
        expires: when it ends, in seconds since 1970.
    """

    opens: str
    deletes: str
    expires: float


def saving(*, visitor_is_here: bool) -> str:
    """Return how a visitor may save: "listed", "by_link" or "off".

    Args:
        visitor_is_here: whether the browser is on the server's machine, which nobody else reaches.
    """
    if visitor_is_here:
        return LISTED
    return BY_LINK if os.environ.get("EXPLAIN_ALLOW_SAVING") == "1" else OFF


def saving_days() -> int:
    """Return after how many days something ends that was saved by link.

    Raises:
        ExplainError: `EXPLAIN_SAVING_DAYS` is no number of days.
    """
    return environment_number("EXPLAIN_SAVING_DAYS", DAYS, MOST_DAYS)


def save_by_link(library: Library, report: "Report | str") -> SavedByLink:
    """Save an explanation of somebody whose name is not known.

    Raises:
        Busy: there is no room. Others: see `Library.keep_explanation`.
    """
    entry, opens, deletes = library.keep_by_link(
        report, saving_days(), most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES
    )
    assert entry.expires is not None
    return SavedByLink(opens, deletes, entry.expires)


def opened_by_link(library: Library, secret: str) -> tuple[LibraryEntry, str] | None:
    """Return the explanation that a link opens with its JSON document; None where it opens none."""
    entry = library.by_link(secret)
    document = library.record_by_link(secret)
    return None if entry is None or document is None else (entry, document)

"""The columns of a data set: which holds the text, the label and so on; and a cell as text, as a label, as labels."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from explain.core.errors import DataError, TextError
from explain.text.checks import check_text
from explain.text.words import is_visible

LONGEST_LABEL = 80  # characters
USUAL_NAMES = ("text", "sentence")  # of the column of texts


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of the columns that are read.

    Attributes:
        text: of the text; None: "text", "sentence" or the only column.
        text_pair: of a second text, read together with the first.
        label: of what is known of each text.
        id: of a name for each row; None: its number.
        groups: of what rows are compared by.
        several: any number of labels may hold; a cell has a list, or names parted by "|".
    """

    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    id: str | None = None
    groups: tuple[str, ...] = ()
    several: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns there are to read, each once, the text first."""
        named = (self.text, self.text_pair, self.label, self.id, *self.groups)
        return tuple(dict.fromkeys(name for name in named if name is not None))


def checked_columns(columns: Columns, present: Sequence[str], name: str, *, has_columns: bool = True) -> Columns:
    """Return the columns with the one of texts filled in.

    Args:
        present: the names that the data set has.
        name: the data set's, for messages.
        has_columns: plain lines have none.

    Raises:
        DataError: a column that is not there, or several that may hold the texts.

    >>> checked_columns(Columns(label="stars"), ("stars", "text"), "reviews.csv").text
    'text'
    """
    if not has_columns and columns.text not in (None, "text"):
        raise DataError(f"{name} has a text on each line and no columns: leave the column {columns.text!r} away.")
    text = columns.text
    if text is None:
        only = present[0] if len(present) == 1 else None
        text = next((usual for usual in USUAL_NAMES if usual in present), only)
    if text is None:
        raise DataError(f"Say which column of {name} holds the texts: {', '.join(present)}.")
    purposes = [(text, ""), (columns.text_pair, " for second texts"), (columns.label, " for labels")]
    purposes += [(columns.id, " for names of rows"), *((group, " for groups") for group in columns.groups)]
    for column, purpose in purposes:
        if column is not None and column not in present:
            listed = ", ".join(present) if has_columns else "none"
            raise DataError(f"{name} has no column {column!r}{purpose}; it has {listed}.")
    return replace(columns, text=text)


def strict_text(cell: Any, column: str) -> str:
    """Return a cell that holds text as it stands; an empty string if nothing is visible in it.

    Raises:
        DataError: it holds anything else than text, or a text that no model can read.

    >>> strict_text(" a mess", "text"), strict_text(None, "text")
    (' a mess', '')
    """
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise DataError(f"{column!r} holds {type(cell).__name__}, and texts are wanted.")
    return _checked(cell)


def plain_text(cell: Any, column: str = "") -> str:
    """Return a cell that holds text or a number as text without spaces at its ends; a missing one is empty.

    Half a character, which a text that was cut off may end with, is replaced by U+FFFD.

    Raises:
        DataError: it holds anything else.

    >>> plain_text(" a mess "), plain_text(7), plain_text(float("nan"))
    ('a mess', '7', '')
    """
    return _checked(_plain(cell))


def _plain(cell: Any) -> str:
    if cell is None or cell != cell:  # not a number: how some programs write that nothing is there
        return ""
    if isinstance(cell, list | dict):
        raise DataError(f"it holds {str(cell)[:60]!r}, and plain text is wanted.")
    if isinstance(cell, bytes):
        try:
            cell = cell.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError("it holds bytes that are no text in UTF-8.") from error
    text = str(cell).strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _checked(text: str) -> str:
    if not any(map(is_visible, text)):
        return ""
    try:
        check_text(text)
    except TextError as error:
        raise DataError(str(error)) from error
    return text


def shown_cell(cell: Any) -> str:
    """Return a cell as a reader sees it: the members of a list with commas, nothing for a missing one.

    >>> shown_cell(["joy", "anger"]), shown_cell(None), shown_cell(float("nan"))
    ('joy, anger', '', '')
    """
    is_missing = cell is None or (isinstance(cell, float) and cell != cell)  # not a number: as some programs write it
    text = ", ".join(map(str, cell)) if isinstance(cell, list) else "" if is_missing else str(cell)
    return text.encode("utf-8", "replace").decode("utf-8")


def label_of(cell: Any) -> str:
    """Return the one label of a cell, without needless spaces; empty where there is none.

    Raises:
        DataError: it holds a list, control characters, or a text.

    >>> label_of(" very  good "), label_of(1.0), label_of(None)
    ('very good', '1', '')
    """
    if isinstance(cell, list | dict):
        raise DataError(
            f"its label is {_plain(str(cell))[:60]}; one name is wanted, unless several labels may be right."
        )
    is_whole = isinstance(cell, float) and cell.is_integer()  # whole numbers come as 1.0 where one is missing
    label = " ".join(_plain(int(cell) if is_whole else cell).split())
    if any(unicodedata.category(character) == "Cc" for character in label):
        raise DataError("its label holds control characters; a name is wanted.")
    if len(label) > LONGEST_LABEL:
        raise DataError(f"its label has {len(label):,} characters ({label[:40]} ...); that looks like a text.")
    return label


def several_labels(cell: Any) -> tuple[str, ...]:
    """Return the labels of a cell that holds a list, or names parted by "|", each once.

    Raises:
        DataError: one of them is no name.

    >>> several_labels("joy | anger|joy"), several_labels(["joy"])
    (('joy', 'anger'), ('joy',))
    """
    cells = cell if isinstance(cell, list) else _plain(cell).split("|")
    return tuple(filter(None, dict.fromkeys(map(label_of, cells))))

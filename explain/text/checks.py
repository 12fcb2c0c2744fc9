"""Checks of a text before a model reads it."""

from explain.core.errors import TextError
from explain.text.words import is_visible

MAX_CHARACTERS = 1_000_000


def check_text(text: str, name: str = "text") -> None:
    """Refuse what no model can read.

    Args:
        name: what the text is to the model ("premise").

    Raises:
        TextError: not a string, blank, too long, or not Unicode.

    >>> check_text("A mess.")
    >>> check_text(" ")
    Traceback (most recent call last):
    explain.core.errors.TextError: There is nothing to explain: the text is empty. Type a sentence.
    """
    if not isinstance(text, str):
        raise TextError(f"A text is wanted, not {type(text).__name__}.")
    if not any(map(is_visible, text)):
        raise TextError(f"There is nothing to explain: the {name} is empty. Type a sentence.")
    if len(text) > MAX_CHARACTERS:
        raise TextError(
            f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken. Give a part of it."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(
            f"Character {error.start + 1} of the text is half of a character (a lone surrogate, "
            f"U+{ord(text[error.start]):04X}); remove it, or read the file as UTF-8 again."
        ) from None


def whole_characters(text: str) -> str:
    """Return a text with a sign in the place of each half of a character, which no model reads and no file holds."""
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)

"""A set of texts from a file: one a line."""

from explain.errors import DataError
from explain.text.words import is_visible

MOST_LINES = 2000
MOST_BYTES = 8 << 20


def read_lines(source: bytes | str, most: int = MOST_LINES) -> tuple[tuple[str, ...], int]:
    """The texts of a file, and how many more there are than are taken. Blank lines and repeated ones are left out.

    Raises:
        DataError: not UTF-8, too large, or nothing in it.
    """
    if len(source) > MOST_BYTES:
        raise DataError(
            f"The texts take {len(source) / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.1f} MB are read. Give a part."
        )
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(
                f"The file is not UTF-8 (byte {error.start + 1}). Save it as UTF-8 text, one text a line."
            ) from None
    lines = dict.fromkeys(line.strip() for line in source.splitlines() if any(map(is_visible, line)))
    if not lines:
        raise DataError("There is no text in it. Give one text a line.")
    return tuple(lines)[:most], max(0, len(lines) - most)

"""A set of texts from a file: one a line."""

from dataclasses import dataclass

from explain.core.errors import DataError
from explain.text.words import is_visible

MOST_LINES = 2000
MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Lines:
    """Texts out of lines.

    Attributes:
        texts (N,), numbers (N,): and the line each stands in, the first being 1.
        left_out: how many more there are than are taken.
    """

    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    left_out: int = 0


def read_lines(source: bytes | str, most: int = MOST_LINES) -> Lines:
    """The texts of a file. Blank lines and repeated ones are left out.

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
    lines: dict[str, int] = {}
    for number, line in enumerate(source.splitlines(), 1):
        if any(map(is_visible, line)):
            lines.setdefault(line.strip(), number)
    if not lines:
        raise DataError("There is no text in it. Give one text a line.")
    return Lines(tuple(lines)[:most], tuple(lines.values())[:most], max(0, len(lines) - most))

"""Cells of a CSV file that a spreadsheet does not run."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Return a text for a cell: what a spreadsheet would run as a formula stands behind an apostrophe.

    >>> safe_cell("=1+1"), safe_cell("good")
    ("'=1+1", 'good')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text

"""The result of any analysis: as text, as CSV, and by the views that accept its type."""

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from explain.data.csv_cells import safe_cell
from explain.datatypes.decoding import omitted_fields
from explain.datatypes.encoding import encode
from explain.views.base import VIEWS, Html, escape, visible

MOST_NUMBERS = 24  # of an array, in a terminal
CSV_HAS_ALL = "--format csv or json has them all"
MOST_TEXT = 400  # characters of a row, in a terminal

Rows = Iterator[tuple[str, tuple[int, ...], Any]]


def rows(result: Any) -> Rows:
    """Yield field, index and number or text of everything in a result; nested fields are joined with dots.

    >>> list(rows({"scores": [0.5, None]}))
    [('scores', (0,), 0.5), ('scores', (1,), None)]
    """
    yield from _rows("", (), encode(result))


def _rows(field: str, index: tuple[int, ...], part: Any) -> Rows:
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from _rows(f"{field}.{name}" if field else name, index, inner)
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _rows(field, (*index, number), inner)
    else:
        yield field, index, part


def to_csv(result: Any) -> str:
    """Return a result as CSV: field, index (numbers from 0, joined with dots), value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("field", "index", "value"))
    for field, index, part in rows(result):
        writer.writerow((field, ".".join(map(str, index)), safe_cell(part) if isinstance(part, str) else part))
    return out.getvalue()


def to_text(title: str, result: Any, token_texts: Sequence[str] = (), *, rest: str = CSV_HAS_ALL) -> str:
    """Return a result for a terminal: small fields whole, of large arrays shape and range.

    Args:
        title: the first line; "" for none.
        token_texts: the tokens of the text that was analysed, which rows and columns are about.
        rest: said of an array that is not printed whole, such as where it is.
    """
    lines = [title] if title else []
    if token_texts:
        lines.append("tokens: " + " ".join(f"{number}:{visible(text)}" for number, text in enumerate(token_texts)))
    lines += [f"{name}: {_short(part, rest)}" for name, part in _fields(result)]
    return "\n".join(lines) + "\n"


def _fields(result: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a result that hold anything: arrays of numbers as they are, others as JSON values."""
    if not dataclasses.is_dataclass(result) or isinstance(result, type):
        yield from ((name, part) for name, part in encode(result).items() if part not in (None, [], {}))
        return
    omitted = omitted_fields(type(result))
    for field in dataclasses.fields(result):
        part = getattr(result, field.name)
        if field.name in omitted:
            continue
        if not isinstance(part, np.ndarray) or part.dtype.kind != "f":
            part = encode(part)  # not of large arrays, which would be slow
            if part in (None, [], {}):
                continue
        elif not part.size:
            continue
        yield field.name, part


def _short(part: Any, rest: str) -> str:
    """Return a field in one line."""
    numbers = _array(part)
    if numbers is not None and numbers.size > MOST_NUMBERS:
        shape = " x ".join(map(str, numbers.shape))
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        return f"{shape} numbers from {low:.4g} to {high:.4g}{rest and '; '}{rest}"
    if numbers is not None:
        return np.array2string(numbers, precision=4, separator=", ", max_line_width=10_000).replace("\n", "")
    text = visible(str(part)).replace("\n", " ")
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} ... ({len(text):,} characters)"


def _array(part: Any) -> np.ndarray | None:
    """Return lists of numbers as an array; None where it is anything else."""
    if isinstance(part, np.ndarray):
        return None if np.isnan(part).all() else part
    if not isinstance(part, list):
        return None
    try:
        numbers = np.array(part, dtype=float)
    except (TypeError, ValueError):  # text, objects, lists of several lengths
        return None
    return None if numbers.dtype.kind != "f" or np.isnan(numbers).all() else numbers


def pictures(result: Any) -> list[Html]:
    """Return a picture by each view that accepts the result's type."""
    return [view.html(result) for view in VIEWS.for_result(result) if view.alone]


def section(title: str, meaning: str, limits: str, result: Any) -> Html:
    """Return an answer as a section of a page: what it says, then its pictures, or its fields where it has none."""
    drawn = pictures(result) or [Html(f"<pre>{escape(to_text('', result).strip())}</pre>")]
    about = f'<h2>{escape(title)}</h2><p class="meaning">{escape(meaning)} {escape(limits)}</p>'
    return Html(about + "".join(drawn))

"""Texts to evaluate on, and human labels of their words and phrases where the data set has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explain.core.errors import DataError
from explain.training.rows import read_rows

NEUTRAL = 2  # of the Stanford Sentiment Treebank's 0 to 4

Span = tuple[int, int, float]  # half-open characters of the text, and the label less neutral


@dataclass(frozen=True)
class Sample:
    """One text.

    Attributes:
        id: what it is called in the record.
        text, text_pair: what is explained.
        words, phrases: human labels of single words, and of runs of several; empty where nobody gave any. Above zero
            speaks for the model's last label ("positive"), below zero for its first.
    """

    id: str
    text: str
    text_pair: str | None = None
    words: tuple[Span, ...] = ()
    phrases: tuple[Span, ...] = ()


def read_samples(source: str, split: str) -> tuple[list[Sample], int]:
    """Read a split, see `read_rows`; also how many rows were left out.

    A row has `text`, and may have `id`, `text_b`, and `tokens` with `spans` [first, end, label 0 to 4] over them, as
    the Stanford Sentiment Treebank is shipped. Rows whose `label2` is null are neutral and left out: what a model of
    two labels decides on them is neither right nor wrong.

    Raises:
        DataError: nothing there, or rows that don't fit together.
    """
    rows = read_rows(source, split, ("text",))
    kept = [row for row in rows if row.get("label2", 0) is not None]
    if not kept:
        raise DataError(f"{source} ({split}) has no rows to measure: every row is neutral (label2 is null).")
    samples = [_sample(row, number) for number, row in enumerate(kept)]
    if len({sample.id for sample in samples}) < len(samples):
        raise DataError(f"{source} ({split}): two rows have the same id; give every row its own.")
    return samples, len(rows) - len(kept)


def _sample(row: Mapping[str, Any], number: int) -> Sample:
    name = str(row.get("id", number))
    try:
        labelled = _labelled(row)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"Row {name!r}: its tokens and spans don't fit its text ({error}).") from error
    pair = row.get("text_b")
    words = tuple(span for length, span in labelled if length == 1)
    return Sample(name, str(row["text"]), pair, words, tuple(span for length, span in labelled if length > 1))


def _labelled(row: Mapping[str, Any]) -> list[tuple[int, Span]]:
    """Length in tokens, and span in characters, of each constituent; tokens are looked for one after the other."""
    at, places = 0, []
    for token in row.get("tokens", ()) if row.get("spans") else ():
        start = row["text"].index(token, at)
        at = start + len(token)
        places.append((start, at))
    return [
        (stop - start, (places[start][0], places[stop - 1][1], float(label) - NEUTRAL))
        for start, stop, label in row.get("spans") or ()
    ]

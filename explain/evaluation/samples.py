"""Texts to evaluate on, and human labels of their words and phrases where the data set has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset

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


def read_samples(
    source: str, split: str, on_note: Callable[[str], None] = lambda sentence: None
) -> tuple[list[Sample], int]:
    """Read the split of a folder, of a public data set, or a file; also how many neutral rows were left out.

    A row has `text`, and may have `id`, `text_b`, and `tokens` with `spans` [first, end, label 0 to 4] over them, as
    the Stanford Sentiment Treebank is shipped. Rows whose `label2` is null are neutral and left out: what a model of
    two labels decides on them is neither right nor wrong.

    Args:
        on_note: called with a sentence on rows without a text, and on those that repeat an earlier one.

    Raises:
        DataError: nothing there, or rows that don't fit together.
    """
    dataset = Dataset.open(source, split=split, columns=Columns(text="text"))
    reading = dataset.reading()
    samples, neutral = list[Sample](), 0
    for row in reading:
        if row.cells.get("label2", 0) is None:
            neutral += 1
        else:
            samples.append(_sample(row.cells, len(samples)))
    for sentence in reading.report().sentences():
        on_note(sentence)
    if not samples:
        reason = "every row is neutral (label2 is null)" if neutral else "none has a text"
        raise DataError(f"{source} ({split}) has no rows to measure: {reason}.")
    if len({sample.id for sample in samples}) < len(samples):
        raise DataError(f"{source} ({split}): two rows have the same id; give every row its own.")
    return samples, neutral


def _sample(row: Mapping[str, Any], number: int) -> Sample:
    name = str(row.get("id", number))
    try:
        labelled = _labelled(row)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"Row {name!r}: its tokens and spans don't fit its text ({error}).") from error
    words = tuple(span for length, span in labelled if length == 1)
    phrases = tuple(span for length, span in labelled if length > 1)
    return Sample(name, row["text"], row.get("text_b"), words, phrases)


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

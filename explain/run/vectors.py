"""Vectors of many texts, read in slices that bound the memory."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import ModelRecord, TextVectors
from explain.models.base import TextModel
from explain.models.text_vectors import ReadTexts
from explain.text.checks import check_text

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CHARACTERS = 2_000_000  # of the texts that are cut into pieces at once
AT_ONCE = 2048  # texts sorted by length and run together: progress comes in such steps, or smaller ones


def default_pooling(model: TextModel) -> str:
    """Return the pooling that a model was trained with, or the mean."""
    return (model.vectors.poolings or ("mean",))[0]


def read_texts(texts: Sequence[str], model: TextModel, pooling: str, meter: Meter | None = None) -> TextVectors:
    """Return the vector of each text: one forward pass each.

    Raises:
        TextError: there is no text, or one can't be read; ModelError: the model gives no vectors.
    """
    if isinstance(texts, str) or not len(texts):
        raise TextError("Give a list of texts, one or more.")
    for number, text in enumerate(texts):
        try:
            check_text(text)
        except TextError as error:
            raise TextError(f"Text {number}, counted from 0: {error}") from error
    slices = [model.vectors.read(texts[start:stop], pooling, meter) for start, stop in _slices(texts)]
    return _joined(slices, model, pooling)


def kept_vectors(vectors: "pa.ChunkedArray", model: ModelRecord, pooling: str) -> TextVectors:
    """Return the vectors that a run kept, as texts that were read; the pieces of each are not known.

    Args:
        vectors: lists of float32, all of one length.
    """
    numbers = vectors.combine_chunks()
    rows = np.asarray(numbers.flatten().to_numpy(zero_copy_only=False), dtype=np.float32).reshape(len(numbers), -1)
    none = np.zeros(len(numbers), dtype=np.int64)
    return TextVectors(rows, none, none, none.astype(bool), model, pooling)


def _slices(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield ranges of texts that are read at once: not too many, and not too long together."""
    start = characters = 0
    for number, text in enumerate(texts):
        characters += len(text)
        if number > start and (number - start == AT_ONCE or characters > MOST_CHARACTERS):
            yield start, number
            start, characters = number, len(text)
    yield start, len(texts)


def _joined(slices: Sequence[ReadTexts], model: TextModel, pooling: str) -> TextVectors:
    names = ("vectors", "pieces", "unknown", "truncated")
    columns = {name: np.concatenate([getattr(part, name) for part in slices]) for name in names}
    return TextVectors(**columns, model=model.record, pooling=pooling)

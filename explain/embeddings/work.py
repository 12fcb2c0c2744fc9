"""Texts and choices in, vectors and what is found from them out; for page, command line and Python.

    texts -> vectors (one forward pass each) -> each analysis

Every part is remembered by what it depends on: the weights, the texts, the pooling, and the analysis.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import TextVectors
from explain.embeddings.base import Analysis
from explain.embeddings.reading import Texts
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.models.text_vectors import ReadTexts
from explain.models.transformer import check_text
from explain.run import jobs
from explain.run.jobs import Cache

MOST_CHARACTERS = 2_000_000  # of the texts that are cut into pieces at once
AT_ONCE = 2048  # texts sorted by length and run together: progress comes in such steps, or smaller ones


@dataclass(frozen=True)
class Request:
    """What is asked of some texts: how they become vectors, and what is found out from these."""

    texts: Texts
    pooling: str
    analyses: tuple[Analysis, ...] = ()


def default_model() -> str:
    """The shipped model whose vectors were made to be compared; where there is none, the shared encoder."""
    entries = catalogue.list_models()
    first = catalogue.SIMILARITY.name
    return next((entry.name for entry in entries if entry.tasks[:1] == (first,)), catalogue.ENCODER)


def steps(request: Request) -> int:
    """Most passes and steps that a request takes."""
    return len(request.texts) + sum(one.steps(len(request.texts)) for one in request.analyses)


def parts(
    request: Request,
    model: TextModel,
    meter: Meter | None = None,
    cache: Cache | None = None,
    *,
    compute: bool = True,
) -> Iterator[tuple[str | Analysis, Any]]:
    """Compute a request part by part.

    Yields:
        ("vectors", TextVectors), then each analysis with its answer.

    Raises:
        ExplainError: whatever is wrong with texts or settings, or the work was stopped.
    """
    recall = partial(jobs.recall, cache if cache is not None else Cache(), compute=compute)
    key = (model.record, request.texts.digest, request.pooling)  # keys are kept; texts would be kept with them
    vectors = recall(
        (*key, "vectors"), partial(embed, request.texts.texts, model, pooling=request.pooling, meter=meter)
    )
    yield "vectors", vectors
    for analysis in request.analyses:
        yield analysis, recall((*key, analysis), partial(analysis.answer, vectors, model, meter))


def embed(
    texts: Sequence[str],
    model: str | TextModel | None = None,
    *,
    pooling: str | None = None,
    meter: Meter | None = None,
) -> TextVectors:
    """Texts as vectors, each read by itself.

    Args:
        texts: at least one; each is cut off where the model reads no further, which is told by `truncated`.
        model: a shipped name, a local folder, a hub name, or a loaded model; by default `default_model`.
        pooling: "mean", "cls", "max", "last_four", "layer:N" (from 0) or "lstm"; by default the one that the model was
            trained with, or the mean.
        meter: counts passes, one for each text, and can stop the work.

    Raises:
        ExplainError: what is wrong and what to do: a text that can't be read, no such model or pooling.
    """
    if isinstance(texts, str) or not len(texts):
        raise TextError("Give a list of texts, one or more.")
    loaded = model if isinstance(model, TextModel) else catalogue.load_model(model or default_model())
    chosen = pooling or (loaded.poolings or ("mean",))[0]
    for number, text in enumerate(texts):
        try:
            check_text(text)
        except TextError as error:
            raise TextError(f"Text {number}, counted from 0: {error}") from error
    found = [loaded.text_vectors(texts[start:stop], chosen, meter) for start, stop in _slices(texts)]
    return _joined(found, loaded, chosen)


def _slices(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Texts that are read at once: not too many, and not too long together, as each is cut into pieces to its end."""
    start = characters = 0
    for number, text in enumerate(texts):
        characters += len(text)
        if number > start and (number - start == AT_ONCE or characters > MOST_CHARACTERS):
            yield start, number
            start, characters = number, len(text)
    yield start, len(texts)


def _joined(found: Sequence[ReadTexts], model: TextModel, pooling: str) -> TextVectors:
    names = ("vectors", "pieces", "unknown", "truncated")
    columns = {name: np.concatenate([getattr(part, name) for part in found]) for name in names}
    return TextVectors(**columns, model=model.record, pooling=pooling)

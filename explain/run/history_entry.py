"""The entry of an explanation in a history, with a small heatmap."""

import time
from collections.abc import Mapping
from typing import Any

from explain.datatypes import HistoryEntry, Prediction
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.run.results import Results
from explain.views.base import target_name
from explain.views.token_heatmap import word_texts

MOST_WORDS, MOST_CHARACTERS = 40, 110  # of the small heatmap


def entry_of(
    results: Results, model: TextModel, method: Method, settings: Mapping[str, tuple[str, ...]]
) -> HistoryEntry:
    """Return the entry of an explanation, colored by one method.

    Args:
        settings: what the address bar holds.
    """
    prediction, target, item = results.prediction, results.decided_target, results.plan.text
    attribution = results.required(method)
    return HistoryEntry(
        id="",
        time=time.time(),
        text=item.text,
        text_pair=item.text_pair,
        model=model.name,
        weights=model.record.weight_sha256,
        task=model.task.name,
        target=target_name(target),
        scale=target.scale,
        position=target.positions[0] if target.positions else None,
        method=method.name,
        label=prediction.label or ", ".join(prediction.labels) or _no_label(prediction),
        confidence=prediction.confidence,
        words=_stretch(word_texts(attribution, by="word")),
        signed=attribution.signed,
        settings=settings,
    )


def _no_label(prediction: Prediction) -> str | None:
    """Return what stands in the place of a label where each is decided alone and none is; None for a value."""
    output = prediction.output
    return None if output.exclusive or output.probabilities is None else "no label"


def _stretch(drawn: Mapping[str, Any]) -> tuple[tuple[str, str, float], ...]:
    """Return a stretch of the words of a heatmap, long enough for a line or two, around the largest score."""
    words = []
    for number, text in enumerate(drawn["texts"]):
        for place, unit in enumerate(text["units"]):
            before = " \u00b7 " if number and not place else unit["gap"] if place else ""
            share = (unit["score"] or 0.0) / (drawn["largest"] or 1.0)
            words.append((before[:40], unit["text"][:MOST_CHARACTERS], round(share, 4)))
    if not words:
        return ()
    largest = max(range(len(words)), key=lambda number: abs(words[number][2]))
    first = last = max(0, largest - MOST_WORDS // 2) if largest >= MOST_WORDS * 2 // 3 else 0
    length = 0
    while last < len(words) and last - first < MOST_WORDS and (length < MOST_CHARACTERS or last <= largest):
        length += len("".join(words[last][:2]))
        last += 1
    if first:
        words[first] = ("\u2026 ", *words[first][1:])
    ended = [("", "\u2026", 0.0)] if last < len(words) else []
    return (*words[first:last], *ended)

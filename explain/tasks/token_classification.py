"""Entities: a label for every word, read at the word's first piece.

log-odds of label l at word i    F = z_il - log sum_{k != l} exp z_ik
contrast A, B                    F = z_iA - z_iB

Words are merged into entities as the model's labels say, see `explain.text.label_schemes`; where they do not say
which word begins one, neighboring words with the same label are one entity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from explain.core.lazy import lazy_module
from explain.datatypes import Output, PredictedSpan, Prediction, Target, Tokens
from explain.tasks.base import (
    TASKS,
    Head,
    Raw,
    Task,
    as_output,
    chosen_target,
    direction_of,
    find_label,
    read_scale,
    row_of,
    surest,
)
from explain.text.label_schemes import entity_ranges, is_outside, label_parts

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy_module("torch")


class TokenClassification(Task):
    """A label for each word, such as names of entities."""

    name = "token_classification"
    hub_name = "token-classification"
    title = "Entities"
    auto_class = "AutoModelForTokenClassification"
    scales = ("log_odds", "probability", "log_probability", "logit", "logit_difference")
    place = "word"
    examples = {
        "people and places": ("Marie Curie was born in Warsaw and worked in Paris.",),
        "place or person": ("Washington crossed the river near Washington before the winter of 1776.",),
        "a tweet": ("just landed in chicago, off to see the bulls with my cousin Dwayne from Google!!",),
        "no names": ("We walked along the river until it got dark.",),
    }

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        return tuple(tokens.heads.tolist())

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        output = as_output(raw["rows"][0], head, self.positions(tokens, head))
        return Prediction(self.name, (tokens,), (output,), spans=tuple(_entities(output, tokens)))

    def target(
        self,
        prediction: Prediction,
        head: Head,
        *,
        label: str | None = None,
        against: str | None = None,
        scale: str | None = None,
        position: int | None = None,
    ) -> Target:
        output = row_of(prediction.output, self._default(prediction) if position is None else position)
        column = int(output.logits[0].argmax()) if label is None else find_label(label, head.labels)
        other = None if against is None else find_label(against, head.labels)
        contrast = None if other is None else (head.labels[other], other)
        word = prediction.tokens.word_around(output.positions[0])
        return chosen_target(self, (head.labels[column], column), contrast, scale, output.positions, protected=word)

    def places(self, prediction: Prediction) -> dict[int, str]:
        tokens, output = prediction.tokens, prediction.output
        best = output.logits.argmax(axis=1).tolist()
        return {
            position: f"{number} {tokens.unit_text(tokens.word_around(position))} · {output.labels[column]}"
            for number, (position, column) in enumerate(zip(output.positions, best))
        }

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return read_scale(raw["rows"][:, 0], target)  # (B, C) -> (B,)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        row = row_of(prediction.output, target.positions[0])
        return float(read_scale(torch.from_numpy(row.logits.copy()), target)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return raw["rows"][:, 0].argmax(dim=-1)

    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        return surest(raw["rows"][0, 0].double(), head.labels)

    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        row = row_of(prediction.output, target.positions[0])
        return direction_of(int(row.logits[0].argmax()), target, len(head.labels))

    @staticmethod
    def _default(prediction: Prediction) -> int:
        """Return the first word of the likeliest entity; else the word nearest to being one."""
        if prediction.spans:
            likeliest = max(prediction.spans, key=lambda span: span.probability)
            return int(prediction.tokens.heads[prediction.tokens.word_of[likeliest.tokens[0]]])
        output = prediction.output
        assert output.probabilities is not None
        outside = [number for number, label in enumerate(output.labels) if is_outside(label)]
        return output.positions[int(np.delete(output.probabilities, outside, axis=1).max(axis=1).argmax())]


def _entities(output: Output, tokens: Tokens) -> Iterator[PredictedSpan]:
    """Yield the words of each entity together; a word without visible text is no word, so none is skipped."""
    assert output.probabilities is not None
    best = output.logits.argmax(axis=1)
    parts = label_parts(output.labels)
    words = tokens.word_units()
    for kind, members in entity_ranges([parts[output.labels[column]] for column in best.tolist()]):
        unit = tuple(token for number in members for token in words[number])
        segment, start, stop = tokens.unit_span(unit)
        sure = float(np.mean([output.probabilities[number, best[number]] for number in members]))
        yield PredictedSpan(kind, (unit[0], unit[-1] + 1), segment, (start, stop), tokens.unit_text(unit), sure)


TASKS.register("token_classification")(TokenClassification())

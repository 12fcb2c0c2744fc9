"""Predicted spans: the text itself, with the entities or the answer that the model picked out of it."""

from collections.abc import Sequence
from typing import Any

from explain.datatypes import Prediction
from explain.text.label_schemes import label_parts
from explain.views.base import VIEWS, View, visible
from explain.views.token_heatmap import laid_out


class PredictedSpans(View):
    """Each span on its own background, with its label; the likeliest answer only."""

    name = "predicted_spans"
    title = "What was picked out"
    accepts = Prediction
    rank = 1
    placed = True

    def fits(self, result: Prediction) -> bool:
        """Whether there are entities or answers."""
        return bool(result.spans)

    def data(
        self, prediction: Prediction, /, *, target_tokens: Sequence[int] = (), sends: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            target_tokens: tokens of the word that is explained; it is framed.
            sends: report {"position": a token} to the page, the first of a word that is clicked.
        """
        tokens = prediction.tokens
        entities = bool(prediction.output.positions)  # entities have a row for each word, answers one row for all
        shown = prediction.spans if entities else prediction.spans[:1]
        kinds = sorted(
            {*_kinds(prediction.output.labels if entities else ()), *(span.label for span in prediction.spans)}
        )
        span_at = {token: number for number, span in enumerate(shown) for token in range(*span.tokens)}
        units: list[dict[str, Any]] = []
        for unit, head in zip(tokens.word_units(), tokens.heads.tolist()):
            segment, start, stop = tokens.unit_span(unit)
            number = span_at.get(unit[0], span_at.get(unit[-1]))
            span = None if number is None else shown[number]
            units.append(
                {
                    "segment": segment,
                    "start": start,
                    "stop": stop,
                    "text": visible(tokens.unit_text(unit)),
                    "position": head,
                    "span": number,
                    "kind": None if span is None else kinds.index(span.label),
                    "asked": bool(set(unit) & set(target_tokens)),
                }
            )
        word_of = tokens.word_of
        return {
            "texts": laid_out(tokens, units),
            "kinds": [visible(kind) for kind in kinds],
            "rows": [
                {
                    "label": visible(span.label),
                    "kind": kinds.index(span.label),
                    "text": visible(span.text),
                    "words": [int(word_of[span.tokens[0]]), int(word_of[span.tokens[1] - 1])],
                    "probability": span.probability,
                }
                for span in (shown if entities else ())
            ],
            "note": _note(prediction, entities, asks=sends),
            "sends": sends and entities,
            "caption": "Entities" if entities else "Answer",
        }


def _kinds(labels: Sequence[str]) -> set[str]:
    """Return the kinds of entity a head knows; a kind has the same color in every text."""
    return {parts.kind for parts in label_parts(labels).values()} - {""}


def _note(prediction: Prediction, entities: bool, asks: bool) -> str:
    if entities:
        opening = "" if prediction.spans else "No word is one of what this model looks for. "
        how = "Words are counted from 0; an entity's % is the mean of its words'."
        how += _of_places(prediction.output.labels)
        return f"{opening}{'Click a word to ask why it got its label. ' if asks else ''}{how}"
    if not prediction.spans[0].characters[1]:
        return "The model finds no answer in this text."
    return "The likeliest answer, where it stands. % is of its start times that of its end, among all places."


def _of_places(labels: Sequence[str]) -> str:
    """Return what the labels of a word say about its place in an entity; empty where they do not."""
    written: dict[str, str] = {}
    for label, (place, _) in label_parts(labels).items():
        written.setdefault(place, label)
    marked = {"B": "the first word", "I": "a further one", "E": "the last one", "S": "a word that is alone"}
    if not {"B", "I"} <= written.keys():
        return ""
    listed = [f"{visible(written[place])} is {word}" for place, word in marked.items() if place in written]
    return f" Of an entity, {', '.join(listed)}."


VIEWS.register("predicted_spans")(PredictedSpans())

"""Predicted spans: the text itself, with the entities or the answer that the model picked out of it."""

from collections.abc import Sequence
from typing import Any

from explain.datatypes import Prediction
from explain.views.base import VIEWS, View, visible
from explain.views.token_heatmap import laid_out

_BEGINNINGS = ("B-", "I-", "E-", "S-", "L-", "U-")  # of a label: where in an entity its word stands


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
    return {label[2:] if label[:2] in _BEGINNINGS else label for label in labels} - {"O"}


def _note(prediction: Prediction, entities: bool, asks: bool) -> str:
    if entities:
        opening = "" if prediction.spans else "No word is one of what this model looks for. "
        how = "Words are counted from 0; an entity's % is the mean of its words'."
        labels = prediction.output.labels
        if any(label.startswith("B-") for label in labels) and any(label.startswith("I-") for label in labels):
            how += " B- is the label of an entity's first word, I- of a further one, O of a word that is none."
        return f"{opening}{'Click a word to ask why it got its label. ' if asks else ''}{how}"
    if not prediction.spans[0].characters[1]:
        return "The model finds no answer in this text."
    return "The likeliest answer, where it stands. % is of its start times that of its end, among all places."


VIEWS.register("predicted_spans")(PredictedSpans())

"""Key phrases: numbered in the text, ranked as signed bars."""

from typing import Any

from explain.datatypes import Phrase, Report, Tokens
from explain.views.base import UNITS, VIEWS, View, target_name, text_label, visible
from explain.views.phrase_notes import empty_sentence
from explain.views.token_heatmap import unread_after, unread_before


class PhraseBars(View):
    """What removing each phrase does to the target, largest first."""

    name = "phrase_bars"
    title = "Key phrases"
    accepts = Report

    def data(self, result: Report, *, group: str = "", **options: Any) -> dict[str, Any]:
        tokens = result.prediction.tokens
        words = tokens.word_units()
        unit = UNITS[result.target.scale]
        return {
            "group": group,
            "unit": unit,
            "empty": empty_sentence(result),
            "largest": max((abs(phrase.score) for phrase in result.phrases), default=0.0) or 1.0,
            "phrases": [
                {
                    "rank": phrase.rank,
                    "text": visible(phrase.text),
                    "score": phrase.score,
                    "interaction": phrase.interaction,
                    "sufficient": phrase.sufficient,
                    "necessary": phrase.necessary,
                    "tokens": [token for word in words[slice(*phrase.words)] for token in word],
                }
                for phrase in result.phrases
            ],
            "texts": [
                {
                    "label": text_label(tokens, number),
                    "before": unread_before(tokens, number),
                    "parts": _marked(tokens, number, result.phrases),
                    "unread": unread_after(tokens, number),
                }
                for number in range(len(tokens.texts))
            ],
            "note": (
                f"Each bar: how far {target_name(result.target)} falls ({unit}) when the phrase is taken out whole. "
                "Neighbours that act together are one phrase. Of two phrases that say the same, each can seem to "
                "matter little."
                + (
                    " In a text this long, only the sentences that move the target most were searched."
                    if len(words) > result.phrase_settings.get("most_words", len(words))
                    else ""
                )
            ),
            "caption": f"Key phrases, {unit}, target: {target_name(result.target)}",
        }


def _marked(tokens: Tokens, segment: int, phrases: tuple[Phrase, ...]) -> list[dict[str, Any]]:
    text, at = tokens.texts[segment], tokens.begins_at[segment]
    parts: list[dict[str, Any]] = []
    for phrase in sorted((one for one in phrases if one.segment == segment), key=lambda one: one.span):
        start, stop = phrase.span
        parts += [
            {"text": visible(text[at:start]), "rank": 0},
            {"text": visible(text[start:stop]), "rank": phrase.rank},
        ]
        at = stop
    parts.append({"text": visible(text[at : tokens.truncated_at[segment]]), "rank": 0})
    return [part for part in parts if part["text"]]


VIEWS.register("phrase_bars")(PhraseBars())

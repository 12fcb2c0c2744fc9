"""Key phrases: numbered in the text, ranked as signed bars."""

from itertools import pairwise
from typing import Any

from explain.datatypes import Phrase, Report, Tokens
from explain.views.base import UNITS, VIEWS, View, target_name, text_label, visible
from explain.views.phrase_notes import empty_sentence, nothing_for, whole_text
from explain.views.token_heatmap import unread_after, unread_before


class PhraseBars(View):
    """Effect of removing each phrase on the target, largest first."""

    name = "phrase_bars"
    title = "Key phrases"
    accepts = Report
    rank = 1
    placed = True

    def fits(self, result: Report) -> bool:
        """Whether there are key phrases."""
        return bool(result.phrases)

    def data(self, report: Report, /, *, group: str = "", **options: Any) -> dict[str, Any]:
        tokens = report.prediction.tokens
        words = tokens.word_units()
        unit, settings = UNITS[report.target.scale], report.phrase_settings
        return {
            "group": group,
            "unit": unit,
            "headline": nothing_for(report),
            "empty": empty_sentence(report),
            "largest": max((abs(phrase.score) for phrase in report.phrases), default=0.0) or 1.0,
            "phrases": [
                {
                    "rank": phrase.rank,
                    "text": visible(phrase.text),
                    "score": phrase.score,
                    "interaction": phrase.interaction,
                    "sufficient": phrase.sufficient,
                    "necessary": phrase.necessary,
                    "part_of": visible(whole_text(phrase, tokens)),
                    "tokens": [token for word in words[slice(*phrase.words)] for token in word],
                }
                for phrase in report.phrases
            ],
            "texts": [
                {
                    "label": text_label(tokens, number),
                    "before": unread_before(tokens, number),
                    "parts": _marked(tokens, number, report.phrases),
                    "unread": unread_after(tokens, number),
                }
                for number in range(len(tokens.texts))
            ],
            "note": (
                f"Each bar: how far {target_name(report.target)} falls ({unit}) when the phrase is taken out whole. "
                "Neighbours that act together are one phrase"
                + (", and a function word goes with the words after it" if settings.get("function_words") else "")
                + ". Of two phrases that say the same, each can seem to matter little."
                + (
                    f" Below {share:.0%} of the largest none is listed."
                    if (share := settings.get("least_share"))
                    else ""
                )
                + (
                    " A part is listed below its phrase where it moves the target at least half as much again."
                    if any(phrase.part_of for phrase in report.phrases)
                    else ""
                )
                + (
                    " In a text this long, only the sentences that move the target most were searched."
                    if len(words) > settings.get("most_words", len(words))
                    else ""
                )
            ),
            "caption": f"Key phrases, {unit}, target: {target_name(report.target)}",
        }


def _marked(tokens: Tokens, segment: int, phrases: tuple[Phrase, ...]) -> list[dict[str, Any]]:
    """Cut a text where phrases and their parts begin and end; each stretch belongs to the shortest phrase around it.

    Returns:
        "text", "rank" (0: of no phrase) and "ends", the ranks of those that end with it.
    """
    text, unread_from = tokens.texts[segment], tokens.truncated_at[segment]
    inside = [phrase for phrase in phrases if phrase.segment == segment]
    end = len(text) if unread_from is None else unread_from
    cuts = sorted({tokens.begins_at[segment], end, *(place for phrase in inside for place in phrase.span)})
    stretches = []
    for start, stop in pairwise(cuts):
        around = [phrase for phrase in inside if phrase.span[0] <= start and stop <= phrase.span[1]]
        shortest = min(around, key=lambda phrase: phrase.span[1] - phrase.span[0], default=None)
        stretches.append(
            {
                "text": visible(text[start:stop]),
                "rank": shortest.rank if shortest else 0,
                "ends": [phrase.rank for phrase in reversed(around) if phrase.span[1] == stop],
            }
        )
    return [stretch for stretch in stretches if stretch["text"]]


VIEWS.register("phrase_bars")(PhraseBars())

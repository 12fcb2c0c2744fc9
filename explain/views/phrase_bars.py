"""Key phrases: numbered in the text, ranked as signed bars."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

from explain.datatypes import Phrase, Report, Target, Tokens
from explain.views.asked_words import asked_label, is_asked
from explain.views.axis import sigmoid
from explain.views.base import VIEWS, View, percent, target_name, text_label, visible
from explain.views.confidence import as_percents, calibrated_unit, divisor
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
        settings = report.phrase_settings
        temperature = divisor(report.prediction, report.target)
        unit = calibrated_unit(report.target, temperature)
        by = temperature or 1.0
        return {
            "group": group,
            "asked": asked_label(report.target),
            "unit": unit,
            "headline": nothing_for(report),
            "empty": empty_sentence(report),
            "largest": max((abs(phrase.score) for phrase in report.phrases), default=0.0) / by or 1.0,
            "phrases": [
                {
                    "rank": phrase.rank,
                    "text": visible(phrase.text),
                    "score": phrase.score / by,
                    "interaction": None if phrase.interaction is None else phrase.interaction / by,
                    "answers": _answers(report, phrase, by),
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
                    "parts": _marked(tokens, number, report.phrases, _asked_spans(tokens, report.target, number)),
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


def _answers(report: Report, phrase: Phrase, divisor: float) -> list[str]:
    """Return the target's share with the phrase and without it, as text; empty where they are not known."""
    if not report.attributions or not as_percents(report.prediction, report.target):
        return []
    whole = report.attributions[0].output
    return [percent(sigmoid(number / divisor)) for number in (whole, whole - phrase.score)]


def _asked_spans(tokens: Tokens, target: Target, segment: int) -> list[tuple[int, int]]:
    """Return the characters of each stretch of a text that the target is read at."""
    spans: list[tuple[int, int]] = []
    for token in target.protected:
        of, start, stop = tokens.unit_span((token,))
        if of != segment or start == stop or not is_asked(tokens, target, (token,)):
            continue
        if spans and not tokens.texts[segment][spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    return spans


def _marked(
    tokens: Tokens, segment: int, phrases: tuple[Phrase, ...], asked: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Cut a text where phrases and their parts begin and end; each stretch belongs to the shortest phrase around it.

    Returns:
        "text", "rank" (0: of no phrase), "ends", the ranks of those that end with it, and "asked".
    """
    text, unread_from = tokens.texts[segment], tokens.truncated_at[segment]
    inside = [phrase for phrase in phrases if phrase.segment == segment]
    end = len(text) if unread_from is None else unread_from
    cuts = sorted(
        {tokens.begins_at[segment], end, *(place for phrase in inside for place in phrase.span), *chain(*asked)}
    )
    stretches = []
    for start, stop in pairwise(cuts):
        around = [phrase for phrase in inside if phrase.span[0] <= start and stop <= phrase.span[1]]
        shortest = min(around, key=lambda phrase: phrase.span[1] - phrase.span[0], default=None)
        stretches.append(
            {
                "text": visible(text[start:stop]),
                "rank": shortest.rank if shortest else 0,
                "ends": [phrase.rank for phrase in reversed(around) if phrase.span[1] == stop],
                "asked": any(first <= start and stop <= last for first, last in asked),
            }
        )
    return [stretch for stretch in stretches if stretch["text"]]


VIEWS.register("phrase_bars")(PhraseBars())

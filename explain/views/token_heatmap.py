"""Token heatmap: the text itself on a colored background; the main picture of an attribution."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import Attribution, Prediction, Target, Tokens
from explain.text.removal import OPERATORS
from explain.views.asked_words import asked_label, is_asked
from explain.views.base import UNITS, VIEWS, View, sentence, target_name, text_label, visible
from explain.views.confidence import calibrated_scores, calibrated_unit, shown_divisor
from explain.views.references import higher_reference, sums_sentence

UNREAD_SHOWN = 300  # characters


class TokenHeatmap(View):
    """Each word's score by tint and underline, on a scale shared by the text."""

    name = "token_heatmap"
    title = "Token heatmap"
    accepts = Attribution
    uses = ("text_marks.js",)

    def data(
        self,
        attribution: Attribution,
        /,
        *,
        by: str = "word",
        title: str = "",
        group: str = "",
        largest: float | None = None,
        special: bool = False,
        prediction: Prediction | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            by: "word" adds up the pieces of a word where the method allows it; "token" shows pieces.
            title: the method's title.
            group: drawings of one group mark a picked word together.
            largest: the score of full color, where several drawings share a scale; by default this one's largest.
            special: show special tokens that have a score.
            prediction: log-odds are divided by its temperature where that is exact; by default they stay as they are.
        """
        temperature = None if prediction is None else shown_divisor(prediction, attribution)
        attribution = calibrated_scores(prediction, attribution)
        return word_texts(attribution, by=by, title=title, group=group, largest=largest, special=special) | {
            "unit": calibrated_unit(attribution, temperature),
            "lead": higher_reference(attribution),
            "note": note(attribution, _shown(attribution, by)),
        }


def word_texts(
    attribution: Attribution,
    *,
    by: str,
    title: str = "",
    group: str = "",
    largest: float | None = None,
    special: bool = False,
) -> dict[str, Any]:
    """Return the words of the texts with their scores, and what a legend and cards say of them, as JSON values.

    The arguments are those of `TokenHeatmap.data`.
    """
    tokens = attribution.tokens
    _, units = scored_units(attribution, by, special=special, centers=True)
    return {
        "title": title or attribution.method,
        "method": attribution.method,
        "group": group,
        "scale": attribution.scale,
        "unit": UNITS[attribution.scale],
        "signed": attribution.signed,
        "largest": largest or max((abs(unit["score"]) for unit in units), default=0.0),
        "count": len(units),
        "for": f"for {target_name(attribution.target)}",
        "against": "against",
        "asked": asked_label(attribution.target),
        "texts": laid_out(tokens, _with_asked(tokens, attribution.target, units)),
        "caption": f"{title or attribution.method}, {UNITS[attribution.scale]}"
        + ("" if attribution.scale == "share" else f", target: {target_name(attribution.target)}"),
    }


def scored_units(
    attribution: Attribution, by: str, *, special: bool, centers: bool = False, summed: bool | None = None
) -> tuple[Attribution, list[dict[str, Any]]]:
    """Return the attribution as it is drawn, and its units with their scores as JSON values.

    Args:
        by: as of `TokenHeatmap.data`.
        special: with the special tokens that have a score.
        centers: overlapping windows are words, each the middle of its window.
        summed: scores of tokens that stand for one character are summed; by default where the method's are additive.
    """
    shown = _shown(attribution, by)
    units = _unit_records(shown, _piece_scores(attribution), special=special)
    if centers and shown.granularity == "window":
        units = _window_centers(attribution.tokens, units)
    return shown, joined(units, additive=attribution.additive if summed is None else summed)


def _unit_records(shown: Attribution, pieces: dict[int, float], *, special: bool) -> list[dict[str, Any]]:
    """Return the units with their scores as JSON values; special tokens only with `special` and a score."""
    tokens, rank = shown.tokens, ranks(shown)
    records = []
    for number, (unit, score) in enumerate(zip(shown.units, shown.scores.tolist())):
        if bool(tokens.special[list(unit)].all()) and not (special and score):
            continue
        segment, start, stop = tokens.unit_span(unit)
        records.append(
            {
                "segment": segment,
                "start": start,
                "stop": stop,
                "text": visible(tokens.unit_text(unit)),
                "score": score,
                "error": None if shown.error is None else float(shown.error[number]),
                "rank": rank.get(number),
                "tokens": list(unit),
                "parts": [[visible(tokens.pieces[token]), pieces.get(token)] for token in unit],
                "special": bool(tokens.special[unit[0]]),
                "asked": is_asked(tokens, shown.target, unit),
            }
        )
    return records


def shared_scales(
    attributions: Sequence[Attribution], by: str, prediction: Prediction | None = None
) -> dict[str, float]:
    """Return the score of full color for each scale, so that colors of attributions in one unit can be compared.

    `prediction` is as of `TokenHeatmap.data`.
    """
    scales: dict[str, float] = {}
    for attribution in attributions:
        shown = _shown(calibrated_scores(prediction, attribution), by)
        own = list(ranks(shown))
        largest = float(np.abs(shown.scores[own]).max(initial=0.0))
        scales[attribution.scale] = max(scales.get(attribution.scale, 0.0), largest)
    return scales


def _shown(attribution: Attribution, by: str) -> Attribution:
    return (
        attribution.per_word()
        if by == "word" and attribution.granularity == "token" and attribution.additive
        else attribution
    )


def ranks(shown: Attribution) -> dict[int, int]:
    """Return the rank by size of every unit that is not a special token, from 1; ties in reading order."""
    special = shown.tokens.special
    own = [number for number, unit in enumerate(shown.units) if not special[list(unit)].all()]
    own.sort(key=lambda number: -abs(shown.scores[number]))
    return {number: place for place, number in enumerate(own, 1)}


def note(attribution: Attribution, shown: Attribution) -> str:
    """Return sentences on the numbers and their limits."""
    diagnostics = attribution.diagnostics
    unit = UNITS[attribution.scale]
    parts = []
    if sums := sums_sentence(attribution):
        parts.append(sums)
    if "points" in diagnostics:
        state = (
            ""
            if diagnostics.get("converged", True)
            else " Not converged: do not trust small scores; allow more points."
        )
        parts.append(f"{diagnostics['points']} points on the path.{state}")
    if "gap_share" in diagnostics:
        parts.append(f"The gap is {diagnostics['gap_share']:.0%} of the difference that the scores should add up to.")
    if "disagreement" in diagnostics:
        parts.append(
            f"From one empty text to another a piece's score differs by up to \u00b1{diagnostics['disagreement']:.3f}."
        )
    if "mean_output" in diagnostics:
        parts.append(
            f"The text has {attribution.output:+.3f} {unit}, "
            f"its noisy copies {diagnostics['mean_output']:+.3f} on average."
        )
    if "share_on_special_tokens" in diagnostics:
        share = diagnostics["share_on_special_tokens"]
        if attribution.params.get("special_tokens") == "set_aside":
            rest = "the rest rescaled to sum to 100%" if attribution.scores.any() else "and nothing is left"
            parts.append(f"{share:.0%} of it lies on special tokens; set aside here, {rest}.")
        else:
            parts.append(f"{share:.0%} of it lies on special tokens.")
    if "r_squared" in diagnostics and diagnostics.keys() & {"intercept", "intercepts"}:
        begins = " and ".join(f"{start:+.3f}" for start in diagnostics.get("intercepts") or [diagnostics["intercept"]])
        share = max(0.0, diagnostics["r_squared"])
        parts.append(
            f"The linear model explains {share:.0%} of what happens near this text (R²); it begins at {begins}."
        )
    if attribution.error is not None:
        parts.append(_certainty(attribution))
    if operator := diagnostics.get("operator"):
        parts.append(
            f"A removed word is {OPERATORS[operator].split(';')[0]}."
            if operator in OPERATORS
            else f"Operator: {operator}."
        )
    if shown.granularity not in ("word", "token"):
        what = {
            "sentence": "whole sentences",
            "phrase": "phrases, cut at punctuation",
            "window": "sliding windows; a word shows the window it is the middle of",
        }
        parts.append(f"Scores are of {what.get(shown.granularity, shown.granularity)}.")
    passes = attribution.passes
    if passes.forward:
        back = f" and {passes.backward} backward" if passes.backward else ""
        parts.append(f"{passes.forward} forward{back} passes, {attribution.seconds:.2g} s.")
    return sentence(*parts)


def _certainty(attribution: Attribution) -> str:
    """Return the width of the intervals and, of a sampling method, whether it is still drawing."""
    diagnostics = attribution.diagnostics
    if not attribution.widest_error:
        return "Nothing was drawn at random: the scores are exact." if diagnostics.get("exact") else ""
    drawn = f" after {diagnostics['pairs']} pairs of orders" if "pairs" in diagnostics else ""
    more = ""
    if diagnostics.get("partial"):
        more = " Still drawing."
    elif not diagnostics.get("converged", True) and "points" not in diagnostics:  # that is said with the points
        more = " The budget ended it: more passes make it narrower."
    return f"The widest 95% interval is ±{attribution.widest_error:.2g}{drawn}.{more}"


def _piece_scores(attribution: Attribution) -> dict[int, float]:
    if attribution.granularity != "token":
        return {}
    return {unit[0]: score for unit, score in zip(attribution.units, attribution.scores.tolist())}


def joined(units: list[dict[str, Any]], *, additive: bool) -> list[dict[str, Any]]:
    """Join tokens that stand for one character (the bytes of an emoji) into one unit with all their pieces.

    Additive scores are summed; of others the largest is kept.
    """
    joined: list[dict[str, Any]] = []
    for unit in units:
        last = joined[-1] if joined else None
        place = (unit["segment"], unit["start"], unit["stop"])
        if last and unit["start"] < unit["stop"] and place == (last["segment"], last["start"], last["stop"]):
            both = last["score"], unit["score"]
            last |= {
                "score": sum(both) if additive else max(both, key=abs),
                "rank": min(filter(None, (last["rank"], unit["rank"])), default=None),
                "tokens": last["tokens"] + unit["tokens"],
                "parts": last["parts"] + unit["parts"],
            }
        else:
            joined.append(dict(unit))
    return joined


def _window_centers(tokens: Tokens, windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return windows, which overlap, as the words in their middle."""
    words = tokens.word_units()
    of_token = {token: number for number, word in enumerate(words) for token in word}
    drawn = []
    for window in windows:
        members = sorted({of_token[token] for token in window["tokens"]})
        middle = words[members[len(members) // 2]]
        _, start, stop = tokens.unit_span(middle)
        drawn.append(
            window | {"start": start, "stop": stop, "text": visible(tokens.unit_text(middle)), "tokens": list(middle)}
        )
    return drawn


def _with_asked(tokens: Tokens, target: Target, units: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return units in reading order, with the asked words that have no score because no method removes them."""
    added = []
    about: dict[str, Any] = {"score": None, "error": None, "rank": None, "parts": [], "special": False, "asked": True}
    for word in tokens.word_units():
        asked_pieces = [token for token in word if is_asked(tokens, target, (token,))]  # an answer may begin in a word
        if not asked_pieces:
            continue
        segment, start, stop = tokens.unit_span(asked_pieces)
        if any(unit["segment"] == segment and unit["start"] < stop and start < unit["stop"] for unit in units):
            continue  # it is drawn with its score
        place = {"segment": segment, "start": start, "stop": stop}
        added.append({**place, "text": visible(tokens.unit_text(asked_pieces)), "tokens": asked_pieces, **about})
    return sorted([*units, *added], key=lambda unit: (unit["segment"], unit["start"])) if added else units


def laid_out(tokens: Tokens, units: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the units of each text in order, the characters between them, and the unread text before and after.

    Args:
        units: each with "segment", "start" and "stop", which are left out of what is returned.
    """
    texts = []
    for number, text in enumerate(tokens.texts):
        mine = [unit for unit in units if unit["segment"] == number]
        cut = tokens.truncated_at[number]
        readable = len(text) if cut is None else cut
        at = tokens.begins_at[number]
        drawn = []
        for unit in mine:
            start, stop = unit["start"], unit["stop"]
            kept = {name: part for name, part in unit.items() if name not in ("segment", "start", "stop")}
            drawn.append(kept | {"gap": visible(text[at:start]) if start > at else ""})
            at = max(at, stop)
        texts.append(
            {
                "label": text_label(tokens, number),
                "before": unread_before(tokens, number),
                "units": drawn,
                "tail": visible(text[at:readable]),
                "unread": unread_after(tokens, number),
            }
        )
    return texts


def unread_after(tokens: Tokens, number: int) -> str:
    """Return the beginning of the unread text after the part that the model read, and how much more follows."""
    cut = tokens.truncated_at[number]
    rest = "" if cut is None else tokens.texts[number][cut:]
    more = len(rest) - UNREAD_SHOWN
    return visible(rest[:UNREAD_SHOWN]) + (f"… ({more:,} more characters)" if more > 0 else "")


def unread_before(tokens: Tokens, number: int) -> str:
    """Return how much unread text comes before the part that the model read, and its end."""
    rest = tokens.texts[number][: tokens.begins_at[number]]
    more = len(rest) - UNREAD_SHOWN
    return (f"({more:,} more characters) …" if more > 0 else "") + visible(rest[-UNREAD_SHOWN:])


VIEWS.register("token_heatmap")(TokenHeatmap())

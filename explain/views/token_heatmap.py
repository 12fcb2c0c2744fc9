"""Token heatmap: the text itself on colored ground, the first picture anyone sees of an attribution."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import Attribution, Tokens
from explain.views.base import UNITS, VIEWS, View, sentence, target_name, text_label, visible
from explain.views.references import higher_reference, sums_sentence

UNREAD_SHOWN = 300  # characters


class TokenHeatmap(View):
    """Each word's score by tint and underline, on a scale shared by the text."""

    name = "token_heatmap"
    title = "Token heatmap"
    accepts = Attribution

    def data(
        self,
        result: Attribution,
        *,
        by: str = "word",
        title: str = "",
        group: str = "",
        largest: float | None = None,
        special: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            by: "word" adds up the pieces of a word where the method allows it; "token" shows pieces.
            title: the method's title.
            group: drawings of one group mark a picked word together.
            largest: the score of full color, where several drawings share a scale; by default this one's largest.
            special: show special tokens that have a score.
        """
        tokens = result.tokens
        shown = _shown(result, by)
        rank = ranks(shown)
        pieces = _piece_scores(result)
        units = []
        for number, (unit, score) in enumerate(zip(shown.units, shown.scores.tolist())):
            if bool(tokens.special[list(unit)].all()) and not (special and score):
                continue
            segment, start, stop = tokens.unit_span(unit)
            units.append(
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
                }
            )
        if shown.granularity == "window":
            units = _window_centers(tokens, units)
        units = joined(units, additive=result.additive)
        biggest = largest or max((abs(unit["score"]) for unit in units), default=0.0)
        return {
            "title": title or result.method,
            "method": result.method,
            "group": group,
            "scale": result.scale,
            "unit": UNITS[result.scale],
            "signed": result.signed,
            "largest": biggest,
            "count": len(units),
            "for": f"for {target_name(result.target)}",
            "against": "against",
            "lead": higher_reference(result),
            "texts": laid_out(tokens, units),
            "note": note(result, shown),
            "caption": f"{title or result.method}, {UNITS[result.scale]}"
            + ("" if result.scale == "share" else f", target: {target_name(result.target)}"),
        }


def shared_scales(results: Sequence[Attribution], by: str) -> dict[str, float]:
    """The score of full color for each scale: results in one unit are drawn in one, so that colors can be compared."""
    scales: dict[str, float] = {}
    for result in results:
        shown = _shown(result, by)
        own = list(ranks(shown))
        largest = float(np.abs(shown.scores[own]).max(initial=0.0))
        scales[result.scale] = max(scales.get(result.scale, 0.0), largest)
    return scales


def _shown(result: Attribution, by: str) -> Attribution:
    return result.per_word() if by == "word" and result.granularity == "token" and result.additive else result


def ranks(shown: Attribution) -> dict[int, int]:
    """The rank by size of every unit that is not a special token, from 1; equal sizes in reading order."""
    special = shown.tokens.special
    own = [number for number, unit in enumerate(shown.units) if not special[list(unit)].all()]
    own.sort(key=lambda number: -abs(shown.scores[number]))
    return {number: place for place, number in enumerate(own, 1)}


def note(result: Attribution, shown: Attribution) -> str:
    """What the numbers are and how far they hold, in sentences."""
    found = result.diagnostics
    unit = UNITS[result.scale]
    parts = []
    if sums := sums_sentence(result):
        parts.append(sums)
    if "points" in found:
        state = "" if found.get("converged", True) else " Not converged: do not trust small scores; allow more points."
        parts.append(f"{found['points']} points on the path.{state}")
    if "gap_share" in found:
        parts.append(f"The gap is {found['gap_share']:.0%} of the difference that the scores should add up to.")
    if "disagreement" in found:
        parts.append(
            f"From one empty text to another a piece's score differs by up to \u00b1{found['disagreement']:.3f}."
        )
    if "mean_output" in found:
        parts.append(
            f"The text has {result.output:+.3f} {unit}, its noisy copies {found['mean_output']:+.3f} on average."
        )
    if "share_on_special_tokens" in found:
        share = found["share_on_special_tokens"]
        if result.params.get("special_tokens") == "set_aside":
            rest = "the rest rescaled to sum to 100%" if result.scores.any() else "and nothing is left"
            parts.append(f"{share:.0%} of it lies on special tokens; set aside here, {rest}.")
        else:
            parts.append(f"{share:.0%} of it lies on special tokens.")
    if "r_squared" in found and found.keys() & {"intercept", "intercepts"}:
        begins = " and ".join(f"{start:+.3f}" for start in found.get("intercepts") or [found["intercept"]])
        share = max(0.0, found["r_squared"])
        parts.append(
            f"The linear model explains {share:.0%} of what happens near this text (R²); it begins at {begins}."
        )
    if result.error is not None:
        parts.append(_certainty(result))
    if "operator" in found:
        parts.append(f"Taking away: {found['operator'].replace('_', ' ')}.")
    if shown.granularity not in ("word", "token"):
        what = {
            "sentence": "whole sentences",
            "phrase": "phrases, cut at punctuation",
            "window": "sliding windows; a word shows the window it is the middle of",
        }
        parts.append(f"Scores are of {what.get(shown.granularity, shown.granularity)}.")
    passes = result.passes
    if passes.forward:
        back = f" and {passes.backward} backward" if passes.backward else ""
        parts.append(f"{passes.forward} forward{back} passes, {result.seconds:.2g} s.")
    return sentence(*parts)


def _certainty(result: Attribution) -> str:
    """How narrow a sampling method's intervals are, and whether it goes on."""
    found = result.diagnostics
    if not result.widest_error:
        return "Nothing was drawn at random: the scores are exact." if found.get("exact") else ""
    drawn = f" after {found['pairs']} pairs of orders" if "pairs" in found else ""
    more = ""
    if found.get("partial"):
        more = " Still drawing."
    elif not found.get("converged", True):
        more = " The budget ended it: more passes make it narrower."
    return f"The widest 95% interval is ±{result.widest_error:.2g}{drawn}.{more}"


def _piece_scores(result: Attribution) -> dict[int, float]:
    if result.granularity != "token":
        return {}
    return {unit[0]: score for unit, score in zip(result.units, result.scores.tolist())}


def joined(units: list[dict[str, Any]], *, additive: bool) -> list[dict[str, Any]]:
    """Tokens that stand for one character (the bytes of an emoji) are drawn once, with all their pieces.

    Their scores are added where they may be; else the largest is shown.
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
    """Windows overlap; each is drawn on the word in its middle."""
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


def laid_out(tokens: Tokens, units: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The units of each text in order, with the characters between them; what was not read before and after them.

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
            kept = {name: value for name, value in unit.items() if name not in ("segment", "start", "stop")}
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
    """Of what a text holds behind what the model read: the beginning, and how much more there is."""
    cut = tokens.truncated_at[number]
    rest = "" if cut is None else tokens.texts[number][cut:]
    more = len(rest) - UNREAD_SHOWN
    return visible(rest[:UNREAD_SHOWN]) + (f"… ({more:,} more characters)" if more > 0 else "")


def unread_before(tokens: Tokens, number: int) -> str:
    """Of what a text holds before what the model read: how much there is, and its end."""
    rest = tokens.texts[number][: tokens.begins_at[number]]
    more = len(rest) - UNREAD_SHOWN
    return (f"({more:,} more characters) …" if more > 0 else "") + visible(rest[-UNREAD_SHOWN:])


VIEWS.register("token_heatmap")(TokenHeatmap())

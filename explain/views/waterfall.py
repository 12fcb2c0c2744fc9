"""Waterfall: the way from the reference to the answer, word by word, for scores that add up.

    answer = reference + sum of scores + what the scores miss

Scores that do not add up are drawn as what they say: the answer without each word where words were removed one at a
time, else a bar for each word. Log-odds and their scores are divided by the model's temperature, see `confidence`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explain.datatypes import Attribution, Prediction
from explain.views.asked_words import quoted
from explain.views.axis import (
    CLOSEST_NARROW,
    adding_up,
    decimals_for,
    fixed,
    percent_ticks,
    round_ticks,
    sigmoid,
    spread,
)
from explain.views.base import (
    UNITS,
    VIEWS,
    View,
    percent,
    read_at,
    rounded,
    sentence,
    target_name,
    text_label,
    visible,
)
from explain.views.confidence import as_percents, calibrated_unit, shown_divisor, shown_probabilities
from explain.views.references import reference_name
from explain.views.token_heatmap import scored_units

MOST = 8  # words with a row of their own
_REMOVES_EACH = ("occlusion",)  # methods that remove one word at a time; others say so in their diagnostics
_PLURALS = {
    "token": ("piece", "pieces"),
    "word": ("word", "words"),
    "phrase": ("phrase", "phrases"),
    "sentence": ("sentence", "sentences"),
    "window": ("window", "windows"),
}

Row = dict[str, Any]
Units = Sequence[dict[str, Any]]


def form_of(attribution: Attribution) -> str:
    """Return what is drawn: "steps" of scores that add up, the answer "without" each word, or plain "bars"."""
    if attribution.sums and attribution.signed:
        return "steps"
    alone = attribution.method in _REMOVES_EACH or attribution.diagnostics.get("removes_each") is True
    return "without" if alone and attribution.signed and attribution.scale == attribution.target.scale else "bars"


@dataclass(frozen=True)
class Figures:
    """The format of a drawing's numbers.

    Attributes:
        divisor: every number is divided by it, the temperature or 1.
        percents: numbers are log-odds of a decision, so answers are written as percents, too.
        decimals: of every number.
        signed: positive scores have a plus.
        signed_answers: so do answers; a probability has no sign.
    """

    divisor: float
    percents: bool
    decimals: int
    signed: bool = True
    signed_answers: bool = True

    def whole(self, number: float) -> int:
        """Return a number, already divided, in units of the last decimal."""
        return round(number * 10**self.decimals)

    def text(self, number: float) -> str:
        """Return a score, already divided, as text."""
        return fixed(self.whole(number), self.decimals, signed=self.signed)

    def answer(self, whole: int) -> str:
        """Return an answer, in units of the last decimal, as text."""
        return fixed(whole, self.decimals, signed=self.signed_answers)

    def chance(self, number: float) -> str:
        """Return log-odds, already divided, as a percent; "" in other units."""
        return percent(sigmoid(number)) if self.percents else ""


class Waterfall(View):
    """Steps from the reference to the answer; of other scores the answer without each word, or bars."""

    name = "waterfall"
    title = "Waterfall"
    accepts = Attribution
    rank = 110

    def fits(self, result: Attribution) -> bool:
        """Whether anything has a score."""
        return len(result.units) > 0

    def data(
        self,
        attribution: Attribution,
        /,
        *,
        by: str = "word",
        title: str = "",
        group: str = "",
        prediction: Prediction | None = None,
        about: str = "",
        legend: bool = True,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            by: "word" adds up the pieces of a word where the method allows it; "token" shows pieces.
            title: the method's title.
            group: drawings of one group mark a picked word together.
            prediction: what is explained; from it come the temperature and the calibrated answer.
            about: sentences on the method, before those on the numbers.
            legend: whether the signs and the unit stand above the rows, or in another picture beside it.
        """
        form = form_of(attribution)
        shown, units = scored_units(attribution, by, special=True, summed=form == "steps" or None)
        temperature = None if prediction is None else shown_divisor(prediction, attribution)
        if len(attribution.tokens.texts) > 1:
            units = [unit | {"where": [text_label(attribution.tokens, unit["segment"])]} for unit in units]
        figures = _figures(attribution, units, temperature, form, as_percents(prediction, attribution.target))
        names = _PLURALS.get(shown.granularity, ("word", "words"))
        draw = {"steps": _steps, "without": _without, "bars": _bars}[form]
        unit = UNITS[attribution.scale]
        drawn = draw(attribution, units, figures, names)
        return {
            "title": title or attribution.method,
            "method": attribution.method,
            "group": group,
            "form": form,
            "scale": attribution.scale,
            "signed": attribution.signed,
            "unit": calibrated_unit(attribution, temperature),
            "of": "" if attribution.scale == "share" else unit,
            "percents": figures.percents and form != "bars",
            "signs": [f"for {visible(target_name(attribution.target))}", "against"] if attribution.signed else [],
            **drawn,
            "legend": legend,
            "note": sentence(about, drawn["note"], _calibration_sentence(attribution, prediction, temperature, form)),
            "caption": f"{title or attribution.method}, {unit}"
            + ("" if attribution.scale == "share" else f", target: {visible(target_name(attribution.target))}"),
        }


def _figures(attribution: Attribution, units: Units, temperature: float | None, form: str, percents: bool) -> Figures:
    """Return how numbers are written: with decimals for the largest of them."""
    by = temperature or 1.0
    answers = [] if form == "bars" else [attribution.output, attribution.baseline_output or 0.0]
    sizes = [
        abs(number) / by for number in (*answers, *attribution.emptied_outputs, *(unit["score"] for unit in units))
    ]
    percents = percents and attribution.scale == "log_odds" and attribution.signed
    decimals = decimals_for(max(sizes, default=0.0))
    return Figures(by, percents, decimals, attribution.signed, attribution.scale != "probability")


def _calibration_sentence(
    attribution: Attribution, prediction: Prediction | None, temperature: float | None, form: str
) -> str:
    """Return a sentence on the temperature, where the model has one and the target is a log-odds."""
    target = attribution.target
    if temperature is not None:
        percents = "" if form == "bars" else ", so percents are calibrated;"
        return f"Scores are divided by the temperature{percents or ';'} records keep raw scores."
    if form == "bars" or prediction is None or prediction.temperature is None or attribution.scale != "log_odds":
        return ""
    shares = shown_probabilities(read_at(prediction, target.positions).output, prediction.temperature)
    calibrated = "" if shares is None else f" Calibrated, the answer is {percent(float(shares[0, target.index]))}."
    return f"Log-odds are the model's own: of more than two labels a temperature divides none.{calibrated}"


def _row(kind: str, text: str, figures: Figures, start: float, stop: float, **more: Any) -> Row:
    """Return a row: a bar from one place to another, with the answer at its end."""
    return {
        "kind": kind,
        "text": text,
        "tokens": [],
        "from": start,
        "to": stop,
        "step": "",
        "side": "",
        "running": figures.answer(figures.whole(stop)),
        "percent": figures.chance(stop),
        "more": [],
        **more,
    }


def _word(unit: dict[str, Any], figures: Figures, start: float, stop: float, step: str) -> Row:
    """Return the row of a word."""
    more = list(unit.get("where", ()))
    if figures.divisor != 1:
        more.append(f"{rounded(unit['score'], '+.3f')} before the temperature")
    if unit["error"] and (half_width := figures.whole(unit["error"] / figures.divisor)):
        more.append(f"± {fixed(half_width, figures.decimals, signed=False)} (95%)")
    side = "" if not unit["score"] or not figures.signed else "for" if unit["score"] > 0 else "against"
    text = " ".join(unit["text"].split()) or unit["text"]
    kind = "special" if unit["special"] else "word"
    return _row(kind, text, figures, start, stop, step=step, side=side, more=more, tokens=unit["tokens"])


def _by_size(units: Units) -> list[dict[str, Any]]:
    return sorted(units, key=lambda unit: -abs(unit["score"]))  # ties stay in reading order


def _largest(units: Units, figures: Figures) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the units with a row of their own, largest first, and the others; scores that print as zero get none."""
    ordered = _by_size(units)
    visible_count = sum(figures.whole(unit["score"] / figures.divisor) != 0 for unit in ordered)
    most = MOST + 1 if visible_count == MOST + 1 else MOST  # "1 other word" would be a row, too
    most = min(most, visible_count)
    return ordered[:most], ordered[most:]


def _others(rest: Units, names: tuple[str, str]) -> str:
    """Return what the others are called: "9 other words", or "9 others" if not all are words."""
    if any(unit["special"] for unit in rest):
        return f"{len(rest)} other{'s' if len(rest) > 1 else ''}"
    return f"{len(rest)} other {names[len(rest) > 1]}"


def _axis(rows: Sequence[Row], figures: Figures, *, zero: bool) -> dict[str, Any]:
    """Return the ends of an axis around all bars, and its ticks; zero is on it if it must be, or is near."""
    places = [row[end] for row in rows for end in ("from", "to")]
    low, high = min(places), max(places)
    near = 0.25 * (high - low)
    if zero or low - near <= 0 <= high + near:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.03 * (high - low) or 10.0**-figures.decimals
    low, high = low - room * (zero is False or low < 0), high + room
    ticks = (
        percent_ticks(low, high)
        if figures.percents
        else round_ticks(low, high, figures.decimals, signed=figures.signed and figures.signed_answers)
    )
    apart = spread(ticks, CLOSEST_NARROW * (high - low))
    return {
        "low": low,
        "high": high,
        "ticks": [
            {
                "at": at,
                "percent": label if figures.percents else "",
                "figure": figures.text(at) if figures.percents else label,
                "wide": (at, label) not in apart,  # left out of a narrow drawing
            }
            for at, label in ticks
        ],
    }


def _steps(attribution: Attribution, units: Units, figures: Figures, names: tuple[str, str]) -> dict[str, Any]:
    """Return the waterfall of scores that add up; of two texts that are emptied in turn, one for each."""
    tokens = attribution.tokens
    if attribution.emptied_outputs:
        falls = [
            _fall(
                attribution,
                [unit for unit in units if unit["segment"] == text],
                figures,
                names,
                label=text_label(tokens, text),
                start=start,
            )
            for text, start in enumerate(attribution.emptied_outputs)
        ]
    else:
        falls = [_fall(attribution, units, figures, names, label="", start=attribution.baseline_output or 0.0)]
    return {
        "heading": "Step by step",
        "columns": ["score", "answer"],
        "falls": falls,
        "note": sentence(
            "The largest scores come first; each bar goes on where the one above ends.",
            "Each text starts from where it is empty and the other whole." if attribution.emptied_outputs else "",
            "Lengths are log-odds, which add up; percents do not." if figures.percents else "",
            "What the scores miss of the difference is a row of its own: not attributed."
            if any(row["kind"] == "missed" for fall in falls for row in fall["rows"])
            else "",
        ),
    }


def _fall(
    attribution: Attribution, units: Units, figures: Figures, names: tuple[str, str], *, label: str, start: float
) -> dict[str, Any]:
    """Return the rows from a reference to the answer. The printed figures add up; the others take what rounding leaves.

    Args:
        units: whose scores lead from the reference to the answer.
        label: the text that is emptied, if each is in turn.
        start: the target's value at the reference.
    """
    by = figures.divisor
    start, end = start / by, attribution.output / by
    words, rest = _largest(units, figures)
    missed = end - start - sum(unit["score"] for unit in units) / by
    steps = [unit["score"] / by for unit in words]
    rest_at = missed_at = None
    if rest:
        rest_at = len(steps)
        steps.append(sum(unit["score"] for unit in rest) / by)
    if figures.whole(missed):
        missed_at = len(steps)
        steps.append(missed)
    first, last = figures.whole(start), figures.whole(end)
    taker = rest_at if rest_at is not None else missed_at
    printed = adding_up(steps, last - first, figures.decimals, taker) if steps else []

    name = _reference_label(attribution) if not label else f"without the {label.lower()}"
    reference = "" if label else reference_name(attribution)
    rows = [_row("reference", name, figures, start, start, more=[reference] if reference and reference != name else [])]
    at, running = start, first
    for number, (step, whole) in enumerate(zip(steps, printed)):
        at, before, running = at + step, at, running + whole
        text = fixed(whole, figures.decimals)
        if number == rest_at:
            row = _row("others", _others(rest, names), figures, before, at, step=text, side=_side(whole))
        elif number == missed_at:
            row = _row("missed", "not attributed", figures, before, at, step=text, side=_side(whole))
        else:
            row = _word(words[number], figures, before, at, text)
        rows.append(row | {"running": figures.answer(running)})
    rows.append(_row("answer", visible(target_name(attribution.target)), figures, end, end))
    return {"label": label, "rows": rows, **_axis(rows, figures, zero=False)}


def _side(whole: int) -> str:
    return "" if whole == 0 else "for" if whole > 0 else "against"


def _reference_label(attribution: Attribution) -> str:
    """Return the name of the first row: what is left of the text, or the method's own reference."""
    if kept := quoted(attribution.tokens, attribution.target):
        return f"{kept} alone"
    empty = attribution.diagnostics.keys() & {"operator", "baseline"} or "empty text" in reference_name(attribution)
    return "without words" if empty else reference_name(attribution)


def _without(attribution: Attribution, units: Units, figures: Figures, names: tuple[str, str]) -> dict[str, Any]:
    """Return the answer without each of the words that matter most: score_u = F(text) - F(text without u)."""
    end = attribution.output / figures.divisor
    words, rest = _largest(units, figures)
    rows = [_row("answer", visible(target_name(attribution.target)), figures, end, end)]
    for unit in words:
        score = unit["score"] / figures.divisor
        left = figures.answer(figures.whole(end) - figures.whole(score))  # so that printed figures add up
        rows.append(_word(unit, figures, end, end - score, figures.text(score)) | {"running": left})
    most = figures.whole(max((abs(unit["score"]) / figures.divisor for unit in rest), default=0.0))
    limit = "at most" if most else "less than"
    return {
        "heading": f"The answer without each {names[0]}",
        "columns": ["score", "without it"],
        "falls": [{"label": "", "rows": rows, **_axis(rows, figures, zero=False)}],
        "note": sentence(
            f"Each bar leads from the answer to the answer without that {names[0]}. These scores do not add up.",
            f"{_others(rest, names)}: {limit} {fixed(most or 1, figures.decimals, signed=False)} each." if rest else "",
        ),
    }


def _bars(attribution: Attribution, units: Units, figures: Figures, names: tuple[str, str]) -> dict[str, Any]:
    """Return a bar for each of the largest scores; of shares one for all others, too."""
    shares = attribution.scale == "share"

    def written(number: float) -> str:
        return percent(number) if shares else figures.text(number)

    words, rest = _largest(units, figures)
    rows = []
    for unit in words:
        score = unit["score"] / figures.divisor
        rows.append(_word(unit, figures, 0.0, score, written(score)) | {"running": "", "percent": ""})
    if shares and rest:
        total = sum(unit["score"] for unit in rest)
        others = _row("others", _others(rest, names), figures, 0.0, total, step=written(total))
        rows.append(others | {"running": "", "percent": ""})
    axis = _axis(rows, Figures(figures.divisor, False, figures.decimals, figures.signed), zero=True) if rows else None
    if axis and shares:
        axis["ticks"] = [tick | {"figure": percent(tick["at"]) if tick["at"] else "0%"} for tick in axis["ticks"]]
    what = "Shares of a whole, without a sign" if shares else "Scores that do not add up to the answer"
    left = f"{_others(rest, names)}: smaller each." if rest and not shares else ""
    return {
        "heading": "The largest shares" if shares else "The largest scores",
        "columns": ["share" if shares else "score", ""],
        "falls": [{"label": "", "rows": rows, **axis}] if axis else [],
        "note": sentence(f"{what}: no way from a reference to the answer follows from them.", left),
    }


VIEWS.register("waterfall")(Waterfall())

"""Compare: two explanations one above the other, on one scale, with the difference of each row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explain.datatypes import AlignedWords, Attribution, ComparedScores, Comparison, Report
from explain.datatypes.prediction import LOG_ODDS_SCALES
from explain.views.asked_words import asked_label, is_asked
from explain.views.base import UNITS, VIEWS, View, percent, read_at, rounded, sentence, target_name, text_label, visible
from explain.views.confidence import headline, shown_probabilities
from explain.views.scores_table import place_of, value_text

CHANGES = {  # what is compared, as a heading
    "texts": "Two texts compared",
    "models": "Two models compared",
    "targets": "Two targets compared",
    "settings": "Two explanations compared",
}
SIDES = ("A", "B")


class Compare(View):
    """Rows of words of A and B as heatmaps, bars of the differences, and the answers."""

    name = "compare"
    title = "Side by side"
    accepts = Comparison
    uses = ("compared_words.js",)

    def data(
        self,
        comparison: Comparison,
        /,
        *,
        titles: Mapping[str, str] | None = None,
        methods: Sequence[str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: of methods, by name.
            methods: those that are drawn; by default all.
        """
        shown = [scores for scores in comparison.scores if methods is None or scores.method in methods]
        named = {scores.method: (titles or {}).get(scores.method, scores.method) for scores in shown}
        names = side_names(comparison)
        targets = f"target: {visible(target_name(comparison.report_a.target))}"
        return {
            "names": list(names),
            "answers": _answers(comparison),
            "methods": [compared(comparison, scores, named[scores.method]) for scores in shown],
            "note": sentence(_labels_note(comparison), alignment_note(comparison), _left_out(comparison)),
            "caption": f"{CHANGES[comparison.differs]}: {'; '.join(names) if names != SIDES else targets}",
        }


def side_names(comparison: Comparison) -> tuple[str, str]:
    """Return what A and B are called: by letter, with the model or the target if these differ."""
    reports = comparison.report_a, comparison.report_b
    parts: list[list[str]] = [[side] for side in SIDES]
    if comparison.differs == "models":
        parts = [[*part, visible(report.model.id)] for part, report in zip(parts, reports)]
    targets = [f"{visible(target_name(report.target))}{place_of(report)}" for report in reports]
    if comparison.differs == "targets" and targets[0] == targets[1]:
        targets = [report.target.scale.replace("_", "-") for report in reports]
    if targets[0] != targets[1]:
        parts = [[*part, target] for part, target in zip(parts, targets)]
    first, second = (f"{part[0]}: {', '.join(part[1:])}" if len(part) > 1 else part[0] for part in parts)
    return first, second


def answer_text(report: Report) -> str:
    """Return what the model says of a report's text, in a few words."""
    decided = headline(read_at(report.prediction, report.target.positions))
    return value_text(report) if decided is None else decided.text()


def share_text(report: Report) -> str:
    """Return the calibrated probability of a target that is not the decided label; else empty, as the answer has it."""
    prediction, target = read_at(report.prediction, report.target.positions), report.target
    shares = shown_probabilities(prediction.output, prediction.temperature)
    if shares is None or prediction.output.listed_of is not None or target.against or target.label == prediction.label:
        return ""
    return f"{percent(float(shares[0, target.index]))} {visible(target.label)}"


def scale_name(scales: Sequence[str], calibrated: bool) -> str:
    """Return the unit of both sides in words."""
    units = list(dict.fromkeys(UNITS[scale] for scale in scales))
    return f"calibrated {units[0]}" if calibrated and len(units) == 1 else " and ".join(units)


def agreement_text(scores: ComparedScores, rows: Sequence[AlignedWords]) -> str:
    """Return how far the orders of the words that both have agree, as a sentence."""
    both = _in_both(scores, rows)
    words = f"{both} word{'' if both == 1 else 's'} that both have"
    rank, tau = scores.agreement.get("spearman"), scores.agreement.get("kendall")
    if rank is None or tau is None:
        why = "there are fewer than three" if both < 3 else "a side gives every word the same score"
        return f"Agreement of the orders is undefined over the {words}: {why}."
    sizes = "" if scores.signed else ", sizes compared"
    figures = f"Spearman {rounded(rank, '+.2f')}, Kendall {rounded(tau, '+.2f')}"
    return f"Agreement of the orders over {words}{sizes}: {figures}."


def _in_both(scores: ComparedScores, rows: Sequence[AlignedWords]) -> int:
    same = np.array([row.kind == "same" for row in rows], dtype=bool)
    return int((same & ~np.isnan(scores.scores_a) & ~np.isnan(scores.scores_b)).sum())


def _answers(comparison: Comparison) -> dict[str, Any]:
    """Return the answers of both sides, and bars of the target's values."""
    answers = comparison.answers
    reports = comparison.report_a, comparison.report_b
    values = answers.value_a, answers.value_b
    sides = [
        {
            "name": name,
            "text": answer_text(report),
            "value": value,
            "after": share_text(report),
        }
        for name, report, value in zip(SIDES, reports, values)
    ]
    largest = max(map(abs, (*values, answers.difference or 0.0))) or 1.0
    scales = [report.target.scale for report in reports]
    return {
        "sides": sides,
        "difference": answers.difference,
        "largest": largest,
        "unit": scale_name(scales, answers.temperatures != (1.0, 1.0)),
    }


def compared(comparison: Comparison, scores: ComparedScores, title: str) -> dict[str, Any]:
    """Return one method's rows, by text."""
    parts = [report.attribution(scores.method) for report in (comparison.report_a, comparison.report_b)]
    largest = [_largest(scores.scores_a), _largest(scores.scores_b)]
    if scores.scale:
        largest = [max(largest)] * 2
    rows = [_row(comparison, scores, number) for number in range(len(comparison.rows))]
    tokens = [report.prediction.tokens for report in (comparison.report_a, comparison.report_b)]
    longest = max(tokens, key=lambda encoding: len(encoding.texts))
    return {
        "method": scores.method,
        "title": title,
        "scales": [part.scale for part in parts],
        "units": [scale_name([part.scale], scores.temperatures[side] != 1.0) for side, part in enumerate(parts)],
        "one_scale": bool(scores.scale),
        "signed": [part.signed for part in parts],
        "largest": largest,
        "largest_difference": _largest(scores.differences),
        "texts": [
            {
                "label": text_label(longest, segment) if len(longest.texts) > 1 else "",
                "rows": [row for row, aligned in zip(rows, comparison.rows) if aligned.segment == segment],
            }
            for segment in range(len(longest.texts))
        ],
        "parting": [_parting(rows[number], scores, comparison.rows, number) for number in scores.parting],
        "agreement": agreement_text(scores, comparison.rows),
        "note": _method_note(comparison, scores, parts),
    }


def _largest(scores: np.ndarray) -> float:
    return float(np.nan_to_num(np.abs(scores)).max(initial=0.0))


def _row(comparison: Comparison, scores: ComparedScores, number: int) -> dict[str, Any]:
    row = comparison.rows[number]
    reports = comparison.report_a, comparison.report_b
    tokens = [_tokens(report, words) for report, words in zip(reports, (row.words_a, row.words_b))]
    return {
        "row": number,
        "kind": row.kind,
        "words": [None if word is None else visible(word) for word in (row.word_a, row.word_b)],
        "scores": [_number(side[number]) for side in (scores.scores_a, scores.scores_b)],
        "difference": _number(scores.differences[number]),
        "error": _number(scores.errors[number]) or None,
        "asked": [
            asked_label(report.target) if is_asked(report.prediction.tokens, report.target, side) else ""
            for report, side in zip(reports, tokens)
        ],
        "tokens": tokens,
    }


def _tokens(report: Report, words: Sequence[int]) -> list[int]:
    """Return the tokens of some words."""
    ranges = report.prediction.tokens.words
    return [token for word in words for token in range(*ranges[word].tolist())]


def _number(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _parting(row: dict[str, Any], scores: ComparedScores, rows: Sequence[AlignedWords], number: int) -> dict[str, Any]:
    """Return a row where both sides part, with its ranks where the units differ."""
    ranks: list[int] = []
    if not scores.scale:
        both = np.array([aligned.kind == "same" for aligned in rows]) & ~np.isnan(scores.scores_a + scores.scores_b)
        ranks = [1 + int((np.abs(side[both]) > abs(side[number])).sum()) for side in (scores.scores_a, scores.scores_b)]
    return {name: row[name] for name in ("row", "words", "scores", "difference", "error", "asked")} | {"ranks": ranks}


def _labels_note(comparison: Comparison) -> str:
    """Return that two models, or two texts, explain labels that are not the same."""
    labels = [visible(report.target.label) for report in (comparison.report_a, comparison.report_b)]
    if comparison.differs not in ("texts", "models") or labels[0].casefold() == labels[1].casefold():
        return ""
    return f"B does not have the label of A: A explains {labels[0]}, B explains {labels[1]}."


def alignment_note(comparison: Comparison) -> str:
    """Return how the words of both sides were aligned."""
    if comparison.differs != "texts":
        apart = sum(row.words_a != row.words_b for row in comparison.rows)
        return "Both models read one text; words that one of them cuts otherwise stand together." if apart else ""
    return (
        "Words are aligned in order, equal but for case; up to three words in place of as many are set one above the "
        "other. A word that was moved stands at both places."
    )


def _left_out(comparison: Comparison) -> str:
    names = ", ".join(comparison.left_out)
    return f"Left out, as its scores are of overlapping windows: {names}." if names else ""


def _method_note(comparison: Comparison, scores: ComparedScores, parts: Sequence[Attribution]) -> str:
    """Return sentences on the scale, its limits, and on settings that differ."""
    reports = comparison.report_a, comparison.report_b
    settings_a, settings_b = (part.params for part in parts)
    changed = [name for name in sorted({*settings_a, *settings_b}) if settings_a.get(name) != settings_b.get(name)]
    settings = "; ".join(f"{name}: A {settings_a.get(name)}, B {settings_b.get(name)}" for name in changed)
    coarse = [part.granularity for part in parts if part.granularity not in ("token", "word")]
    shares = scores.scale == "share" and comparison.differs == "texts"
    return sentence(
        _scale_note(reports, scores, parts),
        "Of a longer text, each word has a smaller share." if shares else "",
        f"Settings differ ({visible(settings)})." if changed else "",
        f"A word has the score of its {coarse[0]}." if coarse else "",
        "\u00b1 is the 95% interval of a difference." if not np.isnan(scores.errors).all() else "",
    )


def _scale_note(reports: Sequence[Report], scores: ComparedScores, parts: Sequence[Attribution]) -> str:
    """Return what the scores were divided by, or that their units differ."""
    if not scores.scale:
        kinds = [UNITS[part.scale].removeprefix("of ") for part in parts]
        units = f"A {kinds[0]}, B {kinds[1]}" if kinds[0] != kinds[1] else f"{kinds[0]}, of each model its own"
        return f"Units differ ({units}), so scores have no difference: only the orders are compared."
    if scores.scale not in LOG_ODDS_SCALES:
        return ""
    if not scores.calibrated:
        return "No temperature is known: log-odds are as the models give them."
    numbers = [
        f"{side} {temperature:.2f}" if report.prediction.temperature else f"{side} has none"
        for side, temperature, report in zip(SIDES, scores.temperatures, reports)
    ]
    several = any(len(report.prediction.output.labels) > 2 and report.prediction.output.exclusive for report in reports)
    close = " With more than two labels this is close to calibrated log-odds, not exact." if several else ""
    same = scores.temperatures[0] == scores.temperatures[1]
    divisors = f"{scores.temperatures[0]:.2f}" if same else ", ".join(numbers)
    return f"Log-odds are divided by the temperature ({divisors}).{close}"


VIEWS.register("compare")(Compare())

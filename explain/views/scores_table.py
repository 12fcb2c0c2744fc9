"""Scores as a table: for a spreadsheet, and for a terminal."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from explain.data.csv_cells import safe_cell
from explain.datatypes import Attribution, Output, Prediction, Ranking, Report, SimilarityMatrix, Tokens
from explain.views.asked_words import asked_label, context_sentence, is_asked
from explain.views.base import UNITS, percent, read_at, target_name, text_label, visible
from explain.views.confidence import headline, shown_probabilities
from explain.views.phrase_notes import empty_sentence, nothing_for, phrase_notes
from explain.views.references import higher_reference

COLUMNS = ("method", "granularity", "text", "segment", "start", "stop", "score", "error", "scale", "note")

JSON_HAS_ALL = " (--format json has all)"

Row = tuple[str, str, str, int | None, int | None, int | None, float, float | None, str, str]


def rows(report: Report) -> list[Row]:
    """Return a row for each unit of each attribution, for each phrase, for the text and for the text without words.

    In the last two, "text" holds the predicted label, "score" the target's value, and "note" the probability.
    """
    table: list[Row] = []
    for attribution in report.attributions:
        for number, (unit, score) in enumerate(zip(attribution.units, attribution.scores.tolist())):
            segment, start, stop = attribution.tokens.unit_span(unit)
            error = None if attribution.error is None else float(attribution.error[number])
            text = attribution.tokens.unit_text(unit)
            table.append(
                (
                    attribution.method,
                    attribution.granularity,
                    text,
                    segment,
                    start,
                    stop,
                    score,
                    error,
                    attribution.scale,
                    "",
                )
            )
    scale = report.target.scale
    for phrase in report.phrases:
        segment, (start, stop) = phrase.segment, phrase.span
        kind = "part" if phrase.part_of else "phrase"
        notes = "; ".join(phrase_notes(phrase, report.prediction.tokens))
        table.append(("key_phrases", kind, phrase.text, segment, start, stop, phrase.score, None, scale, notes))
    prediction = read_at(report.prediction, report.target.positions)
    decided = headline(prediction)
    for attribution in report.attributions[:1]:
        label, note = prediction.label or "", "" if decided is None else decided.sentence()
        table.append(("prediction", "text", label, None, None, None, attribution.output, None, scale, note))
    if (empty := report.empty_text) is not None:
        label, sentence = empty.label or "", " ".join(filter(None, [nothing_for(report), empty_sentence(report)]))
        table.append(("empty_text", "text", label, None, None, None, empty.value, None, scale, sentence))
    return table


def to_csv(report: Report) -> str:
    """Return the table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for method, granularity, text, *numbers, note in rows(report):
        writer.writerow([method, granularity, safe_cell(text), *numbers, safe_cell(note)])
    return out.getvalue()


def to_text(report: Report, most: int = 12, *, rest: str = JSON_HAS_ALL) -> str:
    """Return the report for a terminal: the prediction, each method's largest scores, and the key phrases.

    Args:
        most: scores of each method, and key phrases.
        rest: said of scores that are not printed, such as where they are.
    """
    prediction = read_at(report.prediction, report.target.positions)
    lines = []
    if prediction.label is not None and (decided := headline(prediction)) is not None:
        lines.append(decided.sentence())
    if prediction.output.listed_of is not None:
        lines.append(f"likeliest: {', '.join(_likeliest(prediction.output))}")
    if report.prediction.labels:
        lines.append(f"labels: {', '.join(_there(report.prediction))}")
    if report.prediction.output.positions:  # a word each: entities, with the numbers of their words
        word_of = report.prediction.tokens.word_of
        for span in report.prediction.spans:
            first, last = word_of[span.tokens[0]], word_of[span.tokens[1] - 1]
            numbers = f"word {first}" if first == last else f"words {first}-{last}"
            lines.append(f"{span.label:<8} {visible(span.text)}  ({numbers}, {percent(span.probability)})")
    lines += [*filter(None, [value_text(report)]), *_unread(report.prediction.tokens, report.prediction.window)]
    named = f"{visible(target_name(report.target))}{place_of(report)}"
    lines.append(f"explained: {named}, {report.target.scale.replace('_', ' ')}")
    lines += [sentence] if (sentence := context_sentence(report)) else []
    for attribution in report.attributions:
        lines += ["", *scores_text(attribution, most, rest=rest)]
    if report.phrases or nothing_for(report):
        lines += ["", f"key phrases  [{UNITS[report.target.scale]}]"]
        lines += [f"  {sentence}" for sentence in (nothing_for(report), empty_sentence(report)) if sentence]
        for phrase in report.phrases[:most]:
            notes = ", ".join(phrase_notes(phrase, report.prediction.tokens))
            lines.append(f"  {phrase.score:+8.3f}  {visible(phrase.text)}{f'  ({notes})' if notes else ''}")
    if (alike := report.similarity) is not None:
        lines += ["", "what makes them alike  [similarity]", *_alike(alike, most, rest)]
    return "\n".join(lines) + "\n"


def scores_text(attribution: Attribution, most: int = 12, *, rest: str = JSON_HAS_ALL) -> list[str]:
    """Return lines of a method's largest scores, see `to_text`."""
    warning = higher_reference(attribution)
    return [
        f"{attribution.method}  [{UNITS[attribution.scale]}]",
        *([f"  {warning}"] if warning else []),
        *_largest(attribution, most, rest),
    ]


def _there(prediction: Prediction) -> list[str]:
    """Return the predicted labels with their probabilities, where each label is decided alone."""
    output = prediction.output
    shares = shown_probabilities(output, prediction.temperature)
    assert shares is not None, "labels are decided by their probability"
    return [f"{visible(label)} {percent(shares[0, output.labels.index(label)])}" for label in prediction.labels]


def value_text(report: Report) -> str:
    """Return the number of a model that gives no label; empty for others."""
    output = report.prediction.output
    if output.probabilities is not None or output.positions:
        return ""
    return f"{visible(output.labels[report.target.index])}: {output.logits[0, report.target.index]:+.4f}"


def _unread(tokens: Tokens, window: tuple[int, int]) -> list[str]:
    """Return which characters of each text were read, for texts read in part."""
    lines = []
    for number, (text, start, stop) in enumerate(zip(tokens.texts, tokens.begins_at, tokens.truncated_at)):
        if start or stop is not None:
            which = f", window {window[0] + 1} of {window[1]}" if window[1] > 1 else ""
            lines.append(
                f"read of the {text_label(tokens, number)}: characters {start:,} to {stop or len(text):,} of "
                f"{len(text):,}{which}; the rest is not in what follows"
            )
    return lines


def place_of(report: Report) -> str:
    """Return which of several words or masks is explained, as text."""
    positions, tokens = report.target.positions, report.prediction.tokens
    outputs = report.prediction.outputs
    if len(positions) != 1 or sum(len(output.positions) for output in outputs) < 2:
        return ""
    if len(outputs) > 1:
        masks = [output.positions for output in outputs]
        return f" at mask {masks.index(positions) + 1}" if positions in masks else ""
    unit = tokens.word_around(positions[0])
    return f" for {visible(tokens.unit_text(unit))} (word {tokens.word_of[unit[0]]})"


def _alike(matrix: SimilarityMatrix, most: int, rest: str) -> list[str]:
    """Return lines of the pairs of words that add most, and of the terms that belong to no pair."""
    tokens = matrix.tokens
    lines = [
        f"  {matrix.values[row, column]:+8.3f}  {visible(tokens.unit_text(matrix.left[row]))} - "
        f"{visible(tokens.unit_text(matrix.right[column]))}"
        for row, column in matrix.strongest(most).tolist()
    ]
    left = matrix.values.size - len(lines)
    state = "" if matrix.diagnostics.get("converged", True) else ", NOT CONVERGED"
    return [
        *lines,
        *([f"  ... and {left} more pairs{rest}"] if left else []),
        f"  pairs {matrix.values.sum():+.3f}, reference terms {matrix.reference:+.3f}, gap {matrix.gap:+.1e}{state}",
    ]


def matrix_to_csv(matrix: SimilarityMatrix) -> str:
    """Return CSV with a row for each word of the first text and a column for each of the second."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["", *(safe_cell(matrix.tokens.unit_text(unit)) for unit in matrix.right)])
    for unit, values in zip(matrix.left, matrix.values.tolist()):
        writer.writerow([safe_cell(matrix.tokens.unit_text(unit)), *values])
    return out.getvalue()


def ranking_to_text(ranking: Ranking, texts: Sequence[str], rows: Sequence[int]) -> str:
    """Return texts by cosine, for a terminal: cosine, row, and the text on one line."""
    lines = [
        f"{cosine:7.3f}  {rows[member]:>7}  {shortened(texts[member])}"
        for member, cosine in zip(ranking.members.tolist(), ranking.cosines.tolist())
    ]
    return "\n".join([f"{'cosine':>7}  {'row':>7}  text", *lines, ""])


def shortened(text: str, most: int = 120) -> str:
    """Return a text on one line, cut off where it is long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _likeliest(output: Output, most: int = 8) -> list[str]:
    """Return words of a vocabulary with their probabilities."""
    shares = () if output.probabilities is None else output.probabilities[0].tolist()
    return [f"{visible(label)} {percent(share)}" for label, share in zip(output.labels[:most], shares)]


def _half_width(width: float) -> str:
    return f" ±{width:.3f}" if width == 0 or width >= 0.0005 else " ±<.001"


def _largest(attribution: Attribution, most: int, rest: str) -> list[str]:
    """Return lines of the largest scores, by text where there are two; a repeated word is shown with its number."""
    shown = attribution.per_word() if attribution.granularity == "token" and attribution.additive else attribution
    tokens = shown.tokens
    order = sorted(range(len(shown.units)), key=lambda number: -abs(shown.scores[number]))
    order = [number for number in order if not tokens.special[list(shown.units[number])].all()]
    sign = "+" if attribution.signed else ""
    drawn = shown.error if shown.widest_error else None
    half = [""] * len(shown.units) if drawn is None else [_half_width(width) for width in drawn.tolist()]
    names = [visible(tokens.unit_text(unit)) for unit in shown.units]
    often = {name for name, times in Counter(names[number] for number in order).items() if times > 1}
    words = tokens.word_of
    asked_notes = [
        f"  ({asked_label(shown.target)})" if is_asked(tokens, shown.target, unit) else "" for unit in shown.units
    ]
    numbers = [f"  (word {words[unit[0]]})" if name in often else "" for unit, name in zip(shown.units, names)]
    lines = []
    for segment, _ in enumerate(tokens.texts):
        here = [number for number in order if tokens.unit_span(shown.units[number])[0] == segment]
        if len(tokens.texts) > 1 and here:
            lines.append(f"  {text_label(tokens, segment)}")
        lines += [
            f"  {shown.scores[number]:{sign}8.3f}{half[number]}  {names[number]}{numbers[number]}{asked_notes[number]}"
            for number in here[:most]
        ]
        if len(here) > most:
            lines.append(f"  ... and {len(here) - most} more{rest}")
    sampled = drawn is not None and "points" not in attribution.diagnostics
    state = "INTERVALS STILL WIDE" if sampled else "NOT CONVERGED"
    state = "" if attribution.diagnostics.get("converged", True) else state
    gap = attribution.completeness_gap
    if gap is not None or state:
        lines.append("  " + ", ".join(filter(None, [None if gap is None else f"gap {gap:+.1e}", state])))
    return lines

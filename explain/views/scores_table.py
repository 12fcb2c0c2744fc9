"""Scores as a table: for a spreadsheet, and for a terminal."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from explain.data.csv_cells import safe_cell
from explain.datatypes import Attribution, Output, Prediction, Ranking, Report, SimilarityMatrix, Tokens
from explain.views.base import UNITS, percent, read_at, target_name, text_label, visible
from explain.views.confidence import headline, shown_probabilities
from explain.views.phrase_notes import empty_sentence, phrase_notes
from explain.views.references import higher_reference

COLUMNS = ("method", "granularity", "text", "segment", "start", "stop", "score", "error", "scale", "note")


Row = tuple[str, str, str, int | None, int | None, int | None, float, float | None, str, str]


def rows(report: Report) -> list[Row]:
    """One row for each unit of each attribution, then one for each phrase, then the text and the text without words.

    Of the last two the column text holds the label that is decided, score the target's value, and note the probability.
    """
    table: list[Row] = []
    for one in report.attributions:
        for number, (unit, score) in enumerate(zip(one.units, one.scores.tolist())):
            segment, start, stop = one.tokens.unit_span(unit)
            error = None if one.error is None else float(one.error[number])
            text = one.tokens.unit_text(unit)
            table.append((one.method, one.granularity, text, segment, start, stop, score, error, one.scale, ""))
    scale = report.target.scale
    for phrase in report.phrases:
        segment, (start, stop) = phrase.segment, phrase.span
        kind = "part" if phrase.part_of else "phrase"
        notes = "; ".join(phrase_notes(phrase, report.prediction.tokens))
        table.append(("key_phrases", kind, phrase.text, segment, start, stop, phrase.score, None, scale, notes))
    prediction = read_at(report.prediction, report.target.positions)
    decided = headline(prediction)
    for one in report.attributions[:1]:
        label, note = prediction.label or "", "" if decided is None else decided.sentence()
        table.append(("prediction", "text", label, None, None, None, one.output, None, scale, note))
    if (empty := report.empty_text) is not None:
        label, sentence = empty.label or "", empty_sentence(report)
        table.append(("empty_text", "text", label, None, None, None, empty.value, None, scale, sentence))
    return table


def to_csv(report: Report) -> str:
    """The table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for method, granularity, text, *numbers, note in rows(report):
        writer.writerow([method, granularity, safe_cell(text), *numbers, safe_cell(note)])
    return out.getvalue()


def to_text(report: Report, most: int = 12) -> str:
    """The report for a terminal: the prediction, each method's largest scores, and the key phrases."""
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
    for one in report.attributions:
        lines += ["", f"{one.method}  [{UNITS[one.scale]}]"]
        lines += [f"  {sentence}"] if (sentence := higher_reference(one)) else []
        lines += _largest(one, most)
    if report.phrases:
        lines += ["", f"key phrases  [{UNITS[report.target.scale]}]"]
        lines += [f"  {sentence}"] if (sentence := empty_sentence(report)) else []
        for phrase in report.phrases[:most]:
            notes = ", ".join(phrase_notes(phrase, report.prediction.tokens))
            lines.append(f"  {phrase.score:+8.3f}  {visible(phrase.text)}{f'  ({notes})' if notes else ''}")
    if (alike := report.similarity) is not None:
        lines += ["", "what makes them alike  [similarity]", *_alike(alike, most)]
    return "\n".join(lines) + "\n"


def _there(prediction: Prediction) -> list[str]:
    """The labels that are there, where each is decided alone, and how likely each is."""
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
    """How much of each text was read, where it was not all."""
    said = []
    for number, (text, start, stop) in enumerate(zip(tokens.texts, tokens.begins_at, tokens.truncated_at)):
        if start or stop is not None:
            which = f", window {window[0] + 1} of {window[1]}" if window[1] > 1 else ""
            said.append(
                f"read of the {text_label(tokens, number)}: characters {start:,} to {stop or len(text):,} of "
                f"{len(text):,}{which}; the rest is not in what follows"
            )
    return said


def place_of(report: Report) -> str:
    """Which of several words, or masks, is asked about."""
    positions, tokens = report.target.positions, report.prediction.tokens
    outputs = report.prediction.outputs
    if len(positions) != 1 or sum(len(output.positions) for output in outputs) < 2:
        return ""
    if len(outputs) > 1:
        masks = [output.positions for output in outputs]
        return f" at mask {masks.index(positions) + 1}" if positions in masks else ""
    unit = tokens.word_around(positions[0])
    return f" for {visible(tokens.unit_text(unit))} (word {tokens.word_of[unit[0]]})"


def _alike(matrix: SimilarityMatrix, most: int) -> list[str]:
    """The pairs of words that add most, and what no pair accounts for."""
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
        *([f"  ... and {left} more pairs (--format json has all)"] if left else []),
        f"  pairs {matrix.values.sum():+.3f}, reference terms {matrix.reference:+.3f}, gap {matrix.gap:+.1e}{state}",
    ]


def matrix_to_csv(matrix: SimilarityMatrix) -> str:
    """A line for each word of the first text, a column for each of the second."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["", *(safe_cell(matrix.tokens.unit_text(unit)) for unit in matrix.right)])
    for unit, values in zip(matrix.left, matrix.values.tolist()):
        writer.writerow([safe_cell(matrix.tokens.unit_text(unit)), *values])
    return out.getvalue()


def ranking_to_text(found: Ranking, texts: Sequence[str], rows: Sequence[int]) -> str:
    """Texts by nearness, for a terminal: cosine, row, and the text on one line."""
    lines = [
        f"{cosine:7.3f}  {rows[member]:>7}  {shortened(texts[member])}"
        for member, cosine in zip(found.members.tolist(), found.cosines.tolist())
    ]
    return "\n".join([f"{'cosine':>7}  {'row':>7}  text", *lines, ""])


def shortened(text: str, most: int = 120) -> str:
    """A text on one line, cut off where it is long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _likeliest(output: Output, most: int = 8) -> list[str]:
    """Words of a vocabulary with their probabilities."""
    shares = () if output.probabilities is None else output.probabilities[0].tolist()
    return [f"{visible(label)} {percent(share)}" for label, share in zip(output.labels[:most], shares)]


def _largest(one: Attribution, most: int) -> list[str]:
    """The largest scores, of each text by itself where there are two; a word that stands there twice has its number."""
    shown = one.per_word() if one.granularity == "token" and one.additive else one
    tokens = shown.tokens
    order = sorted(range(len(shown.units)), key=lambda number: -abs(shown.scores[number]))
    order = [number for number in order if not tokens.special[list(shown.units[number])].all()]
    sign = "+" if one.signed else ""
    drawn = shown.error if shown.widest_error else None
    half = [""] * len(shown.units) if drawn is None else [f" ±{one:.3f}" for one in drawn]
    names = [visible(tokens.unit_text(unit)) for unit in shown.units]
    often = {name for name, times in Counter(names[number] for number in order).items() if times > 1}
    words = tokens.word_of
    numbers = [f"  (word {words[unit[0]]})" if name in often else "" for unit, name in zip(shown.units, names)]
    lines = []
    for segment, _ in enumerate(tokens.texts):
        here = [number for number in order if tokens.unit_span(shown.units[number])[0] == segment]
        if len(tokens.texts) > 1 and here:
            lines.append(f"  {text_label(tokens, segment)}")
        lines += [
            f"  {shown.scores[number]:{sign}8.3f}{half[number]}  {names[number]}{numbers[number]}"
            for number in here[:most]
        ]
        if len(here) > most:
            lines.append(f"  ... and {len(here) - most} more (--format json has all)")
    state = "INTERVALS STILL WIDE" if drawn is not None else "NOT CONVERGED"
    state = "" if one.diagnostics.get("converged", True) else state
    gap = one.completeness_gap
    if gap is not None or state:
        lines.append("  " + ", ".join(filter(None, [None if gap is None else f"gap {gap:+.1e}", state])))
    return lines

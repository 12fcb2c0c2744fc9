"""A comparison as a table: for a spreadsheet, and for a terminal."""

import csv
import io
import math

from explain.data.csv_cells import safe_cell
from explain.datatypes import ComparedScores, Comparison
from explain.views.base import rounded, visible
from explain.views.compare import CHANGES, agreement_text, answer_text, scale_name, share_text, side_names

COLUMNS = ("method", "row", "kind", "segment", "word_a", "word_b", "score_a", "score_b", "difference", "error", "scale")
MOST_ROWS = 60  # of a method, in a terminal
WIDEST = 24  # characters of a word, in a terminal


def comparison_to_csv(comparison: Comparison) -> str:
    """Return a row for each method and aligned row; what is missing or undefined is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for scores in comparison.scores:
        numbers = zip(scores.scores_a, scores.scores_b, scores.differences, scores.errors)
        for row, (aligned, figures) in enumerate(zip(comparison.rows, numbers)):
            words = [safe_cell(word or "") for word in (aligned.word_a, aligned.word_b)]
            cells = ["" if math.isnan(figure) else float(figure) for figure in figures]
            writer.writerow([scores.method, row, aligned.kind, aligned.segment, *words, *cells, scores.scale])
    return out.getvalue()


def comparison_to_text(comparison: Comparison) -> str:
    """Return the comparison for a terminal: both answers, and the rows of each method."""
    answers, names = comparison.answers, side_names(comparison)
    reports = comparison.report_a, comparison.report_b
    scales = [report.target.scale for report in reports]
    lines = [f"{CHANGES[comparison.differs]}  [{scale_name(scales, answers.temperatures != (1.0, 1.0))}]"]
    for name, report, value in zip(names, reports, (answers.value_a, answers.value_b)):
        about = ", ".join(filter(None, (answer_text(report), share_text(report))))
        lines.append(f"  {rounded(value, '+8.3f')}  {name}: {about}")
    if answers.difference is not None:
        lines.append(f"  {rounded(answers.difference, '+8.3f')}  B less A")
    for scores in comparison.scores:
        lines += ["", *_method_lines(comparison, scores)]
    if comparison.left_out:
        lines += ["", f"left out, as scores of windows overlap: {', '.join(comparison.left_out)}"]
    return "\n".join(lines) + "\n"


def _method_lines(comparison: Comparison, scores: ComparedScores) -> list[str]:
    unit = (
        scale_name([scores.scale], scores.calibrated) if scores.scale else "units differ: only the orders are compared"
    )
    lines = [f"{scores.method}  [{unit}]", f"  {'A':>8} {'B':>8} {'B - A':>8}"]
    parting = set(scores.parting)
    for number, row in enumerate(comparison.rows[:MOST_ROWS]):
        figures = (scores.scores_a[number], scores.scores_b[number], scores.differences[number])
        cells = " ".join(" " * 8 if math.isnan(figure) else rounded(figure, "+8.3f") for figure in figures)
        word_a, word_b = (_short(word) for word in (row.word_a, row.word_b))
        words = word_a if row.kind == "same" else f"{word_a or '(none)'} -> {word_b or '(none)'}"
        lines.append(f"  {cells}{' *' if number in parting else '  '} {words}")
    if (left := len(comparison.rows) - MOST_ROWS) > 0:
        lines.append(f"  ... and {left} more rows (--format csv has all)")
    return [*lines, f"  {agreement_text(scores, comparison.rows)}", *(["  * where they part most"] if parting else [])]


def _short(word: str | None) -> str:
    shown = " ".join(visible(word or "").split())
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 3]}..."

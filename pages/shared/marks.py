"""Marks of a visit: the words that a reader marked, text by text, and the figures of methods that followed.

Figures are those of `explain.evaluation.plausibility`.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from explain.data.csv_cells import safe_cell
from explain.datatypes import Report, Tokens
from explain.evaluation.plausibility import RANDOM, markable, plausibility

COLUMNS = (
    *("text", "text_pair", "words", "marked", "word_numbers", "marked_words"),
    *("model", "label", "against", "scale", "position", "method", "settings", "f1", "iou", "auprc"),
)

Span = tuple[int, int, int]  # segment, first character, last character + 1


@dataclass
class _Marked:
    """Marks of one text with their word's number, by position, and rows of figures, by method and settings."""

    marks: dict[Span, int] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)


class Marks:
    """The words that a reader marked, text by text, and the figures of methods; kept during a visit.

    Marks are characters: another model may cut a text into other words, or read less of it.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str | None], _Marked] = {}

    def __len__(self) -> int:
        """Return the number of texts with marks."""
        return len(self._texts)

    def words(self, report: Report) -> tuple[int, ...]:
        """Return the numbers of the marked words in a report's text, of those that can be marked."""
        marked = self._texts.get((report.text, report.text_pair))
        if marked is None:
            return ()
        tokens = report.prediction.tokens
        units = tokens.word_units()
        covered = _Covered(tokens, marked.marks)
        among = markable(tokens, report.target)
        return tuple(word for word in among if covered.touches(tokens.unit_span(units[word])))

    def mark(self, report: Report, words: Iterable[int]) -> None:
        """Set which words of a report's text are marked; figures of earlier marks are dropped.

        Words that cannot be marked are ignored. Marks on a mask, or where this model reads nothing, stay.
        """
        tokens = report.prediction.tokens
        units = tokens.word_units()
        spans = {word: tokens.unit_span(units[word]) for word in markable(tokens, report.target)}
        here = _Covered(tokens, spans.values())
        old = self._texts.pop((report.text, report.text_pair), _Marked())
        marks = {span: word for span, word in old.marks.items() if not here.touches(span)}
        marks |= {spans[word]: word for word in words if word in spans}
        if marks:
            self._texts[report.text, report.text_pair] = _Marked(dict(sorted(marks.items())))

    def add_to(self, report: Report) -> Report:
        """Return the report with the marks as its rationale; without marks, the report itself."""
        words = self.words(report)
        return replace(report, rationale=plausibility(report, words)) if words else report

    def keep(self, report: Report) -> None:
        """Record the figures of a report's rationale beside those of other models, targets and settings."""
        marked, rationale = self._texts.get((report.text, report.text_pair)), report.rationale
        if marked is None or rationale is None or rationale.chance is None:
            return
        target = report.target
        about = {
            "model": report.model.id,
            "label": target.label,
            "against": target.against,
            "scale": target.scale,
            "position": target.positions[0] if target.positions else None,
            "words": rationale.out_of,
        }
        settings = {
            method_figures.method: dict(method_figures.params)
            for method_figures in report.attributions
            if not method_figures.diagnostics.get("partial")
        }
        settings[RANDOM] = {}
        for method_figures in (*rationale.figures, rationale.chance):
            if method_figures.method in settings:
                row = about | {"settings": settings[method_figures.method]} | asdict(method_figures)
                marked.rows[report.model.weight_sha256, target, method_figures.method, str(row["settings"])] = row

    def record(self) -> list[dict[str, Any]]:
        """Return all marks as JSON values: each text with its marked words, and figures by model, target and method."""
        return [
            {
                "text": text,
                "text_pair": pair,
                "marked": [
                    {"word": word, "segment": segment, "start": start, "stop": stop, "text": texts[segment][start:stop]}
                    for (segment, start, stop), word in marked.marks.items()
                ],
                "figures": list(marked.rows.values()),
            }
            for (text, pair), marked in self._texts.items()
            for texts in [(text, pair or "")]
        ]

    def to_json(self) -> str:
        """Return `record` as a JSON document."""
        return json.dumps(self.record(), ensure_ascii=False, indent=1) + "\n"

    def to_csv(self) -> str:
        """Return CSV with a row for each text and method, see `COLUMNS`; a text without figures has one row."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for record in self.record():
            about = {
                "text": record["text"],
                "text_pair": record["text_pair"],
                "marked": len(record["marked"]),
                "word_numbers": " ".join(str(mark["word"]) for mark in record["marked"]),
                "marked_words": " | ".join(mark["text"] for mark in record["marked"]),
            }
            for row in record["figures"] or [{}]:
                settings = {"settings": json.dumps(row["settings"])} if row else {}
                whole = about | row | settings
                writer.writerow(
                    {name: safe_cell(part) if isinstance(part, str) else part for name, part in whole.items()}
                )
        return out.getvalue()


class _Covered:
    """Characters of a text that spans cover."""

    def __init__(self, tokens: Tokens, spans: Iterable[Span]) -> None:
        self._texts: list[set[int]] = [set() for _ in tokens.texts]
        for segment, start, stop in spans:
            self._texts[segment].update(range(start, stop))

    def touches(self, span: Span) -> bool:
        segment, start, stop = span
        return not self._texts[segment].isdisjoint(range(start, stop))

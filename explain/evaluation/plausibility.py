"""A reader's rationale: the words a reader finds decisive, and the agreement of methods with them.

This is plausibility, not faithfulness: a method that shows how a model errs does badly here.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError, TextError
from explain.core.registry import unknown
from explain.datatypes import Plausibility, Rationale, Report, Target, Tokens
from explain.numerics import plausibility as figures
from explain.text.units import scores_of
from explain.views.scores_table import cell

RANDOM = "random"  # the name of chance among methods
COLUMNS = (
    *("text", "text_pair", "words", "marked", "word_numbers", "marked_words"),
    *("model", "label", "against", "scale", "position", "method", "settings", "f1", "iou", "auprc"),
)

Span = tuple[int, int, int]  # segment, first character, last character + 1


def plausibility(report: Report, words: Iterable[int | str]) -> Rationale:
    """Compare the words that a reader finds decisive with those that each method of a report scores highest.

    Args:
        words: numbers of words, as in `report.prediction.tokens.words`, or words as the text has them: then every
            occurrence is marked.

    Returns:
        The marked words with figures of each method and of chance. Words are ordered from the most for the target to
        the most against it by signed methods, from the largest score by others. No figures if every word is marked, and
        none of a method whose units overlap (windows).

    Raises:
        TextError: no word is marked, or a word that the text does not have, or a mask whose word is predicted.

    >>> import explain
    >>> report = explain.explain("A complete mess of a film.", methods=["occlusion"], phrases=False)
    >>> rationale = plausibility(report, ["mess"])
    >>> rationale.words, rationale.figures[0].f1
    ((2,), 1.0)
    """
    tokens = report.prediction.tokens
    word_units = tokens.word_units()
    among = markable(tokens, report.target)
    numbers = _numbers({number: tokens.unit_text(word_units[number]) for number in among}, words)
    if not numbers:
        raise TextError("No word is marked. Give the words that you find decisive.")
    spans = tuple(tokens.unit_span(word_units[number]) for number in numbers)
    if len(numbers) == len(among):
        return Rationale(numbers, spans, len(among))
    marked = np.isin(among, numbers)
    units = [word_units[number] for number in among]
    by_method = []
    for attribution in report.attributions:
        try:
            agreement = figures.plausibility(scores_of(attribution, units), marked)
        except MetricError:  # windows give words no order
            continue
        by_method.append(Plausibility(attribution.method, **agreement))
    by_chance = Plausibility(RANDOM, **figures.chance(len(among), len(numbers)))
    return Rationale(numbers, spans, len(among), tuple(by_method), by_chance)


def markable(tokens: Tokens, target: Target) -> tuple[int, ...]:
    """Return the numbers of the words that can be marked: visible words, except those the target is read from."""
    protected = set(target.held)
    numbers = []
    for number, unit in enumerate(tokens.word_units()):
        _, start, stop = tokens.unit_span(unit)
        if start < stop and not protected.intersection(unit):
            numbers.append(number)
    return tuple(numbers)


def _numbers(texts: Mapping[int, str], words: Iterable[int | str]) -> tuple[int, ...]:
    """Return the numbers of words, from a mapping of each number to its word."""
    places: dict[int | str, list[int]] = {number: [number] for number in texts}
    for number, text in texts.items():
        places.setdefault(text, []).append(number)
    numbers: set[int] = set()
    for word in words:
        if word not in places:
            kind = "word to mark" if isinstance(word, str) else "number of a word to mark"
            raise TextError(unknown(kind, str(word), [str(name) for name in places if isinstance(name, type(word))]))
        numbers.update(places[word])
    return tuple(sorted(numbers))


@dataclass
class _Marked:
    """The marks of a text by their characters, with their word's number, and rows of figures by method and target."""

    marks: dict[Span, int] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)


class Marks:
    """A reader's marks by text, with figures of methods; kept for as long as a visit lasts.

    Marks are characters: another model may split a text into other words, or read less of it.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str | None], _Marked] = {}

    def __len__(self) -> int:
        """Return the number of texts that have marks."""
        return len(self._texts)

    def words(self, report: Report) -> tuple[int, ...]:
        """Return the numbers of the marked words in a report's text."""
        marked = self._texts.get((report.text, report.text_pair))
        if marked is None:
            return ()
        tokens = report.prediction.tokens
        units = tokens.word_units()
        covered = _Covered(tokens, marked.marks)
        among = markable(tokens, report.target)
        return tuple(word for word in among if covered.touches(tokens.unit_span(units[word])))

    def mark(self, report: Report, words: Iterable[int]) -> None:
        """Set the marked words of a report's text; figures of earlier marks are forgotten.

        Words that can't be marked are left out. Marks on characters that this model does not read, or where its target
        is read, stay.
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
        """Return the report with the marks in its text as its rationale; unchanged if there are none."""
        words = self.words(report)
        return replace(report, rationale=plausibility(report, words)) if words else report

    def keep(self, report: Report) -> None:
        """Store the figures of a report's rationale beside those of other models, targets and settings."""
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
        complete = (attribution for attribution in report.attributions if not attribution.partial)
        settings = {attribution.method: dict(attribution.params) for attribution in complete}
        settings[RANDOM] = {}
        for agreement in (*rationale.figures, rationale.chance):
            method = agreement.method
            if method in settings:
                row = about | {"settings": settings[method]} | asdict(agreement)
                marked.rows[report.model.weight_sha256, target, method, str(row["settings"])] = row

    def record(self) -> list[dict[str, Any]]:
        """Return everything as JSON values: texts with marked words, and figures by model, target and method."""
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
        """Return a CSV row for each text and method, see `COLUMNS`; a text without figures has a single row."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for record in self.record():
            marks = record["marked"]
            about = {
                "text": record["text"],
                "text_pair": record["text_pair"],
                "marked": len(marks),
                "word_numbers": " ".join(str(mark["word"]) for mark in marks),
                "marked_words": " | ".join(mark["text"] for mark in marks),
            }
            for row in record["figures"] or [{}]:
                settings = {"settings": json.dumps(row["settings"])} if row else {}
                whole = about | row | settings
                writer.writerow({name: cell(part) if isinstance(part, str) else part for name, part in whole.items()})
        return out.getvalue()


class _Covered:
    """The characters of a text that some spans cover."""

    def __init__(self, tokens: Tokens, spans: Iterable[Span]) -> None:
        self._texts: list[npt.NDArray[np.bool_]] = [np.zeros(len(text), dtype=bool) for text in tokens.texts]
        for segment, start, stop in spans:
            self._texts[segment][start:stop] = True

    def touches(self, span: Span) -> bool:
        segment, start, stop = span
        return bool(self._texts[segment][start:stop].any())

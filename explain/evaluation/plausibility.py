"""A reader's rationale: the words one finds decisive, how far methods name the same ones, and the marks of a visit.

That is plausibility, not faithfulness: a method that shows truly how a model errs does badly here.
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
from explain.data.csv_cells import safe_cell
from explain.datatypes import Plausibility, Rationale, Report, Target, Tokens
from explain.numerics import plausibility as figures
from explain.text.units import scores_of

RANDOM = "random"  # the name of chance among methods
COLUMNS = (
    *("text", "text_pair", "words", "marked", "word_numbers", "marked_words"),
    *("model", "label", "against", "scale", "position", "method", "settings", "f1", "iou", "auprc"),
)

Span = tuple[int, int, int]  # segment, first character, last character + 1


def plausibility(report: Report, words: Iterable[int | str]) -> Rationale:
    """Compare the words that a reader finds decisive with those that each method of a report scores highest.

    Args:
        words: numbers of words, as in `report.prediction.tokens.words`, or words as the text has them: every place
            where such a word stands is meant.

    Returns:
        The marked words with figures of each method and of chance; signed methods are taken from the most for the
        target to the most against it, others from the largest. No figures where every word is marked, and none of a
        method whose units overlap (windows).

    Raises:
        TextError: no word is given, or one that the text does not have or that is what the model is asked about.
    """
    tokens = report.prediction.tokens
    word_units = tokens.word_units()
    among = markable(tokens, report.target)
    chosen = _numbers({number: tokens.unit_text(word_units[number]) for number in among}, words)
    if not chosen:
        raise TextError("No word is marked. Give the words that you find decisive.")
    spans = tuple(tokens.unit_span(word_units[number]) for number in chosen)
    if len(chosen) == len(among):
        return Rationale(chosen, spans, len(among))
    marked = np.isin(among, chosen)
    units = [word_units[number] for number in among]
    found = []
    for one in report.attributions:
        try:
            found.append(Plausibility(one.method, **figures.plausibility(scores_of(one, units), marked)))
        except MetricError:  # windows put words in no order
            continue
    by_chance = Plausibility(RANDOM, **figures.chance(len(among), len(chosen)))
    return Rationale(chosen, spans, len(among), tuple(found), by_chance)


def markable(tokens: Tokens, target: Target) -> tuple[int, ...]:
    """The numbers of the words that can be marked: those that can be seen, but for a mask that is asked about."""
    asked = set(target.held)
    found = []
    for number, unit in enumerate(tokens.word_units()):
        _, start, stop = tokens.unit_span(unit)
        if start < stop and not asked.intersection(unit):
            found.append(number)
    return tuple(found)


def _numbers(texts: Mapping[int, str], words: Iterable[int | str]) -> tuple[int, ...]:
    """The numbers that words stand for, given each number's word."""
    places: dict[int | str, list[int]] = {number: [number] for number in texts}
    for number, text in texts.items():
        places.setdefault(text, []).append(number)
    chosen: set[int] = set()
    for word in words:
        if word not in places:
            kind = "word to mark" if isinstance(word, str) else "number of a word to mark"
            raise TextError(unknown(kind, str(word), [str(one) for one in places if isinstance(one, type(word))]))
        chosen.update(places[word])
    return tuple(sorted(chosen))


@dataclass
class _Marked:
    """Marks of one text by where they stand, with their word's number, and rows of figures by what they are of."""

    marks: dict[Span, int] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)


class Marks:
    """What a reader marked, text by text, and what came of it; kept for as long as a visit lasts.

    Marks are characters: another model may cut a text into other words, or read less of it.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str | None], _Marked] = {}

    def __len__(self) -> int:
        """How many texts have marks."""
        return len(self._texts)

    def words(self, report: Report) -> tuple[int, ...]:
        """The numbers of the words that are marked in a report's text, of those that can be."""
        marked = self._texts.get((report.text, report.text_pair))
        if marked is None:
            return ()
        tokens = report.prediction.tokens
        units = tokens.word_units()
        covered = _Covered(tokens, marked.marks)
        among = markable(tokens, report.target)
        return tuple(word for word in among if covered.touches(tokens.unit_span(units[word])))

    def mark(self, report: Report, words: Iterable[int]) -> None:
        """Take over which words of a report's text are marked; figures of the marks before are forgotten.

        What can't be marked is passed over. Marks where this model reads nothing, or is asked about a mask, stay.
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
        """The report with the marks in its text as its rationale; as it is, where none are."""
        words = self.words(report)
        return replace(report, rationale=plausibility(report, words)) if words else report

    def keep(self, report: Report) -> None:
        """Note the figures of a report's rationale beside those of other models, targets and settings."""
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
        settings = {one.method: dict(one.params) for one in report.attributions if not one.diagnostics.get("partial")}
        settings[RANDOM] = {}
        for one in (*rationale.figures, rationale.chance):
            if one.method in settings:
                row = about | {"settings": settings[one.method]} | asdict(one)
                marked.rows[report.model.weight_sha256, target, one.method, str(row["settings"])] = row

    def record(self) -> list[dict[str, Any]]:
        """Everything as JSON values: each text with its marked words, and figures by model, target and method."""
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
        """`record` as a JSON document."""
        return json.dumps(self.record(), ensure_ascii=False, indent=1) + "\n"

    def to_csv(self) -> str:
        """A row for each text and method, see `COLUMNS`; a text without figures has one row."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for one in self.record():
            about = {
                "text": one["text"],
                "text_pair": one["text_pair"],
                "marked": len(one["marked"]),
                "word_numbers": " ".join(str(mark["word"]) for mark in one["marked"]),
                "marked_words": " | ".join(mark["text"] for mark in one["marked"]),
            }
            for row in one["figures"] or [{}]:
                settings = {"settings": json.dumps(row["settings"])} if row else {}
                whole = about | row | settings
                writer.writerow(
                    {name: safe_cell(part) if isinstance(part, str) else part for name, part in whole.items()}
                )
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

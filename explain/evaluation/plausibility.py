"""A reader's rationale: the words a reader finds decisive, and the agreement of methods with them.

This is plausibility, not faithfulness: a method that shows how a model errs does badly here.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from explain.core.errors import MetricError, TextError
from explain.core.registry import unknown
from explain.datatypes import Plausibility, Rationale, Report, Target, Tokens
from explain.numerics import plausibility as figures
from explain.text.units import scores_of

RANDOM = "random"  # the name of chance among methods


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
    protected = set(target.protected)
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
            raise TextError(unknown(kind, str(word), [str(place) for place in places if isinstance(place, type(word))]))
        numbers.update(places[word])
    return tuple(sorted(numbers))

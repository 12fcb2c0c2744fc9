"""A reader's rationale: the words one finds decisive, and how far methods name the same ones.

That is plausibility, not faithfulness: a method that shows truly how a model errs does badly here.
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
    asked = set(target.protected)
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

"""Single edits worth running: where the answer depends on a word, and what fits there and speaks otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.datatypes import TextEdit
from explain.models.counterfactuals.edited_texts import EditedTexts, word_vectors
from explain.models.counterfactuals.masked_words import MaskedWords
from explain.text.edits import Place, deletion, insertion, replacement
from explain.text.function_words import LEADING_WORDS

_Floats = npt.NDArray[np.float64]

FLUENCY = 0.25  # the weight of a nat of fluency beside one of margin
ANCHORS = 5  # of the text's words, that are read by themselves with their gradient
LEAST_LIKELY = 7.0  # nats below the likeliest, of an original word that is no single piece
DELETED = 5  # words that are tried without
INSERTED_AT, INSERTED = 3, 3  # places, and words at each


@dataclass(frozen=True)
class Breadth:
    """The numbers of words that a search tries.

    Attributes:
        per_place: replacements at one place, at most; more where there are few places.
        within: how much less likely than the likeliest filler a new word may be, in nats; fitting: of how many fillers.
        spread: every place has its turn. Where several words say the same, the gradient at none of them tells.
    """

    per_place: int
    within: float
    fitting: int
    spread: bool


NARROW, WIDE = Breadth(5, 7.0, 200, spread=False), Breadth(5, np.inf, 100_000, spread=True)


@dataclass(frozen=True)
class Candidate:
    """A single edit.

    Attributes:
        place: the number of its word among those that may be edited; of an insertion, of the word after it.
        forecast: its effect on the margin by the gradient at the text.
        meaning: the margin of the new word by itself less the old one's, by gradients at other words by themselves.
        fluency: log-probability of the new word in its place less the old one's, in nats; 0 for a deletion.
    """

    edit: TextEdit
    place: int
    forecast: float
    meaning: float
    fluency: float


class Candidates:
    """The single edits of a text, ordered by what they promise.

    Passes: two for the gradient, two for each of five words by themselves, eight for fillers and three for insertions.

    Args:
        deletions: whether words may be taken out.
    """

    def __init__(self, texts: EditedTexts, places: Sequence[Place], words: MaskedWords, *, deletions: bool) -> None:
        self._texts, self._places, self._words = texts, places, words
        gradient, embedded = texts.gradient(texts.tokens)
        units = [list(texts.tokens.word_units()[place.number]) for place in places]
        self._slopes = np.stack([gradient[unit].mean(axis=0) for unit in units])
        self._own = np.stack([embedded[unit].mean(axis=0) for unit in units])
        influence = np.array([(gradient * embedded)[unit].sum() for unit in units])
        against = [int(number) for number in np.argsort(influence)]
        self._meaning = meaning_slope(texts, [places[number] for number in against[:ANCHORS]])
        self._tables = {
            segment: words.fillers(texts.tokens.texts[segment], [place.span for place in mine], texts.meter)
            for segment, mine in self._by_segment().items()
        }
        self._others = insertions(texts, places, against[:INSERTED_AT], words, self._meaning)
        if deletions:
            self._others += [
                Candidate(
                    deletion(places[number]),
                    number,
                    float(-influence[number]),
                    float(-self._own[number] @ self._meaning),
                    0.0,
                )
                for number in against[:DELETED]
            ]

    def best(self, most: int, breadth: Breadth = NARROW) -> list[Candidate]:
        """Return the most promising replacements, `most` in all, then insertions and deletions."""
        per_place = max(breadth.per_place, -(-most // len(self._places)))
        ranked: list[tuple[int, Candidate]] = []  # each with its rank at its place
        for segment, mine in self._by_segment().items():
            for row, place in enumerate(mine):
                columns = fitting_words(self._words, mine, row, self._tables[segment][row], breadth)
                ranked += enumerate(self._at(self._places.index(place), self._tables[segment][row], columns, per_place))
        ranked.sort(key=lambda pair: (pair[0] if breadth.spread else 0, -promise(pair[1])))
        return [candidate for _, candidate in ranked[:most]] + self._others

    def _by_segment(self) -> dict[int, list[Place]]:
        segments = sorted({place.segment for place in self._places})
        return {segment: [place for place in self._places if place.segment == segment] for segment in segments}

    def _at(self, number: int, likely: _Floats, columns: npt.NDArray[np.int64], most: int) -> list[Candidate]:
        """Return the most promising replacements at one place, among words by their numbers."""
        if not len(columns):
            return []
        place = self._places[number]
        named = [self._words.words[column] for column in columns]
        moved = _vectors(self._texts, named) - self._own[number]
        forecast, meaning = moved @ self._slopes[number], moved @ self._meaning
        fluency = likely[columns] - _likelihood(self._words, likely, place.text)
        best = np.argsort(-(forecast + meaning + FLUENCY * fluency))[:most]
        return [
            Candidate(
                replacement(place, named[at]), number, float(forecast[at]), float(meaning[at]), float(fluency[at])
            )
            for at in best
        ]


def promise(candidate: Candidate) -> float:
    """Return what single edits are ordered by before they are run."""
    return candidate.forecast + candidate.meaning + FLUENCY * candidate.fluency


def meaning_slope(texts: EditedTexts, anchors: Sequence[Place]) -> _Floats:
    """Return the mean gradient (D,) at words that are each all of the text: how a word by itself moves the margin."""
    slopes = []
    for place in anchors:
        tokens = texts.single(place.segment, place.text)
        gradient, _ = texts.gradient(tokens)
        mine = tokens.ordinary[tokens.segment[tokens.ordinary] == place.segment]
        slopes.append(gradient[mine].mean(axis=0))
    return np.mean(slopes, axis=0)


def fitting_words(
    words: MaskedWords, places: Sequence[Place], row: int, likely: _Floats, breadth: Breadth
) -> npt.NDArray[np.int64]:
    """Return the numbers of words that fit a place: nearly as likely as the likeliest, no neighbour, no repeat.

    Function words take the place of function words only: "the" for "bad" changes the sentence, not what it says.
    """
    columns = np.argsort(-likely)[: breadth.fitting]
    columns = columns[likely[columns] >= likely[columns[0]] - breadth.within]
    near = [words.numbers.get(other.text.lower(), -1) for other in places[max(0, row - 1) : row + 2]]
    fits = (words.leads[columns] == (places[row].text.lower() in LEADING_WORDS)) & ~np.isin(columns, near)
    return columns[fits]


def insertions(
    texts: EditedTexts, places: Sequence[Place], numbers: Sequence[int], words: MaskedWords, meaning: _Floats
) -> list[Candidate]:
    """Return words that may be inserted before some places."""
    inserted = []
    for segment in sorted({places[number].segment for number in numbers}):
        mine = sorted(number for number in numbers if places[number].segment == segment)
        before = [(places[number].span[0], places[number].span[0]) for number in mine]
        table = words.fillers(texts.tokens.texts[segment], before, texts.meter)
        for row, number in zip(table, mine):
            likely = np.argsort(-row)[: NARROW.fitting]
            likely = likely[row[likely] >= row[likely[0]] - NARROW.within]
            named = [words.words[column] for column in likely]
            near = {place.text.lower() for place in places[max(0, number - 1) : number + 1]}
            meant = _vectors(texts, named) @ meaning
            meant -= np.median(meant)
            ranked = [int(at) for at in np.argsort(-(meant + 0.5 * row[likely])) if named[at] not in near][:INSERTED]
            inserted += [
                Candidate(insertion(places[number], named[at]), number, 0.0, float(meant[at]), float(row[likely[at]]))
                for at in ranked
            ]
    return inserted


def _vectors(texts: EditedTexts, words: Sequence[str]) -> _Floats:
    record = texts.model.record
    return word_vectors(record.weight_sha256, record.settings_sha256).rows(texts.model, words)


def _likelihood(words: MaskedWords, likely: _Floats, text: str) -> float:
    """Return the log-probability of the word that stands there; of one that is no single piece, the lowest allowed."""
    number = words.numbers.get(text.lower())
    return float(likely[number]) if number is not None else float(likely.max()) - LEAST_LIKELY

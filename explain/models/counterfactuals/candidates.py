"""Single edits worth running: where the answer depends on a word, and what fits there and speaks otherwise."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.datatypes import TextEdit
from explain.models.counterfactuals.edited_texts import EditedTexts, Edits, word_vectors
from explain.models.counterfactuals.masked_words import MaskedWords
from explain.text.edits import Place, deletion, edited_with_spans, insertion, replacement
from explain.text.function_words import LEADING_WORDS

_Floats = npt.NDArray[np.float64]

FLUENCY = 0.25  # the weight of a nat of fluency beside one of margin
ANCHORS = 5  # of the text's words, that are read by themselves with their gradient
LEAST_LIKELY = 7.0  # nats below the likeliest, of an original word that is no single piece
MOST_AT_ONE_PLACE = 120  # replacements that are ranked
DELETED = 5  # words that are tried without
INSERTED_AT, INSERTED = 3, 3  # places, and words at each


@dataclass(frozen=True)
class Breadth:
    """The numbers of words that a search tries.

    Attributes:
        per_place: replacements at one place, at most; more where there are few places.
        within: how much less likely than the likeliest filler a new word may be, in nats; fitting: of how many fillers.
        spread: every place has its turn. Where several words say the same, the gradient at none of them tells.
        meaning, fluency: the weights of a nat of these beside one of forecast.
    """

    per_place: int
    within: float
    fitting: int
    spread: bool
    meaning: float = 1.0
    fluency: float = FLUENCY


NARROW, WIDE = Breadth(5, 7.0, 200, spread=False), Breadth(5, np.inf, 100_000, spread=True)
CLIMB = Breadth(3, np.inf, 100_000, spread=False, meaning=0.0, fluency=0.0)


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
        self._slopes = {place: gradient[unit].mean(axis=0) for place, unit in zip(places, units)}
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
        return self._replacements(self._slopes, most, breadth) + self._others

    def after(self, edits: Edits, most: int, breadth: Breadth) -> list[Candidate]:
        """Return the most promising replacements beside some edits, by the gradient at the edited text: two passes.

        Fillers and meanings are those of the text as it was.
        """
        texts = self._texts
        tokens = texts.model.encode(*texts.texts(edits))
        gradient, _ = texts.gradient(tokens)
        slopes = {}
        for segment, mine in self._by_segment().items():
            made = [edit for edit in edits if edit.segment == segment]
            kept = [place for place in mine if place.span[0] not in [edit.span[0] for edit in made]]
            same = [TextEdit("replace", segment, place.span, place.text, place.text) for place in kept]
            spans = edited_with_spans(texts.tokens.texts[segment], [*made, *same])[1][len(made) :]
            for place, (start, stop) in zip(kept, spans):
                if pieces := texts.pieces(tokens, segment, start, stop):
                    slopes[place] = gradient[pieces].mean(axis=0)
        return self._replacements(slopes, most, breadth)

    def _replacements(self, slopes: Mapping[Place, _Floats], most: int, breadth: Breadth) -> list[Candidate]:
        """Return the most promising replacements at the places whose gradients are given, `most` in all."""
        per_place = max(breadth.per_place, -(-most // len(self._places)))
        ranked: list[tuple[int, float, Candidate]] = []  # each with its rank at its place, and what it promises
        for segment, mine in self._by_segment().items():
            for row, place in enumerate(mine):
                if place in slopes:
                    likely = self._tables[segment][row]
                    columns = fitting_words(self._words, mine, row, likely, breadth)
                    replacements = self._at(place, slopes[place], likely, columns, breadth)[:per_place]
                    ranked += [(rank, worth, candidate) for rank, (worth, candidate) in enumerate(replacements)]
        ranked.sort(key=lambda row: (row[0] if breadth.spread else 0, -row[1]))
        return [candidate for _, _, candidate in ranked[:most]]

    def _embeddings(self, columns: npt.NDArray[np.int64]) -> _Floats:
        """Return the embeddings of words by their numbers; where they are most of all words, of all at once."""
        if len(columns) > NARROW.fitting:
            return self._every_embedding[columns]
        return _vectors(self._texts, [self._words.words[column] for column in columns])

    @functools.cached_property
    def _every_embedding(self) -> _Floats:
        return _vectors(self._texts, self._words.words)

    def _by_segment(self) -> dict[int, list[Place]]:
        segments = sorted({place.segment for place in self._places})
        return {segment: [place for place in self._places if place.segment == segment] for segment in segments}

    def _at(
        self, place: Place, slope: _Floats, likely: _Floats, columns: npt.NDArray[np.int64], breadth: Breadth
    ) -> list[tuple[float, Candidate]]:
        """Return replacements at one place, by the numbers of words, the most promising first."""
        if not len(columns):
            return []
        number = self._places.index(place)
        moved = self._embeddings(columns) - self._own[number]
        forecast, meaning = moved @ slope, moved @ self._meaning
        fluency = likely[columns] - _likelihood(self._words, likely, place.text)
        worth = forecast + breadth.meaning * meaning + breadth.fluency * fluency
        return [
            (
                float(worth[at]),
                Candidate(
                    replacement(place, self._words.words[columns[at]]),
                    number,
                    float(forecast[at]),
                    float(meaning[at]),
                    float(fluency[at]),
                ),
            )
            for at in np.argsort(-worth)[:MOST_AT_ONE_PLACE]
        ]


def passes_of_candidates(texts: EditedTexts, places: Sequence[Place], words: MaskedWords) -> int:
    """Return the most passes that `Candidates` takes: gradients, fillers, insertions.

    Raises:
        TextError: a text holds more masks itself than are guessed at once.
    """
    passes = 2 + 2 * min(ANCHORS, len(places))
    for segment in {place.segment for place in places}:
        mine = sum(place.segment == segment for place in places)
        passes += words.filler_passes(texts.tokens.texts[segment], mine)
        passes += words.filler_passes(texts.tokens.texts[segment], min(INSERTED_AT, mine))
    return passes


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

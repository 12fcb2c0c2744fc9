"""Edited texts as the served model decides them: rendered, tokenized afresh, run, and each only once."""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import Target, TextEdit, Tokens
from explain.models.base import Row, TextModel
from explain.text.edits import edited_with_spans
from explain.text.removal import unchanged

KEPT = 60  # passes for the results: the likelihood of three texts and of the original, and their decisions

_Floats = npt.NDArray[np.float64]
Edits = tuple[TextEdit, ...]


class EditedTexts:
    """One text with any edits, and the margin of the wanted answer for each.

    margin = (F - F0) / T    with F the wanted label's log-odds, T the model's temperature, and F0 the log-odds from
                             which the label is there, of labels that are decided each alone; else 0

    For two labels that is the calibrated log-odds of the wanted one. Where a label is to go, the sign is reversed.

    Args:
        tokens: the text as it is.
        target: the wanted label, in log-odds.
        wanted: whether the label is to be there, or to go.
        meter: counts the passes of this text.
        budget: the most passes that may be spent; whoever asks for more looks at `left` before.
    """

    def __init__(
        self, model: TextModel, tokens: Tokens, target: Target, wanted: bool, meter: "BudgetMeter", budget: int
    ) -> None:
        self.model, self.tokens, self.target, self.meter = model, tokens, target, meter
        self._sign = 1.0 if wanted else -1.0
        threshold = model.head.thresholds[target.index] if model.head.thresholds else 0.5
        self._zero = 0.0 if model.head.exclusive else float(np.log(threshold / (1 - threshold)))
        self.temperature = model.head.temperature or 1.0
        self._budget = budget
        self._margins: dict[frozenset[TextEdit], float] = {}
        self._alone: dict[frozenset[TextEdit], float] = {}
        self._by_itself: dict[tuple[int, str], float] = {}

    @property
    def left(self) -> int:
        """The passes that may still be spent."""
        return self._budget - self.meter.spent.forward - self.meter.spent.backward

    @property
    def free(self) -> int:
        """The passes that may be spent on searching; the rest is kept for the results."""
        return max(0, self.left - min(KEPT, self._budget // 3))

    def texts(self, edits: Edits) -> tuple[str, ...]:
        """Return the texts with edits made."""
        return tuple(
            edited_with_spans(text, [edit for edit in edits if edit.segment == number])[0]
            for number, text in enumerate(self.tokens.texts)
        )

    def margins(self, sets: Sequence[Edits]) -> _Floats:
        """Return the margin of each set of edits (S,); one forward pass for each that is new."""
        fresh = {frozenset(edits): edits for edits in sets if frozenset(edits) not in self._margins}
        if fresh:
            rows = [self._row(self.texts(edits)) for edits in fresh.values()]
            self._margins |= dict(zip(fresh, self.margin(self.model.scores(rows, self.meter).values).tolist()))
        return np.array([self._margins[frozenset(edits)] for edits in sets])

    def known(self, edits: Edits) -> bool:
        """Return whether a set of edits was run before; its margin is known then."""
        return frozenset(edits) in self._margins

    def by_itself(self, words: Iterable[tuple[int, str]]) -> _Floats:
        """Return the margin of each word that is all of its text, by the text's number and the word: (N,)."""
        wanted = list(words)
        fresh = [key for key in dict.fromkeys(wanted) if key not in self._by_itself]
        if fresh:
            rows = [Row(tokens := self.single(*key), unchanged(tokens), self.target) for key in fresh]
            self._by_itself |= dict(zip(fresh, self.margin(self.model.scores(rows, self.meter).values).tolist()))
        return np.array([self._by_itself[key] for key in wanted])

    def read(self, word: tuple[int, str]) -> bool:
        """Return whether a word was read by itself before."""
        return word in self._by_itself

    def alone(self, edits: Edits) -> float:
        """Return the margin of the edited words, less that of the words they replace, every other word masked.

        Two forward passes. Above 0 the edited words speak for the wanted answer by themselves.
        """
        key = frozenset(edits)
        if key not in self._alone:
            after = self._only(self.model.encode(*self.texts(edits)), edits, after=True)
            before = self._only(self.tokens, edits, after=False)
            new, old = self.margin(self.model.scores([after, before], self.meter).values)
            self._alone[key] = float(new - old)
        return self._alone[key]

    def margin(self, values: _Floats) -> _Floats:
        """Return margins of the target's values."""
        return self._sign * (values - self._zero) / self.temperature

    def with_segment(self, segment: int, text: str) -> tuple[str, ...]:
        """Return the texts with one of them replaced whole."""
        return tuple(text if number == segment else other for number, other in enumerate(self.tokens.texts))

    def single(self, segment: int, word: str) -> Tokens:
        """Encode a word as all of its text; a full stop for a word that the tokenizer reads nothing of."""
        try:
            return self.model.encode(*self.with_segment(segment, word))
        except TextError:
            return self.model.encode(*self.with_segment(segment, "."))

    def gradient(self, tokens: Tokens) -> tuple[_Floats, _Floats]:
        """Return the margin's gradient at a text's word embeddings, and these: (T, D) each. A pass each way."""
        points = self.model.word_embeddings(tokens)
        _, gradients = self.model.gradients(tokens, self.target, points[None], self.meter)
        scale = self._sign / self.temperature
        return gradients[0].double().cpu().numpy() * scale, points.double().cpu().numpy()

    @staticmethod
    def pieces(tokens: Tokens, segment: int, start: int, stop: int) -> list[int]:
        """Return the numbers of the pieces between two characters of a text."""
        spans = tokens.spans
        return [
            token
            for token in tokens.ordinary.tolist()
            if tokens.segment[token] == segment and start <= spans[token, 0] and spans[token, 1] <= stop
        ]

    def _row(self, texts: tuple[str, ...]) -> Row:
        tokens = self.model.encode(*texts)
        return Row(tokens, unchanged(tokens), self.target)

    def _only(self, tokens: Tokens, edits: Edits, *, after: bool) -> Row:
        """Return a row with every word masked but the edited ones, as they are after or before the edits."""
        kept: list[int] = []
        for segment, text in enumerate(self.tokens.texts):
            mine = [edit for edit in edits if edit.segment == segment]
            spans = edited_with_spans(text, mine)[1] if after else [edit.span for edit in mine]
            kept += [token for start, stop in spans for token in self.pieces(tokens, segment, start, stop)]
        row = self.model.only(tokens, kept, self.model.operator("auto"), self.target)
        if len(tokens.texts) == 1:
            return row
        others = [token for token in tokens.ordinary.tolist() if tokens.segment[token] not in self._edited(edits)]
        return self.model.only(tokens, kept + others, self.model.operator("auto"), self.target)

    @staticmethod
    def _edited(edits: Edits) -> set[int]:
        return {edit.segment for edit in edits}


class BudgetMeter(Meter):
    """A meter of one search, which passes on what is spent to the meter of the work; that one may stop it."""

    def __init__(self, outer: Meter | None) -> None:
        super().__init__()
        self._outer = outer

    def tick(self, *, forward: int = 0, backward: int = 0, positions: int = 0, steps: int = 0) -> None:
        super().tick(forward=forward, backward=backward, positions=positions, steps=steps)
        if self._outer is not None:
            self._outer.tick(forward=forward, backward=backward, positions=positions, steps=steps)


class WordVectors:
    """The embeddings of words in a model, the mean of a word's pieces; each word is read once."""

    def __init__(self) -> None:
        self._rows: dict[str, _Floats] = {}

    def rows(self, model: TextModel, words: Sequence[str]) -> _Floats:
        """Return the embeddings of words: (N, D)."""
        missing = [word for word in dict.fromkeys(words) if word not in self._rows]
        size = max(1, model.max_tokens // 4)
        second = ("a",) if model.pair == "always" else ()
        for start in range(0, len(missing), size):
            part = missing[start : start + size]
            tokens = model.encode(" ".join(part), *second)
            embedded = model.word_embeddings(tokens).double().cpu().numpy()
            by_span = {tokens.unit_text(unit): embedded[list(unit)].mean(axis=0) for unit in tokens.word_units()}
            for word in part:
                self._rows[word] = by_span.get(word, np.zeros(embedded.shape[1]))
        return np.stack([self._rows[word] for word in words])


@functools.lru_cache(maxsize=4)
def word_vectors(weights: str, settings: str) -> WordVectors:
    """Return the embeddings of words that were read with a model of these hashes."""
    return WordVectors()

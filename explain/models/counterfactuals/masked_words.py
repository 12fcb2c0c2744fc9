"""Words that fit a place of a text, and how likely a text is, by a model of masked words.

Every eighth word is masked at once, so that all places of a text take eight passes; an eighth is what such models are
trained on. The pseudo-log-likelihood is that of Salazar et al. (2020), https://arxiv.org/abs/1910.14659, with every
eighth piece masked at once rather than one.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from explain.core.errors import TargetError, TextError
from explain.core.meter import Meter
from explain.datatypes import TextEdit, Tokens
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.tasks.base import TASKS, Output, vocabulary_of
from explain.tasks.fill_mask import MOST_MASKS
from explain.text.edits import edited_with_spans
from explain.text.function_words import LEADING_WORDS

STRIDE = 8  # every so many words, or pieces, are masked in one pass
UNKNOWN = -14.0  # nats, of a word that the vocabulary has no single piece for

_Floats = npt.NDArray[np.float64]


class MaskedWords:
    """A model of masked words with its list of whole words.

    Args:
        model: one of the task fill_mask.

    Attributes:
        words (N): words of letters that are one piece each, and no part of a longer word.
        leads (N): which of them are function words; numbers: the place of each in the list.
    """

    def __init__(self, model: TextModel) -> None:
        self.model = model
        vocabulary = vocabulary_of(model.head)
        self.mask, self.mask_id = vocabulary.mask, vocabulary.mask_id
        named = [(column, vocabulary.word(column)) for column in range(_columns(model))]
        no_words = set(vocabulary.no_words)
        whole = [(column, word) for column, word in named if column not in no_words and _is_word(word)]
        self.words = tuple(word for _, word in whole)
        self._columns = np.array([column for column, _ in whole])
        self.leads = np.array([word in LEADING_WORDS for word in self.words], dtype=bool)
        self.numbers = {word: number for number, word in enumerate(self.words)}

    def fillers(self, text: str, spans: Sequence[tuple[int, int]], meter: Meter | None = None) -> _Floats:
        """Return the log-probability of each word at each place: (P, N), in nats.

        A place that the model does not read, in a text that is too long for it, has `UNKNOWN` throughout.

        Args:
            spans: half-open characters, in order; an empty span stands before a word, where one is inserted.
        """
        table = np.full((len(spans), len(self.words)), UNKNOWN)
        stride = _stride(len(spans), text.count(self.mask))
        for first in range(self.filler_passes(text, len(spans))):
            places = range(first, len(spans), stride)
            edits = [self._masking(spans[place]) for place in places]
            masked, stands = edited_with_spans(text, edits)
            for span, row in self._read(self.model.encode(masked), meter):
                if span in stands:
                    table[places[stands.index(span)]] = row.numpy()[self._columns]
        return table

    def filler_passes(self, text: str, places: int) -> int:
        """Return the passes that `fillers` takes for so many places.

        Raises:
            TextError: the text holds more masks itself than are guessed at once.
        """
        return min(_stride(places, text.count(self.mask)), places)

    def pseudo_log_likelihood(self, text: str, meter: Meter | None = None) -> float:
        """Return the mean log-probability of the text's pieces, each masked with every eighth other one, in nats."""
        tokens = self.model.encode(text)
        pieces, stride = self._pieces(tokens)
        total = 0.0
        for first in range(min(stride, len(pieces))):
            masked = pieces[first::stride]
            ids = tokens.ids.copy()
            ids[masked] = self.mask_id
            outputs = self.model.predict(dataclasses.replace(tokens, ids=ids), meter).outputs
            rows = {output.positions[0]: output for output in outputs}
            total += sum(float(_log_probabilities(rows[piece])[tokens.ids[piece]]) for piece in masked)
        return total / max(1, len(pieces))

    def likelihood_passes(self, text: str) -> int:
        """Return the passes that `pseudo_log_likelihood` takes."""
        pieces, stride = self._pieces(self.model.encode(text))
        return min(stride, len(pieces))

    def _pieces(self, tokens: Tokens) -> tuple[list[int], int]:
        """Return the pieces that are masked in turn, and of how many one is masked at once.

        Raises:
            TextError: the text holds more masks itself than are guessed at once.
        """
        pieces = [int(piece) for piece in tokens.ordinary if tokens.ids[piece] != self.mask_id]
        return pieces, _stride(len(pieces), len(tokens.ordinary) - len(pieces))

    def _masking(self, span: tuple[int, int]) -> TextEdit:
        operation = "insert" if span[0] == span[1] else "replace"
        return TextEdit(operation, 0, span, "", self.mask)

    def _read(self, tokens: Tokens, meter: Meter | None) -> list[tuple[tuple[int, int], torch.Tensor]]:
        """Return the characters of each mask, and the log-probabilities (V,) there."""
        if not (tokens.ids[tokens.ordinary] == self.mask_id).any():
            return []
        outputs = self.model.predict(tokens, meter).outputs
        spans = [tokens.spans[output.positions[0]].tolist() for output in outputs]
        return [((start, stop), _log_probabilities(output)) for (start, stop), output in zip(spans, outputs)]


def masked_words(name: str = "base") -> MaskedWords:
    """Return the words of a model by name, made once."""
    return _made(load_model(name, task=TASKS["fill_mask"].hub_name))


@functools.lru_cache(maxsize=2)
def _made(model: TextModel) -> MaskedWords:
    return MaskedWords(model)


def _log_probabilities(output: Output) -> torch.Tensor:
    if output.every_logit is None:
        raise TargetError("A record lists the likeliest words only: predict again to ask about any word.")
    return torch.log_softmax(torch.from_numpy(output.every_logit[0].copy()), dim=-1)


def _stride(count: int, masks: int) -> int:
    """Return of how many places one is masked at once, beside the masks that a text holds itself.

    Raises:
        TextError: there are too many of those.
    """
    if masks >= MOST_MASKS:
        raise TextError(f"The text has {masks} masks; at most {MOST_MASKS - 1} may stand in a text to be edited.")
    return max(STRIDE, -(-count // (MOST_MASKS - masks)))


def _columns(model: TextModel) -> int:
    return model.record.vocabulary


def _is_word(word: str) -> bool:
    return word.isalpha() and word.isascii() and (len(word) > 1 or word in "ai")

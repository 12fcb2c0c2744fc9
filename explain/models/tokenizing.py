"""Texts into tokens, as production encodes them, each laid over the characters it stands for."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding
from transformers import PreTrainedTokenizerBase

from explain.core.errors import TextError
from explain.datatypes import Tokens
from explain.models.vocabulary import TOKENIZING
from explain.tasks.base import Task
from explain.text.checks import check_text
from explain.text.words import is_visible, word_heads, word_ranges

_UNREADABLE = "The model's tokenizer reads nothing of this text: it has no letters it knows how to cut."

_CHARACTERS = 32  # of a text, for each piece that is read: more than most texts need
_BOUNDARY = re.compile(r"(?<=[A-Za-z0-9]) (?=[A-Za-z0-9])")


@dataclass(frozen=True)
class TextEncoder:
    """Encodes texts with a fast tokenizer of transformers.

    Attributes:
        tokenizer: a fast one.
        task: decides how a second text is read, and whether long ones are read in windows.
        text_names: recorded in the tokens, see `TextModel.text_names`.
        max_tokens: longest input, special tokens included.
        longest_text: pieces that are read of a text that becomes a vector by itself.
        entries: of the model's vocabulary; a tokenizer may know more pieces, which were added to it alone.
        takes_types: whether the model reads token types.
        read_apart: two texts are encoded separately.
    """

    tokenizer: PreTrainedTokenizerBase
    task: Task
    text_names: tuple[str, ...]
    max_tokens: int
    longest_text: int
    entries: int
    takes_types: bool
    read_apart: bool

    def windows(self, text: str, text_pair: str | None) -> tuple[Tokens, ...]:
        """Encode all of the texts; see `TextModel.windows`.

        Raises:
            TextError: a text is empty, not Unicode, or nothing the tokenizer can read.
        """
        second_texts = self.task.second_texts(text_pair)
        if len(second_texts) > 1 or second_texts[0] != text_pair:
            return tuple(window for second in second_texts for window in self._pair(text, second))
        return self._pair(text, text_pair)

    def encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode texts that become vectors, each alone and truncated."""
        beginnings = [self._beginning(text, self.longest_text) for text in texts]
        with TOKENIZING:
            encodings = self.tokenizer(
                beginnings, truncation=True, max_length=self.longest_text, verbose=False
            ).encodings
        for encoding in encodings:
            self._check_entries(encoding.ids)
        return encodings

    def _beginning(self, text: str, length: int) -> str:
        """Return as much of a text as decides its first pieces, so that a long one is not cut into pieces whole.

        A tokenizer that splits at spaces cuts what stands before one as if nothing stood behind it.
        """
        stop = length * _CHARACTERS
        if len(text) <= stop or not self._splits_at_spaces:
            return text
        while boundary := _BOUNDARY.search(text, stop):
            beginning = text[: boundary.start()]
            with TOKENIZING:
                encoding = self.tokenizer(beginning, truncation=True, max_length=length, verbose=False).encodings[0]
            if encoding.overflowing:
                return beginning
            stop *= 4
        return text

    @functools.cached_property
    def _splits_at_spaces(self) -> bool:
        splitting = self.tokenizer.backend_tokenizer.pre_tokenizer
        if splitting is None or any(" " in token for token in self.tokenizer.get_added_vocab()):
            return False
        return len(splitting.pre_tokenize_str("a b")) > 1

    def _check_entries(self, ids: Sequence[int]) -> None:
        beyond = next((number for number in ids if number >= self.entries), None)
        if beyond is not None:
            raise TextError(
                f"The text holds {self.tokenizer.convert_ids_to_tokens(beyond)!r}, which was added to the tokenizer as "
                f"piece {beyond:,}; the model has an embedding of {self.entries:,} pieces only. Leave it out of the "
                "text, or give the model rows for it with resize_token_embeddings."
            )

    def _pair(self, text: str, text_pair: str | None) -> tuple[Tokens, ...]:
        texts = (text,) if text_pair is None else (text, text_pair)
        names = [name.lower() for name in self.task.texts] if len(texts) > 1 else ["text"]
        for single, name in zip(texts, names):
            check_text(single, name)
        if self.read_apart:
            return (self._apart(texts),)
        read = texts if len(texts) > 1 or self.task.windows else (self._beginning(text, self.max_tokens),)
        options: dict[str, Any] = {"truncation": True}
        if self.task.windows:
            stride = self.max_tokens // 4
            options = {"truncation": "only_second", "stride": stride, "return_overflowing_tokens": True}
        with TOKENIZING:
            if self.task.windows:
                self._check_first(text)
            encodings = self.tokenizer(
                *read, max_length=self.max_tokens, return_offsets_mapping=True, verbose=False, **options
            ).encodings
        truncated = len(encodings) > 1 or bool(encodings[0].overflowing)
        windows = tuple(self._window(texts, encoding, truncated) for encoding in encodings)
        if windows[0].special.all():
            raise TextError(_UNREADABLE)
        return windows

    def _check_first(self, text: str) -> None:
        """Refuse a first text that leaves windows of the second no room."""
        length = len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        if length > self.max_tokens // 2:
            raise TextError(
                f"The {self.task.texts[0].lower()} has {length} pieces; at most {self.max_tokens // 2} are read. "
                "Shorten it."
            )

    def _apart(self, texts: tuple[str, ...]) -> Tokens:
        """Encode each text by itself, with its own special tokens, half of the length each, side by side."""
        most = min(self.max_tokens // 2, self.longest_text)
        beginnings = [self._beginning(text, most) for text in texts]
        with TOKENIZING:
            encodings = [
                self.tokenizer(text, truncation=True, max_length=most, verbose=False).encodings[0]
                for text in beginnings
            ]
        truncated = any(encoding.overflowing for encoding in encodings)
        text_numbers = [
            None if number is None else text
            for text, encoding in enumerate(encodings)
            for number in encoding.sequence_ids
        ]
        columns = [
            [entry for encoding in encodings for entry in getattr(encoding, name)]
            for name in ("ids", "offsets", "tokens", "type_ids", "word_ids")
        ]
        segment = np.repeat([0, 1], [len(encoding.ids) for encoding in encodings])
        if any(all(number is None for number in encoding.sequence_ids) for encoding in encodings):
            raise TextError(_UNREADABLE)
        return self._laid_over(texts, columns, text_numbers, segment, truncated)

    def _window(self, texts: tuple[str, ...], encoding: Encoding, truncated: bool) -> Tokens:
        """Return the tokens of one encoding: all of the texts, or a part of them where they are truncated."""
        numbers = encoding.sequence_ids
        columns: list[list[Any]] = [
            *(encoding.ids, encoding.offsets, encoding.tokens, encoding.type_ids, encoding.word_ids),
        ]
        return self._laid_over(texts, columns, numbers, _owners(numbers), truncated)

    def _laid_over(
        self,
        texts: tuple[str, ...],
        columns: Sequence[Sequence[Any]],
        text_numbers: Sequence[int | None],
        segment: npt.NDArray[np.int64],
        truncated: bool,
    ) -> Tokens:
        """Lay tokens over their texts.

        Args:
            columns: ids, offsets, pieces, token types, and the pre-token that each is a piece of.
            text_numbers: the text of each token, or None for a special one.
            segment (T,): the text that each token counts to, special ones too.
            truncated: whether something of the texts was left out.
        """
        ids, offsets, pieces, types, pre_tokens = columns
        self._check_entries(ids)
        special = np.array([number is None for number in text_numbers])
        spans = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        spans[special] = 0
        _trim(spans, [texts[number or 0] for number in text_numbers])
        ranges = word_ranges(_read_part(texts, spans, segment), spans, segment, special)
        words = np.array(ranges, dtype=np.int64).reshape(-1, 2)
        return Tokens(
            text=texts[0],
            text_pair=texts[1] if len(texts) > 1 else None,
            ids=np.array(ids, dtype=np.int64),
            pieces=tuple(pieces),
            spans=spans,
            segment=segment,
            token_types=np.array(types) if self.takes_types else None,
            special=special,
            words=words,
            heads=word_heads(words, spans, pre_tokens),
            truncated_at=_truncated_at(texts, spans, segment, special) if truncated else (None,) * len(texts),
            begins_at=_begins_at(texts, spans, segment, special) if truncated else (),
            text_names=self.text_names,
            read_apart=self.read_apart,
        )


def with_entry(token_id: int | None, entries: int) -> int | None:
    """Return the id of a special token, or None where the model's vocabulary has no entry for it."""
    return None if token_id is None or token_id >= entries else token_id


def _owners(numbers: Sequence[int | None]) -> npt.NDArray[np.int64]:
    """Return the text of each token, as the tokenizer says (RoBERTa has two texts and no token types).

    Special tokens are the first text's until the second begins.
    """
    second = [place for place, number in enumerate(numbers) if number == 1]
    segment = np.zeros(len(numbers), dtype=np.int64)
    if second:
        segment[second[0] :] = 1
    return segment


def _read_part(texts: Sequence[str], spans: npt.NDArray[np.int64], segment: npt.NDArray[np.int64]) -> list[str]:
    """Return each text up to its last token, and a little more, so that the word there is whole."""
    last = [int(spans[segment == number, 1].max(initial=0)) for number in range(len(texts))]
    return [text[: stop + 200] for text, stop in zip(texts, last)]


def _trim(spans: npt.NDArray[np.int64], texts: Sequence[str]) -> None:
    """Leave white space out of each token's span, in place: SentencePiece counts the space before a word to it."""
    for span, text in zip(spans, texts):
        start, stop = span.tolist()
        piece = text[start:stop]
        span[0] = min(stop, start + len(piece) - len(piece.lstrip()))
        span[1] = max(span[0], stop - len(piece) + len(piece.rstrip()))


def _begins_at(
    texts: Sequence[str],
    spans: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
    special: npt.NDArray[np.bool_],
) -> tuple[int, ...]:
    """Return each text's first character that is read, where something visible stands before it; else 0."""
    places = []
    for number, text in enumerate(texts):
        own_spans = spans[(segment == number) & ~special]
        start = int(own_spans[0, 0]) if len(own_spans) else 0
        places.append(start if any(map(is_visible, text[:start])) else 0)
    return tuple(places)


def _truncated_at(
    texts: Sequence[str],
    spans: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
    special: npt.NDArray[np.bool_],
) -> tuple[int | None, ...]:
    """Return for each text the character after the last one read, where something visible follows it."""
    places: list[int | None] = []
    for number, text in enumerate(texts):
        own_spans = spans[(segment == number) & ~special]
        stop = int(own_spans[:, 1].max()) if len(own_spans) else 0
        places.append(stop if any(map(is_visible, text[stop:])) else None)
    return tuple(places)

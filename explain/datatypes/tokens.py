"""One encoding of a text, or of a pair of texts read together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from explain.datatypes.arrays import BoolArray, IntArray, set_array


@dataclass(frozen=True, eq=False)
class Tokens:
    """One encoding of a text, or of a pair of texts read together.

    Attributes:
        text, text_pair: the texts, unchanged.
        ids (T,): vocabulary ids, special tokens included, no padding.
        pieces (T): the vocabulary's own strings ("##ing", "Ġthe").
        spans (T, 2): half-open character ranges in the segment's own text; (0, 0) for a token without text.
        segment (T,): the text of each token: 0 for the first and its special tokens, 1 for the second.
        token_types (T,): the model's token type ids, or None for a model without.
        special (T,): the tokenizer added this token ([CLS], [SEP]); a mask written by the user is not special.
        words (W, 2): half-open token ranges, in reading order; every token with visible text is in exactly one.
        heads (W,): each word's own first piece, after a blank that may belong to the word.
        truncated_at: for each text, the first character that was not read, or None.
        begins_at: for each text, the first character that was read: of a window in a long text, not 0.
        text_names: the model's names of two texts ("Premise", "Hypothesis"); empty if it has none.
        read_apart: the two texts are encoded each by itself, to be compared; no token attends to the other text.
    """

    text: str
    ids: IntArray
    pieces: tuple[str, ...]
    spans: IntArray
    segment: IntArray
    special: BoolArray
    words: IntArray
    token_types: IntArray | None = None
    text_pair: str | None = None
    truncated_at: tuple[int | None, ...] = (None,)
    begins_at: tuple[int, ...] = ()
    text_names: tuple[str, ...] = ()
    heads: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    read_apart: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "pieces", tuple(self.pieces))
        object.__setattr__(self, "truncated_at", tuple(self.truncated_at))
        count = len(self.pieces)
        set_array(self, "ids", (count,), np.int64)
        set_array(self, "spans", (count, 2), np.int64)
        set_array(self, "segment", (count,), np.int64)
        if self.token_types is not None:
            set_array(self, "token_types", (count,), np.int64)
        set_array(self, "special", (count,), np.bool_)
        set_array(self, "words", (len(self.words), 2), np.int64)
        if not len(self.heads):
            object.__setattr__(self, "heads", self.words[:, 0])
        set_array(self, "heads", (len(self.words),), np.int64)
        object.__setattr__(self, "begins_at", tuple(self.begins_at) or (0,) * len(self.texts))
        if not len(self.truncated_at) == len(self.begins_at) == len(self.texts):
            raise ValueError("Tokens.truncated_at and Tokens.begins_at need one entry per text.")
        object.__setattr__(self, "text_names", tuple(self.text_names))
        if len(self.text_names) not in (0, len(self.texts)):
            raise ValueError("Tokens.text_names needs one entry per text, or none.")

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if self.text_pair is None else (self.text, self.text_pair)

    @property
    def truncated(self) -> bool:
        return any(place is not None for place in self.truncated_at)

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        """The model's input and the special tokens, as bytes: equal keys mean equal outputs."""
        token_types = b"" if self.token_types is None else self.token_types.tobytes()
        return self.ids.tobytes(), token_types, self.special.tobytes()

    @cached_property
    def ordinary(self) -> IntArray:
        """Indices of the tokens that are the user's own, not special."""
        return np.flatnonzero(~self.special)

    @cached_property
    def word_of(self) -> IntArray:
        """The number of each token's word (T,); -1 for tokens outside words."""
        numbers = np.full(len(self), -1, dtype=np.int64)
        for number, (start, stop) in enumerate(self.words.tolist()):
            numbers[start:stop] = number
        return numbers

    def word_around(self, token: int) -> tuple[int, ...]:
        """Return all tokens of a token's word; the token alone if it is in no word."""
        number = int(self.word_of[token])
        return (token,) if number < 0 else tuple(range(*self.words[number].tolist()))

    def word_units(self) -> tuple[tuple[int, ...], ...]:
        """Return the token indices of each word."""
        return tuple(tuple(range(start, stop)) for start, stop in self.words.tolist())

    def unit_span(self, unit: Sequence[int]) -> tuple[int, int, int]:
        """Return the characters of a set of tokens: (segment, first character, last character + 1)."""
        visible = [token for token in unit if self.spans[token, 0] < self.spans[token, 1]]
        if not visible:
            return int(self.segment[unit[0]]) if unit else 0, 0, 0
        segment = int(self.segment[visible[0]])
        same = [token for token in visible if self.segment[token] == segment]
        return segment, int(self.spans[same, 0].min()), int(self.spans[same, 1].max())

    def unit_text(self, unit: Sequence[int]) -> str:
        """Return the text of a set of tokens, from its first to its last character; without characters, its pieces."""
        segment, start, stop = self.unit_span(unit)
        if start < stop:
            return self.texts[segment][start:stop]
        return " ".join(self.pieces[token] for token in unit)

"""Removal of tokens, on ids: editing the text instead would change how the rest is tokenized.

Each operator is a different question. "mask" and "unk" ask "what if this word were anything"; "delete" and
"attention_off" ask "what if it were not there"; "zero" is a vector the model never saw in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explain.core.errors import SettingError
from explain.datatypes import BoolArray, IntArray, Tokens

OPERATORS = {
    "mask": "replaced by the mask token",
    "delete": "deleted; later words move up",
    "attention_off": "hidden from attention; positions stay",
    "zero": "word embedding set to zero",
    "unk": "replaced by the unknown token",
}


@dataclass(frozen=True, eq=False)
class Variant:
    """A text with some of its tokens removed, ready for a model.

    Attributes:
        kept (T'): the original's token at each place; positions follow them.
        ids (T'): the id at each place.
        attended (T'): False for tokens that are hidden from attention.
        zeroed (T'): True where the word embedding is zero.
    """

    kept: IntArray
    ids: IntArray
    attended: BoolArray
    zeroed: BoolArray

    def __len__(self) -> int:
        return len(self.kept)

    def places(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Return the new places of tokens of the original.

        Raises:
            ValueError: a token was deleted; the tokens that a target reads must be protected.
        """
        places = self.places_left(positions)
        if -1 in places:
            raise ValueError("A token that the target reads was deleted; it must be protected from removal.")
        return places

    def places_left(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Return the new places of tokens of the original; -1 for a deleted token."""
        if not positions:
            return ()
        now = {token: place for place, token in enumerate(self.kept.tolist())}
        return tuple(now.get(position, -1) for position in positions)


def unchanged(tokens: Tokens) -> Variant:
    """Return the variant of a text without any removal."""
    count = len(tokens)
    return Variant(np.arange(count), tokens.ids, np.ones(count, dtype=bool), np.zeros(count, dtype=bool))


def remove(
    tokens: Tokens,
    unit: Sequence[int],
    operator: str,
    *,
    mask_id: int | None = None,
    unk_id: int | None = None,
    protected: Sequence[int] = (),
) -> Variant:
    """Remove a set of tokens from a text, except special and protected tokens.

    Args:
        unit: indices of tokens.
        operator: a key of `OPERATORS`.
        mask_id, unk_id: the ids of the mask and unknown token, or None where the vocabulary has none.
        protected: tokens that the target reads.

    Raises:
        SettingError: no such operator, or the vocabulary lacks the token that it needs.
    """
    count = len(tokens)
    removed = np.zeros(count, dtype=bool)
    removed[list(unit)] = True
    removed &= ~tokens.special
    removed[list(protected)] = False
    base = unchanged(tokens)
    if operator == "delete":
        kept = np.flatnonzero(~removed)
        return Variant(kept, tokens.ids[kept], base.attended[kept], base.zeroed[kept])
    if operator == "attention_off":
        return Variant(base.kept, base.ids, ~removed, base.zeroed)
    if operator == "zero":
        return Variant(base.kept, base.ids, base.attended, removed)
    if operator in ("mask", "unk"):
        filler = mask_id if operator == "mask" else unk_id
        if filler is None:
            raise SettingError(
                f"The operator {operator!r} needs a token this model's vocabulary does not have; "
                "use 'attention_off' or 'delete'."
            )
        return Variant(base.kept, np.where(removed, filler, tokens.ids), base.attended, base.zeroed)
    raise SettingError(f"operator is {operator!r}; expected one of {', '.join(OPERATORS)}.")


def emptied_together(tokens: Tokens, emptied: str) -> tuple[tuple[int, ...], ...]:
    """Return the sets of tokens that are emptied at once, each the start of a path to the text.

    Args:
        emptied: "together", "in_turn" (each of two texts, the other left whole), or "auto": in turn if the texts are
            read apart, to be compared. Two empty texts are alike, so on the path from there to two texts that differ
            every word would speak against their likeness.
    """
    in_turn = emptied == "in_turn" or (emptied == "auto" and tokens.read_apart)
    if not in_turn or tokens.text_pair is None:
        return (tuple(range(len(tokens))),)
    return tuple(tuple(np.flatnonzero(tokens.segment == text).tolist()) for text in (0, 1))


def keep_only(
    tokens: Tokens,
    unit: Sequence[int],
    operator: str,
    *,
    mask_id: int | None = None,
    unk_id: int | None = None,
    protected: Sequence[int] = (),
) -> Variant:
    """Remove everything but a set of tokens; see `remove`."""
    rest = np.setdiff1d(tokens.ordinary, np.asarray(unit, dtype=np.int64))
    return remove(tokens, rest.tolist(), operator, mask_id=mask_id, unk_id=unk_id, protected=protected)

"""Taking tokens away, on ids: never by editing the text, which would make other tokens of it.

Each operator is a different question. Masking and unknown ask "what if this word were anything"; deleting and
attention off ask "what if it were not there"; zero puts in a vector the model never saw.
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
    """A text with some of its tokens taken away, ready for a model.

    Attributes:
        kept (T'): which tokens of the original stand at each place; positions follow them.
        ids (T'): what is read there.
        attended (T'): False where attention may not look.
        zeroed (T'): True where the word embedding is zero.
    """

    kept: IntArray
    ids: IntArray
    attended: BoolArray
    zeroed: BoolArray

    def __len__(self) -> int:
        return len(self.kept)

    def places(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Where tokens of the original stand now.

        Raises:
            ValueError: one of them was deleted; what a target reads must be protected.
        """
        found = self.places_left(positions)
        if -1 in found:
            raise ValueError("A token that the target reads was deleted; it must be protected from removal.")
        return found

    def places_left(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Where tokens of the original stand now; -1 where one was deleted."""
        if not positions:
            return ()
        now = {token: place for place, token in enumerate(self.kept.tolist())}
        return tuple(now.get(position, -1) for position in positions)


def unchanged(tokens: Tokens) -> Variant:
    """The text as it is."""
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
    """Take a set of tokens out of a text. Special tokens and protected ones stay, whatever is asked.

    Args:
        unit: indices of tokens.
        operator: a key of `OPERATORS`.
        mask_id, unk_id: the vocabulary's ids of those tokens, or None where it has none.
        protected: tokens that the target reads.

    Raises:
        SettingError: no such operator, or one that needs a token the vocabulary does not have.
    """
    count = len(tokens)
    gone = np.zeros(count, dtype=bool)
    gone[list(unit)] = True
    gone &= ~tokens.special
    gone[list(protected)] = False
    base = unchanged(tokens)
    if operator == "delete":
        kept = np.flatnonzero(~gone)
        return Variant(kept, tokens.ids[kept], base.attended[kept], base.zeroed[kept])
    if operator == "attention_off":
        return Variant(base.kept, base.ids, ~gone, base.zeroed)
    if operator == "zero":
        return Variant(base.kept, base.ids, base.attended, gone)
    if operator in ("mask", "unk"):
        filler = mask_id if operator == "mask" else unk_id
        if filler is None:
            raise SettingError(
                f"The operator {operator!r} needs a token this model's vocabulary does not have; "
                "use 'attention_off' or 'delete'."
            )
        return Variant(base.kept, np.where(gone, filler, tokens.ids), base.attended, base.zeroed)
    raise SettingError(f"operator is {operator!r}; expected one of {', '.join(OPERATORS)}.")


def emptied_together(tokens: Tokens, emptied: str) -> tuple[tuple[int, ...], ...]:
    """Return the sets of tokens that are emptied at once, each the start of a way back to the text.

    Args:
        emptied: "together", "in_turn" (each of two texts, the other left whole), or "auto": in turn where the texts are
            read apart, to be compared. Two empty texts are alike, so the way from there to two texts that differ would
            say of every word that it speaks against their likeness.
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
    """Take everything out but a set of tokens; see `remove`."""
    rest = np.setdiff1d(tokens.ordinary, np.asarray(unit, dtype=np.int64))
    return remove(tokens, rest.tolist(), operator, mask_id=mask_id, unk_id=unk_id, protected=protected)

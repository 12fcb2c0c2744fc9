"""Attention matrix: one head, or a mean of heads, as a square of cells; each row is the token that attends."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.datatypes import AttentionMaps, Tokens
from explain.numerics.grouping import by_unit
from explain.views.base import VIEWS, View, visible
from explain.views.layer_graph import token_text


class AttentionMatrix(View):
    """Tokens that attend as rows, attended tokens as columns, weights as tints."""

    name = "attention_matrix"
    title = "Attention matrix"
    accepts = AttentionMaps
    rank = 2
    placed = True

    def data(
        self,
        maps: AttentionMaps,
        /,
        *,
        layer: int | None = None,
        heads: Sequence[int] | None = None,
        by: str = "token",
        special: bool = True,
        selected: tuple[int, int | None] | None = None,
        group: str = "",
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            layer, heads: which are shown, averaged where there are several; by default all.
            by: "token", or "word": sums over the pieces looked at, means over the pieces that look.
            special: show special tokens.
            selected: the token that attends, and the one it attends to (or None), which are marked.
            sends: tell the page what is clicked.
        """
        tokens = maps.tokens
        weights = maps.mean(heads)
        weights = weights[layer] if layer is not None else weights.mean(axis=0)  # (T, T)
        units = matrix_units(tokens, by)
        if by == "word":
            weights = by_unit(weights, units)
        kept = [number for number, unit in enumerate(units) if special or not tokens.special[list(unit)].all()]
        weights = weights[np.ix_(kept, kept)]
        largest = float(np.abs(weights).max(initial=0.0))
        # In a long text most weights are small and a few, on special tokens, near 1: the color saturates below those.
        full = largest if len(kept) <= 32 else float(np.quantile(np.abs(weights), 0.995))
        what = [
            "all layers averaged" if layer is None else f"layer {layer}",
            _heads(maps, heads),
            "words: summed over pieces looked at, averaged over pieces that look" if by == "word" else "word pieces",
        ]
        hidden = "" if special else " Special tokens are hidden; what they take is not shown."
        return {
            "group": group,
            "sends": sends,
            "units": [
                {
                    "text": visible(
                        tokens.unit_text(units[number]) if by == "word" else token_text(tokens, units[number][0])
                    ),
                    "tokens": list(units[number]),
                    "special": bool(tokens.special[units[number][0]]),
                }
                | ({"segment": int(tokens.segment[units[number][0]])} if tokens.text_pair is not None else {})
                for number in kept
            ],
            "weights": pack(weights),
            "full": full or 1.0,
            "largest": largest,
            "share": maps.row_stochastic,
            "signed": bool((weights < 0).any()),
            "chosen": _selected_places(selected, [units[number] for number in kept]),
            "note": (
                f"Each row is a {'word' if by == 'word' else 'token'} that looks, each column one that is looked at; "
                f"{'; '.join(what)}.{hidden} Attention says where a layer reads, not what it does with it."
            ),
            "caption": f"Attention matrix; {'; '.join(what)}",
        }


def matrix_units(tokens: Tokens, by: str) -> list[tuple[int, ...]]:
    """Return the rows of a matrix: every token, or every word and every token outside words, in reading order."""
    if by == "token":
        return [(token,) for token in range(len(tokens))]
    loose = [(int(token),) for token in np.flatnonzero(tokens.word_of < 0)]
    return sorted([*tokens.word_units(), *loose])


def pack(values: npt.NDArray[np.floating]) -> dict[str, Any]:
    """Encode numbers in 16 bits each, as fractions of the largest; the error is at most 1/65535 of it."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    signed = bool((values < 0).any())
    whole = np.rint(values / largest * (32767 if signed else 65535)).astype("<i2" if signed else "<u2")
    return {"base64": base64.b64encode(whole.tobytes()).decode("ascii"), "signed": signed, "largest": largest}


def _heads(maps: AttentionMaps, heads: Sequence[int] | None) -> str:
    if len(maps.groups) == 1:
        return maps.kind.replace("_", " ")
    return "all heads averaged" if heads is None else f"head{'s' * (len(heads) > 1)} {', '.join(map(str, heads))}"


def _selected_places(
    selected: tuple[int, int | None] | None, units: Sequence[Sequence[int]]
) -> list[int | None] | None:
    """Return the row and the column of the selected tokens."""
    if selected is None:
        return None
    places = [next((number for number, unit in enumerate(units) if token in unit), None) for token in selected]
    return places if places[0] is not None else None


VIEWS.register("attention_matrix")(AttentionMatrix())

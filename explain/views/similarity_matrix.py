"""Similarity matrix: contribution of every two words, one of each text, to the similarity of the texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import SimilarityMatrix, Tokens
from explain.views.attention_matrix import pack
from explain.views.base import VIEWS, View, sentence, text_label, visible

_EMPTY = {"mask": "mask tokens", "pad": "padding", "unk": "unknown tokens", "zero": "zero vectors"}


class SimilarityMatrixView(View):
    """Words of the first text as rows, words of the second as columns, values as tints and numbers."""

    name = "similarity_matrix"
    title = "What makes them alike"
    accepts = SimilarityMatrix

    def data(self, matrix: SimilarityMatrix, /, *, group: str = "", **options: Any) -> dict[str, Any]:
        parts = {"token": "word pieces"}.get(matrix.granularity, f"{matrix.granularity}s")
        baseline = str(matrix.diagnostics.get("baseline", "nothing"))
        empty = _EMPTY.get(baseline, baseline)
        total = float(matrix.values.sum())
        first, second = _called(matrix.tokens)
        largest = float(np.abs(matrix.values).max(initial=0.0))
        return {
            "group": group,
            "rows": units_as_json(matrix.tokens, matrix.left),
            "columns": units_as_json(matrix.tokens, matrix.right),
            "weights": pack(matrix.values),
            "full": largest or 1.0,
            "largest": largest,
            "signed": True,
            "unit": "of the similarity",
            "stem": "similarity_matrix",
            "sum": (
                f"Similarity {matrix.output:.3f} = {total:.3f} (all cells) "
                f"{_signed(matrix.left_empty)} (empty text and {second}) "
                f"{_signed(matrix.right_empty)} ({first} and empty text) "
                f"{_signed(-matrix.both_empty)} (empty text and empty text)"
                + ("" if abs(matrix.gap) < 5e-4 else f" {_signed(matrix.gap)} (error)")
            ),
            "note": sentence(
                f"Each cell: what two {parts}, one of each text, add to the cosine of the texts' vectors "
                "(Moeller et al. 2023: the product of what each does to its own text's vector, integrated from an "
                f"empty text of {empty} to this one). Orange: nearer by it; blue: farther apart.",
                "The cells do not add up to the similarity alone: what the texts would have in common if either were "
                "empty is left over, and stands above.",
                "Another empty text gives other numbers; a cell is no proof that the model compares these two words.",
                ""
                if matrix.diagnostics.get("converged", True)
                else "The integral did NOT converge: small values may be wrong.",
            ),
            "caption": f"What makes the texts alike, in cosine, by {parts}",
        }


def _called(tokens: Tokens) -> tuple[str, str]:
    first, second = (text_label(tokens, number).lower() for number in (0, 1))
    return f"the {first}", f"the {second}"


def units_as_json(tokens: Tokens, units: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    """Return parts of a text as JSON values, as a matrix names them."""
    return [
        {
            "text": visible(tokens.unit_text(unit)),
            "tokens": list(unit),
            "special": False,
            "segment": int(tokens.segment[unit[0]]),
        }
        for unit in units
    ]


def _signed(number: float) -> str:
    return f"{'+' if number >= 0 else '−'} {abs(number):.3f}"


VIEWS.register("similarity_matrix")(SimilarityMatrixView())

"""Pair matrix: joint effect of every two words, one of each text, beyond their separate effects."""

from typing import Any

import numpy as np

from explain.datatypes import PairInteractions
from explain.text.removal import OPERATORS
from explain.views.attention_matrix import pack
from explain.views.base import UNITS, VIEWS, View, sentence, target_name, text_label, visible
from explain.views.similarity_matrix import units_as_json


class PairMatrix(View):
    """Words of the first text as rows, words of the second as columns, joint effects as tints and numbers."""

    name = "pair_matrix"
    title = "What acts together across the texts"
    accepts = PairInteractions
    drawn_by = "similarity_matrix"
    rank = 1

    def fits(self, interactions: PairInteractions) -> bool:
        """Return whether each of two texts has a part."""
        return all(_of_text(interactions, number) for number in (0, 1))

    def data(self, interactions: PairInteractions, /, *, group: str = "", **options: Any) -> dict[str, Any]:
        values = cross_values(interactions)
        largest = float(np.abs(values).max(initial=0.0))
        target = interactions.target
        unit, label = UNITS[target.scale], visible(target_name(target))
        first, second = (text_label(interactions.tokens, number).lower() for number in (0, 1))
        parts = {"token": "piece"}.get(interactions.granularity, interactions.granularity)
        gone = OPERATORS[interactions.diagnostics["operator"]].split(";")[0]
        widest = float(interactions.error.max(initial=0.0))
        rows, columns = (
            units_as_json(interactions.tokens, [interactions.units[place] for place in _of_text(interactions, number)])
            for number in (0, 1)
        )
        return {
            "group": group,
            "rows": rows,
            "columns": columns,
            "weights": pack(values),
            "full": largest or 1.0,
            "largest": largest,
            "signed": True,
            "unit": unit,
            "stem": "pair_matrix",
            "sum": "",
            "note": sentence(
                f"Each cell: what a {parts} of the {first} and one of the {second} do to {label} together, beyond what "
                f"each does alone ({unit}): Shapley interaction index, averaged over what else is there. What is not "
                f"there is {gone}.",
                "Orange: higher with both than their own effects add up to; blue: lower.",
                f"95 % intervals reach at most {widest:.2f} up and down, as sets of words were drawn."
                if widest
                else "",
            ),
            "caption": f"What acts together across the texts, {unit}, target: {label}",
        }


def cross_values(interactions: PairInteractions) -> Any:
    """Return the values between parts of the first text (rows) and of the second (columns)."""
    count = len(interactions.units)
    square = np.zeros((count, count))
    square[tuple(interactions.pairs.T)] = interactions.values
    return (square + square.T)[np.ix_(_of_text(interactions, 0), _of_text(interactions, 1))]


def _of_text(interactions: PairInteractions, number: int) -> list[int]:
    """Return the numbers of the parts of one text."""
    segment = interactions.tokens.segment
    return [place for place, unit in enumerate(interactions.units) if unit and int(segment[unit[0]]) == number]


VIEWS.register("pair_matrix")(PairMatrix())

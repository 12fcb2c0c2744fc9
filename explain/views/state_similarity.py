"""State similarity: cosine of one token's states at any two layers, as a table of tinted cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import LayerStates
from explain.views.base import VIEWS, View, visible
from explain.views.layer_states import COSINE, layer_names


class StateSimilarity(View):
    """Layers x layers, each cell the cosine of a token's states at both."""

    name = "state_similarity"
    title = "Layers compared"
    accepts = LayerStates
    rank = 2

    def data(self, states: LayerStates, /, *, selected: Sequence[int] = (), **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            selected: tokens that are averaged; by default all.
        """
        tokens = states.tokens
        some = 0 < len(selected) < len(tokens)
        values = states.similarity[list(selected)] if some else states.similarity
        name = f"\u201c{tokens.unit_text(tuple(selected))}\u201d" if some else "the whole text"
        averaged = "" if some and len(selected) == 1 else f", averaged over {'its pieces' if some else 'all tokens'}"
        return {
            "title": visible(f"How similar the states of {name} are at any two layers"),
            "names": layer_names(len(values[0])),
            "values": np.round(values.mean(axis=0), 4).tolist(),
            "note": (
                f"Each cell: the cosine of a token's state after one layer with its own after another{averaged}: 1 "
                f"where both point the same way. Blocks of like values are layers that change little. {COSINE}"
            ),
            "caption": visible(f"Cosine of the states of {name} at any two layers"),
        }


VIEWS.register("state_similarity")(StateSimilarity())

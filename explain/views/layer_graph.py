"""Layer graph: who looks at whom in each layer, the strongest weights only."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import AttentionMaps
from explain.numerics.edges import top_edges
from explain.views.base import VIEWS, View, visible

MOST_EDGES = 2000  # drawn at once; a browser stays quick up to there


class LayerGraph(View):
    """Tokens as rows, layers as columns, attention as lines."""

    name = "layer_graph"
    title = "Attention, layer by layer"
    accepts = AttentionMaps

    def data(
        self,
        result: AttentionMaps,
        *,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        per_layer: int = 40,
        special: bool = False,
        group: str = "",
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            layers, heads: which are shown, from zero; heads are averaged. By default all.
            per_layer: most lines of one layer.
            special: show special tokens.
        """
        tokens = result.tokens
        chosen = list(range(result.layers)) if layers is None else sorted(layers)
        allowed = max(1, min(per_layer, MOST_EDGES // max(1, len(chosen))))
        shown = np.ones(len(tokens), dtype=bool) if special else ~tokens.special
        weights = result.mean(heads)[chosen]  # (L', T, T)
        edges = top_edges(weights, allowed, shown)
        drawn_mass = sum(edge[3] for edge in edges) / (len(chosen) * len(tokens))
        heads_text = "all heads averaged" if heads is None else f"heads {', '.join(map(str, heads))}"
        hidden = "" if special else " Special tokens are hidden; what they take is not shown."
        return {
            "group": group,
            "layers": chosen,
            "tokens": [
                {
                    "index": int(place),
                    "text": visible(token_text(result, int(place))),
                    "special": bool(tokens.special[place]),
                }
                for place in np.flatnonzero(shown)
            ],
            "edges": [[column, row, source, round(weight, 5)] for column, row, source, weight in edges],
            "summary": f"Attention graph of {int(shown.sum())} tokens and {len(chosen)} layers: {len(edges)} lines",
            "note": (
                f"Lines run from the token looked at (left) to the token that looks (right); {heads_text}. "
                f"The {allowed} strongest of each layer are drawn, {drawn_mass:.0%} of all attention.{hidden} "
                "Attention says where a layer reads, not what it does with it."
            ),
            "caption": f"Attention, layer by layer; {heads_text}; {allowed} strongest lines a layer",
        }


def token_text(maps: AttentionMaps, token: int) -> str:
    """The token's own characters; its piece where it has none ([CLS]) or shares them (the bytes of an emoji)."""
    tokens = maps.tokens
    segment, start, stop = tokens.unit_span((token,))
    piece = tokens.pieces[token]
    if start == stop or (token and tokens.unit_span((token - 1,)) == (segment, start, stop)):
        return piece
    return ("##" if piece.startswith("##") else "") + tokens.texts[segment][start:stop]


VIEWS.register("layer_graph")(LayerGraph())

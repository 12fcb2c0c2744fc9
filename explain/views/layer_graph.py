"""Layer graph: who looks at whom in each layer, the strongest weights only."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import AttentionMaps, Tokens
from explain.numerics.edges import top_edges
from explain.views.base import VIEWS, View, text_label, visible

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
        least: float = 0.0,
        special: bool = False,
        selves: bool = True,
        chosen: tuple[int | None, int, int | None] | None = None,
        title: str = "",
        group: str = "",
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            layers, heads: which are shown; heads are averaged. By default all.
            per_layer: most lines of one layer; least: weaker lines are left out.
            special: show special tokens; selves: show lines from a token to itself.
            chosen: the layer (None: the input), the token, and the token it looks at (or None) whose paths are traced.
            title: of the method that made the weights, where it is not the model's own attention.
            sends: tell the page what is clicked.
        """
        tokens = result.tokens
        layers = list(range(result.layers)) if layers is None else sorted(layers)
        allowed = max(1, min(per_layer, MOST_EDGES // max(1, len(layers))))
        shown = np.ones(len(tokens), dtype=bool) if special else ~tokens.special
        weights = result.mean(heads)[layers]  # (L', T, T)
        signed = not result.row_stochastic and bool((weights < 0).any())
        total = float(np.abs(weights).sum())
        edges = top_edges(weights, allowed, shown, least=least, selves=selves)
        part = sum(abs(edge[3]) for edge in edges) / total if total else 0.0
        if len(result.groups) == 1:
            source = title or result.kind
        else:
            source = (
                "all heads averaged" if heads is None else f"head{'s' * (len(heads) > 1)} {', '.join(map(str, heads))}"
            )
        hidden = "" if special else " Special tokens are hidden; what they take is not shown."
        cut = (
            ""
            if allowed == per_layer
            else f" At most {MOST_EDGES:,} lines are drawn at once: {per_layer} a layer were asked for."
        )
        return {
            "group": group,
            "sends": sends,
            "layers": layers,
            "tokens": [
                {
                    "index": int(place),
                    "text": visible(token_text(tokens, int(place))),
                    "special": bool(tokens.special[place]),
                }
                | ({"segment": int(tokens.segment[place])} if tokens.text_pair is not None else {})
                for place in np.flatnonzero(shown)
            ],
            "texts": [text_label(tokens, number) for number in range(len(tokens.texts))],
            "edges": [[column, row, origin, round(weight, 5)] for column, row, origin, weight in edges],
            "chosen": _place(chosen, layers),
            "share": result.row_stochastic,
            "signed": signed,
            "unit": "of what a token looks at" if result.row_stochastic else "",
            "verb": "looks at" if result.kind == "attention" else "takes from",
            "summary": f"Attention graph of {int(shown.sum())} tokens and {len(layers)} layers: {len(edges)} lines",
            "note": (
                f"Lines run from the token looked at (left) to the token that looks (right); {source}. "
                f"The {allowed} strongest of each layer are drawn, {part:.0%} of all"
                f"{' attention' if result.kind == 'attention' else ''}.{cut}{hidden} "
                "Attention says where a layer reads, not what it does with it."
            ),
            "caption": f"Attention, layer by layer; {source}; {allowed} strongest lines a layer",
        }


def _place(chosen: tuple[int | None, int, int | None] | None, layers: Sequence[int]) -> list[int | None] | None:
    """The column that a chosen layer has in the drawing, the token, and where it looks."""
    if chosen is None or (chosen[0] is not None and chosen[0] not in layers):
        return None
    layer, token, source = chosen
    return [0 if layer is None else layers.index(layer) + 1, token, source]


def token_text(tokens: Tokens, token: int) -> str:
    """The token's own characters; its piece where it has none ([CLS]) or shares them (the bytes of an emoji)."""
    segment, start, stop = tokens.unit_span((token,))
    piece = tokens.pieces[token]
    if start == stop or (token and tokens.unit_span((token - 1,)) == (segment, start, stop)):
        return piece
    return ("##" if piece.startswith("##") else "") + tokens.texts[segment][start:stop]


VIEWS.register("layer_graph")(LayerGraph())

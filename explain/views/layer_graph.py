"""Layer graph: which tokens attend to which in each layer, the strongest weights only."""

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
    rank = 1
    placed = True

    def data(
        self,
        maps: AttentionMaps,
        /,
        *,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        per_layer: int = 40,
        least: float = 0.0,
        special: bool = False,
        selves: bool = True,
        selected: tuple[int | None, int, int | None] | None = None,
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
            selected: layer (None: the input), token, and the token it attends to (or None), whose paths are traced.
            title: of the method that made the weights, where it is not the model's own attention.
            sends: report clicks to the page.
        """
        tokens = maps.tokens
        layers = list(range(maps.layers)) if layers is None else sorted(layers)
        allowed = max(1, min(per_layer, MOST_EDGES // max(1, len(layers))))
        shown = np.ones(len(tokens), dtype=bool) if special else ~tokens.special
        weights = maps.mean(heads)[layers]  # (L', T, T)
        signed = not maps.row_stochastic and bool((weights < 0).any())
        total = float(np.abs(weights).sum())
        edges = top_edges(weights, allowed, shown, least=least, selves=selves)
        part = sum(abs(edge[3]) for edge in edges) / total if total else 0.0
        if len(maps.groups) == 1:
            source = title or maps.kind
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
            "chosen": _place(selected, layers),
            "share": maps.row_stochastic,
            "signed": signed,
            "unit": "of what a token looks at" if maps.row_stochastic else "",
            "verb": "looks at" if maps.kind == "attention" else "takes from",
            "summary": f"Attention graph of {int(shown.sum())} tokens and {len(layers)} layers: {len(edges)} lines",
            "note": (
                f"Lines run from the token looked at (left) to the token that looks (right); {source}. "
                f"The {allowed} strongest of each layer are drawn, {part:.0%} of all"
                f"{' attention' if maps.kind == 'attention' else ''}.{cut}{hidden} "
                "Attention says where a layer reads, not what it does with it."
            ),
            "caption": f"Attention, layer by layer; {source}; {allowed} strongest lines a layer",
        }


def _place(selected: tuple[int | None, int, int | None] | None, layers: Sequence[int]) -> list[int | None] | None:
    """Return the column of the selected layer in the drawing, the token, and the one it attends to."""
    if selected is None or (selected[0] is not None and selected[0] not in layers):
        return None
    layer, token, source = selected
    return [0 if layer is None else layers.index(layer) + 1, token, source]


def token_text(tokens: Tokens, token: int) -> str:
    """Return a token's characters; its piece where it has none ([CLS]) or shares them (the bytes of an emoji)."""
    segment, start, stop = tokens.unit_span((token,))
    piece = tokens.pieces[token]
    if start == stop or (token and tokens.unit_span((token - 1,)) == (segment, start, stop)):
        return piece
    return ("##" if piece.startswith("##") else "") + tokens.texts[segment][start:stop]


VIEWS.register("layer_graph")(LayerGraph())

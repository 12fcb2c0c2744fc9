"""Head grid: every head of every layer as a small map with its figure, to find the ones worth opening."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.datatypes import AttentionMaps
from explain.numerics.grouping import pooled
from explain.numerics.heads import HEAD_FIGURES
from explain.views.base import VIEWS, View

_SIDE = 40  # cells of a small map

ORDERS = ("layer", "most", "least")


class HeadGrid(View):
    """Layers x heads as small maps."""

    name = "head_grid"
    title = "Every layer and head"
    accepts = AttentionMaps
    rank = 3
    placed = True

    def data(
        self,
        maps: AttentionMaps,
        /,
        *,
        figures: Mapping[str, npt.NDArray[np.floating]] | None = None,
        figure: str = "entropy",
        order: str = "layer",
        at_least: float = 0.0,
        selected: tuple[int, int] | None = None,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            figures: by name (L, H), see `explain.numerics.heads`.
            figure: the one shown, sorted and filtered by.
            order: "layer" (as in the model), "most" or "least" of the figure first.
            at_least: heads with less of the figure are left out, as a part of the largest.
            selected: layer and head that are marked; sends: report clicks to the page.
        """
        layers, heads = maps.weights.shape[:2]
        small = pooled(maps.weights, _SIDE)
        values = (figures or {}).get(figure)
        places = [(layer, head) for layer in range(layers) for head in range(heads)]
        if values is not None:
            floor = at_least * float(values.max())
            places = [place for place in places if values[place] >= floor]
            if order != "layer":
                places.sort(key=lambda place: float(values[place]) * (-1 if order == "most" else 1))
        side = small.shape[-1]
        pooling = (
            "" if side == len(maps.tokens) else f" Each of its {side} x {side} cells is the largest of several weights."
        )
        return {
            "sends": sends,
            "columns": heads if order == "layer" and len(places) == layers * heads else 0,
            "side": side,
            "heads": [
                {
                    "layer": layer,
                    "head": head,
                    "map": base64.b64encode(np.rint(255 * small[layer, head]).astype(np.uint8).tobytes()).decode(
                        "ascii"
                    ),
                    "value": None if values is None else round(float(values[layer, head]), 5),
                }
                for layer, head in places
            ],
            "figure": {"name": figure.replace("_", " "), "share": figure not in ("entropy", "distance")},
            "largest": None if values is None else float(values.max()),
            "chosen": list(selected) if selected else None,
            "note": (
                f"Each square is one head: rows look, columns are looked at, a stronger color is more.{pooling} "
                f"Below it {figure.replace('_', ' ')}: {HEAD_FIGURES.get(figure, '')}, averaged over the tokens that "
                "look, special tokens left out."
                + (f" {layers * heads - len(places)} heads are filtered out." if len(places) < layers * heads else "")
            ),
            "caption": f"Every layer and head; {figure.replace('_', ' ')}",
        }


VIEWS.register("head_grid")(HeadGrid())

"""Layer readings: how a prediction forms from layer to layer, and how token states drift from their input."""

from typing import Any

import numpy as np

from explain.datatypes import LayerReadings
from explain.views.attention_matrix import pack
from explain.views.base import UNITS, VIEWS, View, target_name, visible
from explain.views.confidence import calibrated
from explain.views.layer_graph import token_text

LINES = 5  # of labels, the likeliest ones


class LayerReadingsChart(View):
    """A line of the target over layers, and strips of token similarity."""

    name = "layer_readings"
    title = "Layer by layer"
    accepts = LayerReadings

    def data(self, result: LayerReadings, *, similarity: str = "to_input", **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            similarity: "to_input" (a state with its own input) or "to_others" (with the other tokens' of its layer).
        """
        tokens = result.tokens
        values = result.to_input if similarity == "to_input" else result.to_others
        lines = []
        if result.probabilities is not None:
            shown = calibrated(result.probabilities, result.temperature, exclusive=result.exclusive)
            most = np.argsort(-shown[-1], kind="stable")[:LINES]
            lines = [
                {"name": visible(result.labels[label]), "values": np.round(shown[:, label], 5).tolist()}
                for label in sorted(most.tolist())
            ]
        return {
            "lines": lines,
            "words": [
                [{"word": visible(word), "share": round(float(share), 5)} for word, share in zip(words, shares)]
                for words, shares in zip(result.words, () if result.shares is None else result.shares)
            ],
            "target": None
            if result.values is None
            else {
                "name": f"{target_name(result.target)}, {UNITS[result.target.scale]}",
                "values": np.round(result.values, 5).tolist(),
            },
            "tokens": [visible(token_text(tokens, place)) for place in range(len(tokens))],
            "layers": len(values),
            "similarity": pack(values),
            "means": np.round(values.mean(axis=1), 4).tolist(),
            "which": "to its own input" if similarity == "to_input" else "to the other tokens of its layer, on average",
            "note": (
                (
                    f"Lines: what the model's head would say if it read {_read(result)} of each layer's output; it was "
                    "trained on the last layer only, so early readings show how far the state is from what the head "
                    "knows, not what the model believes. "
                    + ("" if result.temperature is None else "Calibrated as the prediction is. ")
                    if result.values is not None
                    else "This model's head can't be read on inner layers. "
                )
                + "Cells: cosine of each token's state "
                + ("with its own at the input" if similarity == "to_input" else "with every other token's, averaged")
                + ", 1 where they point the same way."
            ),
            "caption": f"Layer by layer; target: {target_name(result.target)}",
        }


def _read(result: LayerReadings) -> str:
    """Which row the head reads, in words."""
    if not result.target.positions:
        return "the first row"
    return f"the row of {'the mask' if result.words else 'what is asked about'} (token {result.row})"


VIEWS.register("layer_readings")(LayerReadingsChart())

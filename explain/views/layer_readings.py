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

    def data(self, readings: LayerReadings, /, *, similarity: str = "to_input", **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            similarity: "to_input" (a state with its own input) or "to_others" (with the other tokens' of its layer).
        """
        tokens = readings.tokens
        values = readings.to_input if similarity == "to_input" else readings.to_others
        lines = []
        if readings.probabilities is not None:
            shown = calibrated(readings.probabilities, readings.temperature, exclusive=readings.exclusive)
            most = np.argsort(-shown[-1], kind="stable")[:LINES]
            lines = [
                {"name": visible(readings.labels[label]), "values": np.round(shown[:, label], 5).tolist()}
                for label in sorted(most.tolist())
            ]
        return {
            "lines": lines,
            "words": [
                [{"word": visible(word), "share": round(float(share), 5)} for word, share in zip(words, shares)]
                for words, shares in zip(readings.words, () if readings.shares is None else readings.shares)
            ],
            "target": None
            if readings.values is None
            else {
                "name": f"{target_name(readings.target)}, {UNITS[readings.target.scale]}",
                "values": np.round(readings.values, 5).tolist(),
            },
            "tokens": [visible(token_text(tokens, place)) for place in range(len(tokens))],
            "layers": len(values),
            "similarity": pack(values),
            "means": np.round(values.mean(axis=1), 4).tolist(),
            "which": "to its own input" if similarity == "to_input" else "to the other tokens of its layer, on average",
            "note": (
                (
                    f"Lines: what the model's head would say if it read {_read(readings)} of each layer's output; it "
                    "was trained on the last layer only, so early readings show how far the state is from what the "
                    "head knows, not what the model believes. "
                    + ("" if readings.temperature is None else "Calibrated as the prediction is. ")
                    if readings.values is not None
                    else "This model's head can't be read on inner layers. "
                )
                + "Cells: cosine of each token's state "
                + ("with its own at the input" if similarity == "to_input" else "with every other token's, averaged")
                + ", 1 where they point the same way."
            ),
            "caption": f"Layer by layer; target: {target_name(readings.target)}",
        }


def _read(readings: LayerReadings) -> str:
    """Return the row that the head reads, in words."""
    if not readings.target.positions:
        return "the first row"
    return f"the row of {'the mask' if readings.words else 'what is asked about'} (token {readings.row})"


VIEWS.register("layer_readings")(LayerReadingsChart())

"""Neuron heatmap: activation of one neuron at every word, on the text itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import FloatArray, Neuron, NeuronActivity, Tokens
from explain.views.attention_matrix import matrix_units
from explain.views.base import VIEWS, View, sentence, target_name, visible
from explain.views.layer_graph import token_text
from explain.views.token_heatmap import joined, laid_out
from explain.views.top_neurons import figure_unit


class NeuronHeatmap(View):
    """One neuron's figure at each word by tint and underline."""

    name = "neuron_heatmap"
    title = "One neuron"
    accepts = NeuronActivity
    drawn_by = "token_heatmap"
    uses = ("text_marks.js",)
    rank = 2
    placed = True

    def data(
        self,
        activity: NeuronActivity,
        /,
        *,
        neuron: Neuron | None = None,
        figure: str = "activation",
        by: str = "word",
        group: str = "",
        selected: Sequence[int] | None = None,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            neuron: whose, by default the first one's; figure: "activation" or "activation_x_gradient".
            by: "word" (of several pieces the largest activation; products are summed) or "token".
            group: drawings of one group mark a picked word together.
            selected: tokens of a word that is marked; sends: report clicks to the page.
        """
        neuron = neuron or Neuron(0, 0)
        tokens = activity.tokens
        product = figure == "activation_x_gradient"
        values = activity.activations[neuron.layer, :, neuron.number].astype(np.float64)
        if product:
            values = values * activity.gradients[neuron.layer, :, neuron.number]
        units = joined(
            [_unit_record(tokens, unit, values, product) for unit in matrix_units(tokens, by)], additive=product
        )
        highest = int(values.argmax())
        unit_name = figure_unit(figure, activity.target.scale)
        title = f"Neuron {neuron}, {figure.replace('_', ' ')}"
        return {
            "title": title,
            "method": f"neuron_{neuron}",
            "group": group,
            "sends": sends,
            "chosen": list(selected or ()),
            "scale": figure,
            "unit": unit_name,
            "signed": True,
            "largest": max((abs(unit["score"]) for unit in units), default=0.0),
            "count": len(units),
            "for": f"for {target_name(activity.target)}" if product else "",
            "against": "against" if product else "",
            "signs": ["for", "against"] if product else ["above zero", "below zero"],
            "texts": laid_out(tokens, units),
            "note": sentence(
                f"{_meaning(neuron, activity, product)} ({unit_name}); of a word of several pieces "
                f"{'the sum' if product else 'the largest in size'}.",
                f"Highest at {visible(token_text(tokens, highest))}: {values[highest]:+.3f}.",
            ),
            "caption": f"{title}, {unit_name}" + (f", target: {target_name(activity.target)}" if product else ""),
        }


def _unit_record(tokens: Tokens, unit: tuple[int, ...], values: FloatArray, summed: bool) -> dict[str, Any]:
    """Return a word with its value: the sum of its pieces, or the one that is largest in size."""
    pieces = values[list(unit)]
    segment, start, stop = tokens.unit_span(unit)
    return {
        "segment": segment,
        "start": start,
        "stop": stop,
        "text": visible(tokens.unit_text(unit)),
        "score": float(pieces.sum() if summed else pieces[np.abs(pieces).argmax()]),
        "error": None,
        "rank": None,
        "tokens": list(unit),
        "parts": [[visible(tokens.pieces[token]), float(values[token])] for token in unit],
        "special": bool(tokens.special[unit[0]]),
    }


def _meaning(neuron: Neuron, activity: NeuronActivity, product: bool) -> str:
    which = f"neuron {neuron.number} of layer {neuron.layer}"
    if product:
        target = target_name(activity.target)
        return f"To first order, how far {target} falls when {which} is set to zero at that word alone"
    return f"What {which} gives at each word, as it enters the second map of the layer's feed-forward part"


VIEWS.register("neuron_heatmap")(NeuronHeatmap())

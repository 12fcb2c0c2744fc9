"""Top neurons: those with most of a figure at a word, or in the whole text, as bars."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import Neuron, NeuronActivity, Tokens
from explain.numerics.neurons import NEURON_FIGURES, most_of, neuron_figures
from explain.views.base import UNITS, VIEWS, View, rounded, sentence, target_name, visible
from explain.views.layer_graph import token_text

MOST_ROWS = 12

LIMITS = {
    "activation": "Some neurons are high in every text, often at [CLS]; that one is high does not say that it matters.",
    "above_elsewhere": "What is high here alone may be high at this word in every text, and need not matter.",
    "gradient": "Steep says what would happen, not what did: a silent neuron may have a steep gradient.",
    "activation_x_gradient": "First order only: set neurons to zero, below, to see what really happens.",
}
_FORMULAS = {
    "activation": "n",
    "above_elsewhere": "n less the mean of n at the other tokens",
    "gradient": "dF/dn, summed over pieces",
    "activation_x_gradient": "n dF/dn, summed over pieces",
}


class TopNeurons(View):
    """A bar for each of the neurons with most of a figure; a click chooses one."""

    name = "top_neurons"
    title = "Neurons"
    accepts = NeuronActivity
    drawn_by = "cut_effects"
    rank = 1
    placed = True

    def data(
        self,
        activity: NeuronActivity,
        /,
        *,
        unit: Sequence[int] | None = None,
        layer: int | None = None,
        by: str = "activation_x_gradient",
        count: int = MOST_ROWS,
        selected: Neuron | None = None,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            unit: the tokens of a word; by default the whole text. layer: of this one alone.
            by: one of `explain.numerics.neurons.NEURON_FIGURES`; count: how many are drawn.
            selected: the neuron that is marked; sends: report clicks to the page.
        """
        rows = neuron_rows(activity, unit=unit, layer=layer, by=by, count=count)
        where = named(activity.tokens, unit)
        about = figure_unit(by, activity.target.scale)
        of_layer = f"layer {layer}" if layer is not None else "all layers"
        return {
            "sends": sends,
            "rows": [
                {
                    "name": row["neuron"],
                    "claim": f"{rounded(row['activation'])} at \u201c{row['at']}\u201d",
                    "effect": round(row[by], 5),
                    "flips": False,
                    "value": {"neuron": row["neuron"]},
                    "picked": selected is not None and row["neuron"] == str(selected),
                }
                for row in rows
            ],
            "largest": max((abs(row[by]) for row in rows), default=0.0),
            "claims": "activation",
            "what": by.replace("_", " "),
            "stem": "neurons",
            "unit": about,
            "note": sentence(
                f"{by.replace('_', ' ').capitalize()}, {where}, {of_layer}: {NEURON_FIGURES[by]} "
                f"({_FORMULAS[by]}; {about}). Beside the name: its largest activation there, and the piece.",
                _sum_of(activity, unit, layer) if by == "activation_x_gradient" else "",
                LIMITS[by],
            ),
            "caption": f"Neurons, {where}, {of_layer}, by {by.replace('_', ' ')}, {about}"
            + (f"; target: {target_name(activity.target)}" if "gradient" in by else ""),
        }


def neuron_rows(
    activity: NeuronActivity,
    *,
    unit: Sequence[int] | None = None,
    layer: int | None = None,
    by: str = "activation_x_gradient",
    count: int = MOST_ROWS,
) -> list[dict[str, Any]]:
    """Return a row for each of the neurons with most of a figure.

    A row holds "neuron", its figures by name, and the piece ("at") and "token" of its largest activation.
    """
    tokens = list(unit) if unit is not None else list(range(len(activity.tokens)))
    figures = neuron_figures(activity.activations, activity.gradients, tokens)
    rows = []
    for in_layer, number in most_of(figures[by], count, layer=layer, by_size=by != "above_elsewhere"):
        token = tokens[int(np.abs(activity.activations[in_layer, tokens, number]).argmax())]
        own_figures = {name: float(values[in_layer, number]) for name, values in figures.items()}
        piece = visible(token_text(activity.tokens, token))
        rows.append({"neuron": str(Neuron(in_layer, number)), "at": piece, "token": token, **own_figures})
    return rows


def named(tokens: Tokens, unit: Sequence[int] | None) -> str:
    """Return where figures are taken, in words."""
    if unit is None or len(unit) == len(tokens):
        return "in the whole text"
    return f"at \u201c{visible(tokens.unit_text(tuple(unit)))}\u201d"


def figure_unit(figure: str, scale: str) -> str:
    """Return the unit of one of `NEURON_FIGURES`."""
    return {
        "activation_x_gradient": UNITS[scale],
        "gradient": f"{UNITS[scale]} for each unit of activation",
    }.get(figure, "activation")


def _sum_of(activity: NeuronActivity, unit: Sequence[int] | None, layer: int | None) -> str:
    tokens = slice(None) if unit is None else list(unit)
    layers = slice(None) if layer is None else slice(layer, layer + 1)
    products = activity.activations[layers, tokens] * activity.gradients[layers, tokens]
    total = products.sum(dtype=np.float64)
    whose = "all layers" if layer is None else "this layer"
    return (
        f"The sum over all neurons of {whose} is {total:+.3f}; it is a slope, and no share of {activity.output:+.3f}."
    )


VIEWS.register("top_neurons")(TopNeurons())

"""Layer states: length of token states after each layer, gradient of the target at them, and change of direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explain.datatypes import FloatArray, LayerStates
from explain.views.attention_matrix import pack
from explain.views.base import UNITS, VIEWS, View, sentence, target_name, visible
from explain.views.layer_graph import token_text

# Timkey and van Schijndel (2021), https://arxiv.org/abs/2109.04404
COSINE = "Cosines hang on the few dimensions that are largest, so a value near 1 need not mean that little changed."


@dataclass(frozen=True)
class StateFigure:
    """One figure of token states: title, formula and limits."""

    title: str
    formula: str
    limits: str
    cosine: bool = False
    of_target: bool = False


STATE_FIGURES = {
    "length": StateFigure(
        "Length of each token's state",
        "\u2016h\u2016, the Euclidean length of the state h",
        "Where a layer ends in a norm, as in BERT, the norm sets the length: it says more of layers than of words.",
    ),
    "gradient": StateFigure(
        "How steep the target is at each token's state",
        "\u2016dF/dh\u2016, the length of the target's gradient at the state h",
        "Steep means that a small change would move the target, not that the word is a reason for it.",
        of_target=True,
    ),
    "state_x_gradient": StateFigure(
        "State x gradient",
        "sum over dimensions of h dF/dh: to first order, how far the target falls when the state shrinks to zero",
        "First order only, and no text has a state of zero; the cells of a layer do not add up to the target.",
        of_target=True,
    ),
    "to_previous": StateFigure(
        "How similar each token's state is to its own one layer before",
        "cosine of h with the state one layer earlier: 1, the layer leaves its direction as it is",
        f"What goes past the layer keeps it high. {COSINE}",
        cosine=True,
    ),
    "to_input": StateFigure(
        "How similar each token's state is to its own at the input",
        "cosine of h with what entered the first layer: it falls as context is mixed in",
        COSINE,
        cosine=True,
    ),
}


class LayerStatesStrip(View):
    """A line over layers, and a strip of cells, for one figure of token states."""

    name = "layer_states"
    title = "States, layer by layer"
    accepts = LayerStates
    rank = 1

    def data(
        self,
        states: LayerStates,
        /,
        *,
        figure: str = "length",
        selected: Sequence[int] = (),
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            figure: one of `STATE_FIGURES`.
            selected: tokens that are marked and have a line of their own; sends: report clicks to the page.
        """
        about, values, tokens = STATE_FIGURES[figure], state_figure(states, figure), states.tokens
        unit = UNITS[states.target.scale] if about.of_target else ""
        if figure == "gradient":
            unit += " for each unit of length"
        special = tokens.special
        lines = [("words, on average", ~special), ("special tokens", special)]
        if selected and len(selected) < len(tokens):
            lines.append((tokens.unit_text(tuple(selected)), np.isin(np.arange(len(tokens)), selected)))
        sizes = np.abs(values)
        largest = float(sizes.max()) or 1.0
        # In a long text most cells are near zero and a few, on special tokens, large: the color saturates below those.
        full = largest if len(tokens) <= 32 else float(np.quantile(sizes, 0.995)) or largest
        return {
            "sends": sends,
            "title": f"{about.title}{', ' + unit if unit else ''}",
            "lines": [
                {"name": visible(name), "values": np.round(values[:, mask].mean(axis=1), 5).tolist()}
                for name, mask in lines
                if mask.any()
            ],
            "tokens": [visible(token_text(tokens, place)) for place in range(len(tokens))],
            "names": layer_names(len(values)),
            "values": pack(values),
            "full": 1.0 if about.cosine else full,
            "over": not about.cosine and full < largest,
            "cosine": about.cosine,
            "means": np.round(values.mean(axis=1), 5).tolist(),
            "chosen": list(selected) if len(selected) < len(tokens) else [],
            "stem": f"states_{figure}",
            "note": sentence(
                f"{about.formula[:1].upper()}{about.formula[1:]}.",
                f"F: {target_name(states.target)} ({UNITS[states.target.scale]}, now {states.output:+.3f})."
                if about.of_target
                else "",
                about.limits,
            ).replace("  ", " "),
            "caption": f"{about.title}{', ' + unit if unit else ''}"
            + (f"; target: {target_name(states.target)}" if about.of_target else ""),
        }


def state_figure(states: LayerStates, figure: str) -> FloatArray:
    """Return the values (L + 1, T) of one of `STATE_FIGURES`."""
    return {
        "length": states.norms,
        "gradient": states.gradient_norms,
        "state_x_gradient": states.products,
        "to_previous": states.to_previous,
        "to_input": states.to_input,
    }[figure]


def layer_names(count: int) -> list[str]:
    """Return the names along the first axis of states: "input", "layer 0" and so on."""
    return ["input", *(f"layer {layer}" for layer in range(count - 1))]


VIEWS.register("layer_states")(LayerStatesStrip())

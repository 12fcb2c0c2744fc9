"""Neuron effects: effect of setting neurons to zero, beside the gradient's forecast and beside other neurons."""

from typing import Any

import numpy as np

from explain.datatypes import NeuronEffects
from explain.views.base import UNITS, VIEWS, View, rounded, sentence, target_name

DRAWN = {"random": "random ones of the same layers", "as active": "others about as active"}

_ONE_DRAWN = {"random": "a random one of the same layer", "as active": "another about as active"}


class NeuronEffectsBars(View):
    """A bar for each neuron, one for all at once, and one for each kind of control."""

    name = "neuron_effects"
    title = "What setting to zero does"
    accepts = NeuronEffects
    drawn_by = "cut_effects"

    def data(self, effects: NeuronEffects, /, **options: Any) -> dict[str, Any]:
        unit = UNITS[effects.target.scale]
        count = len(effects.neurons)
        rows: list[dict[str, Any]] = [
            {
                "name": f"{neuron}",
                "claim": f"gradient forecasts {rounded(forecast, '+.2f')}",
                "effect": round(effect, 5),
                "flips": bool(flips),
            }
            for neuron, effect, forecast, flips in zip(
                effects.neurons, effects.effects.tolist(), effects.forecasts.tolist(), effects.flips
            )
        ]
        if count > 1:
            forecast = rounded(effects.together_forecast, "+.2f")
            together = {"name": f"all {count} at once", "claim": f"gradient forecasts {forecast}"}
            rows.append(together | {"effect": round(effects.together, 5), "flips": effects.together_flips})
        for kind, draws in effects.controls.items():
            rows.append(
                {
                    "name": f"{count} {DRAWN[kind]}" if count > 1 else _ONE_DRAWN[kind],
                    "claim": f"{effects.beaten(kind)} of {len(draws)} draws move it less",
                    "effect": round(float(np.median(draws)), 5),
                    "range": [round(float(draws.min()), 5), round(float(draws.max()), 5)],
                    "flips": False,
                }
            )
        token = effects.neurons[0].token
        where = "at every token" if token is None else f"at token {token}"
        ends = [abs(end) for row in rows for end in (row["effect"], *row.get("range", ()))]
        return {
            "rows": rows,
            "largest": max(ends, default=0.0),
            "claims": "",
            "what": "effect",
            "stem": "neuron_effects",
            "unit": unit,
            "note": sentence(
                f"Each bar: how far {target_name(effects.target)} ({unit}, now {effects.output:+.3f}) falls when those "
                f"neurons are set to zero {where} and nothing else is changed.",
                f"The gradient's forecast is activation x gradient{', summed over tokens' if token is None else ''}.",
                "Others: as many, drawn anew each time; the bar is the median, the line goes from lowest to highest."
                if effects.controls
                else "There are too few other neurons in the layer to compare with.",
                "Neurons that do the same job can stand in for each other, and zero is a value like any other: an "
                "effect says that the model leans on them here, not what they stand for.",
            ),
            "caption": f"Effect of setting neurons to zero, {unit}, target: {target_name(effects.target)}",
        }


VIEWS.register("neuron_effects")(NeuronEffectsBars())

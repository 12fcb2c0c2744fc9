"""States, neurons, effects and words of a set, as files and as a table for a terminal."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explain.data.csv_cells import safe_cell
from explain.datatypes import LayerStates, Neuron, NeuronActivity, NeuronEffects, NeuronWords, Target
from explain.numerics.neurons import NEURON_FIGURES, neuron_figures
from explain.views.attention_arrays import token_records
from explain.views.base import UNITS, target_name, visible
from explain.views.layer_graph import token_text
from explain.views.layer_states import STATE_FIGURES, layer_names, state_figure
from explain.views.neuron_effects import DRAWN
from explain.views.neuron_words import in_context
from explain.views.top_neurons import named, neuron_rows


@dataclass(frozen=True, eq=False)
class InsideTable:
    """Results about the inside of a model for one text.

    Attributes:
        model: its name; neurons: activity of every neuron; states: of every layer. At least one of the two is there.
        unit: the tokens that neurons are listed for, None: the whole text; layer, by, count: as `neuron_rows` takes
            them.
        effects: of neurons set to zero; words: of a set of texts. None where there are none.
        neuron: one that is shown by itself, or None.
    """

    model: str
    neurons: NeuronActivity | None = None
    states: LayerStates | None = None
    unit: Sequence[int] | None = None
    layer: int | None = None
    by: str = "activation_x_gradient"
    count: int = 12
    effects: NeuronEffects | None = None
    words: NeuronWords | None = None
    neuron: Neuron | None = None

    @property
    def about(self) -> NeuronActivity | LayerStates:
        """The result that holds the text and the target."""
        about = self.neurons or self.states
        assert about is not None
        return about

    def rows(self) -> list[dict[str, Any]]:
        """Return the listed neurons."""
        if self.neurons is None:
            return []
        return neuron_rows(self.neurons, unit=self.unit, layer=self.layer, by=self.by, count=self.count)

    def names(self) -> list[str]:
        """Return the names of the listed neurons and of the one that is shown by itself."""
        extra = [] if self.neuron is None else [str(self.neuron)]
        return list(dict.fromkeys([*(row["neuron"] for row in self.rows()), *extra]))


def neurons_csv(table: InsideTable) -> str:
    """Return CSV with a row for each neuron: `layer`, `number`, and those of `NEURON_FIGURES`."""
    activity = table.neurons
    assert activity is not None
    unit = range(len(activity.tokens)) if table.unit is None else table.unit
    figures = neuron_figures(activity.activations, activity.gradients, list(unit))
    layers = range(len(activity.activations)) if table.layer is None else [table.layer]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["layer", "number", *NEURON_FIGURES])
    for layer in layers:
        columns = [figures[name][layer].tolist() for name in NEURON_FIGURES]
        writer.writerows([layer, number, *map(_short, line)] for number, line in enumerate(zip(*columns)))
    return out.getvalue()


def states_csv(states: LayerStates) -> str:
    """Return CSV with a row for each state: `layer` ("input" for the first layer's input), `token`, `text`, figures."""
    tokens = states.tokens
    values = {name: state_figure(states, name) for name in STATE_FIGURES}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["layer", "token", "text", *values])
    for number, layer in enumerate(layer_names(len(states.norms))):
        for token in range(len(tokens)):
            figures = (_short(figure_values[number, token]) for figure_values in values.values())
            writer.writerow([layer.removeprefix("layer "), token, safe_cell(token_text(tokens, token)), *figures])
    return out.getvalue()


def to_json(table: InsideTable) -> str:
    """Return everything as JSON; layers and neurons count from 0, `states` begin with the first layer's input."""
    about = table.about
    record: dict[str, Any] = {
        "model": table.model,
        "text": about.tokens.text,
        "text_pair": about.tokens.text_pair,
        "tokens": token_records(about.tokens),
        "target": _target(about.target),
        "output": about.output,
    }
    if table.neurons is not None:
        record["neurons"] = {
            "tokens": None if table.unit is None else list(table.unit),
            "layer": table.layer,
            "by": table.by,
            "rows": table.rows(),
        }
        if (neuron := table.neuron) is not None:
            activations = table.neurons.activations[neuron.layer, :, neuron.number].astype(float)
            gradients = table.neurons.gradients[neuron.layer, :, neuron.number].astype(float)
            record["neuron"] = {
                "name": str(neuron),
                "activation": activations.tolist(),
                "activation_x_gradient": (activations * gradients).tolist(),
            }
    if table.states is not None:
        record["states"] = {"axes": ["layer", "token"]} | {
            name: state_figure(table.states, name).tolist() for name in STATE_FIGURES
        }
    if (effects := table.effects) is not None:
        record["effects"] = {
            "neurons": [str(neuron) for neuron in effects.neurons],
            "effects": effects.effects.tolist(),
            "changes_the_decision": effects.flips.tolist(),
            "forecasts": effects.forecasts.tolist(),
            "together": effects.together,
            "together_forecast": effects.together_forecast,
            "together_changes_the_decision": effects.together_flips,
            "controls": {name: values.tolist() for name, values in effects.controls.items()},
        }
    if table.words is not None:
        record["words"] = {
            "texts": len(table.words.texts),
            "skipped": table.words.skipped,
            "read_in_part": table.words.partly,
            "of": {name: _places(table.words, name) for name in table.names()},
        }
    return json.dumps(record, ensure_ascii=False) + "\n"


def to_text(table: InsideTable) -> str:
    """Return a table for a terminal: states by layer, neurons, effects of setting some to zero, words of a set."""
    about = table.about
    tokens, unit = about.tokens, UNITS[about.target.scale]
    pieces = " ".join(visible(token_text(tokens, place)) for place in range(len(tokens)))
    target = visible(target_name(about.target))
    lines = [f"{len(tokens)} tokens: {pieces}", f"target: {target}, {about.output:+.3f} {unit}"]
    if table.states is not None:
        lines += ["", *_states(table.states)]
    where = f"layer {table.layer}" if table.layer is not None else "all layers"
    by = table.by.replace("_", " ")
    lines += ["", f"neurons {named(tokens, table.unit)}, {where}, by {by}", *_neurons(table.rows())]
    lines += ["", *(f"{name.replace('_', ' ')}: {about}" for name, about in NEURON_FIGURES.items())]
    if table.effects is not None:
        lines += ["", *_effects(table.effects)]
    if table.words is not None:
        if table.words.partly:
            lines += ["", f"of {table.words.partly:,} texts of the set only the beginning was read"]
        for name in table.names():
            lines += ["", f"neuron {name}, highest in {len(table.words.texts):,} texts"]
            for place in _places(table.words, name)[:5]:
                around = f"{place['before']}[{place['word']}]{place['after']}"
                lines.append(f"  {place['value']:+8.3f}  line {place['line']}: {around}")
    return "\n".join(lines) + "\n"


def _states(states: LayerStates) -> list[str]:
    values = {name: state_figure(states, name).mean(axis=1) for name in STATE_FIGURES}
    lines = ["states, mean of all tokens", "  layer " + "".join(f"{name.replace('_', ' '):>18}" for name in values)]
    for number, layer in enumerate(layer_names(len(states.norms))):
        figures = "".join(f"{figure_values[number]:18.4f}" for figure_values in values.values())
        lines.append(f"{layer.removeprefix('layer '):>7} {figures}")
    return lines


def _neurons(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["  neuron " + "".join(f"{name.replace('_', ' '):>23}" for name in NEURON_FIGURES) + "  largest at"]
    for row in rows:
        figures = "".join(f"{row[name]:+23.4f}" for name in NEURON_FIGURES)
        lines.append(f"{row['neuron']:>8} {figures}  {row['at']}")
    return lines


def _effects(effects: NeuronEffects) -> list[str]:
    unit = UNITS[effects.target.scale]
    lines = [f"set to zero: how far {visible(target_name(effects.target))} falls [{unit}]"]
    rows = [*zip(map(str, effects.neurons), effects.effects, effects.forecasts, effects.flips)]
    if len(rows) > 1:
        rows.append(("together", effects.together, effects.together_forecast, effects.together_flips))
    for name, effect, forecast, flips in rows:
        decision = "  changes the decision" if flips else ""
        lines.append(f"{name:>10} {effect:+8.3f}  gradient forecasts {forecast:+.3f}{decision}")
    for kind, draws in effects.controls.items():
        lines.append(
            f"  {effects.beaten(kind)} of {len(draws)} draws of as many {DRAWN[kind]} move it less "
            f"({draws.min():+.3f} to {draws.max():+.3f})"
        )
    return lines


def _places(words: NeuronWords, name: str) -> list[dict[str, Any]]:
    neuron = Neuron(*map(int, name.split(".")))
    return [
        {"value": activation, "line": words.numbers[line], "token": token, **in_context(words.texts[line], token)}
        for line, token, activation in words.of(neuron)
    ]


def _target(target: Target) -> dict[str, Any]:
    return {
        "label": target.label,
        "against": target.against,
        "scale": target.scale,
        "positions": list(target.positions),
    }


def _short(number: float) -> str:
    return f"{number:.6g}"

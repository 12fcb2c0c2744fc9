"""`explain neurons`: states and neurons of one text, and the effect of setting neurons to zero."""

import argparse
import sys
from typing import TYPE_CHECKING

from explain.cli.options import Commands, add_model, add_out, add_target, add_text, file_content, text_of
from explain.cli.output import write_output
from explain.core.arguments import not_empty, whole_number
from explain.core.errors import SettingError
from explain.numerics.neurons import NEURON_FIGURES

if TYPE_CHECKING:
    from explain.analyses.max_activations import MaxActivations
    from explain.analyses.neuron_ablation import NeuronAblation
    from explain.models.base import TextModel


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "neurons", help="show states and neurons of one text, and the effect of setting neurons to zero"
    )
    add_text(command)
    add_model(command)
    add_target(command)
    command.add_argument(
        "--word",
        metavar="WORD",
        help="list neurons at this word, special token, or word number from 0 (default: the whole text)",
    )
    command.add_argument(
        "--layer", type=whole_number(0), metavar="N", help="list neurons of one layer, counted from 0 (default: all)"
    )
    command.add_argument(
        "--top", type=whole_number(1), default=12, metavar="K", help="number of neurons listed (default: %(default)s)"
    )
    command.add_argument(
        "--by",
        choices=tuple(NEURON_FIGURES),
        default="activation_x_gradient",
        help="the figure they are ranked by (default: %(default)s)",
    )
    command.add_argument(
        "--zero",
        action="append",
        default=[],
        metavar="LAYER.NEURON",
        help="set this neuron to zero, or a whole layer's with LAYER.all; repeatable",
    )
    command.add_argument(
        "--lines",
        type=not_empty,
        metavar="FILE",
        help="a file of texts, one a line: where in them is each neuron most active?",
    )
    command.add_argument(
        "--format",
        choices=("table", "json", "csv"),
        default="table",
        help="json: what is listed; csv: every neuron's figures at the word (default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute the states and neurons, and the analyses that the options name."""
    from explain.analyses.hidden_states import HiddenStates
    from explain.analyses.neuron_activations import NeuronActivations
    from explain.models.loading.catalogue import load_model
    from explain.run import engine
    from explain.run.plan import Plan
    from explain.text.units import unit_named
    from explain.views import inside_tables

    model = load_model(options.model, task=options.task)
    effects, words = _neuron_analyses(options, model)
    plan = Plan.for_text(
        text_of(options),
        options.pair,
        analyses=(HiddenStates(), NeuronActivations(), *effects, *words),
        label=options.target,
        against=options.against,
        scale=options.scale,
        position=options.position,
    )
    results = engine.results(plan, model)
    activity = results.required(NeuronActivations())
    table = inside_tables.InsideTable(
        model.name,
        activity,
        results.answer(HiddenStates()),
        None if options.word is None else unit_named(activity.tokens, options.word),
        options.layer,
        options.by,
        options.top,
        effects=next(iter(map(results.answer, effects)), None),
        words=next(iter(map(results.answer, words)), None),
    )
    written = {"json": inside_tables.to_json, "csv": inside_tables.neurons_csv, "table": inside_tables.to_text}
    write_output(options, written[options.format](table))
    return 0


def _neuron_analyses(
    options: argparse.Namespace, model: "TextModel"
) -> tuple[tuple["NeuronAblation", ...], tuple["MaxActivations", ...]]:
    """Return the analyses that --zero and --lines name, each one or none.

    Raises:
        ModelError: the model shows no neurons; SettingError: it has no such layer or neuron.
    """
    from explain.analyses.max_activations import MaxActivations
    from explain.analyses.neuron_ablation import NeuronAblation
    from explain.data.texts import read_lines
    from explain.models.neurons import read_neuron

    model.require({"neurons"})
    if options.layer is not None and options.layer >= model.layers:
        raise SettingError(f"--layer is {options.layer}; {model.name} has layers 0 to {model.layers - 1}.")
    zeroed = tuple(read_neuron(name, model.layers, model.neurons.per_layer) for name in options.zero)
    effects = (NeuronAblation(zeroed),) if zeroed else ()
    if options.lines is None:
        return effects, ()
    lines = read_lines(file_content(options.lines))
    if lines.left_out:
        count = len(lines.texts)
        print(f"explain: only the first {count:,} texts are read; {lines.left_out:,} are left out.", file=sys.stderr)
    return effects, (MaxActivations(lines.texts, lines.rows),)

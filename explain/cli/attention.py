"""`explain attention`: the attention weights of one text."""

import argparse

from explain.cli.options import Commands, add_model, add_out, add_text, text_of
from explain.cli.output import write_output
from explain.core.arguments import whole_number
from explain.core.errors import SettingError


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("attention", help="show the attention weights of one text")
    add_text(command)
    add_model(command)
    command.add_argument("--layer", type=whole_number(0), metavar="N", help="one layer, counted from 0 (default: all)")
    command.add_argument("--head", type=whole_number(0), metavar="N", help="one head, counted from 0 (default: all)")
    command.add_argument(
        "--format",
        choices=("table", "json", "npz", "svg"),
        default="table",
        help="table: figures of each head; json: the weights; npz: all weights, for NumPy; svg: a matrix, averaged "
        "over layers and heads that are not chosen (default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute the attention of every layer and head, and write what is chosen of it."""
    from explain.api import attention
    from explain.models.loading.catalogue import load_model
    from explain.views import attention_arrays

    if options.format == "npz" and options.out is None:
        raise SettingError("The format npz is not text. Name a file with --out.")
    model = load_model(options.model, task=options.task)
    for name, number, count in (("layer", options.layer, model.layers), ("head", options.head, model.heads)):
        if number is not None and number >= count:
            raise SettingError(f"--{name} is {number}; {model.name} has {name}s 0 to {count - 1}.")
    maps = attention(text_of(options), model, text_pair=options.pair)
    heads = None if options.head is None else [options.head]
    if options.format == "json":
        write_output(options, attention_arrays.to_json(maps, model.name, options.layer, options.head))
    elif options.format == "npz":
        write_output(options, attention_arrays.to_npz(maps))
    elif options.format == "svg":
        write_output(options, attention_arrays.to_svg(maps, model.name, options.layer, heads))
    else:
        write_output(options, attention_arrays.to_text(maps, options.layer, options.head))
    return 0

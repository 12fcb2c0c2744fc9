"""`explain train`: trains a classifier on rows of one's own."""

import argparse

from explain.cli.options import Commands
from explain.core.arguments import not_empty
from explain.core.installation import own_path
from explain.core.settings import make


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("train", help="train a classifier on your own rows, and compare it with simpler ones")
    command.add_argument(
        "file",
        type=not_empty,
        metavar="FILE",
        help="the rows: a .csv, .tsv, .jsonl, .json or .parquet file in UTF-8, or a folder of .txt files",
    )
    command.add_argument(
        "--out",
        type=not_empty,
        required=True,
        metavar="DIR",
        help="the folder of the model; a run that was stopped there continues",
    )
    command.add_argument(
        "--text", default="text", metavar="COLUMN", help="the column with the text (default: %(default)s)"
    )
    command.add_argument(
        "--text-pair", metavar="COLUMN", help="the column with a second text, read together with the first"
    )
    command.add_argument(
        "--label", default="label", metavar="COLUMN", help="the column with the label (default: %(default)s)"
    )
    command.add_argument("--several", action="store_true", help='several labels may hold, separated by "|"')
    command.add_argument("--head-only", action="store_true", help="train the head alone: faster, and mostly worse")
    command.add_argument("--pooling", metavar="NAME", help="what the head reads: cls (default), mean or lstm")
    command.add_argument("--minutes", metavar="N", help="minutes of training at most (default: 10)")
    command.add_argument("--epochs", metavar="N", help="epochs at most (default: 10)")
    command.add_argument("--seed", metavar="N", help="seed of the split and of every random draw (default: 0)")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="learning_rate, batch_size, rank or patience; repeatable",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train until the run ends, and print what was measured."""
    from explain.data.columns import Columns
    from explain.training.labeled_rows import open_rows
    from explain.training.recipes.classifier_settings import TableSettings
    from explain.training.run.foreground import train_here

    named = ("minutes", "epochs", "seed", "pooling")
    settings = {name: getattr(options, name) for name in named if getattr(options, name) is not None}
    for assignment in options.set:
        name, _, settings[name.strip()] = assignment.partition("=")
    if options.head_only:
        settings["train"] = "head"
    training = make(TableSettings, settings, parse=True)
    columns = Columns(text=options.text, label=options.label, text_pair=options.text_pair, several=options.several)
    dataset = open_rows(options.file)
    print(train_here(own_path(options.out).resolve(), dataset, columns, training, lambda line: print(line, flush=True)))
    return 0

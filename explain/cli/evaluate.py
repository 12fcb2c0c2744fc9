"""`explain evaluate`: measures methods on a data set."""

import argparse
import sys
from pathlib import Path

from explain.cli.options import Commands, add_model, settings_by_owner
from explain.cli.output import write_output
from explain.core.arguments import not_empty, output_file, whole_number


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "evaluate", help="measure methods on a data set: faithfulness, and agreement with human labels"
    )
    command.add_argument(
        "--data",
        type=not_empty,
        required=True,
        metavar="DIR",
        help="a folder with SPLIT.jsonl, SPLIT.csv or the like; or one file; or a public data set",
    )
    command.add_argument(
        "--split",
        type=not_empty,
        default="dev",
        metavar="NAME",
        help="the file's name before .jsonl (default: %(default)s)",
    )
    add_model(command)
    command.add_argument(
        "--method", action="append", metavar="NAME", help="a method; repeatable (default: all the model allows)"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="a setting of a method; repeatable"
    )
    command.add_argument(
        "--texts",
        type=whole_number(1),
        default=300,
        metavar="N",
        help="texts for methods that need more than 50 passes (default: %(default)s)",
    )
    command.add_argument("--most", type=whole_number(1), metavar="N", help="use only the first N texts (default: all)")
    command.add_argument(
        "--orders",
        type=whole_number(1, 1000),
        default=20,
        metavar="N",
        help="random orders for each text (default: %(default)s)",
    )
    command.add_argument(
        "--workers",
        type=whole_number(1, 256),
        default=1,
        metavar="N",
        help="number of processes (default: %(default)s)",
    )
    command.add_argument(
        "--record",
        type=not_empty,
        metavar="FILE",
        help="write each text's figures to a file at once; an existing file is continued (default: no file)",
    )
    command.add_argument(
        "--out", type=output_file, metavar="FILE", help="write the tables to a Markdown file, not to standard output"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure the methods text by text, and write the tables."""
    from explain.evaluation.dataset_table import to_markdown
    from explain.evaluation.measure import EvaluationSettings
    from explain.evaluation.run import Record, about, evaluate, implied
    from explain.evaluation.samples import read_samples
    from explain.methods.base import METHODS
    from explain.models.loading.catalogue import load_model
    from explain.run.plan import methods_from

    model = load_model(options.model, task=options.task)
    names = options.method or [name for name in METHODS if METHODS[name].requires <= model.capabilities]
    methods = methods_from(names, settings_by_owner(options.set), parse=True)
    samples, left_out = read_samples(options.data, options.split, lambda line: print(line, file=sys.stderr))
    settings = EvaluationSettings(options.orders)
    path = None if options.record is None else Path(options.record)
    record = Record(path, about(model, options.data, options.split, settings, left_out), implied(model))
    evaluate(
        model,
        samples[: options.most],
        methods,
        record,
        settings,
        part=options.texts,
        workers=options.workers,
        on_progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    write_output(options, to_markdown(record.about, record.rows))
    return 0

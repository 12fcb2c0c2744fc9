"""`explain replay`: computes a report again and compares every number."""

import argparse

from explain.cli.options import Commands
from explain.core.arguments import finite_number, not_empty


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("replay", help="compute a report again and compare every number")
    command.add_argument("report", type=not_empty, help="a report written with --format json")
    command.add_argument(
        "--tolerance",
        type=finite_number(0),
        default=1e-3,
        metavar="X",
        help="the largest difference allowed (default: %(default)s)",
    )
    command.add_argument(
        "--model", type=not_empty, metavar="DIR", help="the folder of the recorded model, if it was moved"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the largest difference; the exit status is 1 where the report does not hold."""
    from explain.models.loading.catalogue import load_model
    from explain.report.record import read
    from explain.report.replay import replay

    recorded = read(options.report)
    other = load_model(options.model, task=recorded.model.task) if options.model else None
    difference = replay(recorded, other)
    unit = recorded.target.scale.replace("_", "-")
    where = f" ({difference.where})" if difference.where and difference.same else ""
    print(f"{difference.compared} numbers compared; largest difference {difference.largest:.2e} {unit}{where}.")
    for sentence in difference.arithmetic:
        print(sentence)
    if not difference.same:
        print(f"Other fields differ too; the first is {difference.where}.")
    well = difference.within(options.tolerance)
    print("The report holds." if well else f"The report does not hold (tolerance {options.tolerance:g}).")
    return 0 if well else 1

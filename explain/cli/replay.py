"""`explain replay`: computes a report, a comparison of two, or rows of a run again and compares every number."""

import argparse
from pathlib import Path

from explain.cli.options import Commands
from explain.core.addresses import local_or_address
from explain.core.arguments import finite_number, not_empty, whole_number


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "replay", help="compute a report, a comparison or a run again and compare every number"
    )
    command.add_argument(
        "report",
        type=not_empty,
        help="a report or a comparison: JSON, or an HTML page; or the folder of a run, or its address",
    )
    command.add_argument(
        "--sample",
        type=whole_number(1),
        default=200,
        metavar="N",
        help="texts of a run, drawn at random (default: %(default)s)",
    )
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
    here = local_or_address(options.report)
    if not isinstance(here, Path) or here.is_dir():
        return _run_again(options)
    from explain.datatypes.decoding import parse
    from explain.models.loading.catalogue import load_model
    from explain.report.comparison_record import comparison_from_record, is_comparison
    from explain.report.record import from_record, read_document
    from explain.report.replay import replay, replay_comparison

    record = parse(read_document(here))
    if is_comparison(record):
        compared = comparison_from_record(record)
        tasks = {report.model.task for report in (compared.report_a, compared.report_b)}
        task = tasks.pop() if len(tasks) == 1 else None  # of two, the model's own
        other = load_model(options.model, task=task) if options.model else None
        difference, target = replay_comparison(compared, other), compared.report_a.target
    else:
        recorded = from_record(record)
        other = load_model(options.model, task=recorded.model.task) if options.model else None
        difference, target = replay(recorded, other), recorded.target
    unit = target.scale.replace("_", "-")
    where = f" ({difference.where})" if difference.where and difference.same else ""
    print(f"{difference.compared} numbers compared; largest difference {difference.largest:.2e} {unit}{where}.")
    for sentence in difference.arithmetic:
        print(sentence)
    if not difference.same:
        print(f"Other fields differ too; the first is {difference.where}.")
    well = difference.within(options.tolerance)
    kind = "comparison" if is_comparison(record) else "report"
    print(f"The {kind} holds." if well else f"The {kind} does not hold (tolerance {options.tolerance:g}).")
    return 0 if well else 1


def _run_again(options: argparse.Namespace) -> int:
    """Compute rows of a run again; see `run`."""
    from explain.models.loading.catalogue import load_model
    from explain.report.dataset_run import Run

    made = Run(options.report)
    model = load_model(options.model, task=made.manifest["model"]["task"]) if options.model else None
    again = made.replay(options.sample, model=model)
    where = f" ({again.where})" if again.where else ""
    print(f"{again.rows:,} texts, {again.numbers:,} numbers compared; largest difference {again.largest:.2e}{where}.")
    if again.differing:
        print(f"Something else than a number differs: {', '.join(again.differing[:5])}.")
    well = again.within(options.tolerance)
    print("The run holds." if well else f"The run does not hold (tolerance {options.tolerance:g}).")
    return 0 if well else 1

"""`explain verify`: whether the parts of a run are as they were written."""

import argparse
from typing import TYPE_CHECKING

from explain.cli.options import Commands
from explain.core.arguments import not_empty

if TYPE_CHECKING:
    from explain.run.run_folder import Verification


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("verify", help="compare every part of a run with the hash that was written with it")
    command.add_argument("folder", type=not_empty, metavar="RUN", help="the folder of a run, or its address")
    command.add_argument("--data", type=not_empty, metavar="DATA", help="compare the data set's hash, too")
    command.add_argument("--model", action="store_true", help="compare the hashes of the recorded model's files, too")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is whole; the exit status is 1 where a part is damaged or missing, 2 where data or model differ."""
    from explain.report.dataset_run import Run

    folder = Run(options.folder)
    verification = folder.verify()
    if verification.predictions is not None and folder.predictions is not None:
        print("Predictions of all rows:")
        _print(verification.predictions, folder.predictions.shards)
        print("Drawn rows:")
    _print(verification, folder.shards)
    print("The run is whole." if verification.whole else "The run is not whole.")
    if options.data is not None:
        folder.check_data(options.data)
        print("The data are those of the run.")
    if options.model:
        folder.model()
        print("The model is that of the run: weights, configuration, tokenizer.")
    return 0 if verification.whole else 1


def _print(verification: "Verification", shards: int | None) -> None:
    """Print the state of some parts."""
    if shards is None:
        print("No rows are drawn yet. `explain run ... --resume` goes on.")
        return
    print(f"{verification.parts:,} of {shards:,} parts are finished, with {verification.rows:,} whole rows.")
    if verification.damaged:
        numbers = ", ".join(map(str, verification.damaged[:10])) + (", ..." if len(verification.damaged) > 10 else "")
        print(f"Damaged or lost: {numbers}. `explain run ... --resume` computes them again.")
    if verification.missing:
        print(f"Not computed yet: {verification.missing:,}. `explain run ... --resume` goes on.")

"""`explain verify`: whether the parts of a run are as they were written."""

import argparse

from explain.cli.options import Commands
from explain.core.arguments import not_empty


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("verify", help="compare every part of a run with the hash that was written with it")
    command.add_argument("folder", type=not_empty, metavar="RUN", help="the folder of a run, or its address")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what was found; the exit status is 1 where a part is damaged or missing."""
    from explain.run.run_folder import RunFolder

    folder = RunFolder(options.folder)
    verification = folder.verify()
    print(f"{verification.parts:,} of {folder.shards:,} parts are finished, with {verification.rows:,} whole rows.")
    if verification.damaged:
        numbers = ", ".join(map(str, verification.damaged[:10])) + (", ..." if len(verification.damaged) > 10 else "")
        print(f"Damaged or lost: {numbers}. `explain run ... --resume` computes them again.")
    if verification.missing:
        print(f"Not computed yet: {verification.missing:,}. `explain run ... --resume` goes on.")
    print("The run is whole." if verification.whole else "The run is not whole.")
    return 0 if verification.whole else 1

"""`explain extensions`: what other distributions add; nothing of theirs is imported."""

import argparse

from explain.cli.options import Commands
from explain.core.registry import extensions


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("extensions", help="list what other installed distributions add, by name and group")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print name, group, distribution and place of each."""
    rows = [(entry.name, entry.group, entry.distribution, entry.target) for entry in extensions()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if not rows:
        print("No other distribution adds anything.")
    return 0

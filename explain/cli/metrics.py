"""`explain metrics`: the metrics and their settings."""

import argparse

from explain.cli.listing import add_listing, print_listing
from explain.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    add_listing(commands, "metrics", run)


def run(options: argparse.Namespace) -> int:
    """Print them with meaning, limits and settings."""
    return print_listing("metrics", options.name)

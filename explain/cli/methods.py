"""`explain methods`: the methods and their settings."""

import argparse

from explain.cli.options import Commands
from explain.core.settings import settings_of


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("methods", help="list the methods and their settings")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print each method with its meaning, limits and settings."""
    from explain.methods.base import METHODS

    for name in METHODS:
        method = METHODS[name]
        print(f"{name}\n    {method.meaning}\n    {method.limits}")
        for setting in settings_of(method):
            default = "automatic" if setting.default is None else setting.default
            print(f"    --set {name}.{setting.name}=  {setting.help} [{setting.range}; default {default}]")
    return 0

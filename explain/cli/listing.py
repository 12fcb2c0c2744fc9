"""Listings of methods, metrics and analyses: all of a kind, or one by name."""

import argparse
from collections.abc import Callable

from explain.cli.options import Commands
from explain.core.listing import KINDS, ListedEntry, extensions_of, listed, listed_entry


def add_listing(commands: Commands, kind: str, run: Callable[[argparse.Namespace], int]) -> None:
    """Add the command that lists a kind."""
    command = commands.add_parser(kind, help=f"list the {kind} and their settings")
    command.add_argument("name", nargs="?", metavar="NAME", help=f"one {KINDS[kind][0]}, by its name (default: all)")
    command.set_defaults(run=run)


def print_listing(kind: str, name: str | None) -> int:
    """Print one entry, or all of a kind; of extensions their distribution, since listing imports none.

    Raises:
        UnknownNameError: there is none of that name; ExtensionError: an extension is broken.
    """
    if name is not None:
        entry = listed_entry(kind, name)
        print(_described(kind, entry))
        for extension in extensions_of(kind):
            if extension.name == name:
                print(f"    from {extension.distribution}")
        return 0
    for entry in listed(kind).values():
        print(_described(kind, entry))
    for extension in extensions_of(kind):
        print(f"{extension.name}\n    from {extension.distribution} ({extension.group}); see: explain {kind} NAME")
    return 0


def _described(kind: str, entry: ListedEntry) -> str:
    """Return an entry's meaning, limits and settings, for a terminal."""
    lines = [entry.name, f"    {entry.meaning}"]
    if entry.limits:
        lines.append(f"    {entry.limits}")
    if kind == "analyses":
        about = {"text": "one text", "texts": "vectors of texts", "model": "a model"}[entry.subject]
        lines.append(f"    about {about}")
    lines.append(f"    version {entry.version} of its arithmetic")
    option = {"methods": f"--set {entry.name}.", "analyses": "--set ", "metrics": ""}[kind]  # metrics: in Python only
    for setting in entry.settings:
        default = f"default {setting.default}" if setting.default else "required"
        lines.append(f"    {option}{setting.name}=  {setting.help} [{setting.range}; {default}]")
    return "\n".join(lines)

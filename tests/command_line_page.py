"""The page of the guide that lists every command and option, written from the command line's own parser."""

import argparse
from collections.abc import Iterator

from explain.cli.main import parser

HEAD = """\
# Command line

Written by `make golden` from the command line itself; do not edit.

`explain COMMAND --help` prints the same. Errors go to standard error.
The exit status is 0 for success, 1 for a replay that differs, and 2 for an error.
"""


def page() -> str:
    """Return the page: a list of the commands, then a table of arguments for each."""
    listed = [f"- `explain {name}`: {command.description}." for name, command in commands().items()]
    return "\n".join([HEAD, *listed, *map(_section, commands().values())]) + "\n"


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by name, with its help as description; of one with verbs, each verb's."""
    return dict(_commands(parser(), ""))


def _commands(whole: argparse.ArgumentParser, before: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    (group,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help for choice in group._choices_actions}
    for name, command in group.choices.items():
        command.description = helps[name]
        if any(isinstance(action, argparse._SubParsersAction) for action in command._actions):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def options(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Return the arguments and options of a command, less --help."""
    return (action for action in command._actions if not isinstance(action, argparse._HelpAction))


def written(action: argparse.Action) -> str:
    """Return an argument or option as it is typed."""
    if isinstance(action, argparse._StoreTrueAction):
        return action.option_strings[-1]
    values = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    value = action.metavar or values or action.dest.upper()
    return f"{action.option_strings[-1]} {value}" if action.option_strings else str(action.metavar or action.dest)


def _section(command: argparse.ArgumentParser) -> str:
    about = command.description or ""
    lines = ["", f"## {command.prog}", "", f"{about[0].upper()}{about[1:]}.", ""]
    formatter = command._get_formatter()
    rows = [f"| `{written(action)}` | {_cell(formatter._expand_help(action))} |" for action in options(command)]
    return "\n".join([*lines, "| | |", "|---|---|", *rows] if rows else lines[:-1])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

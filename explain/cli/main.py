"""Runs one command: its exit status, and its errors as one line each."""

import argparse
import sys
from collections.abc import Sequence

from explain.cli import (
    analyses,
    ask,
    attention,
    compare,
    counterfactual,
    embed,
    evaluate,
    extensions,
    library,
    methods,
    metrics,
    models,
    neurons,
    replay,
    run,
    serve,
    text,
    train,
    verify,
    words,
)
from explain.cli.output import discard_output, say
from explain.core.arguments import Parser
from explain.core.errors import ExplainError

COMMANDS = (
    *(text, compare, ask, counterfactual, attention, embed, neurons, run, words, library, evaluate, train),
    *(models, methods, metrics, analyses, extensions, serve, replay, verify),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 success, 1 a replay that differs, 2 an error with its message."""
    try:
        options = parser().parse_args(arguments)
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except ExplainError as error:
        return _failure(error)
    except BrokenPipeError:  # the reader has seen enough
        discard_output()
        return 0
    except UnicodeEncodeError as error:
        shown = error.object[error.start]
        return _failure(
            f"{shown!r} can't be written in {error.encoding}: set PYTHONIOENCODING=utf-8, or give --out FILE."
        )
    except OSError as error:  # most often of standard output: a full disk behind it
        return _failure(f"{error.filename or 'Standard output'} can't be read or written: {error.strerror or error}.")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; each command sets `run`, a function of the parsed options."""
    whole = Parser(
        prog="explain", description="Explain what a transformer decided about a text, in a terminal or in a browser."
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return whole


def _failure(error: object) -> int:
    """Print an error after what was written before it, and return the exit status."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        discard_output()
    say(f"explain: {error}")
    return 2

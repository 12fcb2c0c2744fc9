"""Writing: results to a file or standard output, messages to standard error."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from explain.core.files import write_file
from explain.core.installation import own_path

if TYPE_CHECKING:
    from explain.core.meter import Meter

LONGEST_LINE = 1200  # characters of a message


def write_output(options: argparse.Namespace, written: str | bytes) -> None:
    """Write to the file that --out names, else to standard output.

    Raises:
        FileError: the file can't be written.
    """
    if options.out is None:
        sys.stdout.write(str(written))
        return
    write_file(own_path(options.out), written)
    say(f"Written: {options.out}")


def say(message: str) -> None:
    """Print one line to standard error, of bounded length and with nothing in it that steers a terminal."""
    from explain.views.base import visible

    line = " ".join(visible(message).split())
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 300]} ... {line[-300:]}"
    print(line.encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr)


def discard_output() -> None:
    """Give up standard output: what is left in its buffer would be tried again at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def progress_bar(total: int) -> "Iterator[Meter]":
    """Yield a meter that shows how many texts are done, where standard error is a terminal."""
    from tqdm import tqdm

    from explain.core.meter import Meter

    with tqdm(total=total, unit=" texts", disable=None) as bar:
        yield Meter(on_pass=lambda spent: bar.update(spent.forward - bar.n))

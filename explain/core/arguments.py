"""Command-line options: a parser that raises the package's errors, and types with ranges."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn, TypeVar

from explain.core.errors import ExplainError, SettingError
from explain.core.files import check_writable
from explain.core.hosts import read_allowed_host
from explain.core.installation import own_path

MOST = 2**31 - 1  # the bound of a whole number without a smaller one
_SHOWN = 60  # characters of refused text
_LONGEST = 600  # characters of a message

Argument = TypeVar("Argument")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises a `SettingError` in one line where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        short = message if len(message) <= _LONGEST else f"{message[:_LONGEST]} ..."
        raise SettingError(f"{short.rstrip('.')}. See {self.prog} --help.")


def whole_number(low: int, high: int = MOST) -> Callable[[str], int]:
    """Return an argparse type for whole numbers in a range, both ends included."""
    what = f"a whole number of at least {low}" if high == MOST else f"a whole number from {low} to {high}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:  # no number, or thousands of digits
            number = None
        return _accepted(number, number is not None and low <= number <= high, what, text)

    return read


def finite_number(low: float, high: float = math.inf) -> Callable[[str], float]:
    """Return an argparse type for finite numbers in a range, both ends included."""
    what = f"a number of at least {low:g}" if high == math.inf else f"a number from {low:g} to {high:g}"

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        return _accepted(number, math.isfinite(number) and low <= number <= high, what, text)

    return read


def not_empty(text: str) -> str:
    """Read a name or path: any text that is not empty and holds no zero byte."""
    return _accepted(text, bool(text.strip()) and "\0" not in text, "a name", text)


def output_file(text: str) -> str:
    """Read the path of an output file, and check before any work that it can be written."""
    place = not_empty(text)
    try:
        check_writable(own_path(place))
    except ExplainError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return place


def host_name(text: str) -> str:
    """Read the name of a host."""
    try:
        return read_allowed_host(text)
    except ExplainError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _accepted(argument: Argument | None, fits: bool, what: str, text: str) -> Argument:
    if argument is None or not fits:
        shown = repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r} ... ({len(text):,} characters)"
        raise argparse.ArgumentTypeError(f"expected {what}, not {shown}")
    return argument

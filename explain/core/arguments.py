"""Command-line options: a parser whose errors are told like all others, and types that say their range once."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn, TypeVar

from explain.core.errors import ExplainError, SettingError
from explain.core.files import check_writable
from explain.core.hosts import read_allowed_host
from explain.core.installation import own_path

MOST = 2**31 - 1  # of a whole number that has no smaller bound
_SHOWN = 60  # characters of a value that is refused
_LONGEST = 600  # characters of a message

Value = TypeVar("Value")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises a `SettingError` in one line where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        short = message if len(message) <= _LONGEST else f"{message[:_LONGEST]} ..."
        raise SettingError(f"{short.rstrip('.')}. See {self.prog} --help.")


def whole_number(low: int, high: int = MOST) -> Callable[[str], int]:
    """A type for whole numbers in a range, both ends included."""
    what = f"a whole number of at least {low}" if high == MOST else f"a whole number from {low} to {high}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # no number, or one of thousands of digits
            value = None
        return _accepted(value, value is not None and low <= value <= high, what, text)

    return read


def finite_number(low: float, high: float = math.inf) -> Callable[[str], float]:
    """A type for finite numbers in a range, both ends included."""
    what = f"a number of at least {low:g}" if high == math.inf else f"a number from {low:g} to {high:g}"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        return _accepted(value, math.isfinite(value) and low <= value <= high, what, text)

    return read


def not_empty(text: str) -> str:
    """A type for names and paths: anything but an empty text, or one with a zero byte."""
    return _accepted(text, bool(text.strip()) and "\0" not in text, "a name", text)


def output_file(text: str) -> str:
    """A type for files that will be written; whether they can be is checked before any work."""
    place = not_empty(text)
    try:
        check_writable(own_path(place))
    except ExplainError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return place


def host_name(text: str) -> str:
    """A type for names of hosts."""
    try:
        return read_allowed_host(text)
    except ExplainError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _accepted(value: Value | None, fits: bool, what: str, text: str) -> Value:
    if value is None or not fits:
        shown = repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r} ... ({len(text):,} characters)"
        raise argparse.ArgumentTypeError(f"expected {what}, not {shown}")
    return value

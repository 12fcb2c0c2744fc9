"""Options that several commands have, and reading them: text, target, settings."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explain.core.arguments import not_empty, output_file, whole_number
from explain.core.errors import DataError, SettingError, TextError

if TYPE_CHECKING:
    from explain.models.base import TextModel

Commands = Any  # what argparse's add_subparsers returns; its class is private


def add_text(command: argparse.ArgumentParser) -> None:
    """Add the text and the second text."""
    command.add_argument("text", help="the text, or - to read it from standard input")
    command.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")


def add_model(command: argparse.ArgumentParser) -> None:
    """Add --model and --task to another command than `text`, whose help explains them."""
    command.add_argument("--model", type=not_empty, default="sentiment", help="as for text (default: %(default)s)")
    command.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")


def add_target(command: argparse.ArgumentParser) -> None:
    """Add the options of the target to another command than `text`."""
    for option, metavar in (("--target", "LABEL"), ("--against", "LABEL"), ("--scale", "NAME")):
        command.add_argument(option, metavar=metavar, help="as for text")
    command.add_argument("--position", type=whole_number(0), metavar="TOKEN", help="as for text")


def add_out(command: argparse.ArgumentParser) -> None:
    """Add --out."""
    command.add_argument("--out", type=output_file, metavar="FILE", help="write to a file instead of standard output")


def text_of(options: argparse.Namespace) -> str:
    """Return the text, read from standard input where it is "-".

    Raises:
        TextError: standard input is not UTF-8.
    """
    return standard_input() if options.text == "-" else str(options.text)


def standard_input() -> str:
    """Return all of standard input.

    Raises:
        TextError: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"Standard input is not UTF-8 (byte {error.start + 1}); convert it first.") from error


def file_content(path: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        DataError: it can't be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error


def settings_by_owner(assignments: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the settings of --set by the name before the dot: {"integrated_gradients": {"baseline": "pad"}}.

    Raises:
        SettingError: an assignment of another form.
    """
    settings: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        place, equals, text = assignment.partition("=")
        owner, dot, setting = place.partition(".")
        if not (equals and dot and owner and setting):
            raise SettingError(
                f"--set {assignment}: expected METHOD.SETTING=VALUE, such as integrated_gradients.baseline=pad."
            )
        settings.setdefault(owner, {})[setting] = text
    return settings


def position_of(options: argparse.Namespace, model: "TextModel", text: str) -> int | None:
    """Return the token that --position or --word names, None where neither is there.

    Raises:
        SettingError: both are there, or the model decides on the whole text; TextError: the text has no such word.
    """
    if options.word is None:
        return None if options.position is None else int(options.position)
    from explain.text.units import word_start

    if options.position is not None:
        raise SettingError("Give --word or --position, not both.")
    if not (model.task.place or model.task.windows):
        raise SettingError("This model decides on the whole text. Leave out --word.")
    windows = model.windows(text, options.pair)
    if len(windows) > 1 and model.task.windows:
        raise SettingError(
            f"The {model.texts[-1].lower()} is read in {len(windows)} windows, so a word has several positions. "
            "Name the answer itself: --target 'its words'."
        )
    return word_start(windows[0], options.word)

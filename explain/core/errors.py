"""The errors of this package, as one tree.

    ExplainError            the border: catch this, show `str(error)`, nothing else is needed
    ├── TextError           the text can't be explained as it is (empty, too long, not Unicode)
    ├── ModelError          no such model, or one that must not or can't be loaded
    ├── TargetError         no such label, or a target that does not fit the task
    ├── SettingError        a setting out of its range, or a setting the method does not have
    ├── MetricError         a metric that can't test this explanation
    ├── UnknownNameError    a name that is in no registry (also a KeyError)
    │   └── ExtensionError  an entry of another distribution that can't be used
    ├── DataError           a file of rows that can't be read, or lacks what is needed
    ├── RecordError         a report that can't be read or replayed
    ├── FileError           a file that can't be written: a full disk, no permission, no such folder
    ├── Busy                the queue, or a visitor's share of it, is full: try again later
    └── Cancelled           the work was stopped, by the user or by a limit

Each message says what is wrong and what to do next.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class ExplainError(Exception):
    """The root of the tree above."""


class TextError(ExplainError, ValueError):
    """The text can't be explained as it is."""


class ModelError(ExplainError):
    """No such model, or one that must not or can't be loaded."""


class TargetError(ExplainError, ValueError):
    """No such label, or a target that does not fit the task."""


class SettingError(ExplainError, ValueError):
    """A setting out of its range, or one the method does not have."""


class MetricError(ExplainError, ValueError):
    """A metric that can't test this explanation."""


class UnknownNameError(ExplainError, KeyError):
    """A name that is in no registry."""

    def __str__(self) -> str:  # KeyError would show the message in quotes
        return str(self.args[0])


class ExtensionError(UnknownNameError):
    """An entry of another distribution that can't be used; the message names the distribution."""


class DataError(ExplainError):
    """A file of rows that can't be read, or lacks what is needed."""


class RecordError(ExplainError, ValueError):
    """A report that can't be read or replayed."""


class FileError(ExplainError):
    """A file that can't be written: a full disk, no permission, no such folder."""


class Busy(ExplainError):
    """The queue is full, or a visitor's share of it."""


class Cancelled(ExplainError):
    """The work was stopped."""


@contextmanager
def exit_with_message(program: str) -> Iterator[None]:
    """End a program of the command line with a line, not a traceback, on an error of the tree above.

    Raises:
        SystemExit: with status 2, after such an error.
    """
    try:
        yield
    except ExplainError as error:
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(2)

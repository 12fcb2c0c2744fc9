"""Failed writes of torch and safetensors as errors of this package."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from explain.core.errors import FileError
from explain.core.files import file_errors


@contextlib.contextmanager
def library_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of torch and safetensors for a file that can't be written into a `FileError`.

    safetensors has the system's error in its message only, and torch does not report it.
    """
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        with file_errors(folder):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error) and "inline_container" not in str(error):
            raise
        raise FileError(f"{folder} can't be written: torch could not finish its file; the disk may be full.") from error

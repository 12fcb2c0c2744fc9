"""The installation: folders of the app, of shipped weights, of the user's models and history; environment variables.

In a checkout app and weights lie beside this package, in an installed wheel inside it.
"""

import os
from pathlib import Path

from explain.core.errors import DataError, ExplainError

MOST_THREADS = 1024  # of one process
_PACKAGE = Path(__file__).resolve().parent.parent


def site_folder() -> Path:
    """Return the folder that holds `app.py`, `pages/` and `weights/`."""
    installed = _PACKAGE / "site"
    return installed if installed.is_dir() else _PACKAGE.parent


def environment_number(name: str, default: int, most: int = 100_000_000) -> int:
    """Return a whole number from an environment variable, from 1 to `most`.

    Raises:
        ExplainError: the variable is set to something else.
    """
    text = os.environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise ExplainError(
            f"The environment variable {name} is {text[:60]!r}; expected a whole number from 1 to {most:,}."
        )
    return int(text)


def weights_folder() -> Path:
    """Return the folder of the shipped models."""
    return site_folder() / "weights"


def models_folder() -> Path:
    """Return the folder of the models that were trained here; it may not exist yet."""
    named = os.environ.get("EXPLAIN_MODELS_DIR")
    share = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(named).expanduser() if named else share / "explain" / "models"


def runs_folder() -> Path:
    """Return the folder of the runs over data sets that the app begins; it may not exist yet."""
    named = os.environ.get("EXPLAIN_RUNS")
    share = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return own_path(named) if named else share / "explain" / "runs"


def history_folder() -> Path | None:
    """Return the folder of what was explained on this machine; it may not exist yet. None: nothing is to be kept there.

    Raises:
        DataError: `EXPLAIN_HISTORY` names no possible folder.
    """
    named = os.environ.get("EXPLAIN_HISTORY", "")
    if named == "off":
        return None
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return own_path(named) if named else state / "explain" / "history"


def library_folder() -> Path | None:
    """Return the folder of the library; it may not exist yet. None: nothing is to be kept on this machine.

    `EXPLAIN_LIBRARY` names it; else it is beside the history, or within a folder that `EXPLAIN_HISTORY` names.

    Raises:
        DataError: a variable names no possible folder.
    """
    if named := os.environ.get("EXPLAIN_LIBRARY", ""):
        return None if named == "off" else own_path(named)
    history = history_folder()
    if history is None:
        return None
    return history / "library" if os.environ.get("EXPLAIN_HISTORY") else history.with_name("library")


def index_address() -> str:
    """Return the address of the database that holds the library's index; empty: a file in the library's folder."""
    return os.environ.get("EXPLAIN_STORE", "")


def own_path(place: str | Path) -> Path:
    """Return a path written by a user, with "~" for the home folder.

    Raises:
        DataError: there is no such user, or no file can have that name.
    """
    if "\0" in str(place):
        raise DataError(f"{str(place)!r}: no file can have that name.")
    try:
        return Path(place).expanduser()
    except RuntimeError as error:
        raise DataError(f"{place}: there is no user of that name here.") from error

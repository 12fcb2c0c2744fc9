"""Where the app and the shipped weights lie: beside this package in a checkout, inside it in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def site_folder() -> Path:
    """The folder that holds `app.py`, `pages/` and `weights/`."""
    installed = _PACKAGE / "site"
    return installed if installed.is_dir() else _PACKAGE.parent


def weights_folder() -> Path:
    """The folder of the shipped models."""
    return site_folder() / "weights"

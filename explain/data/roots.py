"""Paths that a visitor names on a server: below folders that its operator opened, links resolved."""

import os
from pathlib import Path

from explain.core.errors import DataError
from explain.core.installation import own_path

VARIABLE = "EXPLAIN_DATA_ROOTS"


def data_roots() -> tuple[Path, ...]:
    """Return the folders that `EXPLAIN_DATA_ROOTS` names, parted as in PATH.

    >>> all(root.is_absolute() for root in data_roots())
    True
    """
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    return tuple(own_path(name).resolve() for name in named if name)


def path_below(place: str, roots: tuple[Path, ...] | None) -> Path:
    """Return the path that a visitor named.

    Args:
        roots: folders that it must lie below; None: anywhere.

    Raises:
        DataError: it lies elsewhere, or there is nothing.

    >>> path_below(".", None) == Path(".").resolve()
    True
    """
    path = own_path(place.strip())
    try:
        resolved = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        resolved = None
    if roots is not None and not (resolved and any(resolved.is_relative_to(root) for root in roots)):
        raise DataError(f"{place} is not below a folder that this server opens. Upload the file.")
    if resolved is None:
        raise DataError(f"{place} does not exist. Check the path.")
    return resolved

"""Versions of the packages that compute."""

import platform
from functools import cache
from importlib import metadata


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute."""
    names = ("torch", "transformers", "tokenizers", "numpy", "safetensors")
    return {"python": platform.python_version(), "explain": own_version()} | {n: _version(n) for n in names}


@cache  # each reads a file
def _version(name: str) -> str:
    return metadata.version(name)


@cache
def own_version() -> str:
    """Return the version of this package."""
    try:
        return metadata.version("explain-transformers")
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return "checkout"

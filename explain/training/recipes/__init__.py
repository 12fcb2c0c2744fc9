"""Recipes of training: tasks and their data, settings."""

from typing import Any

from explain.core.deprecated import old_name


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)

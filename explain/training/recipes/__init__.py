"""What a run is to do: tasks and their data, settings, recipes."""

from typing import Any

from explain.core.deprecated import old_name


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)

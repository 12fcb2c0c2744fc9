"""Plans and runs: what is computed, by which engine, in which backend, and where it is kept.

The package is also the function `explain.run`, so that the room and the function share their short name:

    explain.run("reviews.csv", out="RUN")
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class _RoomAndFunction(ModuleType):
    """This package as a module that can be called."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return importlib.import_module("explain.api").run(*arguments, **options)  # by name: it is above this room


sys.modules[__name__].__class__ = _RoomAndFunction

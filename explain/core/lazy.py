"""Modules that are imported when the first of their names is used: a list of tasks needs no torch.

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")
"""

import importlib
from types import ModuleType
from typing import Any


class _LazyModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def lazy_module(name: str) -> ModuleType:
    """Return a stand-in for a module, which imports it when one of its names is looked up.

    >>> lazy_module("fractions").Fraction(1, 2)
    Fraction(1, 2)
    """
    return _LazyModule(name)

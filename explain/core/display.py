"""Results in a notebook: one that ends a cell is drawn, and is text where a viewer draws nothing."""

import importlib
from typing import Any

_HOME = "explain.report.notebook"  # by name, as entries of registries: it is above everything that is displayed


class Displayed:
    """Base of results: a notebook draws them with the views that accept their type, or shows their fields.

    A result of your own is drawn, too, if its dataclass subclasses this.
    """

    def __init_subclass__(cls) -> None:
        # IPython stops at the first class that has a `__repr__`, such as a dataclass, and looks no further down.
        cls._repr_pretty_ = Displayed._repr_pretty_  # type: ignore[method-assign]

    def _repr_html_(self) -> str:
        """Return a page in a frame, and the result as text for viewers that remove frames."""
        html: str = importlib.import_module(_HOME).notebook_html(self)
        return html

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write the result as text, where a notebook or a terminal shows no HTML."""
        printer.text(type(self).__name__ if cycle else importlib.import_module(_HOME).text_of(self))

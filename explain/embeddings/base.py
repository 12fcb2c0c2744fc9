"""What can be found out from vectors: each a frozen dataclass that answers itself, and is its own key in a cache."""

from abc import ABC, abstractmethod
from typing import Any

from explain.core.meter import Meter
from explain.datatypes import TextVectors
from explain.models.base import TextModel


class Analysis(ABC):
    """Something to find out from the vectors of some texts."""

    def steps(self, texts: int) -> int:
        """Steps that the meter is ticked for, of about the length of one text's pass or less."""
        return 0

    @abstractmethod
    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> Any:
        """Find it out; `model` is the one whose vectors these are."""

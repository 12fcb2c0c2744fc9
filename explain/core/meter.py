"""The meter: it counts passes while they are spent, reports progress, and stops the work on request.

Models tick it, since only they know what was run; so a method can't understate its cost.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from explain.core.errors import Cancelled


@dataclass(frozen=True)
class Passes:
    """The cost of a result in sequences run through the model, however they were batched."""

    forward: int = 0
    backward: int = 0
    positions: int = 0

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward, self.positions + other.positions)


class Meter:
    """A counter of the passes of a job; safe to read from another thread.

    Args:
        on_pass: called with the passes spent so far, after every chunk.
        limit: most passes (forward and backward together) that may be spent.
        on_part: called with the name and the intermediate result of a part that is not finished yet.
    """

    def __init__(
        self,
        on_pass: Callable[[Passes], None] | None = None,
        limit: int | None = None,
        on_part: Callable[[Hashable, Any], None] | None = None,
    ) -> None:
        self.spent = Passes()
        self.steps = 0
        self._on_pass = on_pass
        self._limit = limit
        self._on_part = on_part
        self._stop = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop, at its next chunk."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def publish(self, name: Hashable, part: Any) -> None:
        """Publish an intermediate result of a method or analysis, to be drawn but not stored."""
        if self._on_part is not None:
            self._on_part(name, part)

    def tick(self, *, forward: int = 0, backward: int = 0, positions: int = 0, steps: int = 0) -> None:
        """Count a chunk of sequences, or steps of arithmetic outside the model, which are no passes.

        Raises:
            Cancelled: the work was cancelled, or the limit is passed.
        """
        self.spent = self.spent + Passes(forward, backward, positions)
        self.steps += steps
        if self._on_pass is not None:
            self._on_pass(self.spent)
        if self._stop.is_set():
            raise Cancelled("Stopped, as you asked.")
        if self._limit is not None and self.spent.forward + self.spent.backward > self._limit:
            raise Cancelled(
                f"Stopped after {self._limit} passes, the limit set for this work. "
                "Raise the limit, shorten the text, or ask for words or sentences instead of tokens."
            )

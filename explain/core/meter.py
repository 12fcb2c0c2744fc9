"""The meter: counts passes while they are spent, tells whoever waits, and stops the work when asked.

Models tick it (nobody else knows what was really run), so a method can't understate its cost.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from explain.core.errors import Cancelled


@dataclass(frozen=True)
class Passes:
    """What a result cost, in sequences run through the encoder (not in calls: how they were batched is no cost)."""

    forward: int = 0
    backward: int = 0
    positions: int = 0

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward, self.positions + other.positions)


class Meter:
    """Counts the passes of one piece of work; safe to read from another thread.

    Args:
        on_pass: called with the passes spent so far, after every chunk.
        limit: most passes (forward and backward together) that may be spent.
        on_part: called with the name and the state of a part that is not finished yet.
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
        """Ask the work to stop; it does at its next chunk."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def publish(self, name: Hashable, part: Any) -> None:
        """Show what a method or question, `name`, has found so far; to be drawn by who waits, and kept by nobody."""
        if self._on_part is not None:
            self._on_part(name, part)

    def tick(self, *, forward: int = 0, backward: int = 0, positions: int = 0, steps: int = 0) -> None:
        """Count a chunk of sequences that was run, or steps of arithmetic beside the model, which are no passes.

        Raises:
            Cancelled: someone asked for it, or the limit is passed.
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

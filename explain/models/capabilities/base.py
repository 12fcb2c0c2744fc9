"""The base of all capabilities."""

from collections.abc import Callable

from explain.core.errors import ModelError


class Capability:
    """One kind of access to a model's inner parts.

    Args:
        lacking: returns the error of a capability that the model lacks, by its name in `CAPABILITIES`.
    """

    def __init__(self, lacking: Callable[[str], ModelError]) -> None:
        self._lacking = lacking

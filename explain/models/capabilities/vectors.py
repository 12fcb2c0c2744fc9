"""A model's vectors of texts, and their derivatives."""

from collections.abc import Callable, Sequence

from torch import Tensor

from explain.core.errors import ModelError
from explain.core.meter import Meter
from explain.datatypes import Tokens
from explain.models.capabilities.base import Capability
from explain.models.text_vectors import ReadTexts


class Vectors(Capability):
    """Vectors of a model.

    Args:
        lacking: see `Capability`.
        longest_text: see below.
    """

    def __init__(self, lacking: Callable[[str], ModelError], longest_text: int) -> None:
        super().__init__(lacking)
        self._longest_text = longest_text

    @property
    def longest_text(self) -> int:
        """Most pieces that are read of a text that becomes a vector by itself, special tokens included."""
        return self._longest_text

    @property
    def poolings(self) -> tuple[str, ...]:
        """Names of `explain.models.pooling.POOLINGS` that the model has, the one it was trained with first."""
        return ()

    def read(self, texts: Sequence[str], pooling: str = "mean", meter: Meter | None = None) -> ReadTexts:
        """Return a vector of each text, read by itself: one forward pass each, in batches of like length ("vectors").

        Args:
            pooling: "mean", "cls", "max", "last_four", "layer:N" or "lstm"; see `explain.models.pooling`.

        Raises:
            SettingError: a pooling that this model does not have.
        """
        raise self._lacking("vectors")

    def jvp(
        self, tokens: Tokens, points: Tensor, directions: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return two texts' vectors at word embeddings, and their derivatives along directions there ("jvp").

        The texts are read apart, so a direction that moves a token of each text has an effect on each vector of its
        own. Counted as one forward and one backward pass each.

        Args:
            points, directions (B, T, D): word embeddings in place of the text's own, and how they move.

        Returns:
            Vectors of length 1, and their derivatives: each (B, 2, E).
        """
        raise self._lacking("jvp")

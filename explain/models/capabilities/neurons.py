"""A model's neurons, see `explain.models.neurons`: kept with their gradients, streamed, and set to zero."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from explain.core.meter import Meter
from explain.datatypes import Neuron, Target, Tokens
from explain.models.capabilities.base import Capability

if TYPE_CHECKING:
    from explain.models.base import Scores

SeeNeurons = Callable[[Sequence[int], int, Tensor], None]


@dataclass(frozen=True, eq=False)
class Inside:
    """States and neurons of one forward and one backward pass; float32 tensors, gradients in the target's unit.

    Attributes:
        value: the target's.
        states (L + 1, T, D): the input of the first layer, then the output of each layer. Where layers begin with a
            norm, as in ModernBERT and GPT-2, the last one is the output of the model's last norm, which the head reads.
        state_gradients (L + 1, T, D): the target's total gradient there.
        neurons, neuron_gradients (L, T, F): the same of the input of the second map of each feed-forward part.
    """

    value: float
    states: Tensor
    state_gradients: Tensor
    neurons: Tensor
    neuron_gradients: Tensor


class Neurons(Capability):
    """Neurons of a model; every method requires "neurons"."""

    @property
    def per_layer(self) -> int:
        """Neurons in each layer's feed-forward part; 0 where they can't be seen."""
        return 0

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        """Return states and neurons of every layer, and the target's gradient at each: one forward and one backward
        pass."""
        raise self._lacking("neurons")

    def stream_activations(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        """Call a function with the neurons of many texts while they are computed, one forward pass each.

        Args:
            see: called with the numbers of some texts (B), a layer, and its neurons (B, T, F), layer after layer;
                behind the end of a shorter text stands padding. The tensor is the model's: do not keep or change it.
        """
        raise self._lacking("neurons")

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> "Scores":
        """Run a text with neurons set to zero, one forward pass for each set of them."""
        raise self._lacking("neurons")

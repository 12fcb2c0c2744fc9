"""A model's attention: kept, differentiated, and run with weights set to zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from explain.core.meter import Meter
from explain.datatypes import Cut, Prediction, Target, Tokens
from explain.models.capabilities.base import Capability

if TYPE_CHECKING:
    from explain.models.base import Scores


@dataclass(frozen=True, eq=False)
class Trace:
    """All of one forward pass; float32 tensors.

    Attributes:
        prediction: of the pass.
        weights (L, H, T, T): attention, row = looks, column = is looked at.
        queries, keys, values (L, H, T, D/H): not scaled.
        states (L + 1, T, D): the input of the first layer, then the output of each layer.
    """

    prediction: Prediction
    weights: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor
    states: Tensor


@dataclass(frozen=True, eq=False)
class AttentionGradients:
    """The target, differentiated at every attention weight: value, weights and gradients (L, H, T, T)."""

    value: float
    weights: Tensor
    gradients: Tensor


class Attention(Capability):
    """Attention of a model; each method names the entry of `CAPABILITIES` that it requires."""

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        """Keep all of one forward pass ("trace")."""
        raise self._lacking("trace")

    def trace_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Trace]:
        """Keep all of one forward pass of each text, in batches of like length where the model can ("trace")."""
        return [self.trace(tokens, meter) for tokens in texts]

    def gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        """Differentiate the target at the attention weights: one forward and one backward pass ("attention_gradients").

        The gradient is total: it goes through all later layers.
        """
        raise self._lacking("attention_gradients")

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[AttentionGradients]:
        """Differentiate the target of each text, in batches of like length where the model can
        ("attention_gradients")."""
        return [self.gradients(tokens, target, meter) for tokens, target in targets]

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> "Scores":
        """Run a text with attention weights set to zero, one forward pass for each set of cuts ("cuts")."""
        raise self._lacking("cuts")

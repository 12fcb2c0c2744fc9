"""Hidden states: sizes of states and gradients at every layer, and how a token's state changes.

The similarity of a token's states is the "intra-token" side of Ethayarajh (2019), https://arxiv.org/abs/1909.00512;
state x gradient is the layer version of gradient x input (captum's LayerGradientXActivation).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import LayerStates
from explain.models.base import TextModel


@ANALYSES.register("hidden_states")
@dataclass(frozen=True)
class HiddenStates(TextAnalysis[LayerStates]):
    """Norms of states and gradients, their products and the states' similarity: a forward and a backward pass."""

    name: ClassVar[str] = "hidden_states"
    title: ClassVar[str] = "States and gradients of layers"
    meaning: ClassVar[str] = "How large each token's state and the target's gradient there are, layer by layer."
    limits: ClassVar[str] = "A large state or a steep gradient alone is no contribution to the decision."
    requires: ClassVar[frozenset[str]] = frozenset({"neurons"})
    returns: ClassVar[type] = LayerStates

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 2

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> LayerStates:
        inside = model.neurons.inside(subject.tokens, subject.target, meter)
        states, gradients = inside.states.double(), inside.state_gradients.double()  # (L + 1, T, D)
        directions = torch.nn.functional.normalize(states, dim=-1)
        return LayerStates(
            tokens=subject.tokens,
            target=subject.target,
            norms=states.norm(dim=-1).numpy(),
            gradient_norms=gradients.norm(dim=-1).numpy(),
            products=(states * gradients).sum(dim=-1).numpy(),
            similarity=torch.einsum("ltd,mtd->tlm", directions, directions).numpy(),
            output=inside.value,
        )

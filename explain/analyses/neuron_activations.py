"""Neuron activations: every neuron at every token, and the target's gradient there."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import NeuronActivity
from explain.models.base import TextModel


@ANALYSES.register("neuron_activations")
@dataclass(frozen=True)
class NeuronActivations(TextAnalysis[NeuronActivity]):
    """Activations and gradients of all neurons: a forward and a backward pass."""

    name: ClassVar[str] = "neuron_activations"
    title: ClassVar[str] = "Neurons"
    meaning: ClassVar[str] = "Each neuron's activation at each token, and the target's gradient there."
    limits: ClassVar[str] = "Activation x gradient is the effect of setting a neuron to zero to first order only."
    requires: ClassVar[frozenset[str]] = frozenset({"neurons"})
    returns: ClassVar[type] = NeuronActivity

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 2

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> NeuronActivity:
        inside = model.neurons.inside(subject.tokens, subject.target, meter)
        activations, gradients = inside.neurons.numpy(), inside.neuron_gradients.numpy()
        return NeuronActivity(subject.tokens, subject.target, activations, gradients, inside.value)

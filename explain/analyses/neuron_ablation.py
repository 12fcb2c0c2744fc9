"""Neuron ablation: the effect of setting neurons to zero on the target, beside that of random other neurons."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from explain.analyses.base import ANALYSES, NEURONS, ExplainedText, TextAnalysis
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Neuron, NeuronEffects
from explain.models.base import TextModel
from explain.numerics.neurons import neurons_alike, random_neurons


@ANALYSES.register("neuron_ablation")
@dataclass(frozen=True)
class NeuronAblation(TextAnalysis[NeuronEffects]):
    """The target with neurons set to zero, each alone and all at once.

    With a token, neurons are set to zero at that token only, and all at the same one.
    """

    name: ClassVar[str] = "neuron_ablation"
    title: ClassVar[str] = "Neurons set to zero"
    meaning: ClassVar[str] = "How far the target falls when neurons are set to zero, beside as many random ones."
    limits: ClassVar[str] = "Zero may be a value that a neuron never has: the model then leaves what it was trained on."
    requires: ClassVar[frozenset[str]] = frozenset({"neurons"})
    returns: ClassVar[type] = NeuronEffects

    neurons: tuple[Neuron, ...] = setting(codec=NEURONS, help="The neurons that are set to zero.")
    draws: int = setting(
        20, low=0, high=1000, help="Random sets of as many other neurons of the same layers, of each kind of control."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="Seed of the random sets.")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "neurons", tuple(dict.fromkeys(self.neurons)))
        if not self.neurons:
            raise SettingError("Name the neurons that are to be set to zero, such as 2.107.")
        if len({neuron.token for neuron in self.neurons}) > 1:
            raise SettingError("Name neurons that are to be set to zero at one token, or all at every token.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return len(self.neurons) + 2 + 2 * self.draws + 2

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> NeuronEffects:
        """Compute the effects.

        Raises:
            SettingError: the model has no such neuron, or the text no such token.
        """
        inside = model.neurons.inside(subject.tokens, subject.target, meter)
        self._check(*inside.neurons.shape)
        token = self.neurons[0].token
        sizes = inside.neurons.abs().mean(dim=1) if token is None else inside.neurons[:, token].abs()
        controls = self._controls(sizes.double().numpy())
        alone = [(neuron,) for neuron in self.neurons]
        sets = [(), *alone, self.neurons, *(drawn for draws in controls.values() for drawn in draws)]
        scores = model.neurons.scores_with_ablation(subject.tokens, subject.target, sets, meter)
        effects, flips = scores.values[0] - scores.values[1:], scores.decisions[1:] != scores.decisions[0]
        count = len(self.neurons)
        ends = np.cumsum([count + 1, *map(len, controls.values())])
        products = inside.neurons * inside.neuron_gradients
        zeroed = torch.zeros_like(products, dtype=torch.bool)
        for neuron in self.neurons:
            zeroed[_index(neuron)] = True
        return NeuronEffects(
            target=subject.target,
            neurons=self.neurons,
            effects=effects[:count],
            flips=flips[:count],
            forecasts=np.array([float(products[_index(neuron)].sum()) for neuron in self.neurons]),
            together=float(effects[count]),
            together_flips=bool(flips[count]),
            together_forecast=float(products[zeroed].sum()),
            controls={name: effects[start:stop] for name, start, stop in zip(controls, ends, ends[1:])},
            output=float(scores.values[0]),
        )

    def _check(self, layers: int, tokens: int, numbers: int) -> None:
        for neuron in self.neurons:
            exists = (
                0 <= neuron.layer < layers
                and (neuron.number is None or 0 <= neuron.number < numbers)
                and (neuron.token is None or 0 <= neuron.token < tokens)
            )
            if not exists:
                raise SettingError(
                    f"There is no neuron {neuron}: the model has layers 0 to {layers - 1}, each with neurons 0 to "
                    f"{numbers - 1}, and the text tokens 0 to {tokens - 1}."
                )

    def _controls(self, sizes: np.ndarray) -> dict[str, list[tuple[Neuron, ...]]]:
        """Return random sets of other neurons, by the way they are drawn, from each neuron's activity (L, F)."""
        numbered = [(neuron.layer, neuron.number) for neuron in self.neurons if neuron.number is not None]
        if not self.draws or len(numbered) < len(self.neurons):
            return {}  # a whole layer has no others
        token = self.neurons[0].token
        drawn = {
            "random": random_neurons(numbered, sizes.shape[1], self.draws, self.seed),
            "as active": neurons_alike(numbered, sizes, self.draws, self.seed),
        }
        return {
            name: [tuple(Neuron(*place, token) for place in places) for places in sets]
            for name, sets in drawn.items()
            if sets
        }


def _index(neuron: Neuron) -> tuple[Any, ...]:
    """Return the index of a neuron in an array (L, T, F)."""
    token, number = (slice(None) if place is None else place for place in (neuron.token, neuron.number))
    return neuron.layer, token, number

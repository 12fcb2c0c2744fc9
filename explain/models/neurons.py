"""Neurons: the numbers between the two linear maps of a layer's feed-forward part.

    FF(y) = W_2 n(y) + b_2,    n(y) = g(W_1 y + b_1)             most families
                               n(y) = g(W_1 y) * (W_3 y)         gated: ModernBERT

A neuron is one coordinate of n: what it is at a token says how much of its column of W_2 is added to that token's state
(Geva et al. 2021, https://arxiv.org/abs/2012.14913, section 2). It is seen, and set to zero, where it enters W_2, so it
is the same thing whether the activation is a module, a function or gated. ALBERT has one set of maps for all layers;
what they compute differs from layer to layer, so its neurons are counted layer by layer all the same.

Hooks are put on a copy of the modules that nobody else has (`shared_weight_copy`): no other thread sees them.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from explain.core.errors import SettingError
from explain.datatypes import Neuron
from explain.models.families import FAMILIES

Change = Callable[[int, Tensor], Tensor]


def second_maps(module: Any) -> list[nn.Module]:
    """Return W_2 of each layer, first to last, shared ones once; none for a family built otherwise."""
    family = FAMILIES.get(module.config.model_type)
    if family is None or not family.second_map:
        return []
    if getattr(module.config, "chunk_size_feed_forward", None):  # chunks would look like layers
        return []
    return [part for name, part in module.base_model.named_modules() if re.fullmatch(family.second_map, name)]


class NeuronHooks:
    """Hooks that see the neurons of every layer, in order, in each forward pass of a module, and may change them.

    Layers are counted by calls, since ALBERT runs one module many times.

    Args:
        module: a copy of one's own, see `shared_weight_copy`.
        change: given a layer and its neurons (B, T, F), gives what is to take their place.
    """

    def __init__(self, module: Any, change: Change) -> None:
        self._change = change
        self._layer = 0
        module.base_model.register_forward_pre_hook(self._begin)
        for part in second_maps(module):
            part.register_forward_pre_hook(self._see)

    def _begin(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._layer = 0

    def _see(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        changed = self._change(self._layer, inputs[0])
        self._layer += 1
        return (changed,)


class KeepInside:
    """States and neurons of one forward pass, as parts of the graph that autograd goes back through.

    The pass is to be run with `output_hidden_states=True`.
    """

    def __init__(self, module: Any) -> None:
        self.states: tuple[Tensor, ...] = ()  # L + 1 of (B, T, D)
        self.neurons: list[Tensor] = []  # L of (B, T, F)
        NeuronHooks(module, self._keep)
        module.base_model.register_forward_hook(self._end)

    def _keep(self, layer: int, neurons: Tensor) -> Tensor:
        self.neurons.append(neurons)
        return neurons

    def _end(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.states = tuple(output.hidden_states or ())


class Silence:
    """Hooks that set neurons to zero: for each row of a batch, some."""

    def __init__(self, module: Any) -> None:
        self._sets: Sequence[Sequence[Neuron]] = ()
        NeuronHooks(module, self._change)

    @contextlib.contextmanager
    def of(self, sets: Sequence[Sequence[Neuron]]) -> Iterator[None]:
        """Set the neurons of each row to zero in the passes that run inside."""
        self._sets = sets
        yield

    def _change(self, layer: int, neurons: Tensor) -> Tensor:
        places = [(row, neuron) for row, zeroed in enumerate(self._sets) for neuron in zeroed if neuron.layer == layer]
        if not places:
            return neurons
        changed = neurons.clone()
        single = [(row, neuron.number) for row, neuron in places if neuron.number is not None and neuron.token is None]
        if single:  # most are of this kind, and a control of random ones has hundreds
            rows, numbers = torch.tensor(single, device=neurons.device).T
            changed[rows, :, numbers] = 0.0
        for row, neuron in places:
            if neuron.number is None or neuron.token is not None:
                token, number = (slice(None) if place is None else place for place in (neuron.token, neuron.number))
                changed[row, token, number] = 0.0
        return changed


def read_neuron(name: str, layers: int, neurons: int) -> Neuron:
    """Return the neuron called `LAYER.NUMBER`, both from 0, or all of a layer's: `LAYER.all`.

    Raises:
        SettingError: a name of another form, or of a neuron that the model does not have.
    """
    match = re.fullmatch(r"\s*(\d{1,9})\s*[.\u00b7]\s*(\d{1,9}|all)\s*", name, re.ASCII | re.IGNORECASE)
    if match is None:
        raise SettingError(
            f"{name!r} is no neuron. Name one by layer and number, such as 2.107, or a whole layer: 2.all."
        )
    layer = int(match[1])
    if layer >= layers:
        raise SettingError(f"{name!r}: the model has layers 0 to {layers - 1}.")
    if match[2].lower() == "all":
        return Neuron(layer)
    if int(match[2]) >= neurons:
        raise SettingError(f"{name!r}: a layer of this model has neurons 0 to {neurons - 1}.")
    return Neuron(layer, int(match[2]))

"""A module of one's own: a copy of a model's modules, on the same weights, to be hooked while others use the model.

Copying takes a hundredth of a second and next to no memory, as no tensor is copied, so nobody need keep it.
"""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from explain.core.meter import Meter
from explain.models.row_head import RowHead

AnyModule = TypeVar("AnyModule", bound=nn.Module)

_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Tanh, nn.Sigmoid)


class TargetModule(nn.Module):
    """A target as a module: word embeddings (B, T, D) to values (B,). Its submodules are those of a copy.

    Args:
        module: the copy.
        value: runs the copy.
    """

    def __init__(self, module: nn.Module, value: Callable[[Tensor], Tensor], meter: Meter | None = None) -> None:
        super().__init__()
        self.module = module
        self._value, self._meter = value, meter

    def forward(self, points: Tensor) -> Tensor:
        values = self._value(points)
        if self._meter is not None:
            self._meter.tick(forward=len(points), positions=points.shape[0] * points.shape[1])
        return values


def shared_weight_copy(module: AnyModule) -> AnyModule:
    """Return a copy of a module and all in it, but for parameters and buffers, which stay the same tensors."""
    kept: dict[int, Any] = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, kept)


def is_activation(module: nn.Module) -> bool:
    """Whether a module is a function of each number alone, bent and without parameters."""
    return isinstance(module, _ACTIVATIONS) or type(module).__module__ == "transformers.activations"


def has_activation_modules(module: nn.Module, head: RowHead, layers: int, run: Callable[[], Any]) -> bool:
    """Whether every activation is a module that runs once in a forward pass: one in each layer, and those of the head.

    Args:
        module: a copy that may be hooked.
        head: its head; one that calls functions has activations no hook sees.
        run: runs the module once.
    """
    bent = [step for step in head.steps if not isinstance(step, nn.Linear | nn.LayerNorm)]
    if not all(isinstance(step, nn.Module) and is_activation(step) for step in bent):
        return False
    runs: Counter[nn.Module] = Counter()
    for activation in filter(is_activation, module.modules()):
        activation.register_forward_hook(lambda which, *_: runs.update([which]))
    with torch.inference_mode():
        run()
    return set(runs.values()) == {1} and len(runs) == layers + len(bent)

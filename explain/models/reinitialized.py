"""A copy of a model with its head, and some of its last layers, as they were before any training.

What an explanation says of such a copy tells whether it depends on what the model learned (Adebayo et al. 2018,
https://arxiv.org/abs/1810.03292).
"""

import copy
import itertools
from typing import Any, cast

import torch
from torch import nn

from explain.models.target_module import AnyModule


def layers_of(module: Any) -> list[nn.Module]:
    """Return the encoder's layers, first to last; none where layers share their weights."""
    count = module.config.num_hidden_layers
    parts = module.base_model.modules()
    lists = (part for part in parts if isinstance(part, nn.ModuleList) and len(part) == count)
    return list(next(lists, ()))


def reinitialized(module: AnyModule, layers: int, seed: int) -> AnyModule:
    """Return a copy with new random weights in its head and last layers, as in BERT (Devlin et al. 2019, A.2).

    Weights are normal with the configuration's deviation, biases zero, norms the identity. What the head shares with
    the embeddings stays.
    """
    fresh: Any = copy.deepcopy(module)
    body = fresh.base_model
    pooler = getattr(body, "pooler", None)
    inside = set(body.modules()) - set(() if pooler is None else pooler.modules())
    shared = {id(parameter) for part in inside for parameter in part.parameters(recurse=False)}
    head = [part for part in fresh.modules() if part not in inside]
    tops = layers_of(fresh)[len(layers_of(fresh)) - layers :]
    draw = torch.Generator().manual_seed(seed)
    deviation = getattr(fresh.config, "initializer_range", 0.02)
    with torch.no_grad():
        for part in itertools.chain(head, *(top.modules() for top in tops)):
            norm = "norm" in type(part).__name__.lower()
            for name, parameter in part.named_parameters(recurse=False):
                if id(parameter) in shared and part in head:
                    continue
                if name.startswith("bias"):
                    parameter.zero_()
                elif norm:
                    parameter.fill_(1.0)
                else:
                    parameter.normal_(0.0, deviation, generator=draw)
    return cast(AnyModule, fresh)

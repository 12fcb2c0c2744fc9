"""The parts of a post-norm encoder's layers, by one set of names for every family.

    y = Norm1(x + W_O c + b_O)         c: sum over tokens of weight times value, heads side by side
    z = Norm2(y + W_2 g(W_1 y + b_1) + b_2)

Decompositions of a layer (norms, ALTI, value zeroing, DecompX) are written on these formulas. A family whose layers are
built otherwise has none.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from explain.models.families import FAMILIES
from explain.models.row_head import Activation

_PARTS = 4 << 20  # numbers at once; blocks of more than 32 MB are fetched from the system anew each time


@dataclass(frozen=True, eq=False)
class PostNormLayer:
    """One layer from the values on."""

    value: nn.Linear  # W_V, b_V, all heads side by side
    output: nn.Linear  # W_O, b_O
    attention_norm: nn.LayerNorm
    inner: nn.Linear  # W_1, b_1
    activation: Activation
    outer: nn.Linear  # W_2, b_2
    output_norm: nn.LayerNorm

    def after_attention(self, context: Tensor, inputs: Tensor) -> Tensor:
        """Context c and inputs x (..., D) to y (..., D)."""
        return self.attention_norm(inputs + self.output(context))

    def contributions(
        self, weights: Tensor, values: Tensor, inputs: Tensor, *, residual: bool = True, norm: bool = True
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield the contribution of each token j to each y_i: T_i(x_j) = Norm1'(sum_h W_hij W_O^h v_hj + [i = j] x_i).

        Norm1' is the norm with its mean and deviation held at those of y_i, without its bias: a linear map. All
        T_i(x_j) of a row and the biases' own part add up to y_i.

        Args:
            weights (H, T, T), values (H, T, D/H), inputs (T, D): of this layer, in one forward pass.
            residual: count x_i itself to what token i gives to itself; norm: apply Norm1'.

        Yields:
            A range of rows i, and their parts (R, T, D), some at a time: all would be T x T x D numbers.
        """
        heads, count, width = values.shape
        by_head = self.output.weight.unflatten(1, (heads, width))  # (D, H, D/H)
        outputs = torch.einsum("htw,dhw->htd", values, by_head)
        own, scale = inputs, None
        if norm:
            context = (weights @ values).transpose(0, 1).flatten(1)
            total = inputs + self.output(context)
            deviation = (total.var(dim=-1, unbiased=False, keepdim=True) + self.attention_norm.eps).sqrt()
            outputs, own, scale = self._centered(outputs), self._centered(inputs), deviation
        step = max(1, _PARTS // (count * inputs.shape[-1]))
        for start in range(0, count, step):
            rows = torch.arange(start, min(start + step, count), device=inputs.device)
            parts = torch.einsum("hrt,htd->rtd", weights[:, rows], outputs)
            if residual:
                parts[rows - start, rows] += own[rows]
            if scale is not None:
                parts /= scale[rows][:, None]
            yield slice(start, start + len(rows)), parts

    def _centered(self, parts: Tensor) -> Tensor:
        return (parts - parts.mean(dim=-1, keepdim=True)) * self.attention_norm.weight

    def finish(self, attended: Tensor) -> Tensor:
        """y (..., D) to the layer's output z (..., D)."""
        return self.output_norm(attended + self.outer(self.activation(self.inner(attended))))


def post_norm_layers(module: Any) -> tuple[PostNormLayer, ...] | None:
    """Return the parts of each layer, first to last; None for a family whose layers are built otherwise."""
    family = FAMILIES.get(module.config.model_type)
    parts = None if family is None else family.layer
    if parts is None or getattr(module.config, "is_decoder", False):
        return None
    layers = operator.attrgetter(parts.layers)(module.base_model)
    if parts.groups:
        group_count, count = len(layers), module.config.num_hidden_layers
        runs = [getattr(layers[int(number / (count / group_count))], parts.groups) for number in range(count)]
        if any(len(run) != 1 for run in runs):
            return None
        layers = [run[0] for run in runs]
    read = operator.attrgetter(*(getattr(parts, part.name) for part in fields(PostNormLayer)))
    return tuple(PostNormLayer(*read(layer)) for layer in layers)

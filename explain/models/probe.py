"""The one place where attention is watched: an attention function that models are loaded with.

It is plain SDPA while nobody asks. Inside `probing(probe)` it computes the weights in the open, hands them to the probe
layer by layer, and goes on with whatever the probe gives back; so attention maps, and cutting a head, an edge or a
token's value, need neither a hook nor a second copy of the model. The probe lives in a context variable: two threads
never see each other's.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from explain.datatypes import Cut

ATTENTION = "explain_probe"  # the name models are loaded with


class Probe(Protocol):
    """Sees every layer's attention, in order, and may change it.

    It may also have `room(layer, shape)`, to say where weights are to be written, and `vectors(layer, query, key)`, to
    see what they are made of.
    """

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Look at, and return, weights (B, H, T, T) and values (B, H, T, D/H)."""
        ...


class _Watch:
    """One probe during one forward; layers are counted by calls, since ALBERT runs one module many times."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.layer = 0

    def softmax(self, scores: Tensor) -> Tensor:
        """Softmax over the last axis, written where the probe wants it, if it says so."""
        place = self._place(scores.shape)
        return torch.softmax(scores, dim=-1) if place is None else torch.softmax(scores, dim=-1, out=place)

    def softmax_of_product(self, query: Tensor, key: Tensor) -> Tensor:
        """softmax(query @ key): of long texts one head at a time, so that a head's scores never leave the cache."""
        shape = (*query.shape[:-1], key.shape[-1])
        place = self._place(shape) if shape[-1] > 256 else None
        if place is None:
            return self.softmax(query @ key)
        scores = query.new_empty(shape[2:])
        for row in range(shape[0]):
            for head in range(shape[1]):
                torch.mm(query[row, head], key[row, head], out=scores)
                torch.softmax(scores, dim=-1, out=place[row, head])
        return place

    def _place(self, shape: tuple[int, ...]) -> Tensor | None:
        room = None if torch.is_grad_enabled() else getattr(self.probe, "room", None)
        return room and room(self.layer, shape)


_WATCH: ContextVar[_Watch | None] = ContextVar("explain_probe", default=None)


@contextlib.contextmanager
def probing(probe: Probe) -> Iterator[None]:
    """Let a probe see the one forward pass that runs inside."""
    token = _WATCH.set(_Watch(probe))
    try:
        yield
    finally:
        _WATCH.reset(token)


def is_watched() -> bool:
    """Whether a probe sees what is computed now."""
    return _WATCH.get() is not None


class KeepMaps:
    """A probe that keeps every layer's weights and changes nothing.

    Args:
        layers: how many there are, if all are to lie in one block of memory: `block (L, B, H, T, T)` then holds them.
    """

    def __init__(self, layers: int = 0) -> None:
        self.weights: list[Tensor] = []  # L of (B, H, T, T)
        self.block: Tensor | None = None
        self._layers = layers

    def room(self, layer: int, shape: tuple[int, ...]) -> Tensor | None:
        """Return the memory for a layer's weights, so that they need not be copied together afterwards."""
        if layer >= self._layers:
            return None
        if self.block is None:
            # numpy asks Linux for huge pages, torch does not: less than half the time for a long text's maps
            self.block = torch.from_numpy(np.empty((self._layers, *shape), np.float32))
        return self.block[layer]

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        self.weights.append(weights)
        return weights, values


class KeepVectors(KeepMaps):
    """A probe that keeps queries, keys and values too: each L of (B, H, T, D/H)."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[Tensor] = []
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def vectors(self, layer: int, query: Tensor, key: Tensor) -> None:
        self.queries.append(query)
        self.keys.append(key)

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        self.values.append(values)
        return super().__call__(layer, weights, values)


class KeepDifferentiable(KeepMaps):
    """A probe that keeps the weights as parts of the graph that autograd goes back through."""

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if not weights.requires_grad:  # nothing before the first layer does; all after it then follows from these
            weights.requires_grad_()
        return super().__call__(layer, weights, values)


class CutWeights:
    """A probe that sets weights to zero: for each row of the batch, some cuts."""

    def __init__(self, cuts: Sequence[Sequence[Cut]]) -> None:
        self._cuts = [(row, cut) for row, together in enumerate(cuts) for cut in together]

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        for row, cut in self._cuts:
            if cut.layer in (None, layer):
                places = (slice(None) if place is None else place for place in (cut.head, cut.to, cut.source))
                weights[(row, *places)] = 0.0
        return weights, values


def probed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot-product attention (Vaswani et al. 2017, equation 1), in the open if a probe watches.

    Args:
        query, key, value (B, H, T, D/H); attention_mask (B or 1, 1, T or 1, T): True, or 0.0, where one may look.

    Returns:
        The heads' outputs (B, T, H, D/H), and None for the weights: probes have them already.
    """
    watch = _WATCH.get()
    if watch is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
    if groups := getattr(module, "num_key_value_groups", 1) - 1:
        key, value = repeat_kv(key, groups + 1), repeat_kv(value, groups + 1)
    if vectors := getattr(watch.probe, "vectors", None):
        vectors(watch.layer, query, key)
    if attention_mask is None and getattr(module, "is_causal", False) and query.shape[-2] > 1:
        attention_mask = torch.ones(
            query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device
        ).tril()  # for SDPA a flag says so
    query = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    key = key.transpose(-1, -2)
    bias = options.get("position_bias")
    if bias is None and attention_mask is None:
        weights = watch.softmax_of_product(query, key)  # (B, H, T, T)
    else:
        scores = query @ key
        if bias is not None:
            scores = scores + bias
        if attention_mask is not None and attention_mask.dtype == torch.bool:
            scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
        elif attention_mask is not None:
            scores = scores + attention_mask
        weights = watch.softmax(scores)
    weights, value = watch.probe(watch.layer, weights, value)
    watch.layer += 1
    return (weights @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, probed_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)

"""The one place where attention is watched: an attention function that models are loaded with.

It is plain SDPA while nobody asks. Inside `probing(probe)` it computes the weights in the open, hands them to the probe
layer by layer, and goes on with whatever the probe gives back; so attention maps, and cutting a head, an edge or a
token's value, need neither a hook nor a second copy of the model. The probe lives in a context variable: two threads
never see each other's.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

ATTENTION = "explain_probe"  # the name models are loaded with


class Probe(Protocol):
    """Sees every layer's attention, in order, and may change it."""

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Look at, and return, weights (B, H, T, T) and values (B, H, T, D/H)."""
        ...


class _Watch:
    """One probe during one forward; layers are counted by calls, since ALBERT runs one module many times."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.layer = 0


_WATCH: ContextVar[_Watch | None] = ContextVar("explain_probe", default=None)


@contextlib.contextmanager
def probing(probe: Probe) -> Iterator[None]:
    """Let a probe see the one forward pass that runs inside."""
    token = _WATCH.set(_Watch(probe))
    try:
        yield
    finally:
        _WATCH.reset(token)


class KeepMaps:
    """A probe that keeps every layer's weights and changes nothing."""

    def __init__(self) -> None:
        self.weights: list[Tensor] = []  # L of (B, H, T, T)

    def __call__(self, layer: int, weights: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        self.weights.append(weights)
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
    scores = query @ key.transpose(-1, -2)  # (B, H, T, T)
    scores = scores * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if options.get("position_bias") is not None:
        scores = scores + options["position_bias"]
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
        else:
            scores = scores + attention_mask
    weights, value = watch.probe(watch.layer, torch.softmax(scores, dim=-1), value)
    watch.layer += 1
    return (weights @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, probed_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)

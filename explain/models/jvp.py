"""Forward differentiation of two texts' vectors along directions of their word embeddings."""

import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from explain.models.probe import CutWeights, probing

_LEVEL = threading.Lock()  # torch has one level of forward differentiation for the whole process


def jvp(module: Any, inputs: dict[str, Tensor], points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the vectors of two texts, of length 1, and their derivatives along directions: each (B, 2, E).

    Args:
        module: a `SentencePair`.
        inputs: its inputs but for the ids.
        points, directions (B, T, D): word embeddings, and how they move.
    """
    # A probe keeps attention's weights in the open: torch can't differentiate its own attention forward.
    with _LEVEL, torch.no_grad(), probing(CutWeights(())), forward_ad.dual_level():
        moving = forward_ad.make_dual(points.contiguous(), directions.contiguous())
        vectors = nn.functional.normalize(module.vectors(**inputs, inputs_embeds=moving), dim=-1)
        primal, derivative = forward_ad.unpack_dual(vectors)
        assert derivative is not None
        return primal.clone(), derivative.clone()

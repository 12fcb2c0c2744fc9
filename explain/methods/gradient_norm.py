"""Gradient norm: how steep the target is at each piece.

    score_t = || dF/dx_t ||_2     [unit of F per unit of embedding]

x are the word embeddings; positions, segments and mask stay as they are. Simonyan, Vedaldi and Zisserman (2013),
https://arxiv.org/abs/1312.6034, section 3, take the largest entry of the gradient at a pixel. For words the norm is
usual, as in Bastings et al. (2021), https://arxiv.org/abs/2111.07367, who test it on shortcuts planted in BERT.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explain.methods.base import METHODS, GradientMethod


@METHODS.register("gradient_norm")
@dataclass(frozen=True, kw_only=True)
class GradientNorm(GradientMethod):
    """The length of the target's gradient at each word piece."""

    name: ClassVar[str] = "gradient_norm"
    title: ClassVar[str] = "Gradient norm"
    meaning: ClassVar[str] = "How far the target would move if this word's vector moved a little."
    limits: ClassVar[str] = (
        "It has no sign: it does not say for or against. A small move of a vector is not another word, so "
        "removing a word may do much where the slope is small."
    )
    signed: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    def scored(self, points: Tensor, gradients: Tensor) -> Tensor:
        return gradients.norm(dim=-1)

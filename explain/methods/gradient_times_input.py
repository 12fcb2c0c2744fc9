"""Gradient times input: the first-order effect of scaling a word piece's embedding to zero.

    score_t = sum_d x_td dF/dx_td     [unit of F]

x are the rows of the word embedding as they are, nothing subtracted: before positions, segments and the first norm are
added. To first order F(x) - F(x with x_t = 0) is score_t, so zero is the silent baseline. Shrikumar et al. (2016),
https://arxiv.org/abs/1605.01713; for words Denil, Demiraj and de Freitas (2014), https://arxiv.org/abs/1412.6815.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explain.methods.base import METHODS, GradientMethod


@METHODS.register("gradient_times_input")
@dataclass(frozen=True, kw_only=True)
class GradientTimesInput(GradientMethod):
    """The target's gradient at each word piece, times its embedding."""

    name: ClassVar[str] = "gradient_times_input"
    title: ClassVar[str] = "Gradient × input"
    meaning: ClassVar[str] = "How much the target would fall, were its slope the same all the way to a zero embedding."
    limits: ClassVar[str] = (
        "The slope is not the same all the way: scores add up to nothing in particular, and where the model is sure of "
        "itself they can be small or have the wrong sign. A zero embedding is no word."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True

    def scored(self, points: Tensor, gradients: Tensor) -> Tensor:
        return (points * gradients).sum(dim=-1)

"""Gradient times input: the first-order effect of scaling a piece's embedding to zero.

    score_t = sum_d x_td dF/dx_td     [unit of F]

x are the rows of the word embedding, with nothing subtracted: before positions, segments and the first norm are added.
To first order F(x) - F(x with x_t = 0) is score_t, so zero is the implicit baseline. Shrikumar et al. (2016),
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
    meaning: ClassVar[str] = "How far the target would fall if its slope stayed the same down to a zero embedding."
    limits: ClassVar[str] = (
        "The slope does not stay the same, so scores have no meaningful sum. Where the model is certain they "
        "can be small or have the wrong sign. A zero embedding is not a word."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True

    def scored(self, points: Tensor, gradients: Tensor) -> Tensor:
        return (points * gradients).sum(dim=-1)

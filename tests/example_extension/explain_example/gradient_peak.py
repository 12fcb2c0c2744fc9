"""Gradient peak: how steep the target is at each word piece, in its steepest dimension.

    score_t = max_d |dF/dx_td|     [unit of F per unit of embedding]

Simonyan, Vedaldi and Zisserman (2013), https://arxiv.org/abs/1312.6034, section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explain.core.settings import setting
from explain.methods.base import METHODS, GradientMethod


@METHODS.register("gradient_peak")
@dataclass(frozen=True, kw_only=True)
class GradientPeak(GradientMethod):
    """The slope of the target at each word piece, in its steepest dimensions."""

    name: ClassVar[str] = "gradient_peak"
    title: ClassVar[str] = "Gradient peak"
    meaning: ClassVar[str] = (
        "How far the target would move if this word's vector moved a little, in its steepest dimensions."
    )
    limits: ClassVar[str] = "It has no sign: it does not say for or against."
    signed: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    steepest: int = setting(1, low=1, high=6, help="How many of the steepest dimensions to average.")

    def scored(self, points: Tensor, gradients: Tensor) -> Tensor:
        return gradients.abs().topk(self.steepest).values.mean(dim=-1)

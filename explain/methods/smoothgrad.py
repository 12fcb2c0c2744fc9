"""SmoothGrad: the gradient's score, averaged over copies of the text with noise on their embeddings.

    score_t = mean over n of s_t(x, dF/dx at x + e_n),  e_n ~ N(0, (noise * sd)^2)
    s_t(x, g) = sum_d x_td g_td  (gradient times input) [unit of F],  or  || g_t ||_2  (gradient norm) [F per embedding]

x are the word embeddings, sd the standard deviation of all their entries in this text. The input that multiplies has no
noise. Special tokens, the tokens the target is read from, positions, segments and mask have no noise. The target's mean
over the copies is reported: if it is far from the text's own, the noise is too large. Smilkov et al. (2017),
https://arxiv.org/abs/1706.03825, section 3; there the noise is a share of the range, which for embeddings depends on a
few large entries. Each score has the half-width of a 95 % interval (Student's t over the copies), of this average and
not of the gradient itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Target, Tokens
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.numerics.statistics import mean_and_half_width

# (T, D), (N, T, D) -> (N, T)
_SCORES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "gradient_times_input": lambda points, gradients: (points * gradients).sum(dim=-1),
    "gradient_norm": lambda points, gradients: gradients.norm(dim=-1),
}


@METHODS.register("smoothgrad")
@dataclass(frozen=True, kw_only=True)
class SmoothGrad(Method):
    """The gradient's score, averaged over noise: signed for gradient times input, not for the norm."""

    name: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    meaning: ClassVar[str] = "The gradient's score of each word, averaged over noisy copies of this text."
    limits: ClassVar[str] = (
        "A noisy copy is not another text. No rule says how much noise is right: more noise explains the "
        "neighborhood more and the text less. Scores have no meaningful sum."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset({"gradients"})

    of: str = setting("gradient_times_input", choices=tuple(_SCORES), help="The score that is averaged.")
    noise: float = setting(
        0.5, low=0.0, high=2.0, help="The standard deviation of the noise, as a share of that of the text's embeddings."
    )
    samples: int = setting(
        32, low=2, high=1000, help="The number of noisy copies. Four times as many halve the intervals."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the noise. The same seed gives the same scores.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of == "gradient_norm":  # a norm has no sign, and a word's is not the sum of its pieces'
            object.__setattr__(self, "signed", False)
            object.__setattr__(self, "additive", False)

    def cost(self, tokens: Tokens) -> int:
        return 1 + 2 * self.samples

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        model.require(self.requires)
        watch = Stopwatch(meter)
        points = model.word_embeddings(tokens)  # (T, D)
        own = torch.from_numpy(model.removable(tokens, target))
        deviation = self.noise * float(points[own].std(correction=0)) if len(own) else 0.0
        random = torch.Generator().manual_seed(self.seed)

        def noisy() -> Tensor:
            copy = points.clone()
            noise = torch.randn(len(own), points.shape[1], generator=random, device=random.device)
            copy[own] += deviation * noise.to(points.device)
            return copy

        output = float(model.values(tokens, target, points[None], watch.meter)[0])
        outputs, scores = [], []
        for part in np.array_split(np.arange(self.samples), model.chunks(self.samples, len(tokens))):
            part_outputs, gradients = model.gradients(tokens, target, torch.stack([noisy() for _ in part]), watch.meter)
            outputs.append(part_outputs)
            scores.append(_SCORES[self.of](points.double(), gradients.double()))
        mean, error = mean_and_half_width(torch.cat(scores).numpy())
        return self._result(
            (tokens, target),
            [(token,) for token in range(len(tokens))],
            mean,
            error=error,
            output=output,
            watch=watch,
            diagnostics={"noise_deviation": deviation, "mean_output": float(torch.cat(outputs).double().mean())},
        )

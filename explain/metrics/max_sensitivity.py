"""Max-sensitivity: how far an explanation can move when the text's embeddings move a little.

    value = max_e || A(x + e) - A(x) || / || A(x) ||,    every coordinate of e in [-r, r]

Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), https://arxiv.org/abs/1901.09392, definition 3, estimated by captum
from random e. r is a share of the coordinates' root mean square over the text. Special tokens and the tokens the target
is read from stay where they are. It has no control by order: scores that never move give zero. The output's own move is
reported too, since an explanation may move where the output does.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from captum.metrics import sensitivity_max
from torch import Tensor

from explain.core.errors import MetricError
from explain.core.settings import make, setting
from explain.datatypes import Attribution, MetricResult, Tokens
from explain.methods.base import METHODS, Method
from explain.metrics.base import METRICS, Metric, Trial
from explain.models.base import TextModel
from explain.models.perturbed import PerturbedEmbeddings


@METRICS.register("max_sensitivity")
@dataclass(frozen=True, kw_only=True)
class MaxSensitivity(Metric):
    """The largest move of the scores, relative to their size."""

    name: ClassVar[str] = "max_sensitivity"
    title: ClassVar[str] = "Max-sensitivity"
    meaning: ClassVar[str] = "How far the scores move, relative to their size, when embeddings move a little."
    limits: ClassVar[str] = "Moves are tried at random, so the true maximum is larger. Steady scores may be wrong."
    higher_is_better: ClassVar[bool] = False

    radius: float = setting(
        0.05, low=1e-4, high=1.0, help="How far each coordinate may move, as a share of their root mean square."
    )
    tries: int = setting(10, low=2, high=200, help="The number of random moves.")
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the moves.")

    def cost(self, words: int, orders: int) -> int:
        return 0

    def reruns(self, model: TextModel, tokens: Tokens, method: Method) -> int:
        return self.tries * (method.cost(tokens) + 1) if "gradients" in method.requires else 0

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        method: Method = make(METHODS[attribution.method], attribution.params)
        if "gradients" not in method.requires:
            raise MetricError(f"{method.title} does not use word embeddings, which this metric moves.")
        model, tokens, target = trial.model, trial.tokens, trial.target
        points = model.word_embeddings(tokens)
        free = points.new_zeros(len(tokens), 1)
        free[torch.from_numpy(model.removable(tokens, target))] = self.radius
        reach = free * points.square().mean().sqrt()
        draw = torch.Generator().manual_seed(self.seed)
        outputs: list[float] = []

        def move(inputs: Tensor) -> Tensor:
            share = torch.rand(inputs.shape, generator=draw, device=draw.device).to(inputs.device)
            return inputs + (2 * share - 1) * reach

        # captum passes a tuple once, for the text itself, and compares wrongly unless a tuple comes back.
        def scores(inputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
            rows = []
            for moved in inputs[0] if isinstance(inputs, tuple) else inputs:
                with torch.enable_grad():  # captum switches gradients off
                    perturbed = PerturbedEmbeddings(model, tokens, moved - points)
                    attribution = method.attribute(perturbed, tokens, target, trial.meter)
                outputs.append(attribution.output)
                rows.append(torch.from_numpy(np.array(attribution.scores)))
            return (torch.stack(rows),)

        sensitivity = sensitivity_max(
            scores, points[None], move, n_perturb_samples=self.tries, max_examples_per_batch=1
        )
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.empty(0),
            outputs=np.empty(0),
            value=float(sensitivity[0]),
            higher_is_better=False,
            details={"output_moves": float(np.abs(np.array(outputs) - attribution.output).max())},
        )

"""Integrated gradients: the gradient, averaged on the straight path from an empty text to this one.

    score_t = sum_d (x_td - b_td) * integral over a in [0, 1] of dF/dx_td at b + a (x - b)     [unit of F]

x are the word embeddings, b those of the empty text. Positions, segments and mask stay as they are on the whole path,
and special tokens are the same at both ends, so their scores are exactly zero. The scores sum to F(x) - F(b), up to the
completeness gap. Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365, equation 1.

By default the integral takes 32 Gauss-Legendre points, and 65 where a word's estimated error or the completeness gap is
too large (`explain.numerics.gauss`). Each score has that error, the half-width of a 95 % interval. It is the error of
the integral alone: what another empty text would change is not in it. With the rule "nested" the integral is refined on
nested Clenshaw-Curtis points, 33, 65, 129 ..., until the gap is small and two successive levels agree, as in version 1.
A fixed number of steps uses Gauss-Legendre points, as captum can. Neither estimates an error for each score.

If two texts are compared, each is emptied in turn while the other stays whole. The scores of each sum to F(x) minus F
with that text empty. Two empty texts are more alike than most texts, so on a path from there every word would speak
against the likeness (docs/decisions/0017-one-text-at-a-time.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Target, Tokens
from explain.methods.base import METHODS, Item, PathMethod, Stopwatch
from explain.models.base import BASELINES, TextModel
from explain.models.straight_path import StraightPath
from explain.numerics.gauss import integrated, most_nodes
from explain.numerics.quadrature import PathIntegral, about_all


@METHODS.register("integrated_gradients")
@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(PathMethod):
    """The gradient of the target, averaged on the path from an empty text, times the distance."""

    name: ClassVar[str] = "integrated_gradients"
    title: ClassVar[str] = "Integrated gradients"
    meaning: ClassVar[str] = (
        "How much each word adds to the target between an empty text and this one. Scores sum to the difference."
    )
    limits: ClassVar[str] = (
        "Another empty text (baseline) gives other scores. Points on the path are not texts anyone would write."
    )

    version: ClassVar[int] = 2

    rule: str = setting(
        "gauss",
        choices=("gauss", "nested"),
        help="gauss: 32 points, 65 where that is not enough, and an error for each word. nested: 33, 65, 129 ... "
        "points, until the sum is right and two levels agree.",
    )
    word_tolerance: float = setting(
        0.01,
        low=1e-5,
        high=0.1,
        help="The largest error allowed in a word's score, as a share of the largest score, for the rule gauss.",
    )
    max_points: int = setting(
        65, choices=(33, 65, 129, 257, 513), help="Stop refining at this many points, and report it."
    )
    baseline: str = setting(
        "auto",
        choices=("auto", *BASELINES),
        help="What the empty text is made of: mask tokens (auto, if there are any), padding, the unknown token, "
        "or zero embeddings.",
    )

    def cost(self, tokens: Tokens) -> int:
        return self.most_passes(tokens)

    def passes_of_a_path(self) -> int:
        if self._by_gauss:
            return 2 * most_nodes(self.max_points) + 2
        return super().passes_of_a_path()

    def integral(self, path: StraightPath) -> PathIntegral:
        if self._by_gauss:
            return integrated(path.gradients, path.ends(), self.word_tolerance, self.max_points)
        return super().integral(path)

    @property
    def _by_gauss(self) -> bool:
        return self.steps is None and self.rule == "gauss"

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        watch = Stopwatch(meter)
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        integrals = self.integrals(model, (tokens, target), kind, watch.meter)
        starts = [integral.start for integral in integrals]
        errors = [integral.error for integral in integrals if integral.error is not None]
        return self._result(
            (tokens, target),
            [(token,) for token in range(len(tokens))],
            np.sum([integral.parts for integral in integrals], axis=0),
            error=np.sum(errors, axis=0) if errors else None,  # each is zero outside the text that was emptied
            output=integrals[0].end,
            baseline_output=starts[0],
            emptied_outputs=starts if len(starts) > 1 else (),
            watch=watch,
            diagnostics={"baseline": kind, **about_all(integrals)},
        )

"""Integrated gradients: the gradient, averaged on the straight path from an empty text to this one.

    score_t = sum_d (x_td - b_td) * integral over a in [0, 1] of dF/dx_td at b + a (x - b)     [unit of F]

x are the word embeddings, b those of the empty text; positions, segments and mask stay as they are on the whole path,
and special tokens are the same at both ends, so their scores are exactly zero. The scores add up to F(x) - F(b); the
completeness gap says how nearly. Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365, equation 1.

By default the integral is refined on nested Clenshaw-Curtis points, 33, 65, 129 ..., until the gap is small and two
successive levels agree; a fixed number of steps is Gauss-Legendre, which captum has too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from explain.datatypes import Attribution, FloatArray, Tokens
from explain.knobs import knob
from explain.meter import Meter
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.numerics.quadrature import clenshaw_curtis, gauss_legendre, new_nodes

FIRST_LEVEL = 33  # below that a small gap is too often luck
SMALLEST_TOLERANCE = 1e-3  # in the unit of F
CHANGE_ALLOWED = 0.02  # of the largest score, between a level and the one with half its points


@METHODS.register("integrated_gradients")
@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(Method):
    """The gradient of the target, averaged on the path from an empty text, times the way gone."""

    name: ClassVar[str] = "integrated_gradients"
    title: ClassVar[str] = "Integrated gradients"
    meaning: ClassVar[str] = (
        "How much each word adds to the target on the way from an empty text to this one; scores add up."
    )
    limits: ClassVar[str] = (
        "Another empty text (baseline) gives other scores; points on the path are no texts anyone would write."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"gradients"})

    baseline: str = knob(
        "auto",
        choices=("auto", "mask", "pad", "zero"),
        help="What the empty text is made of: mask tokens (auto, where there are any), padding, or zero embeddings.",
    )
    steps: int | None = knob(
        None, low=2, high=1000, help="A fixed number of Gauss-Legendre points; empty: as many as the accuracy asks for."
    )
    tolerance: float = knob(
        0.001, low=1e-5, high=0.1, help="Largest gap allowed, as a part of the difference the scores add up to."
    )
    max_points: int = knob(
        129, choices=(33, 65, 129, 257, 513), help="Give up refining at this many points, and say so."
    )

    def cost(self, tokens: Tokens) -> int:
        return 2 * (self.max_points if self.steps is None else self.steps + 2)

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, item, meter) for item in items)

    def _attribute(self, model: TextModel, item: Item, meter: Meter | None) -> Attribution:
        tokens, target = item
        watch = Stopwatch(meter)
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        path = _Path(model, item, model.baseline(tokens, target, kind), watch.meter)
        scores, found = self._refined(path) if self.steps is None else self._fixed(path, self.steps)
        return self._result(
            item,
            [(place,) for place in range(len(tokens))],
            scores.numpy(),
            output=path.end,
            baseline_output=path.start,
            watch=watch,
            diagnostics={"baseline": kind, **found},
        )

    def _refined(self, path: "_Path") -> tuple[Tensor, dict[str, Any]]:
        points = FIRST_LEVEL
        values, products = path.gradients(clenshaw_curtis(points)[0])  # (K, T)
        path.start, path.end = values[0], values[-1]
        allowed = self._allowed(path)
        while True:
            scores = _weighted(clenshaw_curtis(points)[1], products)
            coarser = _weighted(clenshaw_curtis(points // 2 + 1)[1], products[::2])
            change = float((scores - coarser).abs().max())
            gap = abs(path.end - path.start - float(scores.sum()))
            agreed = change <= CHANGE_ALLOWED * float(scores.abs().max()) + SMALLEST_TOLERANCE
            converged = gap <= allowed and agreed
            if converged or points >= self.max_points:
                return scores, {
                    "rule": "clenshaw_curtis",
                    "points": points,
                    "converged": converged,
                    "tolerance": allowed,
                    "change_from_half_the_points": change,
                }
            points = 2 * points - 1
            finer = products.new_empty(points, products.shape[1])
            finer[::2] = products
            finer[1::2] = path.gradients(new_nodes(points))[1]
            products = finer

    def _fixed(self, path: "_Path", steps: int) -> tuple[Tensor, dict[str, Any]]:
        nodes, weights = gauss_legendre(steps)
        path.read_ends()
        scores = _weighted(weights, path.gradients(nodes)[1])
        gap = abs(path.end - path.start - float(scores.sum()))
        allowed = self._allowed(path)
        return scores, {"rule": "gauss_legendre", "points": steps, "converged": gap <= allowed, "tolerance": allowed}

    def _allowed(self, path: "_Path") -> float:
        return max(SMALLEST_TOLERANCE, self.tolerance * abs(path.end - path.start))


class _Path:
    """The straight path from an empty text to this one, and the model run along it."""

    def __init__(self, model: TextModel, item: Item, empty: Tensor, meter: Meter) -> None:
        self._model, self._item, self._meter = model, item, meter
        self._empty = empty  # (T, D)
        self._way = model.word_embeddings(item[0]) - empty
        self.start = self.end = float("nan")

    def gradients(self, nodes: FloatArray) -> tuple[list[float], Tensor]:
        """F and sum_d (x - b)_td dF/dx_td at each node: K numbers, and (K, T) in double precision."""
        values: list[float] = []
        products = []
        for part in np.array_split(nodes, self._model.chunks(len(nodes), len(self._item[0]))):
            value, gradient = self._model.gradients(*self._item, self._points(part), self._meter)
            values += value.tolist()
            products.append((gradient.double() * self._way.double()).sum(dim=-1))
        return values, torch.cat(products)

    def read_ends(self) -> None:
        ends = self._model.values(*self._item, self._points(np.array([0.0, 1.0])), self._meter)
        self.start, self.end = ends.tolist()

    def _points(self, nodes: FloatArray) -> Tensor:
        return self._empty + torch.tensor(nodes, dtype=torch.float32)[:, None, None] * self._way  # (K, T, D)


def _weighted(weights: FloatArray, products: Tensor) -> Tensor:
    return torch.tensor(weights) @ products

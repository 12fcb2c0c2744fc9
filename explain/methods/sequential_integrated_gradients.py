"""Sequential integrated gradients: each word alone moves from a mask to itself, and the other words stay.

    score_t = sum_d (x_td - b_td) * integral over a in [0, 1] of dF/dx_td at b^w + a (x - b^w)     [unit of F]

x are the word embeddings; b^w is the text with the pieces of one word w at the baseline, and t is a piece of w. All
pieces of a word move together, and the word's score is their sum. Enguehard (2023), https://arxiv.org/abs/2305.15853,
section 3; there scores are divided by their norm, here they are not.

Since only w moves, its pieces' scores sum to F(x) - F(b^w). For whole words this is occlusion with the same baseline,
computed from gradients at many times the cost. It adds how a word's effect is shared among its pieces (granularity
"token"). F is known at both ends of every path, so the error of each word's score is known too. Points are nested
Clenshaw-Curtis, 9, 17, 33 ..., and only words whose gap is too large get more. `largest_gap` is the largest left. The
text itself, the end of every path, is run once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, BoolArray, FloatArray, Target, Tokens
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import BASELINES, TextModel
from explain.models.straight_path import StraightPath
from explain.numerics.quadrature import allowed_gap, clenshaw_curtis, new_nodes
from explain.text.units import units_of

FIRST_LEVEL = 9


@METHODS.register("sequential_integrated_gradients")
@dataclass(frozen=True, kw_only=True)
class SequentialIntegratedGradients(Method):
    """Integrated gradients for one word at a time."""

    name: ClassVar[str] = "sequential_integrated_gradients"
    title: ClassVar[str] = "Sequential integrated gradients"
    meaning: ClassVar[str] = (
        "How far the target falls when this word alone fades into a mask, and which of its pieces cause it."
    )
    limits: ClassVar[str] = (
        "For whole words it gives the scores of occlusion with the same baseline, at many times the cost. One "
        "word at a time: of two words that say the same, neither seems to matter. Scores have no meaningful "
        "sum."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset({"gradients"})

    baseline: str = setting(
        "auto",
        choices=("auto", *BASELINES),
        help="Where a word starts: the mask token (auto, if there is one), padding, the unknown token, or zero.",
    )
    granularity: str = setting("word", choices=("word", "token"), help="Scores of whole words, or of their pieces.")
    tolerance: float = setting(
        0.01,
        low=1e-5,
        high=0.1,
        help="The largest gap allowed in a word's score, as a share of the largest word's score.",
    )
    max_points: int = setting(
        33, choices=(9, 17, 33, 65, 129), help="Stop refining a word at this many points, and report it."
    )

    def cost(self, tokens: Tokens) -> int:
        return 2 * (len(tokens.words) * (self.max_points - 1) + 1)

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        model.require(self.requires)
        watch = Stopwatch(meter)
        words = model.removable_units(tokens, target, units_of(tokens, "word"))
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        path = StraightPath(model, tokens, target, model.baseline(tokens, target, kind), watch.meter)
        moving = np.zeros((len(words), len(tokens)), dtype=bool)
        for row, word in zip(moving, words):
            row[list(word)] = True
        integrals = _integrated(path, moving, self.tolerance, self.max_points)
        by_word = self.granularity == "word"
        pieces = [part[list(word)] for part, word in zip(integrals.parts, words)]
        return self._result(
            (tokens, target),
            words if by_word else [(token,) for word in words for token in word],
            integrals.parts.sum(axis=1) if by_word else np.concatenate([np.empty(0), *pieces]),
            granularity=self.granularity,
            output=integrals.output,
            watch=watch,
            diagnostics={
                "baseline": kind,
                "points": integrals.points,
                "largest_gap": integrals.largest_gap,
                "tolerance": integrals.tolerance,
                "converged": integrals.largest_gap <= integrals.tolerance,
            },
        )


@dataclass(frozen=True, eq=False)
class _Integrals:
    parts: FloatArray  # (W, T), zero outside each word
    output: float
    largest_gap: float
    tolerance: float
    points: int  # of the word that took most


def _integrated(path: StraightPath, moving: BoolArray, tolerance: float, most: int) -> _Integrals:
    """Integrate for all words, adding points until every word has enough.

    Args:
        moving (W, T): the tokens of each word.
    """
    words, count = moving.shape
    points = FIRST_LEVEL
    nodes = clenshaw_curtis(points)[0]
    everything = np.ones((1, count), dtype=bool)
    values, slopes = path.gradients(
        np.append(np.tile(nodes[:-1], words), 1.0),
        np.vstack([np.repeat(moving, points - 1, axis=0), everything]),
    )
    output, at_text = float(values[-1]), slopes[-1:]  # every path ends there
    effects = output - values[: -1 : points - 1]  # F(x) - F(b^w)
    allowed = allowed_gap(tolerance, float(np.abs(effects).max(initial=0.0)))
    known = {word: np.vstack([own, at_text]) for word, own in enumerate(slopes[:-1].reshape(words, points - 1, count))}
    parts, gaps = np.zeros((words, count)), np.zeros(words)
    while True:
        for word, own in known.items():
            parts[word] = moving[word] * (clenshaw_curtis(points)[1] @ own)
            gaps[word] = abs(effects[word] - parts[word].sum())
        known = {word: own for word, own in known.items() if gaps[word] > allowed}
        if not known or points >= most:
            return _Integrals(parts, output, float(gaps.max(initial=0.0)), allowed, points)
        points = 2 * points - 1
        between = new_nodes(points)
        _, slopes = path.gradients(np.tile(between, len(known)), np.repeat(moving[list(known)], len(between), axis=0))
        for word, fresh in zip(list(known), slopes.reshape(len(known), len(between), count)):
            finer = np.empty((points, count))
            finer[::2], finer[1::2] = known[word], fresh
            known[word] = finer

"""Shapley values: the effect of adding each word to the words before it, averaged over all orders of joining.

    score_u = mean over orders of  F(words before u, and u) - F(words before u)     [unit of F]

Shapley (1953), "A value for n-person games". If the budget allows every set of words, the average is exact. Otherwise
orders are drawn (Castro, Gomez and Tejada 2009, https://doi.org/10.1016/j.cor.2008.04.004), each with its reverse
(Mitchell et al. 2022, https://arxiv.org/abs/2104.12199). Scores sum to F(text) - F(none) exactly. Each has a 95 %
interval, t * sd / sqrt(pairs) over pairs of orders, with Student's t, which is 1.96 for many.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.datatypes import FloatArray
from explain.methods.base import METHODS
from explain.methods.permutations import PermutationMethod
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import every_coalition, shapley_values
from explain.text.units import Tree


@METHODS.register("shapley_values")
@dataclass(frozen=True, kw_only=True)
class ShapleyValues(PermutationMethod):
    """Averages of each word's effect over all orders of joining."""

    name: ClassVar[str] = "shapley_values"
    title: ClassVar[str] = "Shapley values"
    meaning: ClassVar[str] = (
        "What this word adds to the target on average, over all orders in which the words could join. Scores "
        "sum to the effect of all words together."
    )
    limits: ClassVar[str] = (
        "Most texts it averages over are ones nobody would write. Words that act only together share the "
        "effect, and the score does not show it. If orders are drawn at random, scores are only as precise as "
        "their intervals."
    )

    def tree(self, game: CoalitionGame) -> Tree:
        return tuple(range(len(game)))

    def exactly(self, game: CoalitionGame) -> FloatArray | None:
        return shapley_values(game.worth(every_coalition(len(game)))) if self.enumerable(game) else None

"""Shapley values: what each word adds to those that joined before it, averaged over all orders of joining.

    score_u = mean over orders of  F(words before u, and u) - F(words before u)     [unit of F]

Shapley (1953), "A value for n-person games". Where the budget allows every set of words, the average is
exact. Else orders are drawn (Castro, Gomez and Tejada 2009, https://doi.org/10.1016/j.cor.2008.04.004), each with its
reverse (Mitchell et al. 2022, https://arxiv.org/abs/2104.12199). Scores sum to F(text) - F(none) exactly;
each has a 95 % interval, t * sd / sqrt(pairs) over pairs of orders, with Student's t, which is 1.96 for many.
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
    """What each word adds, averaged over orders of joining."""

    name: ClassVar[str] = "shapley_values"
    title: ClassVar[str] = "Shapley values"
    meaning: ClassVar[str] = (
        "What this word adds to the target on average, over all orders in which the text's words could join; scores "
        "add up."
    )
    limits: ClassVar[str] = (
        "Most of the texts it averages over are ones nobody would write. Words that act only together share the "
        "effect, and the score does not say that they do. Where orders are drawn, trust a score no further than its "
        "interval."
    )

    def tree(self, game: CoalitionGame) -> Tree:
        return tuple(range(len(game)))

    def exactly(self, game: CoalitionGame) -> FloatArray | None:
        return shapley_values(game.worth(every_coalition(len(game)))) if self.enumerable(game) else None

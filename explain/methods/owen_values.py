"""Owen values: Shapley values for a text with parts, where words join phrase by phrase and sentence by sentence.

    score_u = mean over orders that keep sentences and phrases whole of
              F(words before u, and u) - F(words before u)     [unit of F]

A phrase is the text between two punctuation marks. Like sentences, phrases are known before the model runs. Owen
(1977), "Values of games with a priori unions", https://doi.org/10.1007/978-3-642-45494-3_7; for several levels Winter
(1989), https://doi.org/10.1007/BF01268145. A sentence's scores sum to its share in a game of whole sentences, and a
phrase's to its share in a game of whole phrases. They are exact if the budget allows every set of words that such
orders pass. Otherwise orders are drawn, each with its reverse, with intervals as for Shapley values.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.datatypes import FloatArray
from explain.methods.base import METHODS
from explain.methods.permutations import PermutationMethod
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import owen_coalitions, owen_values
from explain.text.units import Tree, hierarchy


@METHODS.register("owen_values")
@dataclass(frozen=True, kw_only=True)
class OwenValues(PermutationMethod):
    """Averages of each word's effect over orders that keep phrases and sentences whole."""

    name: ClassVar[str] = "owen_values"
    title: ClassVar[str] = "Owen values"
    meaning: ClassVar[str] = (
        "What this word adds to the target on average, when words join phrase by phrase and sentence by "
        "sentence. Scores sum to those of phrases and sentences."
    )
    limits: ClassVar[str] = (
        "Other groups give other scores, and these are cut at punctuation, not by grammar. In a text of one "
        "phrase they are Shapley values. If orders are drawn at random, scores are only as precise as their "
        "intervals."
    )

    def tree(self, game: CoalitionGame) -> Tree:
        return hierarchy(game.item[0], game.players)

    def exactly(self, game: CoalitionGame) -> FloatArray | None:
        tree = self.tree(game)
        exact = self.enumerable(game) or owen_coalitions(tree) <= self.budget
        return owen_values(tree, game.worth) if exact else None

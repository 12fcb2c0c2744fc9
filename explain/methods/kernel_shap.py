"""KernelSHAP: Shapley values as the additive model that fits the removal of any set of words best.

    scores = argmin over s with sum(s) = F(text) - F(none) of
             sum over sets z of words  k(|z|) [F(z) - F(none) - sum of s_u, u in z]^2     [unit of F]
    k(n) = (U - 1) / (C(U, n) n (U - n))

Lundberg and Lee (2017), https://arxiv.org/abs/1705.07874, theorem 2. If the budget allows every set of words, these are
the Shapley values exactly. Otherwise small and large sets are all run, and the rest is drawn by the kernel, each set
with its complement. The sum holds exactly: Covert and Lee (2021), https://arxiv.org/abs/2012.01536. The intervals are
those of weighted least squares with random equations (White 1980, HC3).
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.methods.base import METHODS
from explain.methods.coalitions import CoalitionMethod, Publish, Shares
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import kernel_shares, kernel_values


@METHODS.register("kernel_shap")
@dataclass(frozen=True, kw_only=True)
class KernelShap(CoalitionMethod):
    """Shapley values by weighted least squares."""

    name: ClassVar[str] = "kernel_shap"
    title: ClassVar[str] = "KernelSHAP"
    meaning: ClassVar[str] = (
        "Each word's share of the target: what it adds on average, whichever other words are present. Scores "
        "sum to the effect of all words together."
    )
    limits: ClassVar[str] = (
        "Most sets of words are texts nobody would write. Words that act only together share the effect, and "
        "the score does not show it. If sets are drawn at random, scores are only as precise as their "
        "intervals."
    )
    complete: ClassVar[bool] = True

    def shares(self, game: CoalitionGame, publish: Publish) -> Shares:
        self.check_budget(game, 6 * len(game) + 2)  # three pairs of coalitions for each part
        pairs = self.pairs(game, kernel_shares(len(game)))
        worth = game.worth_of_pairs(pairs.coalitions)
        scores, error = kernel_values(pairs, worth - game.empty, game.full - game.empty)
        return Shares(scores, error, {"exact": not pairs.drawn, "evaluations": game.passes})

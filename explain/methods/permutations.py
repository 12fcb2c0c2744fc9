"""Averages, over random orders, of each word's effect when it joins the words before it.

Each order is run together with its reverse: a word that came early comes late, and much of the chance cancels
(antithetic pairs: Mitchell, Cooper, Frank and Holmes 2022, https://arxiv.org/abs/2104.12199). The effects within one
order telescope, so scores sum to F(text) - F(none) exactly, even for few orders.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.settings import setting
from explain.datatypes import FloatArray, IntArray
from explain.methods.coalitions import CoalitionMethod, Publish, Shares
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import nested_order, prefixes
from explain.numerics.statistics import mean_and_half_width
from explain.text.units import Tree

ROUND = 128  # passes at least before scores are shown again: a full chunk, of short texts
FEWEST = 8  # pairs of orders before intervals are believed


@dataclass(frozen=True, kw_only=True)
class PermutationMethod(CoalitionMethod):
    """Averages over random orders, until intervals are narrow or the budget is spent. All orders, if these are few."""

    complete: ClassVar[bool] = True

    precision: float = setting(
        0.05,
        low=0.0,
        high=1.0,
        help="Stop when every interval's half-width is at most this share of the largest score.",
    )

    @abstractmethod
    def tree(self, game: CoalitionGame) -> Tree:
        """Return the tree whose orders are drawn: each group stays together."""

    @abstractmethod
    def exactly(self, game: CoalitionGame) -> FloatArray | None:
        """Return the average over all orders (U,), or None where the budget is not enough."""

    def shares(self, game: CoalitionGame, publish: Publish) -> Shares:
        exact = self.exactly(game)
        if exact is not None:
            return Shares(exact, np.zeros(len(game)), {"exact": True, "evaluations": game.passes})
        pair = 2 * (len(game) - 1)  # most passes of an order and its reverse, without the empty and full coalition
        self.check_budget(game, pair + 2)
        generator, tree = np.random.default_rng(self.seed), self.tree(game)
        game.worth(np.array([[True], [False]]).repeat(len(game), axis=1))  # counted before the rest
        samples = np.empty((0, len(game)))
        while True:
            # An order may cost no new pass, since each coalition runs once; so their number is bounded as well.
            count = min(-(-ROUND // pair), (self.budget - game.passes) // pair, self.budget - len(samples))
            if count <= 0:
                break
            orders = np.array([nested_order(tree, generator) for _ in range(count)])
            samples = np.concatenate([samples, _added(game, orders)])
            shares = self._averages(samples, game)
            if shares.diagnostics["converged"]:
                break
            publish(shares)
        return shares

    def _averages(self, samples: FloatArray, game: CoalitionGame) -> Shares:
        scores, error = mean_and_half_width(samples)
        narrow = error is not None and error.max() <= self.precision * np.abs(scores).max()
        facts = {"exact": False, "evaluations": game.passes, "pairs": len(samples)}
        return Shares(scores, error, facts | {"converged": bool(narrow and len(samples) >= FEWEST)})


def _added(game: CoalitionGame, orders: IntArray) -> FloatArray:
    """Return each player's effect in each order (N, U), averaged with its effect in the reverse."""
    both = np.stack([orders, orders[:, ::-1]], axis=1)  # (N, 2, U)
    ways = np.stack([prefixes(order) for order in both.reshape(-1, len(game))])  # (2 N, U + 1, U)
    worth = game.worth(ways.reshape(-1, len(game))).reshape(*both.shape[:2], -1)
    added = np.empty(both.shape)
    np.put_along_axis(added, both, np.diff(worth), axis=-1)
    return added.mean(axis=1)

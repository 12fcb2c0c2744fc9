"""LIME: a linear model of the target around this text, fitted to texts with random words removed.

    scores, intercept = argmin of  sum over draws z of  pi(z) [F(z) - intercept - sum of s_u, u in z]^2 + ridge |s|^2
    pi(z) = exp(-D(z)^2 / (2 width^2)),    D(z) = 1 - sqrt(|z| / U), the cosine distance of z from the text
                                                                                              [unit of F]

Ribeiro, Singh and Guestrin (2016), https://arxiv.org/abs/1602.04938, equations 1 and 2. Draws, kernel, width 0.25 and
ridge 1 are those of the authors' program: the text itself, then random sets of a random number of words removed. Unlike
there every word is kept in the model (no choice of features), and words are replaced by the model's own mask token, not
by a word that is cut into pieces.

A score's interval is that of weighted least squares with random equations (White 1980, HC3): how far another seed could
move it. R^2 is that of the fit, weighted by pi: how nearly F is linear here.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.settings import setting
from explain.methods.base import METHODS
from explain.methods.coalitions import CoalitionMethod, Publish, Shares
from explain.models.coalition_game import CoalitionGame
from explain.numerics.least_squares import local_fit


@METHODS.register("lime")
@dataclass(frozen=True, kw_only=True)
class Lime(CoalitionMethod):
    """A linear model of the target around this text."""

    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    meaning: ClassVar[str] = (
        "The word's weight in a linear model of the target, fitted to texts with random words removed."
    )
    limits: ClassVar[str] = (
        "It is only as right as that linear model, and R² says how right that is. The width of the "
        "neighborhood, the ridge and the random draw decide part of the score. The ridge pulls scores toward "
        "zero, most in short texts."
    )
    complete: ClassVar[bool] = False

    width: float = setting(
        0.25,
        low=0.01,
        high=10.0,
        help="The width of the neighborhood, in cosine distance. A wider one gives texts with many removed words"
        " more weight.",
    )
    ridge: float = setting(1.0, low=0.0, high=100.0, help="How strongly scores are pulled toward zero.")

    def shares(self, game: CoalitionGame, publish: Publish) -> Shares:
        drawn = self.draws(len(game))
        distance = 1 - np.sqrt(drawn.mean(axis=1))
        fit = local_fit(drawn, game.worth(drawn), np.exp(-(distance**2) / (2 * self.width**2)), self.ridge)
        facts = {"intercept": fit.intercept, "r_squared": fit.r_squared, "evaluations": game.passes}
        return Shares(fit.scores, fit.error, facts)

    def draws(self, count: int) -> np.ndarray:
        """Draw the text itself, then random ones (budget, U): True where a word is left."""
        generator = np.random.default_rng(self.seed)
        gone = generator.integers(1, count + 1, size=self.budget - 1)
        places = generator.random((self.budget - 1, count)).argsort(axis=1)
        return np.concatenate([np.ones((1, count), dtype=bool), places >= gone[:, None]])

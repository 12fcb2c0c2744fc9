"""What LIME and Shapley's family share: how a text is made a game, and how much of it is played."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from explain.core.deprecated import old_name
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, FloatArray, Tokens
from explain.methods.base import Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import Pairs, paired_coalitions
from explain.text.removal import OPERATORS
from explain.text.units import Units, few_units, units_of

PASSES_EACH = 8  # by default, parts are so few that each has so many passes


@dataclass(frozen=True, kw_only=True)
class CoalitionSettings:
    """How a text is made a game, and how much of it is played."""

    granularity: str = setting(
        "auto",
        choices=("auto", "token", "word", "phrase", "sentence"),
        help="The parts: words (auto), or phrases and sentences if the budget gives each word fewer than eight passes.",
    )
    operator: str = setting(
        "auto",
        choices=("auto", *OPERATORS),
        help="How words are removed: replaced by the mask token (auto, if there is one), deleted, hidden from "
        "attention ...",
    )
    budget: int = setting(
        500, low=16, high=100_000, help="The number of passes at most. More passes make intervals narrower."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of random draws. The same seed draws the same.")

    def units(self, tokens: Tokens) -> tuple[str, Units]:
        """The parts of a text, and what they are."""
        if self.granularity == "auto":
            return few_units(tokens, max(self.enough_for(), self.budget.bit_length() - 1))
        return self.granularity, units_of(tokens, self.granularity)

    def enough_for(self) -> int:
        """How many parts the budget is enough for, if not every set of them can be run."""
        return self.budget // PASSES_EACH

    def most_passes(self, tokens: Tokens) -> int:
        """The budget, or every coalition where these are fewer."""
        return min(self.budget, 2 ** len(self.units(tokens)[1]))

    def game(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[str, CoalitionGame]:
        """The game of a text, and what its parts are."""
        granularity, units = self.units(item[0])
        parts = model.removable_units(*item, units)
        return granularity, CoalitionGame(model, item, parts, model.operator(self.operator), meter)

    def enumerable(self, game: CoalitionGame) -> bool:
        """Whether the budget is enough for every coalition."""
        return 2 ** len(game) <= self.budget

    def check_budget(self, game: CoalitionGame, least: int) -> None:
        """Refuse a budget that is too small for the parts chosen (those chosen by "auto" are few enough).

        Raises:
            SettingError: not every coalition can be run, and the budget is less than `least`.
        """
        if self.budget < least and not self.enumerable(game):
            raise SettingError(
                f"The text has {len(game)} parts of granularity {self.granularity!r}, which takes at least {least:,} "
                f"passes; the budget is {self.budget:,}. Raise it, or choose larger parts (granularity 'auto')."
            )

    def pairs(self, game: CoalitionGame, shares: FloatArray) -> Pairs:
        """Coalitions with their complements, by the shares of sizes; as many as the budget allows."""
        # Two passes each; none and all take the two that are left.
        return paired_coalitions(shares, self.budget // 2 - 1, np.random.default_rng(self.seed))


@dataclass(frozen=True, eq=False)
class Shares:
    """What a method found: scores (U,), half-widths of 95 % intervals (U,) or None, and what there is to say."""

    scores: FloatArray
    error: FloatArray | None = None
    diagnostics: dict[str, Any] = field(default_factory=dict)


Publish = Callable[[Shares], None]


@dataclass(frozen=True, kw_only=True)
class CoalitionMethod(CoalitionSettings, Method):
    """A method that shares F out among the parts of a text, by what sets of them are worth."""

    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = False  # the pieces of a word, each a player of its own, share otherwise than words do
    reference: ClassVar[str] = "the text without these parts"

    def cost(self, tokens: Tokens) -> int:
        return self.most_passes(tokens)

    @abstractmethod
    def shares(self, game: CoalitionGame, publish: Publish) -> Shares:
        """Share F out among the players of a game, of whom there is at least one.

        Args:
            publish: takes what was found so far, to be shown while the rest is computed.
        """

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute_one(model, item, meter) for item in items)  # each fills its chunks alone

    def _attribute_one(self, model: TextModel, item: Item, meter: Meter | None) -> Attribution:
        watch = Stopwatch(meter)
        granularity, game = self.game(model, item, watch.meter)

        def attribution(found: Shares) -> Attribution:
            facts = {"tolerance": _rounding(game), "converged": True, "reference": self.reference}
            return self._result(
                item,
                game.players,
                found.scores,
                error=found.error,
                granularity=granularity,
                output=game.full,
                baseline_output=game.empty if self.complete else None,
                watch=watch,
                diagnostics=(facts if self.complete else {}) | {"operator": game.operator} | found.diagnostics,
            )

        def publish(found: Shares) -> None:
            partial = Shares(found.scores, found.error, found.diagnostics | {"partial": True})
            watch.meter.publish(self, attribution(partial))

        return attribution(self.shares(game, publish) if game.players else Shares(np.empty(0)))


def _rounding(game: CoalitionGame) -> float:
    """What is left of the gap by rounding alone."""
    return 1e-9 * max(1.0, abs(game.full), abs(game.empty))


__getattr__ = partial(old_name, __name__)

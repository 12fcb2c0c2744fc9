"""What LIME and Shapley's family share: how a text is made a game, and how much of it is played."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from explain.core.deprecated import old_name
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, FloatArray, Tokens
from explain.methods.base import EMPTIED, Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import Pairs, paired_coalitions
from explain.text.removal import OPERATORS, emptied_together
from explain.text.units import Units, few_units, units_of

LEAST_BUDGET = 16
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
        500, low=LEAST_BUDGET, high=100_000, help="The number of passes at most. More passes make intervals narrower."
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

    emptied: str = EMPTIED

    def cost(self, tokens: Tokens) -> int:
        return sum(min(method.budget, 2 ** len(units)) for method, units in self.rounds(tokens))

    def rounds(self, tokens: Tokens) -> "list[tuple[CoalitionMethod, Units]]":
        """The games that are played, each with the method and its share of the budget: one, or one for each text."""
        units = self.units(tokens)[1]
        sets = [set(together) for together in emptied_together(tokens, self.emptied)]
        if len(sets) == 1:
            return [(self, units)]
        by_text = [tuple(unit for unit in units if unit[0] in together) for together in sets]
        return [
            (replace(self, budget=max(LEAST_BUDGET, self.budget * len(mine) // len(units))), mine) for mine in by_text
        ]

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
        granularity = self.units(item[0])[0]
        operator = model.operator(self.operator)
        rounds = [
            (method, CoalitionGame(model, item, model.removable_units(*item, units), operator, watch.meter))
            for method, units in self.rounds(item[0])
        ]
        games = [game for _, game in rounds]
        shared: list[Shares] = []

        def attribution(found: Sequence[Shares]) -> Attribution:
            """What was found until now: of texts emptied in turn, of the first perhaps alone."""
            reference = {"tolerance": max(map(_rounding, games)), "converged": True, "reference": self.reference}
            whole = self.complete and len(found) == len(games)
            errors = [one.error for one in found if one.error is not None]
            return self._result(
                item,
                [player for game in games[: len(found)] for player in game.players],
                np.concatenate([one.scores for one in found]),
                error=np.concatenate(errors) if errors else None,
                granularity=granularity,
                output=games[0].full,
                baseline_output=games[0].empty if whole else None,
                emptied_outputs=[game.empty for game in games] if whole and len(games) > 1 else (),
                watch=watch,
                diagnostics=(reference if self.complete else {})
                | {"operator": operator}
                | merged([one.diagnostics for one in found if len(one.scores)]),
            )

        for method, game in rounds:

            def publish(found: Shares) -> None:
                partial = Shares(found.scores, found.error, found.diagnostics | {"partial": True})
                watch.meter.publish(self, attribution([*shared, partial]))

            shared.append(method.shares(game, publish) if game.players else Shares(np.empty(0)))
        return attribution(shared)


def merged(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what several rounds found about themselves as one: passes in all, of every other figure the worst."""
    together: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in facts for name in one):
        figures = [one[name] for one in facts if name in one]
        if name == "intercept" and len(figures) > 1:  # one for each text; no sum or mean of them says anything
            together["intercepts"] = figures
        elif name == "partial":
            together[name] = True
        else:
            together[name] = sum(figures) if name == "evaluations" else min(figures)
    return together


def _rounding(game: CoalitionGame) -> float:
    """What is left of the gap by rounding alone."""
    return 1e-9 * max(1.0, abs(game.full), abs(game.empty))


__getattr__ = partial(old_name, __name__)

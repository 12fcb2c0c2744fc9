"""Settings and base class of LIME and the Shapley methods: the game of a text, and the budget of passes."""

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
from explain.datatypes import Attribution, FloatArray, Target, Tokens
from explain.methods.base import EMPTIED, Item, Method, Stopwatch
from explain.models.base import TextModel
from explain.models.coalition_game import CoalitionGame
from explain.numerics.coalitions import Pairs, paired_coalitions
from explain.text.removal import OPERATORS, emptied_together
from explain.text.units import Units, few_units, units_of

LEAST_BUDGET = 16
PASSES_EACH = 8  # by default, parts are large enough that each has so many passes


@dataclass(frozen=True, kw_only=True)
class CoalitionSettings:
    """The settings of the game of a text: its parts, their removal, and the budget of passes."""

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
        """Return the granularity and the parts of a text."""
        if self.granularity == "auto":
            return few_units(tokens, max(self.enough_for(), self.budget.bit_length() - 1))
        return self.granularity, units_of(tokens, self.granularity)

    def enough_for(self) -> int:
        """Return the number of parts that the budget is enough for, if not every set of them can be run."""
        return self.budget // PASSES_EACH

    def most_passes(self, tokens: Tokens) -> int:
        """Return the budget, or the number of coalitions where these are fewer."""
        return min(self.budget, 2 ** len(self.units(tokens)[1]))

    def game(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[str, CoalitionGame]:
        """Return the granularity and the game of a text."""
        granularity, units = self.units(item[0])
        parts = model.removable_units(*item, units)
        return granularity, CoalitionGame(model, item, parts, model.operator(self.operator), meter)

    def enumerable(self, game: CoalitionGame) -> bool:
        """Return whether the budget is enough for every coalition."""
        return 2 ** len(game) <= self.budget

    def check_budget(self, game: CoalitionGame, least: int) -> None:
        """Refuse a budget that is too small for the parts ("auto" picks parts that are few enough).

        Raises:
            SettingError: not every coalition can be run, and the budget is less than `least`.
        """
        if self.budget < least and not self.enumerable(game):
            raise SettingError(
                f"The text has {len(game)} parts of granularity {self.granularity!r}, which takes at least {least:,} "
                f"passes; the budget is {self.budget:,}. Raise it, or choose larger parts (granularity 'auto')."
            )

    def pairs(self, game: CoalitionGame, shares: FloatArray) -> Pairs:
        """Return coalitions with their complements, by the shares of sizes; as many as the budget allows."""
        # Two passes each; the empty and the full coalition take the other two.
        return paired_coalitions(shares, self.budget // 2 - 1, np.random.default_rng(self.seed))


@dataclass(frozen=True, eq=False)
class Shares:
    """Scores (U,), half-widths of 95 % intervals (U,) or None, and diagnostics."""

    scores: FloatArray
    error: FloatArray | None = None
    diagnostics: dict[str, Any] = field(default_factory=dict)


Publish = Callable[[Shares], None]


@dataclass(frozen=True, kw_only=True)
class CoalitionMethod(CoalitionSettings, Method):
    """A method that divides F among the parts of a text, by the worth of sets of parts."""

    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = False  # pieces as players of their own get other shares than words
    reference: ClassVar[str] = "the text without these parts"

    emptied: str = EMPTIED

    def cost(self, tokens: Tokens) -> int:
        return sum(min(method.budget, 2 ** len(units)) for method, units in self.rounds(tokens))

    def rounds(self, tokens: Tokens) -> "list[tuple[CoalitionMethod, Units]]":
        """Return the games, each with the method and its share of the budget: one, or one for each text."""
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
        """Divide F among the players of a game, at least one.

        Args:
            publish: takes intermediate shares, shown while the rest is computed.
        """

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        # A text fills its chunks alone, so texts are not batched together.
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        watch = Stopwatch(meter)
        item = tokens, target
        granularity = self.units(tokens)[0]
        operator = model.operator(self.operator)
        rounds = [
            (method, CoalitionGame(model, item, model.removable_units(*item, units), operator, watch.meter))
            for method, units in self.rounds(tokens)
        ]
        games = [game for _, game in rounds]
        finished: list[Shares] = []

        def attribution(by_game: Sequence[Shares]) -> Attribution:
            """Return the attribution so far: with texts emptied in turn, perhaps of the first text alone."""
            reference = {"tolerance": max(map(_rounding, games)), "converged": True, "reference": self.reference}
            whole = self.complete and len(by_game) == len(games)
            errors = [shares.error for shares in by_game if shares.error is not None]
            return self._result(
                item,
                [player for game in games[: len(by_game)] for player in game.players],
                np.concatenate([shares.scores for shares in by_game]),
                error=np.concatenate(errors) if errors else None,
                granularity=granularity,
                output=games[0].full,
                baseline_output=games[0].empty if whole else None,
                emptied_outputs=[game.empty for game in games] if whole and len(games) > 1 else (),
                watch=watch,
                diagnostics=(reference if self.complete else {})
                | {"operator": operator}
                | merged([shares.diagnostics for shares in by_game if len(shares.scores)]),
            )

        for method, game in rounds:

            def publish(shares: Shares) -> None:
                partial = Shares(shares.scores, shares.error, shares.diagnostics | {"partial": True})
                watch.meter.publish(self, attribution([*finished, partial]))

            finished.append(method.shares(game, publish) if game.players else Shares(np.empty(0)))
        return attribution(finished)


def merged(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge the diagnostics of several games: the sum of passes, and the worst of every other figure."""
    together: dict[str, Any] = {}
    for name in dict.fromkeys(name for of_game in facts for name in of_game):
        figures = [of_game[name] for of_game in facts if name in of_game]
        if name == "intercept" and len(figures) > 1:  # one for each text; their sum or mean means nothing
            together["intercepts"] = figures
        elif name == "partial":
            together[name] = True
        else:
            together[name] = sum(figures) if name == "evaluations" else min(figures)
    return together


def _rounding(game: CoalitionGame) -> float:
    """Return the gap that rounding alone may cause."""
    return 1e-9 * max(1.0, abs(game.full), abs(game.empty))


__getattr__ = partial(old_name, __name__)

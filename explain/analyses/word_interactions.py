"""Word interactions: the effect that two words have together beyond their effects alone.

The Shapley interaction index (Grabisch and Roubens 1999, https://doi.org/10.1007/s001820050125).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import PairInteractions
from explain.methods.base import Stopwatch
from explain.methods.coalitions import CoalitionSettings
from explain.models.base import TextModel
from explain.numerics.coalitions import interaction_shares, pair_interactions


@ANALYSES.register("word_interactions")
@dataclass(frozen=True, kw_only=True)
class WordInteractions(CoalitionSettings, TextAnalysis[PairInteractions]):
    """The Shapley interaction index of every two words.

    Exact if the budget allows every set of words; otherwise sets are drawn with their complements, and each value has
    an interval. A text with too many words for the budget is split into phrases, or sentences.
    """

    name: ClassVar[str] = "word_interactions"
    title: ClassVar[str] = "What acts together"
    meaning: ClassVar[str] = "How far two words move the target together beyond what they move it alone."
    limits: ClassVar[str] = "Of two words that say the same, each replaces the other: their interaction is negative."
    returns: ClassVar[type] = PairInteractions

    budget: int = setting(
        1000, low=16, high=100_000, help="The number of passes at most. More passes make intervals narrower."
    )

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return self.most_passes(subject.tokens)

    def enough_for(self) -> int:
        return max(count for count in range(1, self.budget) if _passes_for_pairs(count) <= self.budget)

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> PairInteractions:
        """Compute the interactions.

        Raises:
            SettingError: the granularity has more parts than the budget is enough for.
        """
        watch = Stopwatch(meter)
        granularity, game = self.game(model, (subject.tokens, subject.target), watch.meter)
        self.check_budget(game, _passes_for_pairs(len(game)))
        full, empty = game.full, game.empty
        pairs = self.pairs(game, interaction_shares(len(game)))
        both = game.worth_of_pairs(pairs.coalitions).sum(axis=1) - full - empty
        values, error = pair_interactions(pairs, both)
        return PairInteractions(
            tokens=subject.tokens,
            target=subject.target,
            units=game.players,
            pairs=np.argwhere(np.triu(np.ones((len(game), len(game))), 1)),
            values=values,
            error=error,
            granularity=granularity,
            output=full,
            baseline_output=empty,
            passes=watch.meter.spent,
            diagnostics={"operator": game.operator, "exact": not pairs.drawn},
        )


def _passes_for_pairs(count: int) -> int:
    """Return the fewest passes for which intervals are right: five coalitions for every two parts."""
    return 5 * count * (count - 1) // 2 + 2

"""Pairs: joint effect of two words beyond their separate effects, largest first."""

from typing import Any

from explain.datatypes import PairInteractions
from explain.text.removal import OPERATORS
from explain.views.base import UNITS, VIEWS, View, sentence, target_name, visible

MOST = 12


class PairBars(View):
    """A bar for each pair, with its interval."""

    name = "pair_bars"
    title = "What acts together"
    accepts = PairInteractions

    def data(self, interactions: PairInteractions, /, *, group: str = "", **options: Any) -> dict[str, Any]:
        names = [visible(name) for name in interactions.names]
        unit = UNITS[interactions.target.scale]
        strongest = interactions.strongest(MOST).tolist()
        shown = [
            {
                "texts": [names[place] for place in interactions.pairs[number].tolist()],
                "tokens": [
                    token for place in interactions.pairs[number].tolist() for token in interactions.units[place]
                ],
                "value": float(interactions.values[number]),
                "error": float(interactions.error[number]),
            }
            for number in strongest
        ]
        left = len(interactions.values) - len(shown)
        parts = {"token": "pieces"}.get(interactions.granularity, f"{interactions.granularity}s")
        gone = OPERATORS[interactions.diagnostics["operator"]].split(";")[0]
        return {
            "group": group,
            "unit": unit,
            "largest": max(
                (abs(interactions.values[pair]) + interactions.error[pair] for pair in strongest), default=0.0
            )
            or 1.0,
            "pairs": shown,
            "note": sentence(
                f"What two {parts} do to {target_name(interactions.target)} together, beyond what each does alone "
                f"({unit}): Shapley interaction index, averaged over what else is there. What is not there is "
                f"{gone}.",
                "Positive: the output is higher with both than their own effects add up to; negative: lower, as where "
                "either of two that speak for it is enough, or where one turns the other.",
                "" if interactions.diagnostics["exact"] else "Line: 95 % interval, as sets of words were drawn.",
                f"Of {len(interactions.values)} pairs the {len(shown)} strongest." if left else "",
            ),
            "caption": f"What acts together, {unit}, target: {target_name(interactions.target)}",
        }


VIEWS.register("pair_bars")(PairBars())

"""Pairs: what two words do together beyond what each does alone, the largest first."""

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

    def data(self, result: PairInteractions, *, group: str = "", **options: Any) -> dict[str, Any]:
        names = [visible(name) for name in result.names]
        unit = UNITS[result.target.scale]
        strongest = result.strongest(MOST).tolist()
        shown = [
            {
                "texts": [names[one] for one in result.pairs[number].tolist()],
                "tokens": [token for one in result.pairs[number].tolist() for token in result.units[one]],
                "value": float(result.values[number]),
                "error": float(result.error[number]),
            }
            for number in strongest
        ]
        left = len(result.values) - len(shown)
        parts = {"token": "pieces"}.get(result.granularity, f"{result.granularity}s")
        gone = OPERATORS[result.diagnostics["operator"]].split(";")[0]
        return {
            "group": group,
            "unit": unit,
            "largest": max((abs(result.values[one]) + result.error[one] for one in strongest), default=0.0) or 1.0,
            "pairs": shown,
            "note": sentence(
                f"What two {parts} do to {target_name(result.target)} together, beyond what each does alone ({unit}): "
                "Shapley interaction index, averaged over what else is there. What is not there is "
                f"{gone}.",
                "Positive: the output is higher with both than their own effects add up to; negative: lower, as where "
                "either of two that speak for it is enough, or where one turns the other.",
                "" if result.diagnostics["exact"] else "Line: 95 % interval, as sets of words were drawn.",
                f"Of {len(result.values)} pairs the {len(shown)} strongest." if left else "",
            ),
            "caption": f"What acts together, {unit}, target: {target_name(result.target)}",
        }


VIEWS.register("pair_bars")(PairBars())

"""Cut effects: the weight of an attention path beside the effect of cutting it."""

from collections.abc import Sequence
from typing import Any

from explain.datatypes import CutEffects
from explain.views.base import UNITS, VIEWS, View, target_name, visible


class CutEffectsBars(View):
    """A bar for each thing that was cut."""

    name = "cut_effects"
    title = "What cutting does"
    accepts = CutEffects

    def data(
        self, effects: CutEffects, /, *, names: Sequence[str] = (), claims: Sequence[str] = (), **options: Any
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            names (K): of the cuts, in words; claims (K): the attention weight of each, in words.
        """
        falls = (effects.output - effects.values).tolist()
        unit = UNITS[effects.target.scale]
        return {
            "rows": [
                {
                    "name": visible(names[number]) if names else f"cut {number + 1}",
                    "claim": claims[number] if claims else "",
                    "effect": round(fall, 5),
                    "flips": bool(effects.flips[number]),
                }
                for number, fall in enumerate(falls)
            ],
            "largest": max((abs(fall) for fall in falls), default=0.0),
            "claims": "attention:",
            "what": "effect",
            "stem": "cut_effects",
            "unit": unit,
            "note": (
                f"Each bar: how far {target_name(effects.target)} ({unit}, now {effects.output:+.3f}) falls when those "
                "attention weights are set to zero and the others left as they are. The residual stream still carries "
                "the token itself."
            ),
            "caption": f"Effect of cutting attention, {unit}, target: {target_name(effects.target)}",
        }


VIEWS.register("cut_effects")(CutEffectsBars())

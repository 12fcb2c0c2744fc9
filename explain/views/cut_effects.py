"""Cut effects: what attention claimed of a path, beside what cutting it does."""

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
        self, result: CutEffects, *, names: Sequence[str] = (), claims: Sequence[str] = (), **options: Any
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            names (K): what was cut, in words; claims (K): what attention said of it.
        """
        effects = (result.output - result.values).tolist()
        unit = UNITS[result.target.scale]
        return {
            "rows": [
                {
                    "name": visible(names[number]) if names else f"cut {number + 1}",
                    "claim": claims[number] if claims else "",
                    "effect": round(effect, 5),
                    "flips": bool(result.flips[number]),
                }
                for number, effect in enumerate(effects)
            ],
            "largest": max((abs(effect) for effect in effects), default=0.0),
            "claims": "attention:",
            "what": "effect",
            "stem": "cut_effects",
            "unit": unit,
            "note": (
                f"Each bar: how far {target_name(result.target)} ({unit}, now {result.output:+.3f}) falls when those "
                "attention weights are set to zero and the others left as they are. The residual stream still carries "
                "the token itself."
            ),
            "caption": f"Effect of cutting attention, {unit}, target: {target_name(result.target)}",
        }


VIEWS.register("cut_effects")(CutEffectsBars())

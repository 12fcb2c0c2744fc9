"""Head effects: how removing each head changes the target, as tinted cells, layers down, heads across."""

from typing import Any

import numpy as np

from explain.datatypes import HeadEffects
from explain.views.base import UNITS, VIEWS, View, target_name


class HeadEffectsGrid(View):
    """Layers x heads, each cell the effect of removing that head."""

    name = "head_effects"
    title = "What each head does"
    accepts = HeadEffects

    def data(
        self,
        effects: HeadEffects,
        /,
        *,
        selected: tuple[int, int] | None = None,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            selected: layer and head that are marked; sends: report clicks to the page.
        """
        flips = int(effects.flips.sum())
        target, unit = target_name(effects.target), UNITS[effects.target.scale]
        return {
            "sends": sends,
            "effects": np.round(effects.effects, 5).tolist(),
            "flips": effects.flips.tolist(),
            "largest": float(np.abs(effects.effects).max(initial=0.0)),
            "signed": True,
            "scale": effects.target.scale,
            "unit": unit,
            "target": target,
            "chosen": list(selected) if selected else None,
            "note": (
                f"Each cell: how far {target} ({unit}, now {effects.output:+.3f}) falls when that head's attention is "
                "set to zero, all else left as it is. Heads that do the same job can stand in for each other: each "
                "alone may seem to matter little. "
                + (f"{flips} heads, ringed, change the decision." if flips > 1 else "")
                + ("One head, ringed, changes the decision." if flips == 1 else "")
                + ("No single head changes the decision." if flips == 0 else "")
            ),
            "caption": f"Effect of removing each head, {unit}, target: {target}",
        }


def correlation_text(correlation: float | None) -> str:
    """Return a rank correlation as text; "undefined" where there is none."""
    return "undefined" if correlation is None else f"{correlation:+.2f}".replace("-", "\u2212")


def ranking(effects: HeadEffects) -> list[dict[str, Any]]:
    """Return a row for each head, largest effect first: its effect and rank, each figure and its rank (1 = most)."""
    sizes = np.abs(effects.effects).ravel()
    order = np.argsort(-sizes, kind="stable")
    ranks = {
        name: np.argsort(np.argsort(-values.ravel(), kind="stable"), kind="stable") + 1
        for name, values in effects.figures.items()
    }
    heads = effects.effects.shape[1]
    rows = []
    for rank, place in enumerate(order.tolist(), 1):
        row: dict[str, Any] = {
            "head": f"{place // heads}·{place % heads}",
            "effect": float(effects.effects.ravel()[place]),
            "rank by effect": rank,
            "changes the decision": bool(effects.flips.ravel()[place]),
        }
        for name, values in effects.figures.items():
            row[name.replace("_", " ")] = float(values.ravel()[place])
            row[f"rank by {name.replace('_', ' ')}"] = int(ranks[name][place])
        rows.append(row)
    return rows


VIEWS.register("head_effects")(HeadEffectsGrid())

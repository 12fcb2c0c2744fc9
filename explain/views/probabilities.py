"""What the model decided: each label with its probability and log-odds."""

import math
from typing import Any

from explain.datatypes import Prediction
from explain.views.base import VIEWS, View, confidence, visible

SHOWN = 12  # labels; the rest are counted


class Probabilities(View):
    """A bar for each label."""

    name = "probabilities"
    title = "Prediction"
    accepts = Prediction

    def data(self, result: Prediction, **options: Any) -> dict[str, Any]:
        output = result.output
        rows: list[dict[str, Any]] = []
        for number, label in enumerate(output.labels):
            probability = None if output.probabilities is None else float(output.probabilities[0, number])
            rows.append(
                {
                    "label": visible(label),
                    "probability": probability,
                    "logit": float(output.logits[0, number]),
                    "log_odds": _log_odds(output.logits[0].tolist(), number, output.exclusive)
                    if probability is not None
                    else None,
                    "decided": label == result.label,
                }
            )
        if len(rows) > 2:
            rows.sort(key=lambda row: -(row["probability"] if row["probability"] is not None else row["logit"]))
        rest = len(rows) - SHOWN
        return {
            "decided": None if result.label is None else visible(result.label),
            "sure": confidence(result),
            "rows": rows[:SHOWN],
            "note": _note(result) + (f" {rest} more labels are not shown." if rest > 0 else ""),
        }


def _log_odds(logits: list[float], index: int, exclusive: bool) -> float:
    if not exclusive:
        return logits[index]
    others = [logit for number, logit in enumerate(logits) if number != index]
    top = max(others)
    return logits[index] - top - math.log(sum(math.exp(other - top) for other in others))


def _note(result: Prediction) -> str:
    if result.output.probabilities is None:
        return "The model predicts a number, not a label."
    if not result.output.exclusive:
        return "Each label is decided by itself: probabilities need not add up to 100%."
    if result.temperature is None:
        return "Probabilities as the model gives them; how often they are right was not measured."
    return (
        "Bars: probabilities as the model gives them. "
        f"The confidence above is calibrated (temperature {result.temperature:.2f})."
    )


VIEWS.register("probabilities")(Probabilities())

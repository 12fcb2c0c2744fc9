"""What the model decided: each label with its probability and log-odds."""

import math
from typing import Any

from explain.datatypes import Output, Prediction
from explain.views.base import VIEWS, View, confidence, read_at, sentence, visible

SHOWN = 12  # labels; the rest are counted


class Probabilities(View):
    """A bar for each label."""

    name = "probabilities"
    title = "Prediction"
    accepts = Prediction

    def data(self, result: Prediction, *, positions: tuple[int, ...] = (), **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            positions: the target's, where the model is read at several tokens; by default the first.
        """
        result = read_at(result, positions)
        output = result.output
        rows: list[dict[str, Any]] = []
        for number, label in enumerate(output.labels):
            probability = None if output.probabilities is None else float(output.probabilities[0, number])
            rows.append(
                {
                    "label": visible(label),
                    "probability": probability,
                    "logit": float(output.logits[0, number]),
                    "log_odds": _log_odds(output, number),
                    "decided": label == result.label,
                }
            )
        if len(rows) > 2:
            rows.sort(key=lambda row: -(row["probability"] if row["probability"] is not None else row["logit"]))
        return {
            "decided": None if result.label is None else visible(result.label),
            "sure": confidence(result),
            "rows": rows[:SHOWN],
            "note": sentence(_note(result), _rest(output, len(rows[:SHOWN]))),
        }


def _log_odds(output: Output, index: int) -> float | None:
    if output.probabilities is None:
        return None
    logits = output.logits[0].tolist()
    if not output.exclusive:
        return logits[index]
    if output.listed_of is not None:  # the others' logits are not all here
        log_probability = math.log(output.probabilities[0, 0]) + logits[index] - logits[0]
        return log_probability - math.log1p(-min(math.exp(log_probability), 1 - 1e-15))
    others = [logit for number, logit in enumerate(logits) if number != index]
    top = max(others)
    return logits[index] - top - math.log(sum(math.exp(other - top) for other in others))


def _rest(output: Output, shown: int) -> str:
    """What is said of the columns that are not shown."""
    if output.listed_of is not None:
        return (
            f"These are the {shown} likeliest of {output.listed_of:,} words and pieces of words, of all of which the "
            "probabilities are; ## joins on to what stands before."
        )
    rest = len(output.labels) - shown
    return f"{rest} more labels are not shown." if rest else ""


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

"""The prediction: each label with its probability and log-odds."""

import math
from typing import Any

import numpy as np

from explain.datatypes import Output, Prediction, Target
from explain.views.base import VIEWS, View, percent, read_at, visible
from explain.views.confidence import headline, shown_probabilities

SHOWN = 12


class Probabilities(View):
    """A bar for each label."""

    name = "probabilities"
    title = "Prediction"
    accepts = Prediction
    rank = 2
    placed = True

    def data(
        self,
        prediction: Prediction,
        /,
        *,
        target: Target | None = None,
        most: int = SHOWN,
        headed: bool = True,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            target: for a vocabulary, its mask is shown, and its words even where they are unlikely.
            most: labels shown; the rest are counted.
            headed: whether the decision stands above the bars.
        """
        if target is not None:
            prediction = read_at(prediction, target.positions)
        output = prediction.output
        shares = shown_probabilities(output, prediction.temperature)
        rows: list[dict[str, Any]] = []
        for number, label in enumerate(output.labels):
            probability = None if shares is None else float(shares[0, number])
            rows.append(
                {
                    "label": visible(label),
                    "probability": probability,
                    "raw": _raw(prediction, number),
                    "logit": float(output.logits[0, number]),
                    "log_odds": None if probability is None else _log_odds(output, number),
                    "decided": label == prediction.label or label in prediction.labels,
                }
            )
        if len(rows) > 2:
            rows.sort(key=lambda row: -(row["probability"] if row["probability"] is not None else row["logit"]))
        shown = rows[:most]
        decided = headline(prediction) if headed else None
        return {
            "headline": None if decided is None else [decided.before, decided.label, decided.after],
            "rows": shown + _unlikely(output, target, {row["label"] for row in shown}),
            "note": _of_word(prediction) + _note(prediction) + _rest(prediction, len(shown)),
        }


def _raw(prediction: Prediction, number: int) -> str | None:
    """Return the model's uncalibrated probability of a label, where a calibrated one is shown."""
    output = prediction.output
    if prediction.temperature is None or output.probabilities is None or output.listed_of is not None:
        return None
    return percent(float(output.probabilities[0, number]))


def _log_odds(output: Output, index: int) -> float:
    logits = output.logits[0].tolist()
    if not output.exclusive:
        return logits[index]
    if output.probabilities is not None and output.listed_of is not None:  # the others' logits are not all here
        log_probability = math.log(output.probabilities[0, 0]) + logits[index] - logits[0]
        return log_probability - math.log1p(-min(math.exp(log_probability), 1 - 1e-15))
    others = [logit for number, logit in enumerate(logits) if number != index]
    top = max(others)
    return logits[index] - top - math.log(sum(math.exp(other - top) for other in others))


def _unlikely(output: Output, target: Target | None, shown: set[str]) -> list[dict[str, Any]]:
    """Return rows of the target's words that are not among those shown; none where only the likeliest are known."""
    if target is None or output.every_logit is None:
        return []
    rows = []
    for word, index in ((target.label, target.index), (target.against, target.against_index)):
        if word is None or index is None or visible(word) in shown:
            continue
        logits = output.every_logit[0].astype(np.float64)
        log_odds = float(logits[index] - np.logaddexp.reduce(np.delete(logits, index)))
        probability = float(np.exp(-np.logaddexp(0.0, -log_odds)))
        rows.append(
            {
                "label": visible(word),
                "probability": probability,
                "raw": None,
                "logit": float(logits[index]),
                "log_odds": log_odds,
                "decided": False,
            }
        )
    return rows


def _of_word(prediction: Prediction) -> str:
    """Return which word the labels belong to, where each word has its own."""
    if not prediction.output.positions or prediction.output.listed_of is not None:
        return ""
    unit = prediction.tokens.word_around(prediction.output.positions[0])
    return f"Labels of the word \u201c{visible(prediction.tokens.unit_text(unit))}\u201d. "


def _note(prediction: Prediction) -> str:
    if prediction.task == "sentence_similarity":
        return "The cosine of the texts' vectors: 1 where they point the same way, near 0 where they share nothing."
    if prediction.output.probabilities is None:
        return "The model predicts a number, not a label."
    alone = "Each label is decided by itself, from a probability of its own on: they need not add up to 100%. "
    alone = "" if prediction.output.exclusive else alone
    if prediction.temperature is None:
        measured = "" if alone else "; how often they are right was not measured"
        return f"{alone}Probabilities as the model gives them{measured}."
    raw = percent(float(prediction.output.probabilities[0].max()))
    return (
        f"{alone}Calibrated on texts held out (temperature {prediction.temperature:.2f}); the model itself gives "
        f"{raw}. Log-odds are the model's own."
    )


def _rest(prediction: Prediction, shown: int) -> str:
    """Return a note on the labels that are not shown."""
    output = prediction.output
    if output.listed_of is not None and prediction.spans:
        stretches = f"the {shown} likeliest of {output.listed_of:,} stretches are shown"
        return f" Each is that of its start times that of its end; {stretches}."
    if output.listed_of is not None:
        return (
            f" They are shares of all {output.listed_of:,} words and pieces of words; the {shown} likeliest are shown. "
            "A piece with ## joins on to what stands before it."
        )
    rest = len(output.labels) - shown
    return f" {rest} more labels are not shown." if rest > 0 else ""


VIEWS.register("probabilities")(Probabilities())

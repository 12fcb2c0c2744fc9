"""What the model decided: each label with its probability and log-odds."""

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

    def data(
        self,
        result: Prediction,
        *,
        target: Target | None = None,
        most: int = SHOWN,
        headed: bool = True,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            target: what is asked, of a vocabulary: its mask is shown, and its words even where they are unlikely.
            most: labels shown; the rest are counted.
            headed: whether what is decided stands above the bars.
        """
        if target is not None:
            result = read_at(result, target.positions)
        output = result.output
        shares = shown_probabilities(output, result.temperature)
        rows: list[dict[str, Any]] = []
        for number, label in enumerate(output.labels):
            probability = None if shares is None else float(shares[0, number])
            rows.append(
                {
                    "label": visible(label),
                    "probability": probability,
                    "raw": _raw(result, number),
                    "logit": float(output.logits[0, number]),
                    "log_odds": None if probability is None else _log_odds(output, number),
                    "decided": label == result.label or label in result.labels,
                }
            )
        if len(rows) > 2:
            rows.sort(key=lambda row: -(row["probability"] if row["probability"] is not None else row["logit"]))
        shown = rows[:most]
        decided = headline(result) if headed else None
        return {
            "headline": None if decided is None else [decided.before, decided.label, decided.after],
            "rows": shown + _unlikely(output, target, {row["label"] for row in shown}),
            "note": _of_word(result) + _note(result) + _rest(result, len(shown)),
        }


def _raw(result: Prediction, number: int) -> str | None:
    """The model's own probability of a label, where another one is shown."""
    output = result.output
    if result.temperature is None or output.probabilities is None or output.listed_of is not None:
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
    """Rows of the words that are asked about and not among those shown; none where only the likeliest are known."""
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


def _of_word(result: Prediction) -> str:
    """Whose labels these are, where each word has its own."""
    if not result.output.positions or result.output.listed_of is not None:
        return ""
    unit = result.tokens.word_around(result.output.positions[0])
    return f"Labels of the word \u201c{visible(result.tokens.unit_text(unit))}\u201d. "


def _note(result: Prediction) -> str:
    if result.task == "sentence_similarity":
        return "The cosine of the texts' vectors: 1 where they point the same way, near 0 where they share nothing."
    if result.output.probabilities is None:
        return "The model predicts a number, not a label."
    alone = "Each label is decided by itself, from a probability of its own on: they need not add up to 100%. "
    alone = "" if result.output.exclusive else alone
    if result.temperature is None:
        measured = "" if alone else "; how often they are right was not measured"
        return f"{alone}Probabilities as the model gives them{measured}."
    raw = percent(float(result.output.probabilities[0].max()))
    return (
        f"{alone}Calibrated on texts held out (temperature {result.temperature:.2f}); the model itself gives {raw}. "
        "Log-odds are the model's own."
    )


def _rest(result: Prediction, shown: int) -> str:
    """What is said of the columns that are not shown."""
    output = result.output
    if output.listed_of is not None and result.spans:
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

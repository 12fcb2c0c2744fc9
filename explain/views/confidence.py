"""One confidence, wherever a prediction is shown: calibrated where the model carries a temperature, else as it is.

    exclusive labels    softmax(z / T)          labels decided each alone    sigmoid(z / T)

Records, CSV files and Python keep what the model gives, and T. Guo et al. (2017), https://arxiv.org/abs/1706.04599.
"""

from dataclasses import dataclass, replace

import numpy as np

from explain.datatypes import Attribution, FloatArray, Output, Prediction, Target
from explain.views.base import UNITS, percent, visible

SURE = 90  # percent; from here on a model is called sure
LEANS = 60  # percent; below it a model leans
NEAR = 10  # percentage points; a label no farther behind is near

LOG_ODDS_DIAGNOSTICS = {"mean_output", "disagreement", "intercept", "intercepts"}  # those that are in the target's unit


def calibrated(probabilities: FloatArray, temperature: float | None, *, exclusive: bool) -> FloatArray:
    """Apply a temperature to probabilities (..., C), all of a head's columns; without one they stay as they are.

    The softmax of logits / T is that of log-probabilities / T, since these differ by one number in each row.
    """
    if temperature is None:
        return probabilities
    with np.errstate(divide="ignore"):  # a probability of 0 or 1 stays one
        if exclusive:
            return _softmax(np.log(probabilities) / temperature)
        return _sigmoid((np.log(probabilities) - np.log1p(-probabilities)) / temperature)


def shown_probabilities(output: Output, temperature: float | None) -> FloatArray | None:
    """Return the probabilities (P, C) that are shown; None where the model gives a value.

    Of a vocabulary only the likeliest columns are known, which is not enough to apply a temperature.
    """
    if output.probabilities is None or output.listed_of is not None or temperature is None:
        return output.probabilities
    if output.exclusive:
        return _softmax(output.logits / temperature)
    return _sigmoid(output.logits / temperature)


def divisor(prediction: Prediction | None, target: Target) -> float | None:
    """Return the temperature that a target's log-odds, and scores that sum to them, are divided by for display.

    Of two exclusive labels, and of a label decided alone, calibrated log-odds are the raw ones / T. Of more labels they
    are not, as the other labels' probabilities move among themselves: None, as without a temperature.
    """
    if prediction is None or prediction.temperature is None or target.scale != "log_odds":
        return None
    output = prediction.output
    if output.listed_of is not None or (output.exclusive and len(output.labels) != 2):
        return None
    return prediction.temperature


def as_percents(prediction: Prediction | None, target: Target) -> bool:
    """Return whether log-odds of a target may be written as percents, too.

    Not where the model has a temperature that log-odds can't be divided by: then a percent made from them would be
    another one than the calibrated confidence above it.
    """
    if target.scale != "log_odds":
        return False
    return prediction is None or prediction.temperature is None or divisor(prediction, target) is not None


def shown_divisor(prediction: Prediction, attribution: Attribution) -> float | None:
    """Return the temperature that an attribution's scores are divided by where they are shown; None: they are not."""
    return divisor(prediction, attribution.target) if attribution.scale == "log_odds" else None


def calibrated_scores(prediction: Prediction | None, attribution: Attribution) -> Attribution:
    """Return an attribution with each number that is shown divided by the temperature, where that is exact."""
    temperature = None if prediction is None else shown_divisor(prediction, attribution)
    if temperature is None:
        return attribution
    start, error, diagnostics = attribution.baseline_output, attribution.error, dict(attribution.diagnostics)
    for name in LOG_ODDS_DIAGNOSTICS & diagnostics.keys():
        number = diagnostics[name]
        diagnostics[name] = (
            [each / temperature for each in number] if isinstance(number, list) else number / temperature
        )
    return replace(
        attribution,
        scores=attribution.scores / temperature,
        error=None if error is None else error / temperature,
        output=attribution.output / temperature,
        baseline_output=None if start is None else start / temperature,
        emptied_outputs=tuple(empty / temperature for empty in attribution.emptied_outputs),
        diagnostics=diagnostics,
    )


def calibrated_unit(scored: Attribution | Target, temperature: float | None) -> str:
    """Return the unit of shown scores in words, with the temperature that they are divided by.

    >>> from explain.datatypes import Target
    >>> calibrated_unit(Target("text_classification", "positive", 1, scale="log_odds"), 1.59)
    'calibrated log-odds (÷ 1.59)'
    """
    unit = UNITS[scored.scale]
    return unit if temperature is None else f"calibrated {unit} (÷ {temperature:.2f})"


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _sigmoid(logits: FloatArray) -> FloatArray:
    shares: FloatArray = np.exp(-np.logaddexp(0.0, -logits))
    return shares


def verb_of(probability: float, next_probability: float | None = None) -> str:
    """Return "sure", "leans" or "says", by the whole percents that a reader sees.

    "leans" below 60 %, or where the next label is at most 10 percentage points behind; "sure" from 90 % on.

    >>> verb_of(0.9), verb_of(0.894), verb_of(0.6), verb_of(0.594), verb_of(0.8, 0.7), verb_of(0.8, 0.69)
    ('sure', 'says', 'says', 'leans', 'leans', 'says')
    """
    shown = round(100 * probability)
    if shown < LEANS or (next_probability is not None and shown - round(100 * next_probability) <= NEAR):
        return "leans"
    return "sure" if shown >= SURE else "says"


@dataclass(frozen=True)
class Headline:
    """A prediction in a few words.

    Attributes:
        before: "leans", "says" or nothing; label; after: the probability: "94% sure", "76%", or nothing.
        basis: whether that is calibrated, and what the model itself gives; empty where there is no probability.
    """

    before: str
    label: str
    after: str
    basis: str

    def text(self, place: str = "") -> str:
        """Return one line; `place` says which of several words, or masks, it is of."""
        return f"{self.before} {self.label}{place}".strip() + (f", {self.after}" if self.after else "")

    def sentence(self) -> str:
        """Return the line with its basis, where nothing beside it says that."""
        return self.text() + (f" ({self.basis})" if self.basis else "")


def headline(prediction: Prediction) -> Headline | None:
    """Return the decision and how sure the model is of it; None where the model gives a value."""
    output = prediction.output
    shares = shown_probabilities(output, prediction.temperature)
    if prediction.label is None or prediction.confidence is None:
        if output.exclusive or output.probabilities is None:
            return None
        share_of = dict(zip(output.labels, () if shares is None else shares[0].tolist()))
        likeliest_first = sorted(prediction.labels, key=lambda label: -share_of[label])
        return Headline("", ", ".join(map(visible, likeliest_first)) or "none of its labels", "", "")
    others = sorted(() if shares is None else shares[0].tolist(), reverse=True)[1:]
    verb = verb_of(prediction.confidence, others[0] if others else None)
    number = percent(prediction.confidence)
    before, after = ("", f"{number} sure") if verb == "sure" else (verb, number)
    return Headline(before, visible(prediction.label), after, basis(prediction))


def basis(prediction: Prediction) -> str:
    """Return whether the shown probabilities are calibrated, and what the model itself gives, as text."""
    output = prediction.output
    if output.probabilities is None:
        return ""
    if prediction.temperature is None:
        return "as the model gives it"
    raw = percent(float(output.probabilities[0].max()))
    return f"calibrated, temperature {prediction.temperature:.2f}; the model itself gives {raw}"

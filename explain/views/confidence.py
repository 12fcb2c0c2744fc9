"""One confidence, wherever a prediction is shown: calibrated where the model carries a temperature, else as it is.

    exclusive labels    softmax(z / T)          labels decided each alone    sigmoid(z / T)

Records, CSV files and Python keep what the model gives, and T. Guo et al. (2017), https://arxiv.org/abs/1706.04599.
"""

from dataclasses import dataclass

import numpy as np

from explain.datatypes import FloatArray, Output, Prediction
from explain.views.base import percent, visible

SURE = 90  # percent; from here on a model is called sure
LEANS = 60  # percent; below it a model leans
NEAR = 10  # percentage points; a label no farther behind is near


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

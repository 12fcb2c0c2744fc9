"""Labels that nobody trained for: an entailment model is asked whether the text entails "This text is about ...".

log-odds of a label    F = z_entailment - z_contradiction,    the text and the label's sentence read together

as Yin et al. 2019 (https://arxiv.org/abs/1909.00161), each label judged by itself: what transformers' pipeline serves
with `multi_label=True`. Of a model with two labels, the opposite of entailment is the other one ("not_entailment").
Labels are parted by commas, or stand on lines of their own, where a comma is part of a label. A label that ends with a
full stop, question mark or exclamation mark is a sentence already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explain.core.errors import TargetError, TextError
from explain.core.lazy import lazy_module
from explain.core.registry import unknown
from explain.datatypes import Output, Prediction, Target, Tokens
from explain.tasks.base import TASKS, Head, Raw, Task
from explain.text.words import is_visible

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy_module("torch")

SENTENCE = "This text is about {}."
MOST_LABELS = 20
_SCALES = ("log_odds", "probability", "log_probability", "logit")


class ZeroShotClassification(Task):
    """Labels that are named when a text is read; each is judged by an entailment model."""

    name = "zero_shot_classification"
    hub_name = "zero-shot-classification"
    title = "Labels of your own"
    auto_class = "AutoModelForSequenceClassification"
    scales = _SCALES
    texts = ("Text", "Labels, with commas")
    read_as = ("Text", "Label's sentence")
    pair = "always"
    examples = {
        "news": ("The striker scored twice in the last ten minutes.", "sport, politics, cooking"),
        "a whole sentence": (
            "A man is slicing bread in a kitchen.",
            "Someone is preparing food., Nobody is indoors., A dog is barking.",
        ),
    }

    def fits(self, labels: Sequence[str]) -> bool:
        return _columns(labels) is not None

    def second_texts(self, text_pair: str | None) -> tuple[str | None, ...]:
        written = (text_pair or "").strip()
        labels = [
            label.strip() for label in (written.splitlines() if len(written.splitlines()) > 1 else written.split(","))
        ]
        labels = list(dict.fromkeys(label for label in labels if any(map(is_visible, label))))
        if not labels:
            raise TextError("Give the labels to choose from, with commas: sport, politics, science.")
        if len(labels) > MOST_LABELS:
            raise TextError(f"There are {len(labels)} labels; at most {MOST_LABELS} are judged at once.")
        return tuple(label if label[-1] in ".!?" else SENTENCE.format(label) for label in labels)

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        log_odds = _log_odds(raw["logits"][:1].double(), head)[0]
        label = _label_of(tokens.text_pair or "")
        probability = float(log_odds.float().sigmoid())
        output = Output((label,), np.array([[float(log_odds)]]), np.array([[probability]]), exclusive=False)
        return Prediction(self.name, (tokens,), (output,), label, probability)

    def joined(self, predictions: Sequence[Prediction], head: Head, label: str | None) -> tuple[int, Prediction]:
        labels = tuple(prediction.output.labels[0] for prediction in predictions)
        logits = np.concatenate([prediction.output.logits for prediction in predictions], axis=1)
        probabilities = [prediction.output.probabilities for prediction in predictions]
        shares = np.concatenate([part for part in probabilities if part is not None], axis=1)
        best = int(logits[0].argmax())
        number = best if label is None else _find(label, labels)
        output = Output(labels, logits, shares, exclusive=False)
        encodings = predictions[number].encodings
        return number, Prediction(self.name, encodings, (output,), labels[best], float(shares[0, best]))

    def labels(self, prediction: Prediction | None, head: Head, position: int | None = None) -> tuple[str, ...]:
        return () if prediction is None else prediction.output.labels

    def target(
        self,
        prediction: Prediction,
        head: Head,
        *,
        label: str | None = None,
        against: str | None = None,
        scale: str | None = None,
        position: int | None = None,
    ) -> Target:
        if against is not None:
            raise TargetError("Each label is read with the text by itself, so two can't be contrasted; ask for one.")
        if position is not None:
            raise TargetError("This model decides on the whole text: leave the position away.")
        if scale not in (None, *_SCALES):
            raise TargetError(unknown("scale", scale, list(_SCALES)))
        output = prediction.output
        index = int(output.logits[0].argmax()) if label is None else _find(label, output.labels)
        return Target(self.name, output.labels[index], index, scale=scale or "log_odds")

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return _scaled(_log_odds(raw["logits"], head), target.scale)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        column = prediction.output.labels.index(target.label)  # of one pass alone there is one
        return float(_scaled(torch.from_numpy(prediction.output.logits[0, [column]]), target.scale))

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return (_log_odds(raw["logits"], head) > 0).long()

    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        log_odds = _log_odds(raw["logits"][:1].double(), head)[0]
        return target.label if log_odds > 0 else None, float(torch.sigmoid(log_odds))

    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        column = prediction.output.labels.index(target.label)
        return 1 if prediction.output.logits[0, column] > 0 else -1


def _column(word: str, labels: Sequence[str]) -> int | None:
    """Return the column of an entailment model's label, whose name begins with a word."""
    columns = [number for number, label in enumerate(labels) if label.lower().startswith(word)]
    return columns[0] if len(columns) == 1 else None


def _columns(labels: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of entailment and of its opposite; of two labels the opposite is the other one."""
    entails, contradicts = _column("entail", labels), _column("contradict", labels)
    if contradicts is None and entails is not None and len(labels) == 2:
        contradicts = 1 - entails
    return None if entails is None or contradicts is None else (entails, contradicts)


def _log_odds(logits: Tensor, head: Head) -> Tensor:
    """z_entailment - z_contradiction: (B, C) -> (B,)."""
    columns = _columns(head.labels)
    assert columns is not None, "see `fits`"
    return logits[:, columns[0]] - logits[:, columns[1]]


def _scaled(log_odds: Tensor, scale: str) -> Tensor:
    if scale == "probability":
        return torch.sigmoid(log_odds)
    return torch.nn.functional.logsigmoid(log_odds) if scale == "log_probability" else log_odds


def _label_of(sentence: str) -> str:
    """Return the label that a sentence stands for."""
    before, after = SENTENCE.split("{}")
    if sentence.startswith(before) and sentence.endswith(after):
        return sentence[len(before) : len(sentence) - len(after)]
    return sentence


def _find(label: str, labels: Sequence[str]) -> int:
    if label not in labels:
        raise TargetError(unknown("label", label, list(labels)))
    return list(labels).index(label)


TASKS.register("zero_shot_classification")(ZeroShotClassification())

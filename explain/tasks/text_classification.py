"""Text classification: one row of logits for the whole text, or for a pair of texts read together.

log-odds of label c    F = z_c - log sum_{k != c} exp z_k     (one label right: softmax)
                       F = z_c                                (several may be: a sigmoid each, already log-odds)
contrast A, B          F = z_A - z_B
value                  F = z                                  (regression: a number, no label)
"""

import torch
from torch import Tensor

from explain.datatypes import Prediction, Target, Tokens
from explain.errors import TargetError
from explain.tasks.base import TASKS, Head, Raw, Task, as_output, chosen_target, find_label, read_scale


class TextClassification(Task):
    """Which label does the text have?"""

    name = "text_classification"
    hub_name = "text-classification"
    title = "Text classification"
    auto_class = "AutoModelForSequenceClassification"
    scales = ("log_odds", "probability", "log_probability", "logit", "logit_difference", "value")

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        output = as_output(raw["logits"][:1], head)
        label = confidence = None
        if head.exclusive and not head.value:
            index = int(output.logits[0].argmax())
            label = head.labels[index]
            calibrated = torch.softmax(torch.from_numpy(output.logits.copy()) / (head.temperature or 1.0), dim=-1)
            confidence = float(calibrated[0, index])
        return Prediction(self.name, (tokens,), (output,), label, confidence, head.temperature)

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
        if position is not None:
            raise TargetError("This model decides on the whole text: leave the position away.")
        # Where several labels may be right, the most likely one is meant.
        index = int(prediction.output.logits[0].argmax()) if label is None else find_label(label, head.labels)
        name = head.labels[index]
        if head.value:
            if against is not None or scale not in (None, "value"):
                raise TargetError("This model predicts a number: its target has the scale 'value' and no contrast.")
            return Target(self.name, name, index, scale="value")
        other = None if against is None else find_label(against, head.labels)
        contrast = None if other is None else (head.labels[other], other)
        return chosen_target(self, (name, index), contrast, scale)

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return read_scale(raw["logits"], target, head.exclusive)  # (B, C) -> (B,)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        raw = {"logits": torch.from_numpy(prediction.output.logits.copy())}
        return float(self.scalar(raw, target, torch.empty(1, 0, dtype=torch.long), head)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        logits = raw["logits"]
        if head.value:
            return torch.zeros(len(logits), dtype=torch.long)  # a number decides nothing
        if head.exclusive:
            return logits.argmax(dim=-1)
        return (logits[:, target.index] > 0).long()


TASKS.register("text_classification")(TextClassification())

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
from explain.registry import unknown
from explain.tasks.base import TASKS, Head, Raw, Task, as_output, find_label, log_odds


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
    ) -> Target:
        # Where several labels may be right, the most likely one is meant.
        index = int(prediction.output.logits[0].argmax()) if label is None else find_label(label, head.labels)
        name = head.labels[index]
        if head.value:
            if against is not None or scale not in (None, "value"):
                raise TargetError("This model predicts a number: its target has the scale 'value' and no contrast.")
            return Target(self.name, name, index, scale="value")
        if against is not None:
            other = find_label(against, head.labels)
            if other == index:
                raise TargetError(f"A contrast needs two labels; {name!r} was given twice.")
            if scale not in (None, "logit_difference"):
                raise TargetError(f"A contrast is measured as 'logit_difference', not as {scale!r}.")
            return Target(self.name, name, index, (), head.labels[other], other, "logit_difference")
        scale = scale or "log_odds"
        if scale not in self.scales or scale in ("value", "logit_difference"):
            raise TargetError(unknown("scale", scale, ["log_odds", "probability", "log_probability", "logit"]))
        return Target(self.name, name, index, scale=scale)

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        logits = raw["logits"]  # (B, C)
        if target.scale in ("value", "logit"):
            return logits[:, target.index]
        if target.scale == "logit_difference":
            return logits[:, target.index] - logits[:, target.against_index]
        if target.scale == "log_odds":
            return log_odds(logits, target.index) if head.exclusive else logits[:, target.index]
        if head.exclusive:
            log_probability = torch.log_softmax(logits, dim=-1)[:, target.index]
        else:
            log_probability = torch.nn.functional.logsigmoid(logits[:, target.index])
        return log_probability if target.scale == "log_probability" else log_probability.exp()

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

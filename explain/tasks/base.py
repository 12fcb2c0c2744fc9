"""What a task is: which head, what it decides, and which single number of it is explained.

A task turns a model's raw numbers into an `Output`, a `Prediction` and, for a `Target`, into the one scalar that
methods attribute. It knows heads, not encoders; models know encoders, not targets.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explain.datatypes import Output, Prediction, Target, Tokens
from explain.errors import TargetError
from explain.registry import Registry, unknown

TASKS: Registry["Task"] = Registry("task", "explain.tasks")

Raw = Mapping[str, Tensor]  # a head's tensors by name, batch first: {"logits": (B, C)} or {"logits": (B, T, C)}


@dataclass(frozen=True)
class Head:
    """What a checkpoint's head is.

    Attributes:
        labels (C): the names of its columns.
        exclusive: exactly one label is right (softmax); else each is decided alone (sigmoid).
        value: a number is predicted, not a label.
        temperature: the calibration constant of its logits, or None.
    """

    labels: tuple[str, ...]
    exclusive: bool = True
    value: bool = False
    temperature: float | None = None


class Task(ABC):
    """One task; stateless. Subclasses are one file each and register an instance under the file's name."""

    name: ClassVar[str]  # the registry's
    hub_name: ClassVar[str]  # Hugging Face's, with hyphens
    title: ClassVar[str]
    auto_class: ClassVar[str]  # the class of transformers that loads its models
    scales: ClassVar[tuple[str, ...]]  # what its targets may be measured in, the default first

    @abstractmethod
    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        """Read a batch of one."""

    @abstractmethod
    def target(
        self,
        prediction: Prediction,
        head: Head,
        *,
        label: str | None = None,
        against: str | None = None,
        scale: str | None = None,
    ) -> Target:
        """The target a user means: by default the decided label in log-odds.

        Raises:
            TargetError: no such label or scale.
        """

    @abstractmethod
    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        """The explained number of each row, differentiable: (B,).

        Args:
            raw: the head's tensors for B variants of one text.
            places (B, P): where the target's positions stand in each variant.
        """

    @abstractmethod
    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        """The same number, of a prediction that was made before."""

    @abstractmethod
    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        """What each row decides, as a number to compare with another row's: (B,), int64."""

    def protected(self, target: Target) -> tuple[int, ...]:
        """Tokens that must not be removed, because the target is read at them."""
        return target.positions


def log_odds(logits: Tensor, index: int) -> Tensor:
    """z_c - log sum of exp z_k over the other k: the log of p / (1 - p). (..., C) -> (...)."""
    others = torch.cat([logits[..., :index], logits[..., index + 1 :]], dim=-1)
    return logits[..., index] - torch.logsumexp(others, dim=-1)


def find_label(name: str, labels: Sequence[str]) -> int:
    """The column of a label, by its exact name or, failing that, by its name whatever the case.

    Raises:
        TargetError: there is no such label.
    """
    if name in labels:
        return list(labels).index(name)
    folded = [label.casefold() for label in labels]
    if folded.count(str(name).casefold()) == 1:
        return folded.index(str(name).casefold())
    raise TargetError(unknown("label", name, list(labels)))


def as_output(logits: Tensor, head: Head, positions: tuple[int, ...] = ()) -> Output:
    """Make an `Output` of rows of logits (P, C)."""
    values = logits.detach().double().cpu()
    if head.value:
        probabilities = None
    else:
        probabilities = (torch.softmax(values, dim=-1) if head.exclusive else torch.sigmoid(values)).numpy()
    return Output(head.labels, values.numpy(), probabilities, head.exclusive, positions)

"""What a kind of task is to training: how rows become features, what is minimized, what is fitted, what is measured."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import peft
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from explain.core.errors import DataError

Row = dict[str, Any]  # as it stands in the data
Example = TypeVar("Example")  # a row as an objective understands it
Feature = dict[str, Any]  # what the model is given for one example, or for one window of it
Figures = dict[str, Any]

IGNORED = -100  # the label PyTorch's cross-entropy leaves out
MEASURED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Source:
    """One data set of a recipe: what its splits are for and how its columns are read.

    Attributes:
        name: its folder's.
        title: what cards and pages call it.
        training, tuning, measuring: splits to train on; to fit thresholds on and choose settings by; to take figures
            from.
        texts: the columns that hold text, in the order the model reads them.
        label: the column of what is to be found, where there is one.
        renamed: names of the data's own labels that we call otherwise.
        leave_out: rows whose `doc` begins so are measured on elsewhere; "" leaves out none.
        most: rows to use of a split, drawn by the seed; None for all.
    """

    name: str
    title: str
    training: tuple[str, ...] = ()
    tuning: tuple[str, ...] = ()
    measuring: tuple[str, ...] = ()
    texts: tuple[str, ...] = ("text",)
    label: str | None = "label"
    renamed: Mapping[str, str] = field(default_factory=dict)
    leave_out: str = ""
    most: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.texts, *([self.label] if self.label else []), *(["doc"] if self.leave_out else []))

    @property
    def splits(self) -> dict[str, str]:
        """What each split in use is for, as a card says it."""
        roles = {"trained on": self.training, "for settings": self.tuning, "measured on": self.measuring}
        return {split: role for role, splits in roles.items() for split in splits}


@dataclass(frozen=True)
class Fitted:
    """What was fitted after the training, on texts that it did not see.

    Attributes:
        temperature: what logits are divided by, or None.
        thresholds (C): the probability from which on each label holds, or None.
        outside: what was taken off the logit of "no entity"; the head's bias has it already. Or None.
        count: how many texts it was fitted on.
    """

    temperature: float | None = None
    thresholds: tuple[float, ...] | None = None
    outside: float | None = None
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class Objective(ABC, Generic[Example]):
    """One kind of task; stateless.

    Attributes:
        labels (C): names of the head's columns; none where it has no head.
        longest: pieces of a training text or window, special tokens included.
    """

    task: ClassVar[str]  # the registry's name
    architecture: ClassVar[Any]  # the class of transformers that is trained
    kind: ClassVar[peft.TaskType]
    trained_whole: ClassVar[tuple[str, ...]]  # the modules beside the adapted ones
    loading: ClassVar[dict[str, Any]] = {}  # further arguments of its `from_pretrained`
    headline: ClassVar[tuple[tuple[str, str], ...]]  # what a page shows: names and keys of figures, the main one first
    exclusive: ClassVar[bool] = True
    pooling: ClassVar[str] = ""  # how a text's rows become its vector, where that can be chosen; see `pooled`

    labels: tuple[str, ...] = ()
    longest: int = 128

    def check_requirements(self) -> None:
        """Fail now, not after an hour, where something is not installed that training or measuring needs.

        Raises:
            DataError: what, and how to get it.
        """

    def pooled(self, pooling: str) -> "Objective[Example]":
        """The same task, texts' vectors being taken another way.

        Raises:
            DataError: this task has no such way.
        """
        kinds = {kind.pooling: kind for kind in self.kinds()}
        if pooling not in kinds:
            raise DataError(
                f"The pooling {pooling!r} is none of this task; it has {' and '.join(filter(None, kinds)) or 'none'}."
            )
        return kinds[pooling](**{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def kinds(cls) -> "tuple[type[Objective[Any]], ...]":
        """The classes of this task, one for each pooling."""
        return (cls,)

    @abstractmethod
    def read(self, row: Row, source: Source) -> Example:
        """Understand one row.

        Raises:
            DataError: a value that does not fit; the message goes on from "Row 7 ...".
        """

    @abstractmethod
    def text_of(self, example: Example) -> str:
        """The text that must not be met both in training and where something is fitted or measured."""

    def split(self, examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
        """The examples to train on, and those held out of them to fit on (none, unless the task says otherwise)."""
        return list(examples), []

    @abstractmethod
    def encode(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        """Features to train on, as `collate` takes them."""

    def settings(self) -> dict[str, Any]:
        """Changes to the model's configuration."""
        numbered = dict(enumerate(self.labels))
        return {"id2label": numbered, "label2id": {label: n for n, label in numbered.items()}} if numbered else {}

    def begin(self, model: peft.PeftModel) -> None:
        """Set a fresh adapter to where training should start; by default it adds nothing, as in the paper."""

    def loss(self, model: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """What is minimized: by default the head's own loss."""
        return model(**batch).loss

    def fit(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        held: Sequence[Example],
        tuning: Sequence[Example],
    ) -> Fitted:
        """Fit what stays fixed while training: on examples held out of it, or on those of the tuning splits.

        What is a part of the head is changed in the model itself, so that nobody has to apply it afterwards.
        """
        return Fitted()

    @abstractmethod
    def measure(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Example],
        fitted: Fitted,
    ) -> Figures:
        """Figures by name, `count` among them (of how many examples they are).

        The 95 % interval of `name` is `name_interval`; `by_label`, where it is there, holds figures of each label.
        """


def collate(features: Sequence[Feature], padding: int) -> dict[str, Tensor]:
    """One batch: lists hold a number for each piece and are padded to the longest; numbers and arrays are stacked.

    Args:
        padding: the id to pad `input_ids` with; labels are padded with -100, all else with 0.

    Returns:
        A tensor (B, ...) for each name, and `attention_mask` (B, T).
    """
    lengths = torch.tensor([len(feature["input_ids"]) for feature in features])
    longest = int(lengths.max())
    fillers = {"input_ids": padding, "labels": IGNORED}
    batch = {"attention_mask": (torch.arange(longest) < lengths[:, None]).long()}
    for name, first in features[0].items():
        values = [feature[name] for feature in features]
        if isinstance(first, list):
            values = [[*value, *([fillers.get(name, 0)] * (longest - len(value)))] for value in values]
        batch[name] = torch.from_numpy(np.stack(values))
    return batch


def read_out(
    model: torch.nn.Module,
    features: Sequence[Feature],
    padding: int,
    read: Callable[[Any, dict[str, Tensor]], Tensor],
) -> list[npt.NDArray[np.float32]]:
    """Run the model over features, in evaluation mode and in float32.

    Args:
        read: takes the model's output and the batch, and gives (B, ...).

    Returns:
        What was read of each feature, in their order; rows of pieces are as long as their batch's longest.
    """
    order = sorted(range(len(features)), key=lambda number: len(features[number]["input_ids"]))
    found: list[npt.NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(features)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), MEASURED_AT_ONCE):
            chosen = order[start : start + MEASURED_AT_ONCE]
            collated = collate([features[number] for number in chosen], padding)
            batch = {name: tensor.to(device) for name, tensor in collated.items()}
            inputs = ("input_ids", "token_type_ids", "attention_mask")
            out = model(**{name: batch[name] for name in inputs})
            for number, row in zip(chosen, read(out, batch).float().cpu().numpy(), strict=True):
                found[number] = row
    model.train(was_training)
    return found


def plain_features(
    tokenizer: PreTrainedTokenizerBase, *texts: Sequence[str], longest: int, **options: Any
) -> tuple[list[Feature], Any]:
    """Texts, or pairs of texts, as ids and segments, and the tokenizer's whole answer (offsets, windows)."""
    encoded = tokenizer(*map(list, texts), **({"truncation": True, "max_length": longest, "verbose": False} | options))
    names = ("input_ids", "token_type_ids")
    return [{name: encoded[name][row] for name in names} for row in range(len(encoded["input_ids"]))], encoded

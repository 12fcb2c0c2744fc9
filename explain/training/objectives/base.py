"""Base of objectives: how rows become features, which loss is minimized, what is fitted and measured."""

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

Row = dict[str, Any]  # a row of a data set
Example = TypeVar("Example")  # a row as an objective understands it
Feature = dict[str, Any]  # the model's input for one example, or for one window of it
Figures = dict[str, Any]

IGNORED = -100  # the label PyTorch's cross-entropy leaves out
MEASURED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set of a recipe: the purpose of its splits and the meaning of its columns.

    Attributes:
        name: name of its folder.
        title: its name on cards and pages.
        training: splits to train on.
        tuning: splits to fit thresholds and choose settings on.
        measuring: splits to measure on.
        texts: columns with texts, in the order the model reads them.
        label: column with the label, if there is one.
        renamed: our names of the data's labels, by the data's names.
        leave_out: start of the `doc` of rows to leave out, as they are measured on elsewhere; "" leaves out none.
        most: number of rows to use of a split, drawn by the seed; None for all.
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
        """The purpose of each split in use, in the words of the card."""
        roles = {"trained on": self.training, "for settings": self.tuning, "measured on": self.measuring}
        return {split: role for role, splits in roles.items() for split in splits}


@dataclass(frozen=True)
class Fitted:
    """Parameters fitted after training, on texts that were not trained on.

    Attributes:
        temperature: divides the logits, or None.
        thresholds (C): probability from which on each label is predicted, or None.
        outside: amount subtracted from the logit of "no entity", already part of the head's bias; or None.
        count: number of texts that were used.
    """

    temperature: float | None = None
    thresholds: tuple[float, ...] | None = None
    outside: float | None = None
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class Objective(ABC, Generic[Example]):
    """A kind of task to train a model on; stateless.

    Attributes:
        labels (C): names of the head's columns; empty without a head.
        longest: most pieces of a training text or window, special tokens included.
    """

    task: ClassVar[str]  # name in the registry of tasks
    architecture: ClassVar[Any]  # class of the transformers library
    kind: ClassVar[peft.TaskType]
    trained_whole: ClassVar[tuple[str, ...]]  # modules trained without an adapter
    loading: ClassVar[dict[str, Any]] = {}  # more arguments of its `from_pretrained`
    headline: ClassVar[tuple[tuple[str, str], ...]]  # names and keys of the shown figures, the main one first
    exclusive: ClassVar[bool] = True
    pooling: ClassVar[str] = ""  # how token vectors become a text's vector; see `pooled`

    labels: tuple[str, ...] = ()
    longest: int = 128

    def check_requirements(self) -> None:
        """Check that all packages are installed, before the training rather than after it.

        Raises:
            DataError: names the missing package and how to install it.
        """

    def pooled(self, pooling: str) -> "Objective[Example]":
        """Return the same task with another pooling.

        Raises:
            DataError: the task does not have this pooling.
        """
        kinds = {kind.pooling: kind for kind in self.kinds()}
        if pooling not in kinds:
            raise DataError(
                f"This task has no pooling {pooling!r}; it has {' and '.join(filter(None, kinds)) or 'none'}."
            )
        return kinds[pooling](**{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def kinds(cls) -> "tuple[type[Objective[Any]], ...]":
        """Return the classes of this task, one for each pooling."""
        return (cls,)

    @abstractmethod
    def read(self, row: Row, source: Source) -> Example:
        """Read one row as an example.

        Raises:
            DataError: a value that does not fit; the message continues "Row 7 ...".
        """

    @abstractmethod
    def text_of(self, example: Example) -> str:
        """Return the text that must not be both trained on and used for fitting or measuring."""

    def split(self, examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
        """Return the examples to train on, and those held out of them to fit on (none by default)."""
        return list(examples), []

    @abstractmethod
    def encode(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        """Return the features to train on, as `collate` takes them."""

    def settings(self) -> dict[str, Any]:
        """Return changes to the model's configuration."""
        numbered = dict(enumerate(self.labels))
        return {"id2label": numbered, "label2id": {label: n for n, label in numbered.items()}} if numbered else {}

    def begin(self, model: peft.PeftModel) -> None:
        """Initialize a fresh adapter; by default it adds nothing, as in the paper."""

    def loss(self, model: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss to minimize; by default that of the head."""
        return model(**batch).loss

    def fit(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        held: Sequence[Example],
        tuning: Sequence[Example],
    ) -> Fitted:
        """Fit the parameters that training does not change, on held-out examples or on those of the tuning splits.

        A parameter that is part of the head is changed in the model itself, so that it needs no further step.
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
        """Return figures by name, and their `count` of examples.

        The 95 % interval of `name` is `name_interval`; `by_label`, if present, has the figures of each label.
        """


def collate(features: Sequence[Feature], padding: int) -> dict[str, Tensor]:
    """Return one batch: lists, with a number for each piece, are padded to the longest; numbers and arrays are stacked.

    Args:
        padding: id to pad `input_ids` with; labels are padded with -100, everything else with 0.

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
            filler = fillers.get(name, 0)
            values = [[*numbers, *([filler] * (longest - len(numbers)))] for numbers in values]
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
        read: takes the model's output and the batch; returns (B, ...).

    Returns:
        The row of each feature, in their order; rows of pieces are as long as the longest of their batch.
    """
    order = sorted(range(len(features)), key=lambda number: len(features[number]["input_ids"]))
    rows: list[npt.NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(features)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), MEASURED_AT_ONCE):
            numbers = order[start : start + MEASURED_AT_ONCE]
            collated = collate([features[number] for number in numbers], padding)
            batch = {name: tensor.to(device) for name, tensor in collated.items()}
            inputs = ("input_ids", "token_type_ids", "attention_mask")
            out = model(**{name: batch[name] for name in inputs})
            for number, row in zip(numbers, read(out, batch).float().cpu().numpy(), strict=True):
                rows[number] = row
    model.train(was_training)
    return rows


def plain_features(
    tokenizer: PreTrainedTokenizerBase, *texts: Sequence[str], longest: int, **options: Any
) -> tuple[list[Feature], Any]:
    """Return texts, or pairs of texts, as ids and segments, and the tokenizer's full output (offsets, windows)."""
    encoded = tokenizer(*map(list, texts), **({"truncation": True, "max_length": longest, "verbose": False} | options))
    names = ("input_ids", "token_type_ids")
    return [{name: encoded[name][row] for name in names} for row in range(len(encoded["input_ids"]))], encoded

"""Classification of a text or a pair of texts: exactly one label (softmax), or any number of them (a sigmoid each).

The head reads [CLS], as in BERT. For one label it can also read the mean of the token vectors, or the mean of the
outputs of an LSTM over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import peft
import torch
from scipy.special import expit
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from explain.core.errors import DataError
from explain.data.splits import hold_out
from explain.models.mean_classifier import BertForLSTMClassification, BertForMeanClassification
from explain.training.measure.classification import (
    Floats,
    best_thresholds,
    classification_figures,
    fit_temperature,
    multi_label_figures,
)
from explain.training.objectives.base import Feature, Figures, Fitted, Objective, Row, Source, plain_features, read_out

FEWEST_TUNED = 50  # fewest texts to fit a temperature on


@dataclass(frozen=True)
class Labelled:
    """One or two texts and the columns of their correct labels."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Classification(Objective[Labelled]):
    task: ClassVar[str] = "text_classification"
    architecture: ClassVar[Any] = BertForSequenceClassification
    kind: ClassVar[peft.TaskType] = peft.TaskType.SEQ_CLS
    trained_whole: ClassVar[tuple[str, ...]] = ("pooler", "classifier")

    def text_of(self, example: Labelled) -> str:
        return example.texts[0]

    def column_of(self, label: Any, source: Source) -> int:
        """Return the column of a label, by its name or number.

        Raises:
            DataError: there is no such label.
        """
        named = source.renamed.get(label, label) if isinstance(label, str) else label
        if isinstance(named, str) and named in self.labels:
            return self.labels.index(named)
        if not isinstance(label, int) or not 0 <= label < len(self.labels):
            raise DataError(
                f"has the label {label!r}; expected 0 to {len(self.labels) - 1} or one of "
                f"{', '.join([*self.labels, *source.renamed])}."
            )
        return label

    def logits(
        self, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Labelled]
    ) -> Floats:
        """Return logits (N, C), in the order of the examples."""
        features = self.encode(examples, tokenizer)
        return np.stack(read_out(model, features, tokenizer.pad_token_id, lambda out, _: out.logits)).astype(float)

    def _plain(self, examples: Sequence[Labelled], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        columns = zip(*(example.texts for example in examples), strict=True)
        return plain_features(tokenizer, *columns, longest=self.longest)[0]


@dataclass(frozen=True, kw_only=True)
class OneLabel(_Classification):
    """Exactly one correct label, with a temperature.

    Attributes:
        holds_out: fit the temperature on held-out training texts. Otherwise it is fitted on the tuning splits, unless
            they have too few texts or no wrong prediction, where the likelihood has no maximum.
    """

    holds_out: bool = True

    headline: ClassVar[tuple[tuple[str, str], ...]] = (("accuracy", "accuracy"), ("F1", "f1"))
    pooling: ClassVar[str] = "cls"

    @classmethod
    def kinds(cls) -> "tuple[type[OneLabel], ...]":
        return (OneLabel, MeanOneLabel, LSTMOneLabel)

    def read(self, row: Row, source: Source) -> Labelled:
        label = row[source.label or "label"]
        return Labelled(tuple(str(row[column]) for column in source.texts), (self.column_of(label, source),))

    def split(self, examples: Sequence[Labelled], seed: int) -> tuple[list[Labelled], list[Labelled]]:
        if not self.holds_out:
            return super().split(examples, seed)
        kept, held = hold_out(examples, self.text_of, seed)
        return kept, list({example.texts: example for example in held}.values())  # each text, or pair, once

    def encode(self, examples: Sequence[Labelled], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        plain = self._plain(examples, tokenizer)
        return [feature | {"labels": example.labels[0]} for feature, example in zip(plain, examples, strict=True)]

    def fit(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        held: Sequence[Labelled],
        tuning: Sequence[Labelled],
    ) -> Fitted:
        texts = held if self.holds_out else tuning
        right = [example.labels[0] for example in texts]
        logits = self.logits(model, tokenizer, texts)
        if not self.holds_out and (len(texts) < FEWEST_TUNED or (logits.argmax(axis=1) == right).all()):
            return Fitted()
        return Fitted(temperature=fit_temperature(logits, right), count=len(texts))

    def measure(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Labelled],
        fitted: Fitted,
    ) -> Figures:
        right = [example.labels[0] for example in examples]
        logits = self.logits(model, tokenizer, examples)
        return classification_figures(logits, right, fitted.temperature or 1.0, self.labels)


@dataclass(frozen=True, kw_only=True)
class MeanOneLabel(OneLabel):
    """One label, read from the mean of the token vectors."""

    architecture: ClassVar[Any] = BertForMeanClassification
    trained_whole: ClassVar[tuple[str, ...]] = ("classifier",)
    pooling: ClassVar[str] = "mean"


@dataclass(frozen=True, kw_only=True)
class LSTMOneLabel(OneLabel):
    """One label, read from the mean of the outputs of an LSTM over the token vectors."""

    architecture: ClassVar[Any] = BertForLSTMClassification
    trained_whole: ClassVar[tuple[str, ...]] = ("lstm", "classifier")
    pooling: ClassVar[str] = "lstm"


@dataclass(frozen=True, kw_only=True)
class SeveralLabels(_Classification):
    """Any number of correct labels; each label's threshold is fitted on the tuning splits."""

    headline: ClassVar[tuple[tuple[str, str], ...]] = (("micro F1", "micro_f1"), ("macro F1", "macro_f1"))
    exclusive: ClassVar[bool] = False

    def read(self, row: Row, source: Source) -> Labelled:
        labels = row[source.label or "labels"]
        if not isinstance(labels, list):
            raise DataError(f"has {labels!r} for its labels; a list is expected.")
        columns = sorted({self.column_of(label, source) for label in labels})
        return Labelled(tuple(str(row[column]) for column in source.texts), tuple(columns))

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"problem_type": "multi_label_classification"}

    def encode(self, examples: Sequence[Labelled], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        plain = self._plain(examples, tokenizer)
        return [feature | {"labels": row} for feature, row in zip(plain, self._right(examples), strict=True)]

    def _right(self, examples: Sequence[Labelled]) -> np.ndarray:
        right = np.zeros((len(examples), len(self.labels)), dtype=np.float32)
        for row, example in zip(right, examples, strict=True):
            row[list(example.labels)] = 1.0
        return right

    def fit(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        held: Sequence[Labelled],
        tuning: Sequence[Labelled],
    ) -> Fitted:
        probabilities = expit(self.logits(model, tokenizer, tuning))
        thresholds = best_thresholds(probabilities, self._right(tuning) > 0)
        return Fitted(thresholds=tuple(thresholds.tolist()), count=len(tuning))

    def measure(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Labelled],
        fitted: Fitted,
    ) -> Figures:
        probabilities = expit(self.logits(model, tokenizer, examples))
        thresholds = np.array(fitted.thresholds or [0.5] * len(self.labels))
        return multi_label_figures(probabilities, self._right(examples) > 0, thresholds, self.labels)

"""Named entities: a label at the first piece of each word, B- where an entity begins and I- inside it.

The app reads running text and splits it into words by `explain.text.words`, so the data's tokens are joined by single
spaces and encoded as one text. The first piece of a token has the token's label. If a token has several words ("U.S.",
"@someone"), the first piece of each further word continues the entity, since pages read the model there too. All other
pieces are ignored. Figures are of the data's own tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import peft
import torch
from transformers import BertForTokenClassification, PreTrainedTokenizerBase

from explain.core.errors import DataError
from explain.text.words import word_spans
from explain.training.measure.spans import need_seqeval, span_f1, span_figures
from explain.training.objectives.base import (
    IGNORED,
    Feature,
    Figures,
    Fitted,
    Objective,
    Row,
    Source,
    plain_features,
    read_out,
)

OUTSIDE = "O"
OUTSIDE_SHIFTS = tuple(np.arange(0.0, 3.01, 0.25).tolist())


@dataclass(frozen=True)
class Tagged:
    """Tokens, and the tag of each: "O", "B-PER", "I-PER" ..."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entities(Objective[Tagged]):
    """Spans of words that name something."""

    task: ClassVar[str] = "token_classification"
    architecture: ClassVar[Any] = BertForTokenClassification
    kind: ClassVar[peft.TaskType] = peft.TaskType.TOKEN_CLS
    trained_whole: ClassVar[tuple[str, ...]] = ("classifier",)
    headline: ClassVar[tuple[tuple[str, str], ...]] = (
        ("F1 of whole entities", "span_f1"),
        ("precision", "span_precision"),
        ("recall", "span_recall"),
    )

    def check_requirements(self) -> None:
        need_seqeval()

    def read(self, row: Row, source: Source) -> Tagged:
        tokens, tags = row[source.texts[0]], row[source.label or "tags"]
        if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
            raise DataError("should have two lists of the same length: tokens, and the tag of each.")
        return Tagged(tuple(map(str, tokens)), tuple(self._tag(str(tag), source) for tag in tags))

    def _tag(self, tag: str, source: Source) -> str:
        place, _, kind = tag.partition("-")
        named = source.renamed.get(kind, kind)
        ours = OUTSIDE if OUTSIDE in (tag, named) else f"{place}-{named}"
        if ours not in self.labels:
            raise DataError(
                f"has the tag {tag!r}; expected one of {', '.join(self.labels)}, or B- or I- with a renamed type."
            )
        return ours

    def text_of(self, example: Tagged) -> str:
        return " ".join(example.tokens)

    def encode(self, examples: Sequence[Tagged], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        features, starts = self._pieces(examples, tokenizer)
        for feature, example, begins in zip(features, examples, starts, strict=True):
            feature["labels"] = piece_labels(example, begins, self.labels)
        return features

    def _pieces(
        self, examples: Sequence[Tagged], tokenizer: PreTrainedTokenizerBase
    ) -> tuple[list[Feature], list[npt.NDArray[np.int64]]]:
        texts = [self.text_of(example) for example in examples]
        features, encoded = plain_features(tokenizer, texts, longest=self.longest, return_offsets_mapping=True)
        return features, [piece_starts(offsets) for offsets in encoded["offset_mapping"]]

    def fit(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        held: Sequence[Tagged],
        tuning: Sequence[Tagged],
    ) -> Fitted:
        """Lower the bias of "no entity" for the highest span F1; a loss over words predicts too few whole entities."""
        if not tuning:
            return Fitted()
        right = [example.tags for example in tuning]
        logits = self._logits(model, tokenizer, tuning)
        scores = {shift: span_f1(right, self._tags(logits, shift)) for shift in OUTSIDE_SHIFTS}
        best = max(OUTSIDE_SHIFTS, key=scores.__getitem__)
        head: Any = model.get_base_model() if isinstance(model, peft.PeftModel) else model
        with torch.no_grad():
            head.classifier.bias[self.labels.index(OUTSIDE)] -= best
        return Fitted(outside=best, count=len(tuning))

    def measure(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Tagged],
        fitted: Fitted,
    ) -> Figures:
        predicted = self._tags(self._logits(model, tokenizer, examples))
        return span_figures([example.tags for example in examples], predicted)

    def _logits(
        self, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Tagged]
    ) -> list[list[npt.NDArray[np.float32] | None]]:
        """Return the logits (C,) of each data token; None where no piece begins in it (truncated, or invisible)."""
        features, starts = self._pieces(examples, tokenizer)
        rows = read_out(model, features, tokenizer.pad_token_id, lambda out, _: out.logits)
        logits: list[list[npt.NDArray[np.float32] | None]] = []
        for example, begins, row in zip(examples, starts, rows, strict=True):
            places = [first_piece(begins, start, stop) for start, stop in token_spans(example.tokens)]
            logits.append([None if place is None else row[place] for place in places])
        return logits

    def _tags(self, logits: Sequence[Sequence[npt.NDArray[np.float32] | None]], shift: float = 0.0) -> list[list[str]]:
        """Return the tag of each token, after subtracting `shift` from the logit of "no entity"."""
        less = np.where(np.array(self.labels) == OUTSIDE, shift, 0.0)
        return [
            [OUTSIDE if token is None else self.labels[int((token - less).argmax())] for token in text]
            for text in logits
        ]


def token_spans(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Return the characters of each token in the text that joins them by single spaces.

    >>> token_spans(["In", "New", "York"])
    [(0, 2), (3, 6), (7, 11)]
    """
    spans = []
    start = 0
    for token in tokens:
        spans.append((start, start + len(token)))
        start += len(token) + 1
    return spans


def piece_starts(offsets: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """Return the start of each piece (T) in the text; -1 for special tokens before it, a huge number after it."""
    starts = np.array([start if start < stop else -1 for start, stop in offsets], dtype=np.int64)
    real = np.flatnonzero(starts >= 0)
    if len(real):
        starts[real[-1] + 1 :] = np.iinfo(np.int64).max
    return np.maximum.accumulate(starts)  # in order, so that places can be searched


def first_piece(starts: npt.NDArray[np.int64], start: int, stop: int) -> int | None:
    """Return the first piece that begins in text[start:stop], or None.

    Args:
        starts (T): as `piece_starts` returns them.
    """
    place = int(np.searchsorted(starts, start))
    return place if place < len(starts) and starts[place] < stop else None


def piece_labels(example: Tagged, starts: npt.NDArray[np.int64], labels: Sequence[str]) -> list[int]:
    """Return the label column of each piece (T); -100 for ignored pieces.

    Args:
        starts (T): start of each piece in the joined text.
        labels (C): names of the columns.
    """
    columns = [IGNORED] * len(starts)
    for token, tag, (start, stop) in zip(example.tokens, example.tags, token_spans(example.tokens), strict=True):
        begins = [start, *(start + first for first, _ in word_spans(token) if first > 0)]
        inside = tag.replace("B-", "I-", 1)
        for number, (begin, end) in enumerate(zip(begins, [*begins[1:], stop], strict=True)):
            place = first_piece(starts, begin, end)
            if place is not None:
                columns[place] = labels.index(inside if number else tag)
    return columns

"""Extractive question answering: where the answer to a question begins and ends in a context.

A long context is read in overlapping windows. Training uses one window of each question that contains its whole answer;
windows without the answer cost as much and teach little. Measuring takes the best span of all windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import peft
import torch
from transformers import BertForQuestionAnswering, PreTrainedTokenizerBase

from explain.core.errors import DataError
from explain.training.measure.answers import answer_figures
from explain.training.objectives.base import Feature, Figures, Fitted, Objective, Row, Source, plain_features, read_out

LONGEST_QUESTION = 64  # pieces; the few longer questions are truncated
LONGEST_ANSWER = 30  # pieces


@dataclass(frozen=True)
class Question:
    """A question about a context, and its answers: text and start, the most frequent answer first."""

    question: str
    context: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Window:
    """A part of one question's context that the model reads at once.

    Attributes:
        number: index of the question.
        feature: ids and segments.
        spans (T, 2): characters of the context that each piece covers; (-1, -1) outside the context.
    """

    number: int
    feature: Feature
    spans: npt.NDArray[np.int64]

    @property
    def context(self) -> npt.NDArray[np.int64]:
        """Positions of the context's pieces, in order."""
        return np.flatnonzero(self.spans[:, 0] >= 0)


@dataclass(frozen=True, kw_only=True)
class Answers(Objective[Question]):
    """The span of a context that answers a question."""

    task: ClassVar[str] = "question_answering"
    architecture: ClassVar[Any] = BertForQuestionAnswering
    kind: ClassVar[peft.TaskType] = peft.TaskType.QUESTION_ANS
    trained_whole: ClassVar[tuple[str, ...]] = ("qa_outputs",)
    headline: ClassVar[tuple[tuple[str, str], ...]] = (("F1 of words", "word_f1"), ("exact match", "exact_match"))

    labels: tuple[str, ...] = ("start", "end")
    longest: int = 160
    stride: int = 64  # pieces shared by two windows
    longest_measured: int = 256
    stride_measured: int = 96

    def read(self, row: Row, source: Source) -> Question:
        answers = row[source.label or "answers"]
        if not isinstance(answers, list) or not answers or not all(isinstance(answer, dict) for answer in answers):
            raise DataError(f"has {answers!r} for its answers; a list of objects with text and start is expected.")
        context = str(row[source.texts[1]])
        for answer in answers:
            text, start = answer.get("text"), answer.get("start")
            if not text or not isinstance(start, int) or context[start : start + len(text)] != text:
                raise DataError(f"has the answer {text!r}, which is not in its context at its start, {start!r}.")
        ranked = sorted(
            answers, key=lambda answer: -answer.get("votes", 0)
        )  # stable: of equally frequent answers the first stays first
        return Question(
            str(row[source.texts[0]]).strip(),
            context,
            tuple((answer["text"], answer["start"]) for answer in ranked),
        )

    def text_of(self, example: Question) -> str:
        return example.context

    def encode(self, examples: Sequence[Question], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        holding: dict[int, list[Feature]] = {}
        for window in windows(examples, tokenizer, self.longest, self.stride):
            text, start = examples[window.number].answers[0]
            places = covering_pieces(window, start, start + len(text))
            if places is not None:
                positions = {"start_positions": places[0], "end_positions": places[1]}
                holding.setdefault(window.number, []).append(window.feature | positions)
        # Questions take different windows, so that answers stand early, late and in between.
        return [marked[number % len(marked)] for number, marked in holding.items()]

    def measure(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Question],
        fitted: Fitted,
    ) -> Figures:
        cut = windows(examples, tokenizer, self.longest_measured, self.stride_measured)
        logits = read_out(
            model,
            [window.feature for window in cut],
            tokenizer.pad_token_id,
            lambda out, _: torch.stack([out.start_logits, out.end_logits], dim=1),  # (B, 2, T)
        )
        best = [(-np.inf, "")] * len(examples)
        for window, (starts, ends) in zip(cut, logits, strict=True):
            places = window.context
            if len(places) == 0:
                continue
            score, first, last = best_span(starts[places], ends[places], LONGEST_ANSWER)
            if score > best[window.number][0]:
                begin, end = window.spans[places[first], 0], window.spans[places[last], 1]
                best[window.number] = (score, examples[window.number].context[begin:end])
        right = [[text for text, _ in example.answers] for example in examples]
        return answer_figures([text for _, text in best], right, [example.context for example in examples])


def windows(
    examples: Sequence[Question], tokenizer: PreTrainedTokenizerBase, longest: int, stride: int
) -> list[Window]:
    """Split every question's context into windows that overlap by `stride` pieces.

    Args:
        longest: most pieces of a window, the question and the special tokens included.

    Raises:
        DataError: the windows are too short for a question and an overlap of `stride`.
    """
    if longest < LONGEST_QUESTION + stride + 4:
        raise DataError(
            f"Windows of {longest} pieces are too short for questions of {LONGEST_QUESTION} pieces. Use longer windows."
        )
    features, encoded = plain_features(
        tokenizer,
        _cut_questions([example.question for example in examples], tokenizer),
        [example.context for example in examples],
        longest=longest,
        truncation="only_second",
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    parts = []
    for row, feature in enumerate(features):
        spans = np.array(encoded["offset_mapping"][row], dtype=np.int64)
        spans[np.array(encoded.sequence_ids(row), dtype=object) != 1] = -1
        parts.append(Window(encoded["overflow_to_sample_mapping"][row], feature, spans))
    return parts


def _cut_questions(questions: list[str], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    encoded = tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [
        question if len(spans) <= LONGEST_QUESTION else question[: spans[LONGEST_QUESTION - 1][1]]
        for question, spans in zip(questions, encoded["offset_mapping"], strict=True)
    ]


def covering_pieces(window: Window, start: int, stop: int) -> tuple[int, int] | None:
    """Return the first and last piece that cover context[start:stop]; None if the window does not contain all of it."""
    places = window.context
    if len(places) == 0:
        return None
    spans = window.spans[places]
    first = int(np.searchsorted(spans[:, 1], start, side="right"))  # first piece that ends after the start
    last = int(np.searchsorted(spans[:, 0], stop, side="left")) - 1  # last piece that begins before the stop
    if first > last or spans[first, 0] > start or spans[last, 1] < stop:
        return None
    return int(places[first]), int(places[last])


def best_span(starts: npt.NDArray[np.floating], ends: npt.NDArray[np.floating], longest: int) -> tuple[float, int, int]:
    """Return the span with the greatest sum of start and end logits.

    Args:
        starts (N), ends (N): logits of each piece of a context.
        longest: most pieces of a span.

    Returns:
        The sum, the first and the last piece of the span (inclusive).
    """
    best = (-np.inf, 0, 0)
    for further in range(min(longest, len(starts))):
        sums = starts[: len(starts) - further] + ends[further:]
        first = int(sums.argmax())
        if sums[first] > best[0]:
            best = (float(sums[first]), first, first + further)
    return best

"""Answers: the stretch of a context that answers a question, read as its first and its last token.

log-probability of s to e    F = log p_start(s) + log p_end(e)    (p: a softmax over the context's tokens)
contrast of two answers      F = (z_s + z_e) - (z_s' + z_e')      (the sums of the softmaxes cancel)

s and e are fixed: they stay the answer that was asked about whatever becomes of the text (Devlin et al. 2019,
https://arxiv.org/abs/1810.04805, section 4.2, is where the head comes from). Where a checkpoint was trained to say that
there is no answer, [CLS] is one of the places, and an answer of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from explain.core.errors import TargetError, TextError
from explain.core.lazy import lazy_module
from explain.datatypes import NO_ANSWER, FloatArray, Output, PredictedSpan, Prediction, Target, Tokens
from explain.tasks.base import TASKS, Head, Raw, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy_module("torch")

LONGEST = 30  # tokens of an answer
LISTED = 20  # answers of a prediction
_SCALES = ("log_probability", "probability", "logit", "log_odds")


class QuestionAnswering(Task):
    """Extractive question answering: the part of a context that answers a question."""

    name = "question_answering"
    hub_name = "question-answering"
    title = "Answers"
    auto_class = "AutoModelForQuestionAnswering"
    columns = ("start", "end")
    scales = (*_SCALES, "logit_difference")
    texts = ("Question", "Context")
    pair = "always"
    one_row = False
    open_labels = True
    windows = True
    examples = {
        "who": (
            "Who designed the bridge?",
            "The bridge was opened in 1894. It was designed by Horace Jones, while John Wolfe Barry completed it "
            "after his death.",
        ),
        "when": (
            "When did the library reopen?",
            "The library burned down in 1921. It reopened in 1930, in a building twice as large.",
        ),
        "two years apart": (
            "When did the hotel reopen?",
            "The hotel closed in 1998 after a fire. Its owners sold it, and after ten years of work it reopened in "
            "2008 with half as many rooms.",
        ),
        "two numbers": (
            "How many people were injured?",
            "The storm killed 12 people and injured 340, most of them on the northern coast.",
        ),
    }

    def fits(self, labels: Sequence[str]) -> bool:
        return len(labels) in (0, len(self.columns))  # a config says nothing of two labels without names

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        inside = np.flatnonzero((tokens.segment == 1) & ~tokens.special)
        if not len(inside):
            raise TextError("Nothing of the context is read: the question is too long. Shorten it.")
        return (*((0,) if head.no_answer else ()), *inside.tolist())

    def normalizer_positions(self, tokens: Tokens, target: Target, head: Head) -> tuple[int, ...]:
        return self.positions(tokens, head)

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        positions = self.positions(tokens, head)
        logits = raw["rows"][0].detach().double().cpu()  # (P, 2)
        probabilities = torch.softmax(logits, dim=0).numpy()
        places = Output(("start", "end"), logits.numpy(), probabilities, True, positions)
        allowed = _allowed(positions)
        joint = logits[:, None, 0] + logits[None, :, 1]  # (P, P): start, end
        order = _best_first(joint.masked_fill(~allowed, -torch.inf), min(LISTED, int(allowed.sum())))
        spans = tuple(_span(tokens, positions, start, stop, probabilities) for start, stop in order)
        answers = Output(
            _apart(spans),
            np.array([[float(joint[pair]) for pair in order]]),
            np.array([[span.probability for span in spans]]),
            exclusive=True,
            listed_of=int(allowed.sum()),
        )
        return Prediction(self.name, (tokens,), (answers, places), spans[0].text, spans[0].probability, spans=spans)

    def joined(self, predictions: Sequence[Prediction], head: Head, label: str | None) -> tuple[int, Prediction]:
        """See `Task.joined`; where an answer is named, return the window that holds it with the largest logits."""
        best = super().joined(predictions, head, None)
        if label is None:
            return best
        holding: dict[int, float] = {}
        for number, prediction in enumerate(predictions):
            with contextlib.suppress(TargetError):
                target = self.target(prediction, head, label=label, scale="logit")
                holding[number] = self.value(prediction, target, head)
        if not holding:
            return best
        number = max(holding, key=lambda number: holding[number])
        return number, replace(predictions[number], window=(number, len(predictions)))

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
        first = prediction.spans[0] if label is None and position is None else None
        answer = first or self._find(prediction, label, position)
        ends = _ends(answer)
        protected = tuple(range(*answer.tokens))
        if against is None:
            scale = scale or self.scales[0]
            if scale not in _SCALES:
                raise TargetError(f"An answer is measured as one of {', '.join(_SCALES)}, not as {scale!r}.")
            return Target(self.name, answer.text, ends[0], ends, scale=scale, protected=protected)
        other = self._find(prediction, against, None, but=answer)
        if scale not in (None, "logit_difference"):
            raise TargetError(f"A contrast is measured as 'logit_difference', not as {scale!r}.")
        both = (*ends, *_ends(other))
        return Target(
            self.name,
            answer.text,
            ends[0],
            both,
            other.text,
            both[2],
            "logit_difference",
            (*protected, *range(*other.tokens)),
        )

    def labels(self, prediction: Prediction | None, head: Head, position: int | None = None) -> tuple[str, ...]:
        return () if prediction is None else prediction.output.labels

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        rows = raw["rows"]  # (B, 2 or 4, and the normalizer positions, 2)
        logit = rows[:, 0, 0] + rows[:, 1, 1]
        if target.scale == "logit":
            return logit
        if target.scale == "logit_difference":
            return logit - (rows[:, 2, 0] + rows[:, 3, 1])
        gone = places[:, 2:] < 0  # (B, P)
        sums = rows[:, 2:].masked_fill(gone[..., None], -torch.inf).logsumexp(dim=1)  # (B, 2)
        return _scaled(logit - sums.sum(dim=-1), target.scale)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        places = prediction.outputs[1]
        number = {position: row for row, position in enumerate(places.positions)}
        rows = places.logits[[number[position] for position in target.positions]]
        read = np.concatenate([rows, places.logits])[None]
        everywhere = torch.from_numpy(np.zeros((1, len(read[0])), dtype=np.int64))
        return float(self.scalar({"rows": torch.from_numpy(read)}, target, everywhere, head)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        """Return the best answer's two places, as one number."""
        count = len(target.positions)
        rows, gone = raw["rows"][:, count:], places[:, count:] < 0
        joint = rows[:, :, None, 0] + rows[:, None, :, 1]  # (B, P, P)
        allowed = (~gone[:, :, None] & ~gone[:, None, :]) & _in_order(places[:, count:])
        return joint.masked_fill(~allowed, -torch.inf).flatten(1).argmax(dim=-1)

    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        count = len(target.positions)
        gone = places[0, count:] < 0
        start, stop = divmod(int(self.decision(raw, target, places, head)[0]), len(gone))
        rows = raw["rows"][0, count:].double().masked_fill(gone[:, None], -torch.inf)
        span = _span(tokens, self.positions(tokens, head), start, stop, torch.softmax(rows, dim=0).numpy())
        return span.text, span.probability

    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        best = _ends(prediction.spans[0])
        if best == target.positions[:2]:
            return 1
        return -1 if best == target.positions[2:] else 0

    def _find(
        self, prediction: Prediction, text: str | None, position: int | None, but: PredictedSpan | None = None
    ) -> PredictedSpan:
        """Return the likeliest answer of a text, or beginning at a token; else any stretch of the context of that text.

        Raises:
            TargetError: the context has no such words, or they can't be an answer.
        """
        text = text if text is None else text.strip()
        named = prediction.output.labels  # of two that are alike, the second by its place
        for span, name in zip(prediction.spans, named):
            if span != but and text in (None, name) and position in (None, span.tokens[0]):
                return span
        for span in prediction.spans:  # the first of a text may be the one that is contrasted with
            if span != but and text == span.text and position in (None, span.tokens[0]):
                return span
        tokens = prediction.tokens
        context = tokens.texts[-1]
        places = prediction.outputs[1]
        start = context.find(text) if text else -1
        while text and start >= 0:
            inside = [
                place
                for place in places.positions
                if tokens.spans[place, 1] > start and tokens.spans[place, 0] < start + len(text) and place
            ]
            if inside and position in (None, inside[0]):
                rows = places.positions.index(inside[0]), places.positions.index(inside[-1])
                assert places.probabilities is not None
                span = _span(tokens, places.positions, *rows, places.probabilities)
                if span.text == text and span != but and _stands_alone(context, span.characters):
                    return span
            start = context.find(text, start + 1)
        if but is not None and text in (
            but.text,
            named[prediction.spans.index(but)] if but in prediction.spans else "",
        ):
            raise TargetError(f"A contrast needs two answers; {text!r} was given twice.")
        missing = f"{text!r}" if text else "answer"
        where = "" if position is None else f" that begins at token {position}"
        if text and text in context and prediction.window[1] > 1:
            start, stop = tokens.begins_at[-1], tokens.truncated_at[-1] or len(context)
            raise TargetError(
                f"{text!r} is no answer in the part of the context that is explained, characters {start:,} to "
                f"{stop:,}. Two answers are compared within one part: shorten the context."
            )
        raise TargetError(f"The context has no {missing}{where}. Give whole words as they stand in it.")


def _allowed(positions: tuple[int, ...]) -> Tensor:
    """Return which pairs of rows are an answer (P, P): the last not before the first, nor far; [CLS] with itself."""
    return _in_order(torch.from_numpy(np.array([positions], dtype=np.int64)))[0]


def _in_order(places: Tensor) -> Tensor:
    """Return the same for places (B, P) -> (B, P, P)."""
    first, last = places[:, :, None], places[:, None, :]
    nowhere = (first == 0) != (last == 0)  # one of them [CLS], which is no part of any context
    return (last >= first) & (last < first + LONGEST) & ~nowhere


def _best_first(joint: Tensor, count: int) -> list[tuple[int, int]]:
    best = joint.flatten().topk(count).indices.tolist()
    return [divmod(index, joint.shape[1]) for index in best]


def _span(
    tokens: Tokens, positions: tuple[int, ...], start: int, stop: int, probabilities: FloatArray | Any
) -> PredictedSpan:
    """Return the answer of the rows of its first and last token."""
    first, last = positions[start], positions[stop]
    sure = float(probabilities[start, 0] * probabilities[stop, 1])
    if first == 0:
        return PredictedSpan("", (0, 1), 0, (0, 0), NO_ANSWER, sure)
    unit = range(first, last + 1)
    segment, left, right = tokens.unit_span(unit)
    return PredictedSpan("", (first, last + 1), segment, (left, right), tokens.unit_text(unit), sure)


def _stands_alone(context: str, characters: tuple[int, int]) -> bool:
    """Whether no letter or digit stands beside a stretch that itself begins, or ends, with one."""
    start, stop = characters
    before = start > 0 and context[start - 1].isalnum() and context[start].isalnum()
    behind = stop < len(context) and context[stop].isalnum() and context[stop - 1].isalnum()
    return not (before or behind) or not context[start:stop].isascii()  # many scripts put no space between words


def _apart(spans: tuple[PredictedSpan, ...]) -> tuple[str, ...]:
    """Return the texts of answers; where two are alike, the later ones with the place they begin at."""
    seen: set[str] = set()
    names = []
    for span in spans:
        names.append(f"{span.text} (at {span.characters[0]})" if span.text in seen else span.text)
        seen.add(span.text)
    return tuple(names)


def _ends(span: PredictedSpan) -> tuple[int, int]:
    return span.tokens[0], span.tokens[1] - 1


def _scaled(log_probability: Tensor, scale: str) -> Tensor:
    if scale == "log_probability":
        return log_probability
    if scale == "probability":
        return log_probability.exp()
    return log_probability - torch.log1p(-log_probability.exp().clamp(max=1 - 1e-7))


TASKS.register("question_answering")(QuestionAnswering())

"""Tasks: the head of each, its decision, and the single number that is explained.

A task turns a model's raw numbers into an `Output`, a `Prediction` and, for a `Target`, into the one scalar that
methods attribute. It knows heads, not encoders; models know encoders, not targets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from explain.core.errors import TargetError
from explain.core.lazy import lazy_module
from explain.core.registry import Registry, unknown
from explain.datatypes import Output, Prediction, Target, Tokens

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy_module("torch")

LISTED = 20  # words of a prediction

TASKS: Registry[Task] = Registry("task", "explain.tasks")

# A head's tensors by name, batch first: {"logits": (B, C)} where it speaks of the whole input, {"rows": (B, P, C)}
# where it is read at P tokens (rows of tokens that are gone hold anything).
Raw = Mapping[str, "Tensor"]


class Vocabulary(ABC):
    """The words a head can write, one for each of its columns; nothing is listed before someone asks.

    Attributes:
        mask, mask_id: the mask token, as it is written in a text, and its id; "" and -1 where there is none.
        no_words: columns that are none: special tokens, and those a vocabulary is padded with.
    """

    mask: str
    mask_id: int
    no_words: tuple[int, ...]

    @abstractmethod
    def word(self, index: int) -> str:
        """Return the name of a column; a piece that joins on to what stands before it begins with "##"."""

    @abstractmethod
    def find(self, word: str) -> int:
        """Return the column of a word, as `word` gives it or as a reader writes it.

        Raises:
            TargetError: no such word, or one that is more than one piece.
        """


@dataclass(frozen=True)
class Head:
    """A checkpoint's head.

    Attributes:
        labels (C): the names of its columns; empty where there is a vocabulary.
        exclusive: exactly one label is right (softmax); else each is decided alone (sigmoid).
        value: a number is predicted, not a label.
        temperature: the calibration constant of its logits, or None.
        vocabulary: the names of its columns, where they are words.
        thresholds (C): of labels that are decided each alone, the probability from which each is there; empty: 0.5.
        texts: what the two texts of a pair are called that it was trained on ("Premise", "Hypothesis"); empty: it was
            trained on single texts, or nobody said.
        no_answer: it was trained to say that a text does not hold the answer.
    """

    labels: tuple[str, ...]
    exclusive: bool = True
    value: bool = False
    temperature: float | None = None
    vocabulary: Vocabulary | None = None
    thresholds: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    no_answer: bool = False

    def decided(self, logits: Tensor) -> Tensor:
        """Return the decision on each label, of labels that are decided each alone: (B, C) -> (B, C), bool."""
        return logits.sigmoid() >= (logits.new_tensor(self.thresholds) if self.thresholds else 0.5)


class Task(ABC):
    """One task; stateless. Subclasses are one file each and register an instance under the file's name.

    Class attributes:
        name: the registry's; hub_name: Hugging Face's, with hyphens; title: a reader's.
        auto_class: the class of transformers that loads its models.
        scales: what its targets may be measured in, the default first.
        also_in: other architectures of transformers that hold the same head.
        columns: what its head's columns are called, where that is not for each checkpoint to say, or a vocabulary's.
        texts: what the texts are called that it reads: one, or two.
        read_as: what they are called where they are read, if otherwise: of labels given together, each has a sentence.
        pair: whether there is a second text: "never", "perhaps" or "always".
        examples: texts to start from, by a name for each.
        one_row: the target is read off one row of the last layer.
        place: what is asked about where a prediction is read at several tokens: "mask", "word".
        open_labels: more may be asked for than `labels` lists.
        windows: a second text that is too long is read in windows that overlap, and the surest of them counts.
    """

    name: ClassVar[str]
    hub_name: ClassVar[str]
    title: ClassVar[str]
    auto_class: ClassVar[str]
    scales: ClassVar[tuple[str, ...]]
    also_in: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[tuple[str, ...]] = ("Text",)
    read_as: ClassVar[tuple[str, ...]] = ()
    pair: ClassVar[str] = "never"
    examples: ClassVar[Mapping[str, tuple[str, ...]]]
    one_row: ClassVar[bool] = True
    place: ClassVar[str] = ""
    open_labels: ClassVar[bool] = False
    windows: ClassVar[bool] = False

    def is_in(self, architecture: str) -> bool:
        """Whether a class of transformers holds this task's head."""
        return architecture.endswith(self.auto_class.removeprefix("AutoModel")) or architecture in self.also_in

    def fits(self, labels: Sequence[str]) -> bool:
        """Whether a head of these labels is one of this task's."""
        return True

    def decides_label(self, head: Head) -> bool:
        """Whether a head decides on labels of the whole text, all of them in one pass."""
        return False

    def second_texts(self, text_pair: str | None) -> tuple[str | None, ...]:
        """Return the second texts that are read with the first, one after the other, where one field holds several.

        Raises:
            TextError: none can be made of it.
        """
        return (text_pair,)

    def joined(self, predictions: Sequence[Prediction], head: Head, label: str | None) -> tuple[int, Prediction]:
        """Return one prediction from those of several encodings, and the number of the one explained.

        Of windows it is the one whose likeliest answer has the largest logits. Not the probability: in a window that
        holds no answer, some stretch is the likeliest all the same.

        Raises:
            TargetError: a label is asked for that none has.
        """
        best = max(range(len(predictions)), key=lambda number: float(predictions[number].output.logits[0, 0]))
        return best, replace(predictions[best], window=(best, len(predictions)))

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        """Return the tokens a prediction is read at; none where the head speaks of the whole input.

        Raises:
            TextError: there is no token in the text that could be read.
        """
        return ()

    def normalizer_positions(self, tokens: Tokens, target: Target, head: Head) -> tuple[int, ...]:
        """Return further tokens whose rows the target's number depends on: all that an answer might begin or end at."""
        return ()

    @abstractmethod
    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        """Read a batch of one; where the head is read at tokens, the rows are those at `positions`."""

    @abstractmethod
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
        """Return the target a user means: by default the decided label in log-odds.

        Args:
            position: one of the prediction's positions (a token), where it has any; by default the first.

        Raises:
            TargetError: no such label, scale or position.
        """

    def places(self, prediction: Prediction) -> dict[int, str]:
        """Return the positions that may be explained, with a name for each; none where there is nothing to choose."""
        return {}

    def labels(self, prediction: Prediction | None, head: Head, position: int | None = None) -> tuple[str, ...]:
        """Return labels to choose a target from, at a position where there are several, as far as they are known."""
        return () if head.value else head.labels

    @abstractmethod
    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        """Return the explained number of each row, differentiable: (B,).

        Args:
            raw: the head's tensors for B variants of one text; {"rows"} are those at `places`.
            places (B, P): where the target's positions, and then the `normalizer_positions`, stand in each variant; -1
                where one of the latter is gone.
        """

    @abstractmethod
    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        """Return the same number, of a prediction that was made before."""

    @abstractmethod
    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        """Return the decision of each row, as a number to compare with another row's: (B,), int64."""

    @abstractmethod
    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        """Return the name of the first row's `decision`, and its probability; see `EmptyText`."""

    @abstractmethod
    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        """Return 1 where a higher target speaks for the decision, -1 where against it, 0 where neither."""


class LabelTask(Task):
    """A task whose head gives one row of logits, one for each label, or a number.

    log-odds of label c    F = z_c - log sum_{k != c} exp z_k     (one label right: softmax)
                           F = z_c                                (several may be: a sigmoid each, already log-odds)
    contrast A, B          F = z_A - z_B
    value                  F = z                                  (regression: a number, no label)
    """

    scales: ClassVar[tuple[str, ...]] = (
        *("log_odds", "probability", "log_probability", "logit", "logit_difference", "value"),
    )

    def decides_label(self, head: Head) -> bool:
        return not (head.value or self.read_as)

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        output = as_output(raw["logits"][:1], head)
        label = confidence = None
        labels: tuple[str, ...] = ()
        if not head.exclusive and not head.value:
            decided = head.decided(torch.from_numpy(output.logits.copy()))[0].tolist()
            labels = tuple(name for name, is_decided in zip(head.labels, decided) if is_decided)
        if head.exclusive and not head.value:
            label, confidence = surest(torch.from_numpy(output.logits[0].copy()), head.labels, head.temperature)
        return Prediction(self.name, (tokens,), (output,), label, confidence, head.temperature, labels=labels)

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
        return float(self.scalar(raw, target, raw["logits"].new_empty((1, 0), dtype=torch.long), head)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        logits = raw["logits"]
        if head.value:
            return logits.new_zeros(len(logits), dtype=torch.long)  # a number decides nothing
        if head.exclusive:
            return logits.argmax(dim=-1)
        return head.decided(logits)[:, target.index].long()

    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        logits = raw["logits"][0].double()
        if head.value:
            return None, None
        if head.exclusive:
            return surest(logits, head.labels, head.temperature)
        is_decided = bool(head.decided(logits[None])[0, target.index])
        share = torch.sigmoid(logits[target.index] / (head.temperature or 1.0))
        return target.label if is_decided else None, float(share)

    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        if head.value:
            return 0
        logits = prediction.output.logits
        if head.exclusive:
            return direction_of(int(logits[0].argmax()), target, len(head.labels))
        return 1 if bool(head.decided(torch.from_numpy(logits.copy()))[0, target.index]) else -1


class VocabularyTask(Task):
    """A task whose head gives a row of logits over a whole vocabulary at each of some tokens.

    log-odds of word w at token i    F = z_iw - log sum_{v != w} exp z_iv
    contrast v, w                    F = z_iv - z_iw

    Probabilities are of the whole vocabulary, special tokens included; a prediction lists the likeliest words only.
    """

    scales: ClassVar[tuple[str, ...]] = ("log_odds", "probability", "log_probability", "logit", "logit_difference")
    open_labels = True

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        vocabulary = vocabulary_of(head)
        outputs = [_output(row, place, vocabulary) for row, place in zip(raw["rows"][0], self.positions(tokens, head))]
        first = outputs[0]
        confidence = None if first.probabilities is None else float(first.probabilities[0, 0])
        return Prediction(self.name, (tokens,), tuple(outputs), first.labels[0], confidence)

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
        vocabulary = vocabulary_of(head)
        output = _at(prediction, position)
        column = int(_best(_every_logit(output), vocabulary, 1)) if label is None else vocabulary.find(label)
        other = None if against is None else vocabulary.find(against)
        contrast = None if other is None else (vocabulary.word(other), other)
        word = prediction.tokens.word_around(output.positions[0])  # of the last word of a text, all its pieces
        return chosen_target(self, (vocabulary.word(column), column), contrast, scale, output.positions, protected=word)

    def labels(self, prediction: Prediction | None, head: Head, position: int | None = None) -> tuple[str, ...]:
        return () if prediction is None else _at(prediction, position).labels

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return read_scale(raw["rows"][:, 0], target)  # (B, C) -> (B,)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        return float(read_scale(_every_logit(_at(prediction, target.positions[0])), target)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return _best(raw["rows"][:, 0], vocabulary_of(head), 1)[:, 0]

    def decided(
        self, raw: Raw, target: Target, places: Tensor, head: Head, tokens: Tokens
    ) -> tuple[str | None, float | None]:
        index = int(self.decision(raw, target, places, head)[0])
        return vocabulary_of(head).word(index), float(torch.softmax(raw["rows"][0, 0].double(), dim=-1)[index])

    def direction(self, prediction: Prediction, target: Target, head: Head) -> int:
        logits = _every_logit(_at(prediction, target.positions[0]))
        return direction_of(int(_best(logits, vocabulary_of(head), 1)), target, logits.shape[1])


def vocabulary_of(head: Head) -> Vocabulary:
    """Return the vocabulary of a head that writes words."""
    assert head.vocabulary is not None, "a head that writes words has a vocabulary"
    return head.vocabulary


def _best(logits: Tensor, vocabulary: Vocabulary, count: int) -> Tensor:
    """Return the likeliest words' columns: (B, C) -> (B, count)."""
    no_words = torch.tensor(vocabulary.no_words, dtype=torch.long, device=logits.device)
    return logits.index_fill(-1, no_words, -torch.inf).topk(count).indices


def _every_logit(output: Output) -> Tensor:
    """Return all columns (1, C), in float64.

    Raises:
        TargetError: the prediction comes from a record.
    """
    if output.every_logit is None:
        raise TargetError("A record lists the likeliest words only: predict again to ask about any word.")
    return torch.from_numpy(np.asarray(output.every_logit, dtype=np.float64).copy())


def _output(logits: Tensor, position: int, vocabulary: Vocabulary) -> Output:
    """Return the likeliest words of one mask by its logits (C,)."""
    values = logits.detach().cpu()
    best = _best(values[None], vocabulary, min(LISTED, len(values) - len(vocabulary.no_words)))[0]
    probabilities = torch.softmax(values.double(), dim=-1)
    return Output(
        tuple(vocabulary.word(index) for index in best.tolist()),
        values[best].double().numpy()[None],
        probabilities[best].numpy()[None],
        exclusive=True,
        positions=(position,),
        listed_of=len(values),
        every_logit=values.numpy()[None],
    )


def _at(prediction: Prediction, position: int | None) -> Output:
    """Return the output at a mask; by default the first.

    Raises:
        TargetError: there is no mask there.
    """
    if position is None:
        return prediction.output
    for output in prediction.outputs:
        if output.positions == (position,):
            return output
    places = ", ".join(str(output.positions[0]) for output in prediction.outputs)
    raise TargetError(f"Nothing is read at token {position}. This model is read at: {places}.")


def log_odds(logits: Tensor, index: int) -> Tensor:
    """Return z_c - log sum of exp z_k over the other k, the log of p / (1 - p): (..., C) -> (...)."""
    others = torch.cat([logits[..., :index], logits[..., index + 1 :]], dim=-1)
    return logits[..., index] - torch.logsumexp(others, dim=-1)


def surest(logits: Tensor, labels: Sequence[str], temperature: float | None = None) -> tuple[str, float]:
    """Return the label with the largest logit (C,), and its probability, after the temperature where there is one."""
    index = int(logits.argmax())
    return labels[index], float(torch.softmax(logits / (temperature or 1.0), dim=-1)[index])


def direction_of(decided: int, target: Target, columns: int) -> int:
    """Return `Task.direction` where one of several columns is decided."""
    if decided == target.index:
        return 1
    if decided == target.against_index or (columns == 2 and target.against is None):
        return -1
    return 0


def find_label(name: str, labels: Sequence[str]) -> int:
    """Return the column of a label, by its exact name or, failing that, by its name whatever the case.

    Raises:
        TargetError: there is no such label.
    """
    if name in labels:
        return list(labels).index(name)
    folded = [label.casefold() for label in labels]
    if folded.count(str(name).casefold()) == 1:
        return folded.index(str(name).casefold())
    raise TargetError(unknown("label", name, list(labels)))


def chosen_target(
    task: Task,
    label: tuple[str, int],
    against: tuple[str, int] | None,
    scale: str | None,
    positions: tuple[int, ...] = (),
    *,
    protected: tuple[int, ...] = (),
) -> Target:
    """Return the target of one label, or of a contrast of two, each by name and column; `protected` as in `Target`.

    Raises:
        TargetError: the same label twice, or a scale that the target can't be measured in.
    """
    if against is not None:
        if against[1] == label[1]:
            raise TargetError(f"A contrast needs two labels; {label[0]!r} was given twice.")
        if scale not in (None, "logit_difference"):
            raise TargetError(f"A contrast is measured as 'logit_difference', not as {scale!r}.")
        return Target(task.name, *label, positions, *against, "logit_difference", protected)
    scale = scale or "log_odds"
    if scale not in _LABEL_SCALES:
        raise TargetError(unknown("scale", scale, list(_LABEL_SCALES)))
    return Target(task.name, *label, positions, scale=scale, protected=protected)


_LABEL_SCALES = ("log_odds", "probability", "log_probability", "logit")


def read_scale(logits: Tensor, target: Target, exclusive: bool = True) -> Tensor:
    """Return the target's number in each row of logits: (B, C) -> (B,)."""
    if target.scale in ("value", "logit", "similarity"):
        return logits[:, target.index]
    if target.scale == "logit_difference":
        return logits[:, target.index] - logits[:, target.against_index]
    if target.scale == "log_odds":
        return log_odds(logits, target.index) if exclusive else logits[:, target.index]
    if exclusive:
        log_probability = torch.log_softmax(logits, dim=-1)[:, target.index]
    else:
        log_probability = torch.nn.functional.logsigmoid(logits[:, target.index])
    return log_probability if target.scale == "log_probability" else log_probability.exp()


def as_output(logits: Tensor, head: Head, positions: tuple[int, ...] = ()) -> Output:
    """Make an `Output` of rows of logits (P, C)."""
    values = logits.detach().double().cpu()
    if head.value:
        probabilities = None
    else:
        probabilities = (torch.softmax(values, dim=-1) if head.exclusive else torch.sigmoid(values)).numpy()
    return Output(head.labels, values.numpy(), probabilities, head.exclusive, positions)


def row_of(output: Output, position: int) -> Output:
    """Return an output's row at one of its tokens, alone.

    Raises:
        TargetError: nothing is read there.
    """
    try:
        return output.at(position)
    except ValueError:
        raise TargetError(
            f"No word begins at token {position}. Words of this text begin at: {', '.join(map(str, output.positions))}."
        ) from None

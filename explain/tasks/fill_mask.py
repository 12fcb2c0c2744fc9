"""Masked words: a row of logits over the whole vocabulary for each mask token the user wrote.

log-odds of word w at mask i    F = z_iw - log sum_{v != w} exp z_iv
contrast v, w                   F = z_iv - z_iw

Probabilities are of the whole vocabulary, special tokens included; a prediction lists the likeliest words only.
"""

import re

import numpy as np
import torch
from torch import Tensor

from explain.datatypes import Output, Prediction, Target, Tokens
from explain.errors import TargetError, TextError
from explain.tasks.base import TASKS, Head, Raw, Task, Vocabulary, chosen_target, read_scale

LISTED = 20  # words of a prediction
MOST_MASKS = 32  # in a text: each holds a number for every word of the vocabulary
_MEANT_AS_MASK = re.compile(r"[\[<]\s*mask\s*[\]>]", re.IGNORECASE)


class FillMask(Task):
    """Which word stands behind the mask?"""

    name = "fill_mask"
    hub_name = "fill-mask"
    title = "Masked words"
    auto_class = "AutoModelForMaskedLM"
    scales = ("log_odds", "probability", "log_probability", "logit", "logit_difference")
    also_in = ("BertForPreTraining",)
    texts = ("Text", "Second text")
    pair = "perhaps"
    place = "mask"
    open_labels = True
    examples = {
        "capital": ("The capital of France is [MASK].",),
        "agreement": ("The keys to the cabinet [MASK] on the table.",),
        "bank": ("She went to the bank to deposit her [MASK].",),
        "but": ("The film wasn't [MASK], but I liked it.",),
        "two masks": ("The cat chased the [MASK] into the [MASK].",),
    }

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        vocabulary = _vocabulary(head)
        found = tuple(np.flatnonzero((tokens.ids == vocabulary.mask_id) & ~tokens.special).tolist())
        if not found:
            raise TextError(_what_to_write(tokens, vocabulary.mask))
        if len(found) > MOST_MASKS:
            raise TextError(f"The text has {len(found)} masks; at most {MOST_MASKS} are guessed at once.")
        return found

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        vocabulary = _vocabulary(head)
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
        vocabulary = _vocabulary(head)
        output = _at(prediction, position)
        chosen = int(_best(_every_logit(output), vocabulary, 1)) if label is None else vocabulary.find(label)
        other = None if against is None else vocabulary.find(against)
        contrast = None if other is None else (vocabulary.word(other), other)
        return chosen_target(self, (vocabulary.word(chosen), chosen), contrast, scale, output.positions)

    def places(self, prediction: Prediction) -> dict[int, str]:
        return {output.positions[0]: f"mask {number}" for number, output in enumerate(prediction.outputs, 1)}

    def labels(self, prediction: Prediction | None, head: Head, position: int | None = None) -> tuple[str, ...]:
        return () if prediction is None else _at(prediction, position).labels

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return read_scale(raw["rows"][:, 0], target)  # (B, C) -> (B,)

    def value(self, prediction: Prediction, target: Target, head: Head) -> float:
        return float(read_scale(_every_logit(_at(prediction, target.positions[0])), target)[0])

    def decision(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return _best(raw["rows"][:, 0], _vocabulary(head), 1)[:, 0]


def _vocabulary(head: Head) -> Vocabulary:
    assert head.vocabulary is not None, "a head that fills masks has a vocabulary"
    return head.vocabulary


def _best(logits: Tensor, vocabulary: Vocabulary, count: int) -> Tensor:
    """The likeliest words' columns: (B, C) -> (B, count)."""
    no_words = torch.tensor(vocabulary.no_words, dtype=torch.long)
    return logits.index_fill(-1, no_words, -torch.inf).topk(count).indices


def _every_logit(output: Output) -> Tensor:
    """All columns (1, C), in float64.

    Raises:
        TargetError: the prediction comes from a record.
    """
    if output.every_logit is None:
        raise TargetError("A record lists the likeliest words only: predict again to ask about any word.")
    return torch.tensor(output.every_logit, dtype=torch.float64)


def _output(logits: Tensor, position: int, vocabulary: Vocabulary) -> Output:
    """The likeliest words of one mask, given its logits (C,)."""
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
    """What was guessed at a mask; by default the first.

    Raises:
        TargetError: there is no mask there.
    """
    if position is None:
        return prediction.output
    for output in prediction.outputs:
        if output.positions == (position,):
            return output
    masks = ", ".join(str(output.positions[0]) for output in prediction.outputs)
    raise TargetError(f"There is no mask at token {position}. Masks of this text are at: {masks}.")


def _what_to_write(tokens: Tokens, mask: str) -> str:
    """What is wrong with a text that has no mask among the tokens that are read."""
    unread = [text[place:] for text, place in zip(tokens.texts, tokens.truncated_at) if place is not None]
    if any(mask in text for text in unread):
        return (
            f"{mask} stands behind the {len(tokens)} pieces that are read of this text. "
            "Move it forward, or shorten the text."
        )
    for text in tokens.texts:
        if (meant := _MEANT_AS_MASK.search(text)) and meant[0] != mask:
            return f"This text says {meant[0]}; this model's mask is written {mask}, just so."
    return f"Put {mask} where a word is to be guessed."


TASKS.register("fill_mask")(FillMask())

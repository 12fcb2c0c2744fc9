"""Masked words: a row of logits over the whole vocabulary for each mask token the user wrote. See `VocabularyTask`."""

import re

import numpy as np

from explain.core.errors import TextError
from explain.datatypes import Prediction, Tokens
from explain.tasks.base import TASKS, Head, VocabularyTask, vocabulary_of

MOST_MASKS = 32  # in a text: each holds a number for every word of the vocabulary
_MEANT_AS_MASK = re.compile(r"[\[<]\s*mask\s*[\]>]", re.IGNORECASE)


class FillMask(VocabularyTask):
    """Words in the place of masks."""

    name = "fill_mask"
    hub_name = "fill-mask"
    title = "Masked words"
    auto_class = "AutoModelForMaskedLM"
    also_in = ("BertForPreTraining",)
    texts = ("Text", "Second text")
    pair = "perhaps"
    place = "mask"
    examples = {
        "agreement": ("The keys to the cabinet [MASK] on the table.",),
        "capital": ("The capital of France is [MASK].",),
        "bank": ("She went to the bank to deposit her [MASK].",),
        "but": ("The film wasn't [MASK], but I liked it.",),
        "two masks": ("The cat chased the [MASK] into the [MASK].",),
    }

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        vocabulary = vocabulary_of(head)
        masks = tuple(np.flatnonzero((tokens.ids == vocabulary.mask_id) & ~tokens.special).tolist())
        if not masks:
            raise TextError(_what_to_write(tokens, vocabulary.mask))
        if len(masks) > MOST_MASKS:
            raise TextError(f"The text has {len(masks)} masks; at most {MOST_MASKS} are guessed at once.")
        return masks

    def places(self, prediction: Prediction) -> dict[int, str]:
        return {output.positions[0]: f"mask {number}" for number, output in enumerate(prediction.outputs, 1)}


def _what_to_write(tokens: Tokens, mask: str) -> str:
    """Return what to write in a text that has no mask among the tokens that are read."""
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

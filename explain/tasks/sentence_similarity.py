"""Similarity: the cosine of two sentence vectors, each text read by itself.

similarity    F = cos(f(a), f(b))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from explain.core.errors import TargetError
from explain.datatypes import Output, Prediction, Target, Tokens
from explain.tasks.base import TASKS, Head, LabelTask, Raw

if TYPE_CHECKING:
    from torch import Tensor

LABEL = "similarity"


class SentenceSimilarity(LabelTask):
    """Similarity of two texts: how near they are in meaning."""

    name = "sentence_similarity"
    hub_name = "sentence-similarity"
    title = "Similarity"
    auto_class = "AutoModel"
    columns = (LABEL,)
    scales = ("similarity",)
    texts = ("Text", "Other text")
    pair = "always"
    one_row = False
    examples = {
        "paraphrase": ("How do I get to the nearest station?", "Where is the closest train stop?"),
        "same words": ("The dog bit the man.", "The man bit the dog."),
        "denial": ("The shop is open on Sundays.", "The shop is never open on Sundays."),
        "unrelated": ("Beat the eggs with the sugar.", "The court dismissed the appeal."),
    }

    def is_in(self, architecture: str) -> bool:
        return architecture.endswith("Model") and not architecture.endswith("LMHeadModel")

    def prediction(self, raw: Raw, tokens: Tokens, head: Head) -> Prediction:
        values = raw["logits"][:1].detach().double().cpu().numpy()
        return Prediction(self.name, (tokens,), (Output((LABEL,), values, None, exclusive=True),))

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
        if label not in (None, LABEL) or against is not None or scale not in (None, "similarity"):
            raise TargetError("This model gives one number, the similarity: leave label, contrast and scale away.")
        if position is not None:
            raise TargetError("This model compares the whole texts: leave the position away.")
        return Target(self.name, LABEL, 0, scale="similarity")

    def scalar(self, raw: Raw, target: Target, places: Tensor, head: Head) -> Tensor:
        return raw["logits"][:, 0]


TASKS.register("sentence_similarity")(SentenceSimilarity())

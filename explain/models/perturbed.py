"""A model that adds a fixed step to one text's embeddings, for max-sensitivity."""

from torch import Tensor

from explain.datatypes import Tokens
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel


class PerturbedEmbeddings(CachedModel):
    """A model like `model`, but the word embeddings of `tokens` are off by `step` (T, D).

    Only what is computed from word embeddings sees it: methods that need "gradients".
    """

    def __init__(self, model: TextModel, tokens: Tokens, step: Tensor) -> None:
        super().__init__(model)
        self._key, self._step = tokens.key, step

    # One by one, from the embeddings below: the model would take its own.
    gradients_each = TextModel.gradients_each
    predict_with_gradients = TextModel.predict_with_gradients

    def word_embeddings(self, tokens: Tokens) -> Tensor:
        points = super().word_embeddings(tokens)
        return points + self._step if tokens.key == self._key else points

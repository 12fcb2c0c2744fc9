"""A model that runs nothing twice while one text is explained.

Prediction, attention maps and rollout share one forward pass; phrases find the words that occlusion took away already.
It wraps a model for the length of one piece of work, in one thread, and is thrown away afterwards.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from explain.datatypes import Cut, Neuron, Prediction, Target, Tokens
from explain.meter import Meter
from explain.models.base import (
    AttentionGradients,
    Decision,
    Inside,
    Observation,
    Row,
    Scores,
    SeeNeurons,
    TextModel,
    Trace,
)
from explain.models.own_module import TargetModule
from explain.models.post_norm import PostNormLayer
from explain.models.row_head import RowHead


class Remembering(TextModel):
    """Gives what `model` gives; forwards it has seen cost no pass."""

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._observed: dict[Hashable, Observation] = {}
        self._scored: dict[Hashable, tuple[float, int]] = {}
        self._decided: dict[Hashable, Decision] = {}
        self._traced: dict[Hashable, Trace] = {}
        self._differentiated: dict[Hashable, AttentionGradients] = {}
        self._inside: dict[Hashable, Inside] = {}
        self.name, self.record, self.task, self.head = model.name, model.record, model.task, model.head
        self.max_tokens = model.max_tokens
        self.mask_id, self.pad_id, self.unk_id = model.mask_id, model.pad_id, model.unk_id
        self.layers, self.heads, self.neurons = model.layers, model.heads, model.neurons
        self.offers, self.scripts = model.offers, model.scripts

    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        return self._model.encode(text, text_pair)

    def windows(self, text: str, text_pair: str | None = None) -> tuple[Tokens, ...]:
        return self._model.windows(text, text_pair)

    def remember(self, observation: Observation) -> None:
        """Take over a forward pass that was made before."""
        self._observed[observation.prediction.tokens.key] = observation

    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        if tokens.key not in self._observed:
            self._observed[tokens.key] = self._model.observe(tokens, meter)
        return self._observed[tokens.key]

    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        seen = self._observed.get(tokens.key)
        return seen.prediction if seen else self._model.predict(tokens, meter)

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        if tokens.key not in self._traced:
            self._traced[tokens.key] = self._model.trace(tokens, meter)
        return self._traced[tokens.key]

    def attention_gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        key = (tokens.key, target)
        if key not in self._differentiated:
            self._differentiated[key] = self._model.attention_gradients(tokens, target, meter)
        return self._differentiated[key]

    def cut_scores(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> Scores:
        return self._model.cut_scores(tokens, target, cuts, meter)

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        key = (tokens.key, target)
        if key not in self._inside:
            self._inside[key] = self._model.inside(tokens, target, meter)
        return self._inside[key]

    def watch_neurons(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        self._model.watch_neurons(texts, see, meter)

    def silenced_scores(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> Scores:
        return self._model.silenced_scores(tokens, target, sets, meter)

    def vectors_moved(
        self, tokens: Tokens, points: Tensor, ways: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        return self._model.vectors_moved(tokens, points, ways, meter)

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        return self._model.own_module(tokens, target, meter)

    def randomized(self, layers: int, seed: int) -> TextModel:
        return self._model.randomized(layers, seed)

    @property
    def post_norm(self) -> tuple[PostNormLayer, ...]:
        return self._model.post_norm

    @property
    def row_head(self) -> RowHead:
        return self._model.row_head

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        keys = [_key(row) for row in rows]
        fresh = {key: row for key, row in zip(keys, rows) if key not in self._scored}
        if fresh:
            found = self._model.scores(list(fresh.values()), meter)
            for key, value, decision in zip(fresh, found.values.tolist(), found.decisions.tolist()):
                self._scored[key] = (value, decision)
        known = [self._scored[key] for key in keys]
        return Scores(
            np.array([value for value, _ in known]), np.array([decision for _, decision in known], dtype=np.int64)
        )

    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        key = _key(row)
        if key not in self._decided:
            decision = self._decided[key] = self._model.decide(row, meter)
            self._scored.setdefault(key, (decision.value, decision.number))
        return self._decided[key]

    def word_embeddings(self, tokens: Tokens) -> Tensor:
        return self._model.word_embeddings(tokens)

    def token_embedding(self, token_id: int) -> Tensor:
        return self._model.token_embedding(token_id)

    def gradients(
        self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        return self._model.gradients(tokens, target, points, meter)

    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        return self._model.values(tokens, target, points, meter)

    def chunks(self, count: int, length: int) -> int:
        return self._model.chunks(count, length)

    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        return self._model.rows_read(tokens, target)


def _key(row: Row) -> Hashable:
    variant = row.variant
    parts = (variant.kept, variant.ids, variant.attended, variant.zeroed)
    return row.tokens.key, row.target, tuple(part.tobytes() for part in parts)

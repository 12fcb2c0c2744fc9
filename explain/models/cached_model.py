"""A model that caches forward passes while one text is explained.

Prediction, attention maps and rollout share one forward pass; phrases find the words that occlusion took away already.
It wraps a model for the length of one piece of work, in one thread, and is thrown away afterwards.
"""

from abc import update_abstractmethods
from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import TypeVar, cast

import numpy as np

from explain.core.meter import Meter
from explain.datatypes import Cut, Neuron, Prediction, Target, Tokens
from explain.models.base import Decision, Observation, Row, Scores, TextModel, served_by_models
from explain.models.capabilities.attention import Attention, AttentionGradients, Trace
from explain.models.capabilities.neurons import Inside, Neurons, SeeNeurons

_Member = TypeVar("_Member")


def _forwarded(name: str, member: _Member) -> _Member:
    """Return a property that reads the wrapped model's member of that name; `member` gives its type."""
    return cast(_Member, property(attrgetter(f"_model.{name}"), doc=getattr(member, "__doc__", None)))


class CachedAttention(Attention):
    """A model's attention; each trace and each gradient is computed once."""

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._traces: dict[Hashable, Trace] = {}
        self._gradients: dict[Hashable, AttentionGradients] = {}

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        if tokens.key not in self._traces:
            self._traces[tokens.key] = self._model.attention.trace(tokens, meter)
        return self._traces[tokens.key]

    def gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        key = (tokens.key, target)
        if key not in self._gradients:
            self._gradients[key] = self._model.attention.gradients(tokens, target, meter)
        return self._gradients[key]

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> Scores:
        return self._model.attention.scores_with_ablation(tokens, target, cuts, meter)


class CachedNeurons(Neurons):
    """A model's neurons; states and gradients of each target are computed once."""

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._inside: dict[Hashable, Inside] = {}

    @property
    def per_layer(self) -> int:
        return self._model.neurons.per_layer

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        key = (tokens.key, target)
        if key not in self._inside:
            self._inside[key] = self._model.neurons.inside(tokens, target, meter)
        return self._inside[key]

    def stream_activations(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        self._model.neurons.stream_activations(texts, see, meter)

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> Scores:
        return self._model.neurons.scores_with_ablation(tokens, target, sets, meter)


class CachedModel(TextModel):
    """A model like `model`; repeated forward passes cost none.

    Four methods, and three of its attention and neurons, are cached. Everything else that a model serves is forwarded,
    see below the class.
    """

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._observed: dict[Hashable, Observation] = {}
        self._scored: dict[Hashable, tuple[float, int]] = {}
        self._decided: dict[Hashable, Decision] = {}
        self._attention = CachedAttention(model)
        self._neurons = CachedNeurons(model)

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

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        keys = [_key(row) for row in rows]
        fresh = {key: row for key, row in zip(keys, rows) if key not in self._scored}
        if fresh:
            scores = self._model.scores(list(fresh.values()), meter)
            for key, score, decision in zip(fresh, scores.values.tolist(), scores.decisions.tolist()):
                self._scored[key] = (score, decision)
        known = [self._scored[key] for key in keys]
        return Scores(
            np.array([score for score, _ in known]), np.array([decision for _, decision in known], dtype=np.int64)
        )

    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        key = _key(row)
        if key not in self._decided:
            decision = self._decided[key] = self._model.decide(row, meter)
            self._scored.setdefault(key, (decision.value, decision.number))
        return self._decided[key]

    @property
    def attention(self) -> Attention:
        return self._attention

    @property
    def neurons(self) -> Neurons:
        return self._neurons

    # Abstract members stand here by name, for type checkers.
    encode = _forwarded("encode", TextModel.encode)
    word_embeddings = _forwarded("word_embeddings", TextModel.word_embeddings)
    token_embedding = _forwarded("token_embedding", TextModel.token_embedding)
    gradients = _forwarded("gradients", TextModel.gradients)
    values = _forwarded("values", TextModel.values)
    chunks = _forwarded("chunks", TextModel.chunks)
    rows_read = _forwarded("rows_read", TextModel.rows_read)


# Whatever the class does not define itself, so that no member of the interface can be forgotten.
for _name in served_by_models() - vars(CachedModel).keys():
    setattr(CachedModel, _name, _forwarded(_name, getattr(TextModel, _name, None)))
update_abstractmethods(CachedModel)


def _key(row: Row) -> Hashable:
    variant = row.variant
    parts = (variant.kept, variant.ids, variant.attended, variant.zeroed)
    return row.tokens.key, row.target, tuple(part.tobytes() for part in parts)

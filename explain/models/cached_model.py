"""A model that caches forward passes while one text is explained.

Prediction, attention maps and rollout share one forward pass; phrases find the words that occlusion took away already.
It wraps a model for the length of one piece of work, in one thread, and is thrown away afterwards.
"""

from abc import update_abstractmethods
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Generic, TypeVar, cast

import numpy as np

from explain.core.meter import Meter
from explain.datatypes import Cut, Neuron, Prediction, Target, Tokens
from explain.models.base import Decision, InputGradient, Observation, Row, Scores, TextModel, served_by_models
from explain.models.capabilities.attention import Attention, AttentionGradients, Trace
from explain.models.capabilities.neurons import Inside, Neurons, SeeNeurons

_Member = TypeVar("_Member")
_Subject = TypeVar("_Subject")
_Made = TypeVar("_Made")
_TextTarget = tuple[Tokens, Target]


def _forwarded(name: str, member: _Member) -> _Member:
    """Return a property that reads the wrapped model's member of that name; `member` gives its type."""
    return cast(_Member, property(attrgetter(f"_model.{name}"), doc=getattr(member, "__doc__", None)))


class _Cache(Generic[_Subject, _Made]):
    """Computed parts by key.

    Args:
        key_of: the key of a subject.
        count_all: passes are counted for everyone who needs them, not only for the first.
    """

    def __init__(self, key_of: Callable[[_Subject], Hashable], count_all: bool) -> None:
        self._key_of, self._count_all = key_of, count_all
        self._made: dict[Hashable, _Made] = {}

    def known(self, subject: _Subject) -> _Made | None:
        return self._made.get(self._key_of(subject))

    def keep(self, subject: _Subject, made: _Made) -> None:
        self._made[self._key_of(subject)] = made

    def get(
        self, subject: _Subject, compute: Callable[[], _Made], passes: Mapping[str, int], meter: Meter | None
    ) -> _Made:
        """Return what is kept of a subject, or else is computed, which takes some passes."""
        key = self._key_of(subject)
        if key not in self._made:
            self._made[key] = compute()
        elif self._count_all and meter is not None:
            meter.tick(**passes)
        return self._made[key]

    def each(
        self, subjects: Sequence[_Subject], compute: Callable[[Sequence[_Subject]], Sequence[_Made]]
    ) -> list[_Made]:
        """Return what is kept of several subjects; the missing ones are computed together."""
        keys = [self._key_of(subject) for subject in subjects]
        missing = {key: subject for key, subject in zip(keys, subjects) if key not in self._made}
        if missing:
            self._made |= zip(missing, compute(list(missing.values())))
        return [self._made[key] for key in keys]


def _text_key(tokens: Tokens) -> Hashable:
    return tokens.key


def _target_key(target: _TextTarget) -> Hashable:
    return target[0].key, target[1]


def _passes(tokens: Tokens, backward: int = 0) -> dict[str, int]:
    return {"forward": 1, "backward": backward, "positions": len(tokens)}


class CachedAttention(Attention):
    """A model's attention; each trace and each gradient is computed once."""

    def __init__(self, model: TextModel, count_all: bool) -> None:
        self._model = model
        self._traces = _Cache[Tokens, Trace](_text_key, count_all)
        self._gradients = _Cache[_TextTarget, AttentionGradients](_target_key, count_all)

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        return self._traces.get(tokens, partial(self._model.attention.trace, tokens, meter), _passes(tokens), meter)

    def trace_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Trace]:
        return self._traces.each(texts, lambda missing: self._model.attention.trace_each(missing, meter))

    def gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        compute = partial(self._model.attention.gradients, tokens, target, meter)
        return self._gradients.get((tokens, target), compute, _passes(tokens, backward=1), meter)

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[AttentionGradients]:
        return self._gradients.each(targets, lambda missing: self._model.attention.gradients_each(missing, meter))

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

    Its forward passes, gradients at texts, and those of its attention and neurons are cached. Everything else that a
    model serves is forwarded, see below the class.

    Args:
        count_all: count the passes of a trace, a gradient or a row of scores for everyone who needs them, as if each
            worked alone; else for the first.
    """

    def __init__(self, model: TextModel, *, count_all: bool = False) -> None:
        self._model = model
        self.count_all = count_all
        self._observed = _Cache[Tokens, Observation](_text_key, count_all)
        self._gradients = _Cache[_TextTarget, InputGradient](_target_key, count_all)
        self._scored: dict[Hashable, tuple[float, int]] = {}
        self._decided: dict[Hashable, Decision] = {}
        self._attention = CachedAttention(model, count_all)
        self._neurons = CachedNeurons(model)

    def remember(self, observation: Observation) -> None:
        """Take over a forward pass that was made before."""
        self._observed.keep(observation.prediction.tokens, observation)

    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        return self._observed.get(tokens, partial(self._model.observe, tokens, meter), _passes(tokens), meter)

    def observe_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Observation]:
        return self._observed.each(texts, lambda missing: self._model.observe_each(missing, meter))

    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        seen = self._observed.known(tokens)
        return seen.prediction if seen else self._model.predict(tokens, meter)

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[InputGradient]:
        return self._gradients.each(targets, lambda missing: self._model.gradients_each(missing, meter))

    def predict_with_gradients(
        self, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target], meter: Meter | None = None
    ) -> list[tuple[Prediction, Target, InputGradient]]:
        made = self._model.predict_with_gradients(texts, target_of, meter)
        for tokens, (_, target, gradient) in zip(texts, made):
            self._gradients.keep((tokens, target), gradient)
        return made

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        keys = [_key(row) for row in rows]
        fresh = {key: row for key, row in zip(keys, rows) if key not in self._scored}
        if self.count_all and meter is not None:
            lengths = [len(row.variant) for key, row in zip(keys, rows) if key not in fresh]
            meter.tick(forward=len(lengths), positions=sum(lengths))
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

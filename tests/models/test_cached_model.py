from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from explain.core.meter import Meter
from explain.models.analysis import ExplainedText, TextAnalysis
from explain.models.base import Row, TextModel, served_by_models
from explain.models.cached_model import CachedAttention, CachedModel, CachedNeurons
from explain.models.capabilities.attention import Attention
from explain.models.capabilities.neurons import Neurons
from explain.models.loading.catalogue import load_model
from explain.models.perturbed import PerturbedEmbeddings
from explain.models.transformer import EncoderModel
from explain.run import engine
from explain.run.plan import Plan
from explain.testing import TOY_MODELS, default_item
from explain.text.removal import unchanged

MODEL = TOY_MODELS["curved"]


def test_nothing_runs_twice() -> None:
    meter = Meter()
    working = CachedModel(MODEL)
    tokens, target = default_item(MODEL, "one two three")
    first = working.observe(tokens, meter)
    assert working.observe(tokens, meter) is first and meter.spent.forward == 1
    assert working.predict(tokens, meter) is first.prediction and meter.spent.forward == 1
    rows = [Row(tokens, unchanged(tokens), target), MODEL.removed(tokens, [1], "mask", target)]
    once = working.scores([*rows, rows[1]], meter)
    assert meter.spent.forward == 3
    again = working.scores(rows[::-1], meter)
    assert meter.spent.forward == 3
    assert np.array_equal(once.values[:2], again.values[::-1])


def test_it_gives_what_the_model_gives() -> None:
    working = CachedModel(MODEL)
    tokens, target = default_item(MODEL, "one two three")
    rows = [MODEL.removed(tokens, [1], operator, target) for operator in ("mask", "delete", "zero", "attention_off")]
    assert np.array_equal(working.scores(rows).values, MODEL.scores(rows).values)
    assert working.scores(rows).values.tolist() == pytest.approx(MODEL.scores(rows).values.tolist())
    assert len({round(value, 6) for value in working.scores(rows).values}) > 1
    points = MODEL.word_embeddings(tokens)[None]
    assert np.array_equal(working.gradients(tokens, target, points)[1], MODEL.gradients(tokens, target, points)[1])
    assert np.array_equal(working.rows_read(tokens, target), MODEL.rows_read(tokens, target))


def test_passes_are_kept_for_all_and_counted_for_each(tiny_bert: EncoderModel) -> None:
    subjects = [default_item(tiny_bert, text) for text in ("one two three", "four", "five six")]
    texts = [tokens for tokens, _ in subjects]
    working, every = CachedModel(tiny_bert), CachedModel(tiny_bert, count_all=True)
    for model, again in ((working, 0), (every, 1)):
        first, later = Meter(), Meter()
        model.observe(texts[1], first)
        assert model.observe_each([*texts, texts[0]], first)[1] is model.observe(texts[1], later)
        assert (first.spent.forward, later.spent.forward) == (3, again)
        model.attention.gradients_each(subjects)
        model.attention.gradients(*subjects[2], later)
        assert (later.spent.forward, later.spent.backward) == (2 * again, again)
        rows = [tiny_bert.removed(texts[0], [token], "mask", subjects[0][1]) for token in (1, 2)]
        model.scores(rows[:1]), model.scores(rows, later)
        assert later.spent.forward == 1 + 3 * again


def test_gradients_are_kept_and_those_of_moved_embeddings_are_not_the_models(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, "one two three")
    working, meter = CachedModel(tiny_bert), Meter()
    ((_, decided, gradient),) = working.predict_with_gradients([tokens], lambda _: target)
    assert decided == target and working.gradients_each([(tokens, target)], meter) == [gradient]
    assert meter.spent.forward == 0
    moved = PerturbedEmbeddings(working, tokens, torch.full_like(gradient.points, 0.5))
    expected = tiny_bert.gradients(tokens, target, gradient.points[None] + 0.5)[1][0]
    for (other,) in (
        moved.gradients_each([(tokens, target)]),
        [made[2] for made in moved.predict_with_gradients([tokens], lambda _: target)],
    ):
        assert torch.equal(other.gradient, expected) and not torch.equal(expected, gradient.gradient)


CACHED = {
    "decide",
    "observe",
    "observe_each",
    "predict",
    "scores",
    "gradients_each",
    "predict_with_gradients",
    "attention",
    "neurons",
}


def interface(*classes: type) -> set[str]:
    """Public members, attributes that are only annotated included."""
    names = {name for cls in classes for name in dir(cls)} | set(TextModel.__annotations__)
    return {name for name in names if not name.startswith("_")}


def test_every_public_member_is_forwarded_or_computed_from_forwarded_ones() -> None:
    """What a model may give in a way of its own is the model's; the other members no model defines again."""
    model: Any = SimpleNamespace(**{name: object() for name in interface(EncoderModel)})
    working = CachedModel(model)
    for name in interface(EncoderModel) - CACHED:
        computed = getattr(getattr(TextModel, name, None), "__final__", False)
        assert computed or getattr(working, name) is getattr(model, name), name
    for cls in (EncoderModel, *{type(toy) for toy in TOY_MODELS.values()}, CachedModel, PerturbedEmbeddings):
        for name in interface(TextModel) - served_by_models():
            assert getattr(cls, name) is getattr(TextModel, name), (cls, name)


@pytest.mark.parametrize("kind, cached", [(Attention, CachedAttention), (Neurons, CachedNeurons)])
def test_every_member_of_a_cached_capability_is_the_wrapped_models(kind: type, cached: type) -> None:
    assert {name for name in vars(kind) if name[0] != "_"} <= vars(cached).keys()
    assert CachedModel(MODEL).neurons.per_layer == MODEL.neurons.per_layer == 0


def test_members_of_the_release_before_go_on_with_a_warning(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, "one two three")
    for model in (tiny_bert, CachedModel(tiny_bert)):
        old: Any = model
        with pytest.warns(DeprecationWarning, match="model.attention.trace"):
            assert torch.equal(old.trace(item[0]).states, model.attention.trace(item[0]).states)
        with pytest.warns(DeprecationWarning, match="model.vectors.poolings"):
            assert old.poolings == model.vectors.poolings
        with pytest.raises(AttributeError, match="no attribute 'traces'"):
            _ = old.traces


def test_a_wrapper_of_the_wrapper_forwards_too() -> None:
    tokens, _ = default_item(MODEL, "one two three")
    step = torch.ones(len(tokens), MODEL.width)
    moved = PerturbedEmbeddings(CachedModel(MODEL), tokens, step)
    assert (moved.name, moved.capabilities, moved.vectors.poolings) == (
        MODEL.name,
        MODEL.capabilities,
        MODEL.vectors.poolings,
    )
    assert torch.equal(moved.word_embeddings(tokens), MODEL.word_embeddings(tokens) + step)


@dataclass(frozen=True)
class PairVectors:
    """The vectors of two texts, and the longest text that is read."""

    vectors: np.ndarray
    longest: int


@dataclass(frozen=True)
class Vectors(TextAnalysis[PairVectors]):
    """The vectors of two texts, as an analysis inside the engine reads them."""

    name: ClassVar[str] = "vectors"
    title: ClassVar[str] = "Vectors"
    meaning: ClassVar[str] = "Vectors of two texts."
    returns: ClassVar[type] = PairVectors

    texts: tuple[str, ...]

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return len(self.texts)

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> PairVectors:
        assert isinstance(model, CachedModel)
        return PairVectors(
            model.vectors.read(self.texts, model.vectors.poolings[0], meter).vectors, model.vectors.longest_text
        )


def test_inside_the_engine_a_similarity_model_gives_vectors() -> None:
    model = load_model("similarity")
    texts = ("A warm and funny film.", "A man plays a guitar.")
    analysis = Vectors(texts)
    read = engine.results(Plan.for_text(*texts, analyses=[analysis]), model).required(analysis)
    vectors, longest = read.vectors, read.longest
    assert np.array_equal(vectors, model.vectors.read(texts, model.vectors.poolings[0]).vectors)
    assert vectors.shape == (2, model.record.hidden) and longest == model.vectors.longest_text

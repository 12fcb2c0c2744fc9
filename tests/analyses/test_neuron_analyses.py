"""What is asked of the inside of a model: against sums by hand, plain passes and counted ones."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import explain
from explain.analyses import max_activations
from explain.analyses.hidden_states import HiddenStates
from explain.analyses.max_activations import MaxActivations
from explain.analyses.neuron_ablation import NeuronAblation
from explain.analyses.neuron_activations import NeuronActivations
from explain.core.errors import Cancelled, DataError, ModelError, SettingError
from explain.core.meter import Meter
from explain.data.texts import read_lines
from explain.datatypes import Neuron, NeuronWords
from explain.models.analysis import Analysis, ExplainedText
from explain.models.base import TextModel
from explain.models.chunks import chunks_by_length
from explain.models.transformer import EncoderModel
from explain.run import engine
from explain.run.jobs import Cache, CacheCheckpoint
from explain.run.plan import Plan
from explain.testing import NoGradientModel, default_item
from explain.views.base import VIEWS

TEXT = "The film isn't good, but its top-notch cast saves it!"
LINES = ("A slow film.", "so good", "I loved every minute of this wonderful, moving picture.", "no", "\U0001f600")


def test_states(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    inside = tiny_bert.neurons.inside(tokens, target)
    found = HiddenStates().run(tiny_bert, ExplainedText(tokens, target))
    assert found.norms.shape == (4, len(tokens)) and found.output == pytest.approx(inside.value)
    for layer, token in ((0, 0), (2, 5), (3, 1)):
        state, gradient = inside.states[layer, token], inside.state_gradients[layer, token]
        assert found.norms[layer, token] == pytest.approx(float(state.square().sum().sqrt()), rel=1e-5)
        assert found.gradient_norms[layer, token] == pytest.approx(float(gradient.norm()), rel=1e-5)
        assert found.products[layer, token] == pytest.approx(float(state @ gradient), abs=1e-5)
        for other in range(4):
            near = float(torch.cosine_similarity(state, inside.states[other, token], dim=0))
            assert found.similarity[token, layer, other] == pytest.approx(near, abs=1e-5)
            assert other or found.to_input[layer, token] == pytest.approx(near, abs=1e-5)
            assert other != layer - 1 or found.to_previous[layer, token] == pytest.approx(near, abs=1e-5)
    assert np.allclose(found.to_previous[0], 1)
    # The head reads the first row of the last layer, so nothing else of that layer moves the target.
    assert found.gradient_norms[-1, 0] > 0 and not found.gradient_norms[-1, 1:].any()


def test_neurons(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    inside = tiny_bert.neurons.inside(tokens, target)
    found = NeuronActivations().run(tiny_bert, ExplainedText(tokens, target))
    assert np.array_equal(found.activations, inside.neurons) and np.array_equal(
        found.gradients, inside.neuron_gradients
    )
    with pytest.raises(ValueError, match="read-only"):
        found.activations[0, 0, 0] = 1
    with pytest.raises(ValueError, match=r"has shape \(3, 4, 64\)"):
        replace(found, gradients=found.gradients[:, :4])


def test_effects_of_neurons(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    neurons = (Neuron(0, 5), Neuron(2, 9), Neuron(0, 7))
    meter = Meter()
    question = NeuronAblation((*neurons, neurons[0]))
    found = question.run(tiny_bert, ExplainedText(tokens, target), meter)
    assert found.neurons == neurons  # named twice, meant once
    assert (meter.spent.forward, meter.spent.backward) == (1 + 3 + 1 + 40 + 1, 1)
    assert meter.spent.forward + meter.spent.backward == question.passes(tiny_bert, ExplainedText(tokens, target))
    sets = [(), *((one,) for one in neurons), neurons]
    values = tiny_bert.neurons.scores_with_ablation(tokens, target, sets).values
    assert np.allclose(found.effects, values[0] - values[1:4], atol=1e-5)
    assert found.together == pytest.approx(values[0] - values[4], abs=1e-5)
    inside = tiny_bert.neurons.inside(tokens, target)
    for one, forecast in zip(neurons, found.forecasts):
        product = inside.neurons[one.layer, :, one.number] @ inside.neuron_gradients[one.layer, :, one.number]
        assert forecast == pytest.approx(float(product), abs=1e-5)
    assert {name: len(draws) for name, draws in found.controls.items()} == {"random": 20, "as active": 20}
    draws = np.abs(found.controls["random"])
    assert found.beaten("random") == int((draws < abs(found.together)).sum())
    assert len(set(np.round(draws, 6))) > 15  # draws differ
    again = NeuronAblation(neurons).run(tiny_bert, ExplainedText(tokens, target))
    assert np.array_equal(again.controls["as active"], found.controls["as active"])


def test_a_whole_layer_has_no_others_to_compare_with(tiny_bert: EncoderModel) -> None:
    found = NeuronAblation((Neuron(1), Neuron(0, 5))).run(tiny_bert, ExplainedText(*default_item(tiny_bert, TEXT)))
    assert found.controls == {} and found.effects.shape == (2,)
    with pytest.raises(SettingError, match="Name the neurons"):
        NeuronAblation(())


@pytest.mark.parametrize("family", ["bert", "albert", "modernbert"])
def test_words_of_a_set_are_those_of_each_text_alone(family: str, tiny: Callable[..., EncoderModel]) -> None:
    model = tiny(family)
    found = MaxActivations(LINES[:4], top=3).run(model, ExplainedText(*default_item(model, TEXT)))
    assert found.values.shape == (3, 3, 64) and found.skipped == 0
    alone = [model.neurons.inside(*default_item(model, line)).neurons.numpy() for line in LINES[:4]]
    own = [~tokens.special for tokens in found.texts]
    best = np.stack([one[:, mine].max(axis=1) for one, mine in zip(alone, own)])  # (N, L, F)
    assert np.allclose(found.values, -np.sort(-best, axis=0)[:3], atol=2e-5)
    for neuron in (Neuron(0, 3), Neuron(2, 60)):
        for line, place, value in found.of(neuron):
            assert (
                alone[line][neuron.layer, place, neuron.number] == pytest.approx(value, abs=2e-5) and own[line][place]
            )
    together = np.concatenate([one[:, mine] for one, mine in zip(alone, own)], axis=1)
    assert found.seen == together.shape[1]
    assert np.allclose(found.means, together.mean(axis=1), atol=1e-5)
    assert (
        np.abs(found.active - (together > 0).mean(axis=1)).max() < 1.5 / found.seen
    )  # one may be zero but for rounding


def test_a_set_is_read_once_whatever_the_text(tiny_bert: EncoderModel) -> None:
    question, cache = MaxActivations(LINES), Cache()
    spent = []
    for text in (TEXT, "so good"):
        meter = Meter()
        plan = Plan.for_text(text, analyses=[question])
        found = engine.results(plan, tiny_bert, meter, cache).required(question)
        spent.append(meter.spent.forward)
        assert meter.spent.forward <= engine.cost(plan, tiny_bert)
    assert spent == [1 + len(LINES), 1] and len(found.texts) == len(LINES)


def test_what_was_found_so_far_is_shown_and_right(tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(max_activations, "SHOW_SECONDS", 0)
    question, item = MaxActivations(LINES * 300, top=20), default_item(tiny_bert, TEXT)
    shown: list[NeuronWords] = []
    meter = Meter(on_part=lambda name, part: shown.append(part))
    whole = question.run(tiny_bert, ExplainedText(*item), meter)
    awaited = [one.awaited for one in shown]
    assert awaited == sorted(set(awaited), reverse=True) and awaited[-1] > whole.awaited == 0
    first, (chunk, *_) = shown[0], chunks_by_length([len(tokens) for tokens in whole.texts])
    assert len(chunk) == len(whole.texts) - first.awaited and set(first.lines.flat) <= set(chunk)
    # What was shown first still holds what those texts alone give, though others went by since.
    alone = MaxActivations(tuple(question.lines[number] for number in chunk), top=20).run(
        tiny_bert, ExplainedText(*item)
    )
    assert np.allclose(alone.values, first.values, atol=2e-5) and alone.seen == first.seen < whole.seen
    assert np.allclose(alone.means, first.means, atol=1e-5)


LONG = MaxActivations(LINES * 300, top=20)


def stopped(model: EncoderModel, cache: Cache) -> int:
    """Stop the search through a long set after its first chunk; return the passes that were made in it."""
    meter = Meter()
    meter._on_pass = lambda spent: meter.cancel() if spent.forward > 1 else None  # the first predicts
    with pytest.raises(Cancelled):
        explain.ask(LONG, TEXT, model, meter=meter, cache=cache)
    assert 0 < meter.spent.forward - 1 < len(LONG.lines)
    return meter.spent.forward - 1


def test_a_set_that_was_stopped_is_continued_in_the_same_cache(tiny_bert: EncoderModel) -> None:
    cache, rest = Cache(), Meter()
    done = stopped(tiny_bert, cache)
    found = explain.ask(LONG, TEXT, tiny_bert, meter=rest, cache=cache)
    assert rest.spent.forward == len(LONG.lines) - done  # the prediction is cached too
    whole = LONG.run(tiny_bert)
    assert np.allclose(found.values, whole.values, atol=2e-5) and found.seen == whole.seen and not found.awaited
    assert np.allclose(found.means, whole.means, atol=1e-5)
    unread = Meter()
    unread.cancel()
    with pytest.raises(Cancelled):
        LONG.run(tiny_bert, None, unread)
    assert unread.spent.forward == 0  # stopped while texts were cut into pieces


def test_caches_share_nothing_and_nothing_else_remembers(tiny_bert: EncoderModel) -> None:
    stopped(tiny_bert, Cache())
    for cache in (Cache(), None):
        meter = Meter()
        explain.ask(LONG, TEXT, tiny_bert, meter=meter, cache=cache)
        assert meter.spent.forward == 1 + len(LONG.lines)
    meter = Meter()
    LONG.run(tiny_bert, None, meter)
    assert meter.spent.forward == len(LONG.lines)


def test_another_analysis_or_model_does_not_continue_it(
    tiny_bert: EncoderModel, tiny: Callable[..., EncoderModel]
) -> None:
    cache = Cache()
    stopped(tiny_bert, cache)
    fewer, other = replace(LONG, top=3), tiny("bert", "ForMaskedLM")
    for analysis, model, text in ((fewer, tiny_bert, TEXT), (LONG, other, "so [MASK]")):
        meter = Meter()
        explain.ask(analysis, text, model, meter=meter, cache=cache)
        assert meter.spent.forward >= len(LONG.lines)


def test_a_stopped_search_counts_among_a_cache_s_bytes_and_is_taken_once(tiny_bert: EncoderModel) -> None:
    cache = Cache()
    stopped(tiny_bert, cache)
    numbers = LONG.top * tiny_bert.layers * tiny_bert.neurons.per_layer
    assert cache.bytes > 12 * numbers  # values, lines and places, four bytes each
    checkpoint = CacheCheckpoint(cache, (tiny_bert.record, LONG.key))
    before = cache.bytes
    assert checkpoint.take() is not None and checkpoint.take() is None
    assert cache.bytes < before - 12 * numbers


def test_places_are_named_by_their_lines_and_what_was_cut_is_told(tiny_bert: EncoderModel) -> None:
    lines = read_lines("\u0300\n\nso good\nso good\na bad film\n" + "a slow story of the sea " * 40)
    question = MaxActivations(lines.texts, lines.numbers)
    found = question.run(tiny_bert, ExplainedText(*default_item(tiny_bert, TEXT)))
    assert found.numbers == (3, 5, 6) and found.skipped == 1 and found.partly == 1
    data = VIEWS["neuron_words"].data(found, neuron=Neuron(0, 1))
    assert {row["text"] for row in data["rows"]} == {3, 5, 6} and "Of 1 texts only the beginning" in data["note"]
    with pytest.raises(SettingError, match="top is -1"):
        MaxActivations(("a",), top=-1)


def test_neurons_that_there_are_not_are_refused(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    for neuron in (Neuron(9, 1), Neuron(-1, 1), Neuron(0, 64), Neuron(0, 1, 99), Neuron(0, -1)):
        with pytest.raises(SettingError, match="There is no neuron"):
            NeuronAblation((neuron,)).run(tiny_bert, ExplainedText(*item))
    with pytest.raises(SettingError, match="at one token, or all at every token"):
        NeuronAblation((Neuron(0, 1, 2), Neuron(0, 3, 4)))


def test_a_forecast_of_all_at_once_counts_each_place_once(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    whole, both = (
        NeuronAblation(of).run(tiny_bert, ExplainedText(*item)) for of in ((Neuron(1),), (Neuron(1), Neuron(1, 5)))
    )
    assert both.together_forecast == pytest.approx(whole.forecasts[0], abs=1e-6)
    assert both.together == pytest.approx(whole.together, abs=1e-5)


def test_at_one_token_others_are_as_active_there(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    sizes = tiny_bert.neurons.inside(tokens, target).neurons[2, 4].abs()
    strongest = int(sizes.argmax())
    question = NeuronAblation((Neuron(2, strongest, 4),), draws=40)
    drawn = question._controls(np.stack([sizes.numpy()] * 3))
    alike = {one[0].number for one in drawn["as active"]}
    nearest = set(sizes.argsort(descending=True)[1:41].tolist())
    assert alike <= nearest and all(one[0].token == 4 for one in drawn["as active"])
    found = question.run(tiny_bert, ExplainedText(tokens, target))
    assert "at token 4 and nothing else" in VIEWS["neuron_effects"].data(found)["note"]
    assert str(found.neurons[0]) == f"2.{strongest} at token 4"


def test_texts_of_a_set_that_can_not_be_read(tiny: Callable[..., EncoderModel]) -> None:
    model = tiny("bert")
    item = default_item(model, TEXT)
    assert MaxActivations(("so good", "\u0300")).run(model).skipped == 1
    with pytest.raises(DataError, match=r"No text of the set can be read\. The model's tokenizer"):
        MaxActivations(("\u0300",)).run(model, ExplainedText(*item))
    with pytest.raises(DataError, match="It is empty"):
        MaxActivations(()).run(model, ExplainedText(*item))


def test_a_set_of_pairs_has_tabs(tiny: Callable[..., EncoderModel]) -> None:
    model = tiny("bert", "")
    item = default_item(model, "Two people walk.", "Their dog swims.")
    found = MaxActivations(("so good\tno joke works", "a film\tthe beach\tthe sea")).run(model, ExplainedText(*item))
    assert [one.text_pair for one in found.texts] == ["no joke works", "the beach\tthe sea"]
    with pytest.raises(DataError, match=r"Text 2 of the set is one text; .* Put a tab between"):
        MaxActivations(("a\tb", "so good")).run(model, ExplainedText(*item))


def test_one_look_inside_answers_all(sentiment: TextModel) -> None:
    questions = (HiddenStates(), NeuronActivations(), NeuronAblation((Neuron(1, 5),), draws=2))
    meter = Meter()
    engine.results(Plan.for_text(TEXT, analyses=questions), sentiment, meter)
    assert (meter.spent.forward, meter.spent.backward) == (1 + 1 + 1 + 2 + 4, 1)


@pytest.mark.parametrize(
    "question", [HiddenStates(), NeuronActivations(), NeuronAblation((Neuron(0, 1),)), MaxActivations(("so",))]
)
def test_models_that_show_no_neurons_say_so(question: Analysis[Any, Any]) -> None:
    with pytest.raises(ModelError, match="their neurons can't be seen"):
        explain.ask(question, "so good", NoGradientModel())


def test_asked_in_python(sentiment: TextModel) -> None:
    found = explain.ask(NeuronActivations(), TEXT, model="sentiment", label="negative", scale="probability")
    assert found.target.label == "negative" and found.target.scale == "probability"
    assert found.activations.shape == (6, len(sentiment.encode(TEXT)), 1536)

"""Sequential integrated gradients against captum word by word, and against occlusion, which its words must equal."""

import numpy as np
import pytest
from captum.attr import IntegratedGradients as CaptumIntegratedGradients

import explain
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.methods.sequential_integrated_gradients import SequentialIntegratedGradients
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TEXTS, TOY_MODELS, default_item
from explain.views.scores_table import to_text
from explain.views.token_heatmap import note
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("baseline", ["mask", "zero"])
def test_equals_captum_word_by_word(baseline: str, tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    points, empty = tiny_bert.word_embeddings(tokens), tiny_bert.baseline(tokens, target, baseline)
    captums = CaptumIntegratedGradients(value_at(tiny_bert, tokens, target))
    expected = np.zeros(len(tokens))
    for word in tokens.word_units():
        start = points.clone()
        start[list(word)] = empty[list(word)]
        found = captums.attribute(points[None], start[None], n_steps=60, method="gausslegendre")
        expected += found.sum(dim=-1)[0].detach().numpy()
    ours = SequentialIntegratedGradients(baseline=baseline, granularity="token", tolerance=1e-5, max_points=129)
    one = ours.attribute(tiny_bert, tokens, target)
    assert one.diagnostics["converged"] and one.granularity == "token"
    assert [unit[0] for unit in one.units] == tokens.ordinary.tolist()
    assert np.abs(one.scores - expected[tokens.ordinary]).max() <= one.diagnostics["tolerance"]  # the smallest there is


def test_its_words_are_those_of_occlusion(sentiment: TextModel) -> None:
    """Only one word moves, so the gradients' integral is what taking the word away does."""
    item = default_item(sentiment, "The film isn't good.")
    one = SequentialIntegratedGradients().attribute(sentiment, *item)
    other = Occlusion(operator="mask").attribute(sentiment, *item)
    assert one.units == other.units and one.granularity == "word" and one.diagnostics["converged"]
    difference = np.abs(one.scores - other.scores).max()
    assert difference == pytest.approx(one.diagnostics["largest_gap"], abs=1e-4)
    assert difference <= one.diagnostics["tolerance"] < 0.02 * np.abs(other.scores).max()


def test_pieces_add_up_to_their_word(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    words = SequentialIntegratedGradients().attribute(tiny_bert, *item)
    pieces = SequentialIntegratedGradients(granularity="token").attribute(tiny_bert, *item)
    assert len(pieces.units) > len(words.units)
    assert pieces.per_word().units == words.units
    assert np.allclose(pieces.per_word().scores, words.scores)


def test_on_a_linear_model_it_is_w_times_x_minus_b() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, TEXT)
    one = SequentialIntegratedGradients().attribute(model, *item)
    plain = IntegratedGradients().attribute(model, *item).per_word()
    expected = dict(zip(plain.units, plain.scores))
    assert np.allclose(one.scores, [expected[unit] for unit in one.units], atol=1e-5)
    assert one.diagnostics["points"] == 9


def test_passes_are_words_times_points() -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, TEXT)
    for method in (SequentialIntegratedGradients(max_points=9), SequentialIntegratedGradients(tolerance=1e-5)):
        meter = Meter()
        method.attribute(model, *item, meter)
        least = len(item[0].words) * 8 + 1
        assert meter.spent.forward == meter.spent.backward
        assert least <= meter.spent.forward <= method.cost(item[0]) / 2
        assert (meter.spent.forward == least) == (method.max_points == 9)


def test_a_gap_that_is_left_is_told(sentiment: TextModel) -> None:
    item = default_item(sentiment, "An unbelievably bad story.")
    one = SequentialIntegratedGradients(max_points=9, tolerance=1e-5).attribute(sentiment, *item)
    other = Occlusion(operator="mask").attribute(sentiment, *item)
    assert not one.diagnostics["converged"] and "Not converged" in note(one, one)
    assert np.abs(one.scores - other.scores).max() == pytest.approx(one.diagnostics["largest_gap"], abs=1e-4)


def test_a_terminal_is_told_too() -> None:
    settings = {"max_points": 9, "tolerance": 1e-5}
    name = "sequential_integrated_gradients"
    report = explain.explain(TEXTS["plain"], TOY_MODELS["curved"], methods=(name,), settings={name: settings})
    assert not report.attributions[0].diagnostics["converged"] and "\n  NOT CONVERGED\n" in to_text(report)


def test_the_masked_word_asked_about_does_not_move() -> None:
    model = TOY_MODELS["masked"]
    item = default_item(model, "good [MASK] film")
    one = SequentialIntegratedGradients().attribute(model, *item)
    assert item[1].positions[0] not in {token for unit in one.units for token in unit} and len(one.units) == 2
    alone = SequentialIntegratedGradients(granularity="token").attribute(model, *default_item(model, "[MASK]"))
    assert len(alone.scores) == 0 and alone.diagnostics["largest_gap"] == 0


@pytest.mark.parametrize("wrong", [{"max_points": 10}, {"granularity": "sentence"}, {"baseline": "noise"}])
def test_knobs_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        SequentialIntegratedGradients(**wrong)

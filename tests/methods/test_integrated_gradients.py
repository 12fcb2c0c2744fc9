"""Integrated gradients against captum, closed forms, and a slow reference."""

import numpy as np
import pytest
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.base import BASELINES, TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, default_item
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"


def captum_scores(model: TextModel, text: str, baseline: str, steps: int) -> np.ndarray:
    """The same quantity by captum: word embeddings interpolated, everything else held."""
    tokens, target = default_item(model, text)
    found = CaptumIntegratedGradients(value_at(model, tokens, target)).attribute(
        model.word_embeddings(tokens)[None],
        model.baseline(tokens, target, baseline)[None],
        n_steps=steps,
        method="gausslegendre",
    )
    return found.sum(dim=-1)[0].detach().numpy()


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("steps", [20, 50])
def test_fixed_steps_equal_captum(baseline: str, steps: int, tiny_bert: EncoderModel, sentiment: TextModel) -> None:
    for model in (tiny_bert, sentiment, TOY_MODELS["curved"]):
        ours = IntegratedGradients(steps=steps, baseline=baseline).attribute(model, *default_item(model, TEXT))
        theirs = captum_scores(model, TEXT, baseline, steps)
        assert np.abs(ours.scores - theirs).max() <= 1e-5 * np.abs(theirs).max()


@given(st.text(alphabet="abcdefg ", min_size=1, max_size=40).filter(str.strip))
@settings(max_examples=25)
def test_on_a_linear_model_it_is_w_times_x_minus_b(text: str) -> None:
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, text)
    one = IntegratedGradients().attribute(model, tokens, target)
    sign = 1 if target.label == "positive" else -1
    way = model.word_embeddings(tokens) - model.baseline(tokens, target, "mask")
    assert np.allclose(one.scores, sign * (way @ model.weight).numpy(), atol=1e-5)
    assert one.diagnostics["points"] == 33 and one.diagnostics["converged"]


def test_the_default_is_exact_on_the_shipped_model(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    ours = IntegratedGradients().attribute(sentiment, *item)
    exact = IntegratedGradients(steps=100).attribute(sentiment, *item)
    assert ours.diagnostics["converged"]
    assert np.abs(ours.scores - exact.scores).max() <= 0.01 * np.abs(exact.scores).max()
    assert abs(ours.completeness_gap) <= ours.diagnostics["tolerance"]
    assert ours.baseline_output == pytest.approx(exact.baseline_output, abs=1e-4)


def test_special_tokens_get_exactly_nothing(sentiment: TextModel) -> None:
    one = IntegratedGradients(steps=8).attribute(sentiment, *default_item(sentiment, TEXT))
    assert one.scores[one.tokens.special].tolist() == [0.0, 0.0]


def test_passes_are_what_the_points_cost(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    for method in (IntegratedGradients(), IntegratedGradients(max_points=33), IntegratedGradients(steps=10)):
        meter = Meter()
        one = method.attribute(tiny_bert, *item, meter)
        points = one.diagnostics["points"]
        extra = 2 if method.steps else 0  # Clenshaw-Curtis contains both ends, Gauss-Legendre neither
        assert (meter.spent.forward, meter.spent.backward) == (points + extra, points)


def test_not_converged_is_said(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    one = IntegratedGradients(max_points=33, tolerance=1e-5, baseline="zero").attribute(tiny_bert, *item)
    exact = IntegratedGradients(steps=400, baseline="zero").attribute(tiny_bert, *item)
    error = np.abs(one.scores - exact.scores).max() / np.abs(exact.scores).max()
    assert one.diagnostics["points"] == 33
    assert not one.diagnostics["converged"] or error < 0.01
    coarse = IntegratedGradients(steps=2).attribute(tiny_bert, *item)
    assert not coarse.diagnostics["converged"] and abs(coarse.completeness_gap) > coarse.diagnostics["tolerance"]


def test_contrast_and_probability(tiny_bert: EncoderModel) -> None:
    tokens = tiny_bert.encode(TEXT)
    prediction = tiny_bert.predict(tokens)
    labels = tiny_bert.head.labels
    contrast = tiny_bert.task.target(prediction, tiny_bert.head, label=labels[0], against=labels[2])
    one = IntegratedGradients().attribute(tiny_bert, tokens, contrast)
    assert one.scale == "logit_difference"
    assert one.output == pytest.approx(prediction.output.logits[0, 0] - prediction.output.logits[0, 2], abs=1e-4)
    chance = tiny_bert.task.target(prediction, tiny_bert.head, scale="probability")
    assert 0 < IntegratedGradients().attribute(tiny_bert, tokens, chance).output < 1


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"steps": 5000}, {"baseline": "noise"}, {"tolerance": 1.0}, {"max_points": 64}]
)
def test_knobs_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        IntegratedGradients(**wrong)

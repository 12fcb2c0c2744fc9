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
from explain.views.token_heatmap import note
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
    assert one.diagnostics["points"] == 32 and one.diagnostics["converged"]
    assert one.widest_error < 1e-5 and not one.error[one.tokens.special].any()
    nested = IntegratedGradients(rule="nested").attribute(model, tokens, target)
    assert np.allclose(nested.scores, one.scores, atol=1e-5)
    assert nested.diagnostics["points"] == 33 and nested.error is None


@pytest.mark.parametrize("rule", ["gauss", "nested"])
def test_the_default_is_exact_on_the_shipped_model(rule: str, sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    ours = IntegratedGradients(rule=rule, max_points=129).attribute(sentiment, *item)
    exact = IntegratedGradients(steps=100).attribute(sentiment, *item)
    assert ours.diagnostics["converged"]
    assert np.abs(ours.scores - exact.scores).max() <= 0.005 * np.abs(exact.scores).max()
    assert abs(ours.completeness_gap) <= ours.diagnostics["tolerance"]
    assert ours.baseline_output == pytest.approx(exact.baseline_output, abs=1e-4)


def test_errors_hold_against_captum_with_many_points(tiny_bert: EncoderModel, sentiment: TextModel) -> None:
    within = []
    for model in (tiny_bert, sentiment):
        theirs = captum_scores(model, TEXT, model.default_baseline(), 120)
        for method in (IntegratedGradients(), IntegratedGradients(word_tolerance=1e-3)):
            one = method.attribute(model, *default_item(model, TEXT)).per_word()
            exact = np.array([theirs[list(unit)].sum() for unit in one.units])
            largest = np.abs(exact).max()
            assert one.diagnostics["converged"] and one.error.max() <= 1.01 * method.word_tolerance * largest
            errors = np.abs(one.scores - exact)
            assert errors.max() <= 1.5 * one.error.max()
            within.append(errors <= one.error + 1e-6 * largest)
    assert np.concatenate(within).mean() >= 0.8  # a text has luck or not; of many 95 %: python -m benchmarks.integrals


def test_a_smaller_tolerance_takes_more_points(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    coarse, fine, finest = (
        IntegratedGradients(word_tolerance=tolerance, max_points=most).attribute(sentiment, *item)
        for tolerance, most in ((0.1, 65), (1e-4, 65), (1e-5, 129))
    )
    assert [one.diagnostics["points"] for one in (coarse, fine, finest)] == [32, 65, 128]
    assert coarse.widest_error > fine.widest_error > finest.widest_error > 0
    assert (finest.passes.forward, finest.passes.backward) == (32 + 33 + 128 + 2, 32 + 33 + 128)


def test_special_tokens_get_exactly_nothing(sentiment: TextModel) -> None:
    one = IntegratedGradients(steps=8).attribute(sentiment, *default_item(sentiment, TEXT))
    assert one.scores[one.tokens.special].tolist() == [0.0, 0.0]


def test_passes_are_what_the_points_cost(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    nested = IntegratedGradients(rule="nested", max_points=129)
    for method in (IntegratedGradients(), IntegratedGradients(max_points=33), IntegratedGradients(steps=10), nested):
        meter = Meter()
        one = method.attribute(tiny_bert, *item, meter)
        points = one.diagnostics["points"]
        extra = 0 if method.rule == "nested" else 2  # Clenshaw-Curtis contains both ends, Gauss-Legendre neither
        assert (meter.spent.forward, meter.spent.backward) == (points + extra, points)


def test_not_converged_is_said(tiny_bert: EncoderModel, sentiment: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    few = IntegratedGradients(rule="nested", max_points=33, tolerance=1e-5, baseline="zero")
    one = few.attribute(tiny_bert, *item)
    exact = IntegratedGradients(steps=400, baseline="zero").attribute(tiny_bert, *item)
    error = np.abs(one.scores - exact.scores).max() / np.abs(exact.scores).max()
    assert one.diagnostics["points"] == 33
    assert not one.diagnostics["converged"] or error < 0.01
    few = IntegratedGradients(word_tolerance=1e-5, max_points=33)
    wide = few.attribute(sentiment, *default_item(sentiment, TEXT))
    assert not wide.diagnostics["converged"] and "Not converged" in note(wide, wide)
    assert f"\u00b1{wide.widest_error:.2g}" in note(wide, wide) and "budget" not in note(wide, wide)
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
    "wrong",
    [
        {"steps": 0},
        {"steps": 5000},
        {"baseline": "noise"},
        {"tolerance": 1.0},
        {"word_tolerance": 1.0},
        {"max_points": 64},
        {"rule": "simpson"},
    ],
)
def test_knobs_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        IntegratedGradients(**wrong)

"""Expected gradients against captum from each empty text, and in closed form."""

import json

import numpy as np
import pytest
from captum.attr import IntegratedGradients as CaptumIntegratedGradients

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.methods.expected_gradients import ExpectedGradients
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.base import BASELINES, TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, LinearModel, default_item
from explain.views.token_heatmap import note
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"


def test_equals_captum_averaged(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    theirs = [
        CaptumIntegratedGradients(value_at(tiny_bert, tokens, target))
        .attribute(
            tiny_bert.word_embeddings(tokens)[None],
            tiny_bert.baseline(tokens, target, kind)[None],
            n_steps=30,
            method="gausslegendre",
        )
        .sum(dim=-1)[0]
        .detach()
        .numpy()
        for kind in BASELINES
    ]
    one = ExpectedGradients(steps=30).attribute(tiny_bert, tokens, target)
    assert np.abs(one.scores - np.mean(theirs, axis=0)).max() <= 1e-5 * np.abs(theirs).max()
    by_kind = np.array([one.diagnostics["scores_by_baseline"][kind] for kind in BASELINES])
    assert np.abs(by_kind - theirs).max() <= 1e-5 * np.abs(theirs).max()
    half_range = (np.max(theirs, axis=0) - np.min(theirs, axis=0)).max() / 2
    assert one.diagnostics["disagreement"] == pytest.approx(half_range, rel=1e-4)
    assert one.error is None  # four empty texts are no sample


def test_on_a_linear_model_it_is_w_times_x_minus_the_mean() -> None:
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, TEXT)
    one = ExpectedGradients(baselines="pad, zero").attribute(model, tokens, target)
    mean = (model.baseline(tokens, target, "pad") + model.baseline(tokens, target, "zero")) / 2
    sign = 1 if target.label == "positive" else -1
    assert np.allclose(one.scores, sign * ((model.word_embeddings(tokens) - mean) @ model.weight).numpy(), atol=1e-5)


def test_one_empty_text_is_integrated_gradients(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    one = ExpectedGradients(baselines="pad", steps=16).attribute(sentiment, *item)
    other = IntegratedGradients(baseline="pad", steps=16).attribute(sentiment, *item)
    assert np.array_equal(one.scores, other.scores)
    assert (one.output, one.baseline_output) == (other.output, other.baseline_output)
    assert one.diagnostics["disagreement"] == 0.0


def test_it_adds_up_to_the_mean_of_the_empty_texts(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    one = ExpectedGradients(steps=64).attribute(tiny_bert, tokens, target)
    starts = [
        float(tiny_bert.values(tokens, target, tiny_bert.baseline(tokens, target, kind)[None])[0]) for kind in BASELINES
    ]
    assert one.baseline_output == pytest.approx(np.mean(starts), abs=1e-4)
    assert list(one.diagnostics["baseline_outputs"].values()) == pytest.approx(starts, abs=1e-4)
    assert abs(one.completeness_gap) < 0.01
    json.dumps(dict(one.diagnostics), allow_nan=False)
    told = note(one, one.per_word())
    assert "the mean of 4 empty texts (mask, pad, unk, zero)" in told and "From one empty text to another" in told


def test_only_what_the_vocabulary_has() -> None:
    model = LinearModel("no mask")
    model.mask_id = model.unk_id = None
    item = default_item(model, TEXT)
    assert set(ExpectedGradients().attribute(model, *item).diagnostics["scores_by_baseline"]) == {"pad", "zero"}
    with pytest.raises(SettingError, match="mask"):
        ExpectedGradients(baselines="mask,pad").attribute(model, *item)


def test_passes(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    meter = Meter()
    method = ExpectedGradients(steps=8, baselines="mask,zero,mask")
    method.attribute(tiny_bert, *item, meter)
    assert (meter.spent.forward, meter.spent.backward) == (2 * 10, 2 * 8)
    assert method.cost(item[0]) == 2 * 18


@pytest.mark.parametrize("wrong", ["", "noise", "pad,noise", "all,pad"])
def test_baselines_that_are_none(wrong: str) -> None:
    with pytest.raises(SettingError, match="baselines"):
        ExpectedGradients(baselines=wrong)

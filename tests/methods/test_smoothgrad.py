"""SmoothGrad against captum's noise tunnel, and where all is known: a linear and a quadratic model."""

import numpy as np
import pytest
import torch
from captum.attr import NoiseTunnel, Saliency

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.methods.gradient_norm import GradientNorm
from explain.methods.gradient_times_input import GradientTimesInput
from explain.methods.smoothgrad import SmoothGrad
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, ToyClassifier, default_item
from explain.views.token_heatmap import note
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"
PLAIN = {"gradient_times_input": GradientTimesInput, "gradient_norm": GradientNorm}


class SquaredModel(ToyClassifier):
    """F = sum over tokens of (w . x)^2, so dF/dx = 2 (w . x) w."""

    def logit(self, points: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        return ((points.sum(dim=-1) ** 2) * attended).sum(dim=-1)


@pytest.mark.parametrize("of", PLAIN)
def test_without_noise_it_is_the_gradients_own_score(of: str, tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    one = SmoothGrad(of=of, noise=0, samples=3).attribute(tiny_bert, *item)
    plain = PLAIN[of]().attribute(tiny_bert, *item)
    assert np.allclose(one.scores, plain.scores, rtol=1e-4, atol=1e-6)
    assert np.allclose(one.error, 0, atol=1e-5 * np.abs(plain.scores).max())
    assert (one.signed, one.additive) == (plain.signed, plain.additive)


def test_a_linear_model_has_the_same_gradient_everywhere() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, TEXT)
    one = SmoothGrad(noise=2.0).attribute(model, *item)
    assert np.allclose(one.scores, GradientTimesInput().attribute(model, *item).scores, atol=1e-5)
    assert one.error.max() < 1e-5


def test_intervals_on_a_quadratic_model() -> None:
    """There s = 2 (w . x)^2 + 2 (w . x)(w . e), of standard deviation 2 |w . x| ||w|| sd."""
    model = SquaredModel("squared")
    item = default_item(model, TEXT)
    sign = 1 if item[1].label == "positive" else -1
    through = model.word_embeddings(item[0]).sum(dim=-1).numpy()  # w . x
    own = ~item[0].special
    one = SmoothGrad(samples=1000).attribute(model, *item)
    expected = 1.96 * 2 * np.abs(through) * np.sqrt(model.width) * one.diagnostics["noise_deviation"] / np.sqrt(1000)
    assert np.allclose(one.error[own], expected[own], rtol=0.15)
    assert one.error[~own].max() < 1e-6  # no noise there, and no other token matters to its gradient
    seeds = [SmoothGrad(samples=10, seed=seed).attribute(model, *item) for seed in range(100)]
    held = [np.abs(each.scores - sign * 2 * through**2)[own] <= each.error[own] for each in seeds]
    assert 0.92 < np.mean(held) < 0.98


def test_equals_captums_noise_tunnel() -> None:
    """Captum draws its own noise, on the user's own tokens here; the two averages meet within their errors."""
    model = TOY_MODELS["curved"]
    tokens, target = default_item(model, TEXT)
    points, own = model.word_embeddings(tokens), torch.from_numpy(tokens.ordinary)
    value = value_at(model, tokens, target)

    def forward(part: torch.Tensor) -> torch.Tensor:
        whole = points.expand(len(part), -1, -1).clone()
        whole[:, own] = part
        return value(whole)

    one = SmoothGrad(samples=1000, noise=0.3).attribute(model, tokens, target)
    torch.manual_seed(5)
    gradient = NoiseTunnel(Saliency(forward)).attribute(
        points[own][None].requires_grad_(),
        nt_samples=1000,
        stdevs=one.diagnostics["noise_deviation"],
        abs=False,
    )[0]
    theirs = (gradient * points[own]).sum(dim=-1).detach().numpy()
    assert (np.abs(one.scores[own] - theirs) <= 2 * np.sqrt(2) * one.error[own]).all()
    plain = GradientTimesInput().attribute(model, tokens, target).scores[own]
    assert np.abs(theirs - plain).max() > 3 * one.error[own].max()  # noise does something here


def test_seeds_passes_and_chunks(tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> None:
    item = default_item(tiny_bert, TEXT)
    meter = Meter()
    one = SmoothGrad(samples=9).attribute(tiny_bert, *item, meter)
    assert (meter.spent.forward, meter.spent.backward) == (10, 9)
    assert not np.array_equal(one.scores, SmoothGrad(samples=9, seed=1).attribute(tiny_bert, *item).scores)
    monkeypatch.setattr("explain.models.chunks.CHUNK_POSITIONS", 2 * len(item[0]))
    again = SmoothGrad(samples=9).attribute(tiny_bert, *item)
    assert np.allclose(one.scores, again.scores, atol=1e-4) and np.allclose(one.error, again.error, atol=1e-4)


def test_the_masked_word_asked_about_carries_no_noise() -> None:
    model = TOY_MODELS["masked"]
    tokens, target = default_item(model, "[MASK] [MASK]")
    assert len(model.removable(tokens, target)) == 1
    alone = SmoothGrad().attribute(model, *default_item(model, "[MASK]"))
    assert alone.diagnostics["noise_deviation"] == 0.0 and alone.error.max() < 1e-6


def test_what_noise_does_to_the_target_is_told(sentiment: TextModel) -> None:
    one = SmoothGrad(samples=4).attribute(sentiment, *default_item(sentiment, TEXT))
    assert f"its noisy copies {one.diagnostics['mean_output']:+.3f} on average" in note(one, one.per_word())


@pytest.mark.parametrize("wrong", [{"of": "nothing"}, {"noise": -1.0}, {"samples": 1}, {"seed": -1}])
def test_knobs_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        SmoothGrad(**wrong)

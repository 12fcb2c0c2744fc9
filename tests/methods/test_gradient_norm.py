"""Gradient norm against captum, and in closed form."""

import numpy as np
import pytest
from captum.attr import Saliency

from explain.core.meter import Meter
from explain.methods.gradient_norm import GradientNorm
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, default_item
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("name", ["tiny BERT", "sentiment", "curved"])
def test_equals_captums_saliency(name: str, tiny_bert: EncoderModel, sentiment: TextModel) -> None:
    model = {"tiny BERT": tiny_bert, "sentiment": sentiment, "curved": TOY_MODELS["curved"]}[name]
    item = default_item(model, TEXT)
    points = model.word_embeddings(item[0])[None].clone().requires_grad_()
    theirs = Saliency(value_at(model, *item)).attribute(points, abs=False)[0].norm(dim=-1).detach().numpy()
    ours = GradientNorm().attribute(model, *item)
    assert np.abs(ours.scores - theirs).max() <= 1e-5 * theirs.max()
    assert ours.granularity == "token" and not ours.signed and ours.baseline_output is None


def test_a_linear_model_is_as_steep_everywhere() -> None:
    model = TOY_MODELS["linear"]
    one = GradientNorm().attribute(model, *default_item(model, TEXT))
    assert np.allclose(one.scores, float(model.weight.norm()), atol=1e-6)


def test_one_forward_and_one_backward_pass(tiny_bert: EncoderModel) -> None:
    meter = Meter()
    GradientNorm().attribute(tiny_bert, *default_item(tiny_bert, TEXT), meter)
    assert (meter.spent.forward, meter.spent.backward) == (1, 1)

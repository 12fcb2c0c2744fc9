"""Gradient times input against captum, in closed form, and as the first-order effect it claims to be."""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient

from explain.core.meter import Meter
from explain.methods.gradient_times_input import GradientTimesInput
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, default_item
from tests.twins import value_at

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("name", ["tiny BERT", "sentiment", "curved"])
def test_equals_captum(name: str, tiny_bert: EncoderModel, sentiment: TextModel) -> None:
    model = {"tiny BERT": tiny_bert, "sentiment": sentiment, "curved": TOY_MODELS["curved"]}[name]
    item = default_item(model, TEXT)
    points = model.word_embeddings(item[0])[None].clone().requires_grad_()
    theirs = InputXGradient(value_at(model, *item)).attribute(points).sum(dim=-1)[0].detach().numpy()
    ours = GradientTimesInput().attribute(model, *item)
    assert np.abs(ours.scores - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_on_a_linear_model_it_is_w_times_x() -> None:
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, TEXT)
    sign = 1 if target.label == "positive" else -1
    one = GradientTimesInput().attribute(model, tokens, target)
    assert np.allclose(one.scores, sign * (model.word_embeddings(tokens) @ model.weight).numpy(), atol=1e-5)
    assert one.scores.sum() == pytest.approx(one.output, abs=1e-4)  # nothing is left of a linear model at zero


def test_it_is_what_a_little_shrinking_of_an_embedding_does(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    points = sentiment.word_embeddings(item[0])
    one = GradientTimesInput().attribute(sentiment, *item)
    place, share = int(np.abs(one.scores).argmax()), 0.02
    ends = torch.stack([points, points])
    ends[0, place] *= 1 - share
    ends[1, place] *= 1 + share
    below, above = sentiment.values(*item, ends).tolist()
    assert one.scores[place] == pytest.approx((above - below) / (2 * share), rel=0.02)


def test_one_forward_and_one_backward_pass(tiny_bert: EncoderModel) -> None:
    meter = Meter()
    GradientTimesInput().attribute(tiny_bert, *default_item(tiny_bert, TEXT), meter)
    assert (meter.spent.forward, meter.spent.backward) == (1, 1)

"""Scores that can't move give zero, and others what trying by hand gives."""

import numpy as np
import pytest
import torch

from explain.core.errors import MetricError
from explain.core.meter import Meter
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.gradient_norm import GradientNorm
from explain.methods.gradient_times_input import GradientTimesInput
from explain.metrics.base import Trial
from explain.metrics.max_sensitivity import MaxSensitivity
from explain.models.base import TextModel
from explain.testing import TOY_MODELS, default_item

TEXT = "The film isn't good, but its cast saves it!"


def test_a_slope_that_is_the_same_everywhere_never_moves() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, TEXT)
    found = MaxSensitivity().evaluate(Trial(model, *item), GradientNorm().attribute(model, *item))
    assert found.value == pytest.approx(0.0, abs=1e-6) and not found.higher_is_better
    assert found.details["output_moves"] > 0


def test_it_is_the_largest_move_of_those_tried(tiny_bert: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    metric, method = MaxSensitivity(tries=4, radius=0.2, seed=3), GradientTimesInput()
    found = metric.evaluate(Trial(tiny_bert, *item), method.attribute(tiny_bert, *item))

    points = tiny_bert.word_embeddings(item[0])
    draw, moves = torch.Generator().manual_seed(3), []
    own = method.attribute(tiny_bert, *item).scores
    for _ in range(4):
        step = (2 * torch.rand(points[None].shape, generator=draw)[0] - 1) * 0.2 * points.square().mean().sqrt()
        step[np.flatnonzero(item[0].special)] = 0
        _, slope = tiny_bert.gradients(*item, (points + step)[None])
        scores = ((points + step) * slope[0]).sum(dim=1).double().numpy()
        moves.append(((scores - own) ** 2).sum() ** 0.5 / (own**2).sum() ** 0.5)
    assert found.value == pytest.approx(max(moves), rel=1e-4)


def test_it_takes_the_passes_it_says(tiny_bert: TextModel) -> None:
    item, meter, method = default_item(tiny_bert, TEXT), Meter(), GradientTimesInput()
    MaxSensitivity(tries=3).evaluate(Trial(tiny_bert, *item, meter=meter), method.attribute(tiny_bert, *item))
    spent = meter.spent.forward + meter.spent.backward
    assert 0 < spent <= MaxSensitivity(tries=3).reruns(tiny_bert, item[0], method)


def test_what_is_not_read_off_embeddings_has_none(tiny_bert: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    with pytest.raises(MetricError, match="does not use word embeddings"):
        MaxSensitivity().evaluate(Trial(tiny_bert, *item), AttentionRollout().attribute(tiny_bert, *item))
    assert MaxSensitivity().reruns(tiny_bert, item[0], AttentionRollout()) == 0

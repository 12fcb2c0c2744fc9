"""The gap is found where the scores are another function's, and zero where they add up."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from explain.core.errors import MetricError
from explain.methods.base import METHODS
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial
from explain.metrics.completeness_gap import CompletenessGap
from explain.models.straight_path import StraightPath
from explain.models.transformer import EncoderModel
from explain.numerics.quadrature import refined
from explain.testing import default_item

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].complete])
def test_methods_that_add_up_have_none(name: str, tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    found = CompletenessGap().evaluate(Trial(tiny_bert, *item), METHODS[name]().attribute(tiny_bert, *item))
    assert found.value < 5e-3 and found.percentile is None


def test_it_is_what_the_sum_misses(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    one = IntegratedGradients().attribute(tiny_bert, *item)
    half = CompletenessGap().evaluate(Trial(tiny_bert, *item), replace(one, scores=one.scores / 2))
    assert half.value == pytest.approx(0.5, abs=5e-3)
    assert half.details["difference"] == pytest.approx(one.output - one.baseline_output, abs=1e-4)


def test_positions_set_to_zero_at_the_start_are_found_out(tiny: Callable[[str], EncoderModel]) -> None:
    """The start has every token at position 0; the sum fits F there, which is not F of the empty text."""
    model = tiny("bert")
    item = default_item(model, TEXT)
    places = model._module.bert.embeddings.position_embeddings.weight[: len(item[0])]
    start = model.baseline(*item, "mask") + (places[:1] - places)
    found = refined(StraightPath(model, *item, start).gradients, 1e-3, 129)
    one = IntegratedGradients().attribute(model, *item)
    wrong = replace(one, scores=found.parts, baseline_output=found.start)
    assert abs(wrong.completeness_gap) < 1e-2
    gap = CompletenessGap().evaluate(Trial(model, *item), wrong).details
    ends = model.values(*item, torch.stack([model.baseline(*item, "mask"), start]))
    assert gap["gap"] == pytest.approx(abs(float(ends[0] - ends[1])), abs=2e-2)
    assert gap["gap"] > 5 * abs(wrong.completeness_gap)


def test_what_adds_up_to_nothing_is_not_tested(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    with pytest.raises(MetricError, match="not meant to add up"):
        CompletenessGap().evaluate(Trial(tiny_bert, *item), Occlusion().attribute(tiny_bert, *item))

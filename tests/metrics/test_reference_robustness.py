"""What other references give is what running the method from them by hand gives."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from explain.core.errors import MetricError
from explain.core.meter import Meter
from explain.datatypes import Attribution
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial
from explain.metrics.reference_robustness import ReferenceRobustness, sign_changes
from explain.models.base import TextModel
from explain.testing import default_item
from explain.text.units import scores_of

TEXT = "The film isn't good, but its cast saves it!"


def test_operators(tiny_bert: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    found = ReferenceRobustness().evaluate(Trial(tiny_bert, *item), Occlusion().attribute(tiny_bert, *item))
    by_hand = {
        name: Occlusion(operator=name).attribute(tiny_bert, *item).scores
        for name in ("mask", "attention_off", "delete")
    }
    assert list(found.details["references"]) == list(by_hand)
    for name, scores in by_hand.items():
        assert found.details["references"][name] == pytest.approx(scores.tolist(), abs=1e-5)
    others = [spearmanr(by_hand["mask"], by_hand[name]).statistic for name in ("attention_off", "delete")]
    assert found.value == pytest.approx(np.mean(others), abs=1e-9)


def test_baselines_of_a_path_by_word(tiny_bert: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    method = IntegratedGradients(steps=8, baseline="pad")
    found = ReferenceRobustness().evaluate(Trial(tiny_bert, *item), method.attribute(tiny_bert, *item))
    assert list(found.details["references"]) == ["pad", "mask", "unk", "zero"]
    zero = IntegratedGradients(steps=8, baseline="zero").attribute(tiny_bert, *item)
    assert found.details["references"]["zero"] == pytest.approx(
        scores_of(zero, item[0].word_units()).tolist(), abs=1e-5
    )


def test_it_takes_the_passes_it_says(tiny_bert: TextModel) -> None:
    item, meter = default_item(tiny_bert, TEXT), Meter()
    ReferenceRobustness().evaluate(Trial(tiny_bert, *item, meter=meter), Occlusion().attribute(tiny_bert, *item))
    assert 0 < meter.spent.forward <= ReferenceRobustness().reruns(tiny_bert, item[0], Occlusion())


def test_signs_that_change() -> None:
    """Two references, the largest scores 2 and 10: below 0.1 and 0.5 nothing is told."""
    scores = np.array([[2.0, 1.0, -0.05, 0.2, 0.0], [10.0, -1.0, 3.0, -0.4, 1.0]])
    assert sign_changes(scores).tolist() == [False, True, False, False, False]


def test_what_starts_from_nothing_has_none(tiny_bert: TextModel) -> None:
    item = default_item(tiny_bert, TEXT)
    with pytest.raises(MetricError, match="no other empty text"):
        ReferenceRobustness().evaluate(Trial(tiny_bert, *item), AttentionRollout().attribute(tiny_bert, *item))


def test_references_that_put_words_in_no_order_are_left_out(
    tiny_bert: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, plain = default_item(tiny_bert, TEXT), Occlusion.attribute

    def flat_where(operators: set[str]) -> None:
        def attribute(method: Occlusion, *arguments: Any) -> Attribution:
            found = plain(method, *arguments)
            flat = found.diagnostics["operator"] in operators
            return replace(found, scores=np.ones(len(found.units))) if flat else found

        monkeypatch.setattr(Occlusion, "attribute", attribute)

    whole = ReferenceRobustness().evaluate(Trial(tiny_bert, *item), Occlusion().attribute(tiny_bert, *item))
    flat_where({"delete"})
    found = ReferenceRobustness().evaluate(Trial(tiny_bert, *item), Occlusion().attribute(tiny_bert, *item))
    rows = whole.details["references"]
    assert found.value == pytest.approx(spearmanr(rows["mask"], rows["attention_off"]).statistic)
    assert found.details["undefined"] == ["delete"] and "undefined" not in whole.details
    flat_where({"delete", "attention_off"})
    with pytest.raises(MetricError, match="no two empty texts"):
        ReferenceRobustness().evaluate(Trial(tiny_bert, *item), Occlusion().attribute(tiny_bert, *item))

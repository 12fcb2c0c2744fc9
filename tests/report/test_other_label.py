"""A report turned to the other one of two labels says what an explanation for that label says."""

import numpy as np
import pytest

import explain
from explain.core.errors import SettingError
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.report.side_by_side import compare_reports, for_other_label
from explain.testing import TOY_MODELS

MODEL = TOY_MODELS["planted"]
SIGNED = [name for name in METHODS if METHODS[name].signed]


@pytest.mark.parametrize("name", SIGNED)
def test_scores_with_a_sign_turn_with_the_label(name: str, sentiment: TextModel) -> None:
    model = MODEL if METHODS[name].requires <= MODEL.capabilities else sentiment
    labels = model.head.labels
    first, second = (
        explain.explain("a good film", model, methods=[name], label=label, phrases=False) for label in labels
    )
    turned = for_other_label(first, labels[1])
    assert turned is not None and turned.target == second.target
    ours, theirs = turned.attribution(name), second.attribution(name)
    assert np.allclose(ours.scores, theirs.scores, atol=1e-9)
    assert ours.output == pytest.approx(theirs.output)
    assert ours.baseline_output == (None if theirs.baseline_output is None else pytest.approx(theirs.baseline_output))


def test_what_has_no_sign_or_more_labels_does_not_turn() -> None:
    labels = MODEL.head.labels
    report = explain.explain("a good film", MODEL, methods=["attention_rollout"], label=labels[0])
    turned = for_other_label(report, labels[1])
    assert turned is not None and not turned.attributions and not turned.phrases
    assert for_other_label(report, labels[0]) is None and for_other_label(report, "?") is None
    of_three = explain.explain(
        "Dogs run.", "entailment", text_pair="Animals run.", methods=["occlusion"], phrases=False
    )
    others = [label for label in of_three.prediction.output.labels if label != of_three.target.label]
    assert for_other_label(of_three, others[0]) is None


def test_an_edit_that_turns_the_decision_can_be_compared() -> None:
    labels = MODEL.head.labels
    first = explain.explain("a good film", MODEL, methods=["occlusion"], label=labels[0])
    second = explain.explain("a bad film", MODEL, methods=["occlusion"], label=labels[1])
    with pytest.raises(SettingError):
        compare_reports(first, second)
    turned = for_other_label(first, labels[1])
    assert turned is not None
    ours = compare_reports(turned, second)
    theirs = explain.compare("a good film", "a bad film", MODEL, methods=["occlusion"], label=labels[1])
    assert np.allclose(ours.scores[0].differences, theirs.scores[0].differences, equal_nan=True)

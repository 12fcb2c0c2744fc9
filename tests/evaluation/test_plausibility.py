"""Figures of a reader's rationale, by hand on scores we set."""

from dataclasses import replace

import pytest

import explain
from explain.core.errors import TextError
from explain.datatypes import Plausibility, Report
from explain.evaluation.plausibility import RANDOM, markable, plausibility
from explain.testing import TOY_MODELS

PLANTED, MASKED = TOY_MODELS["planted"], TOY_MODELS["masked"]
SCORES = [-2.0, 0.5, 0.1, 3.0, 0.0]


def explained(text: str, pair: str | None = None) -> Report:
    return explain.explain(text, PLANTED, text_pair=pair, methods=["occlusion"], phrases=False)


def scored(text: str = "one two three four five", scores: list[float] = SCORES) -> Report:
    """A report in which a signed method has these scores, and one without signs their sizes."""
    report = explained(text)
    units = report.prediction.tokens.word_units()
    one = replace(report.attributions[0], units=units, scores=scores, error=None)
    other = replace(one, method="attention_rollout", signed=False, scale="share", scores=[abs(x) for x in scores])
    return replace(report, attributions=(one, other))


def test_by_hand() -> None:
    found = explain.plausibility(scored(), ["one", "four"])
    assert found.words == (0, 3) and found.spans == ((0, 0, 3), (0, 14, 18)) and found.out_of == 5
    signed, sizes = found.figures
    # Signed: four, two, three, five, one; the first and the last are marked. Sizes: four, one, ...
    assert signed.method == "occlusion" and signed.f1 == 0.5
    assert signed.iou == pytest.approx(1 / 3) and signed.auprc == pytest.approx((1 + 2 / 5) / 2)
    assert sizes == Plausibility("attention_rollout", 1.0, 1.0, 1.0)
    assert found.chance is not None and found.chance.method == RANDOM and found.chance.f1 == 2 / 5


def test_words_by_number_and_by_what_they_are() -> None:
    report = explained("so, so good", "so bad")
    tokens = report.prediction.tokens
    assert plausibility(report, ["so"]).words == (0, 2, 4)
    assert plausibility(report, ["so", 2, 5]).words == (0, 2, 4, 5)
    found = plausibility(report, [5])
    assert found.spans == ((1, 3, 6),) and found.out_of == len(tokens.words) == 6


@pytest.mark.parametrize("words", [[], ["nothing"], [7], [-1], ["So"]])
def test_words_that_are_not_there(words: list[str | int]) -> None:
    with pytest.raises(TextError):
        plausibility(explained("so good"), words)


def test_every_word_marked_proves_nothing() -> None:
    found = plausibility(explained("so good"), ["so", "good"])
    assert found.words == (0, 1) and not found.figures and found.chance is None


def test_windows_have_no_order() -> None:
    report = explain.explain("one two three four", PLANTED, settings={"occlusion": {"granularity": "window"}})
    found = plausibility(report, ["two"])
    assert {one.method for one in found.figures} == {"attention_rollout", "integrated_gradients"}


def test_a_mask_that_is_asked_about_is_no_word_to_mark() -> None:
    report = explain.explain("the [MASK] was [MASK]", MASKED, methods=["occlusion"], phrases=False)
    assert markable(report.prediction.tokens, report.target) == (0, 2, 3)
    with pytest.raises(TextError, match="There is no number of a word to mark '1'"):
        plausibility(report, [1])

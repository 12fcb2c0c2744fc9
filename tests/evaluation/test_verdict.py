"""The verdict: what it rests on, what it says, and that explanations known to be wrong are told so."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from benchmarks.verdict import wrong_explanations
from explain.datatypes import Attribution, MetricResult, Randomization, Verdict
from explain.evaluation.verdict import verdict
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial, TrialSettings
from explain.metrics.completeness_gap import CompletenessGap
from explain.metrics.effect_agreement import EffectAgreement
from explain.models.base import TextModel
from explain.numerics.agreement import agreement
from explain.testing import default_item
from explain.views.verdicts import count_passed, is_untested, rows, verdict_word

TEXT = "The plot is thin and the jokes are stale, yet the leads are so charming that I left smiling."
TESTS = TrialSettings((CompletenessGap(), EffectAgreement()))

Judged = tuple[Trial, Attribution, Attribution]


@pytest.fixture(scope="module")
def judged(sentiment: TextModel) -> Judged:
    item = default_item(sentiment, TEXT)
    return (
        Trial(sentiment, *item, orders=TESTS.orders),
        IntegratedGradients(steps=100).attribute(sentiment, *item),
        Occlusion().attribute(sentiment, *item),
    )


def test_a_right_explanation_holds_and_wrong_ones_fail(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    for one, other in ((gradients, occlusion), (occlusion, gradients)):
        found = verdict(one, [other], TESTS.run(trial, one))
        assert found.color == "green", found.sentence
        assert found.facts["effects"] >= 0.6 > found.facts["blind"] and found.facts["signs"] > 0.5
        assert found.facts["percentile"] >= 97.5 and found.facts["agreement"] > 0.3
    flipped = replace(gradients, scores=-gradients.scores)
    found = verdict(flipped, [occlusion], TESTS.run(trial, flipped))
    assert found.color == "red" and "random orders" in found.sentence and found.facts["percentile"] < 10
    assert found.facts["signs"] < 0.5
    shrunk = replace(gradients, scores=gradients.scores * 0.8)
    found = verdict(shrunk, [occlusion], TESTS.run(trial, shrunk))
    assert found.color == "red" and "misses its difference by 20.0%" in found.sentence


def test_each_check_is_a_sentence_and_its_numbers_are_those_of_the_verdict(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    weights = Randomization(
        *("integrated_gradients", {}, "", "text_classification", (0, 6), [0.9, 0.2], [0.1, 0.1], 0.2, 32, 5)
    )
    free, tested = (
        verdict(gradients, [occlusion]),
        verdict(gradients, [occlusion], TESTS.run(trial, gradients), weights),
    )
    states = {check.name: check.state for check in free.checks}
    assert states == {"additivity": "passed", "agreement": "noted"} | dict.fromkeys(
        ("effects", "signs", "reference", "random_weights"), "open"
    )
    assert is_untested(free) and verdict_word(free) == "untested" and not is_untested(tested)
    assert count_passed(free) == "passed 1 of 1 check that was run"
    assert count_passed(tested) == "passed 4 of 4 checks that were run"
    merged = {name: number for check in tested.checks for name, number in check.facts.items()}
    assert merged == tested.facts
    assert all(check.evidence[1:] in tested.sentence for check in tested.checks)
    (row,) = rows([tested], {"integrated_gradients": "IG"})
    assert row["method"] == "IG" and row["order"] == row["signs"] == row["untrained model"] == "✓"
    assert row["other methods"] == f"{tested.facts['agreement']:+.2f}" and row["reference text"] == "○"


@pytest.mark.parametrize(
    ("others", "said"),
    [(1.0, "much the same way"), (0.69, "partly the same way"), (0.0, "differently"), (-1.0, "the other way round")],
)
def test_the_company_of_a_method_is_named_by_its_correlation(
    judged: Judged, others: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, gradients, occlusion = judged
    monkeypatch.setattr("explain.evaluation.verdict.agreement", lambda *_, **__: {"spearman": others})
    (check,) = (check for check in verdict(gradients, [occlusion]).checks if check.name == "agreement")
    assert check.finding == f"The other methods order the words {said}." and check.state == "noted"


def test_without_a_test_it_is_free_and_says_so(judged: Judged) -> None:
    _, gradients, occlusion = judged
    found = verdict(gradients, [occlusion])
    assert found.color == "amber" and "not yet compared" in found.sentence.lower()
    assert set(found.facts) == {"gap", "agreement"} and found.facts["gap"] < 0.01
    alone = verdict(occlusion, [])
    assert alone.color == "amber" and not alone.facts
    flipped = verdict(replace(gradients, scores=-gradients.scores), [occlusion])
    assert flipped.color == "red" and "misses" in flipped.sentence  # by its sum; that others disagree decides nothing
    assert "agreement" in flipped.facts


def test_it_is_gray_while_something_runs_and_facts_are_only_added(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    tests = TESTS.run(trial, gradients)
    weights = Randomization(
        *("integrated_gradients", {}, "", "text_classification", (0, 6), [0.9, 0.2], [0.1, 0.1], 0.2, 32, 5)
    )
    orders, others = "the comparison with measured effects", "the other methods"
    steps = [
        verdict(gradients, [], None, weights, [others, orders]),
        verdict(gradients, [occlusion], None, weights, [orders]),
        verdict(gradients, [occlusion], tests, weights),
    ]
    assert [step.color for step in steps] == ["grey", "grey", "green"]
    assert verdict_word(steps[0]) == verdict_word(steps[1]) == "testing …"
    assert f"still running: {others} and {orders}." in steps[0].sentence
    for before, after in pairwise(steps):
        assert before.facts.keys() < after.facts.keys()
        clauses = before.sentence.lower().rstrip(".").split("; ")
        assert all(clause in after.sentence.lower() for clause in clauses if "still running" not in clause)
    flipped = replace(gradients, scores=-gradients.scores)
    wrong = verdict(flipped, [occlusion], TESTS.run(trial, flipped), weights)
    assert wrong.color == "red" and wrong.facts.keys() == steps[-1].facts.keys()
    assert all(word in wrong.sentence for word in ("misses", "agreement", "orders", "randomized"))
    with pytest.raises(ValueError, match="expected 'grey'"):
        Verdict("x", "green", "It is right.", pending=(orders,))


@pytest.mark.parametrize(
    ("figure", "percentile", "blind", "signs", "color", "said"),
    [
        (0.60, 100.0, 0.59, 0.8, "green", "above every random order"),
        (0.599, 100.0, 0.30, 0.8, "amber", "less than the 0.600 that count"),
        (0.70, 100.0, 0.30, 0.5, "red", "50% of the signs are right"),
        (0.70, 100.0, 0.30, None, "green", "length, rarity and place"),
        (0.70, 100.0, 0.70, 0.8, "red", "and the length of the words alone has +0.700"),
        (0.70, 89.5, 0.30, 0.8, "red", "fewer than the 90% that count"),
    ],
)
def test_every_control_is_to_be_beaten(
    judged: Judged, figure: float, percentile: float, blind: float, signs: float | None, color: str, said: str
) -> None:
    _, gradients, occlusion = judged
    details = {"blind": {"rarity": 0.1, "length": blind, "position": 0.0}, "signs": signs}
    tested = MetricResult("effect_agreement", "x", [], [], figure, True, percentile=percentile, details=details)
    found = verdict(gradients, [occlusion], [tested])
    assert found.color == color and said in found.sentence, found.sentence


def test_scores_that_know_nothing_of_the_model_do_not_hold(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    before, words = ("A dull film, and a good one.", None), {"charming": 1.0, "thin": -1.0}
    wrong = wrong_explanations(trial.model, trial, gradients, before, words, 0)
    blind = ("length", "rarity", "position", "alphabet")
    assert wrong.keys() > {*blind, "random", "another label", "zeroed positions", "another text", "bag of words"}
    for name in (*blind, "absolute", "shuffled", "flipped"):
        judged_wrong = verdict(wrong[name], [gradients, occlusion], TESTS.run(trial, wrong[name]))
        assert judged_wrong.color != "green", (name, judged_wrong.sentence)


def test_short_texts_are_gray(sentiment: TextModel) -> None:
    item = default_item(sentiment, "not so good")
    found = verdict(Occlusion().attribute(sentiment, *item), [])
    assert found.color == "grey" and "3 words" in found.sentence


def test_shares_are_compared_by_size(sentiment: TextModel, judged: Judged) -> None:
    trial, gradients, _ = judged
    rollout = AttentionRollout().attribute(sentiment, trial.tokens, trial.target)
    expected = agreement(trial.scores(rollout), trial.scores(gradients), signed=False)["spearman"]
    assert verdict(rollout, [gradients]).facts["agreement"] == pytest.approx(expected)
    assert "agreement" not in verdict(gradients, [rollout]).facts  # a method without signs is no company for one with


def test_windows_put_words_in_no_order(sentiment: TextModel, judged: Judged) -> None:
    trial, gradients, _ = judged
    windows = Occlusion(granularity="window").attribute(sentiment, trial.tokens, trial.target)
    assert "agreement" not in verdict(windows, [gradients]).facts
    assert "agreement" not in verdict(gradients, [windows]).facts
    assert TESTS.run(trial, windows) == ()


def test_agreement_by_hand() -> None:
    left, right = np.array([3.0, 2.0, 1.0, -1.0, 0.0]), np.array([3.0, 2.0, 1.0, 1.0, 0.0])
    found = agreement(left, right, signed=True)
    assert found["top_overlap"] == 1 and found["signs"] == 1
    assert agreement(left, -left, signed=True) == pytest.approx(
        {"spearman": -1, "kendall": -1, "top_overlap": 1, "signs": 0}
    )
    sizes = agreement(left, -left, signed=False)
    assert sizes == pytest.approx({"spearman": 1, "kendall": 1, "top_overlap": 1})


def test_an_undefined_agreement_is_no_fact(judged: Judged) -> None:
    """A method that scores all words alike is left out of the mean; it is no disagreement."""
    _, gradients, occlusion = judged
    flat = replace(occlusion, scores=np.zeros(len(occlusion.units)), method="lime")
    alone, beside = verdict(gradients, [occlusion]), verdict(gradients, [occlusion, flat])
    assert beside.facts["agreement"] == alone.facts["agreement"] and beside.color == alone.color
    assert "agreement" not in verdict(gradients, [flat]).facts


def test_scores_that_are_all_the_same_are_doubted_but_no_disagreement(judged: Judged) -> None:
    _, gradients, occlusion = judged
    flat = replace(occlusion, scores=np.full(len(occlusion.units), 0.3), method="lime")
    found = verdict(flat, [gradients, occlusion])
    assert "agreement" not in found.facts and found.color == "amber"
    assert "gives every word the same score" in found.sentence and "rank agreement" not in found.sentence


def test_an_undefined_correlation_with_random_weights_is_no_fact(judged: Judged) -> None:
    _, gradients, occlusion = judged
    record: list[Any] = ["integrated_gradients", {}, "", "text_classification", (0, 6)]
    for last, chance in ((np.nan, 0.2), (0.3, None)):
        weights = Randomization(*record, [0.9, last], [0.1, np.nan], chance, 32, 5)
        found = verdict(gradients, [occlusion], None, weights)
        assert "random_weights" not in found.facts and "randomized" not in found.sentence


def test_scores_that_outlive_the_weights_are_doubted(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    tests = TESTS.run(trial, gradients)
    for left, color, clause in ((0.2, "green", "change when"), (0.9, "amber", "stay similar when")):
        weights = Randomization(
            "integrated_gradients", {}, "", "text_classification", (0, 6), [0.9, left], [0.1, 0.1], 0.2, 32, 5
        )
        found = verdict(gradients, [occlusion], tests, weights)
        assert found.color == color and f"randomized (correlation {left:.2f}; chance 0.20)" in found.sentence
        assert clause in found.sentence
        assert found.facts["random_weights"] == left


def test_a_leading_word_that_changes_sign_is_named(judged: Judged) -> None:
    trial, gradients, occlusion = judged
    words = trial.units
    own = np.zeros(len(words))
    own[-2], own[0] = 3.0, 0.5
    details = {
        "references": {"mask": own.tolist(), "pad": (-own).tolist()},
        "units": [list(unit) for unit in words],
        "sign_changes": (own != 0).tolist(),
    }
    moved = MetricResult("reference_robustness", gradients.method, [], [], -1.0, higher_is_better=True, details=details)
    found = verdict(gradients, [occlusion], [*TESTS.run(trial, gradients), moved])
    assert found.color == "amber" and found.facts["references"] == -1.0
    assert "“smiling” and “The” change sign from another empty text" in found.sentence

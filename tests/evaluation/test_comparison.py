"""Two explanations side by side: each figure computed again in another way."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

import explain
from explain.core.errors import MetricError, SettingError, TargetError
from explain.core.meter import Meter
from explain.datatypes import AlignedWords, Attribution, Comparison, Report
from explain.evaluation.comparison import compare_answers, compare_scores, parting, word_scores
from explain.models.base import TextModel
from explain.report.side_by_side import compare_reports
from explain.testing import TOY_MODELS
from explain.text.alignment import align_tokens
from explain.views.confidence import shown_probabilities

BEFORE = "The film isn't good, but its cast saves it."
AFTER = "The film is bad, and its fine cast saves it."
METHODS = ("integrated_gradients", "occlusion", "attention_rollout")


@pytest.fixture(scope="module")
def edit(sentiment: TextModel) -> Comparison:
    return explain.compare(BEFORE, AFTER, sentiment, methods=METHODS, label="positive")


def by_word(attribution: Attribution) -> dict[int, float]:
    """The score of each word, by its number: pieces summed."""
    scores: dict[int, float] = {}
    for unit, score in zip(attribution.units, attribution.scores.tolist()):
        number = int(attribution.tokens.word_of[unit[0]])
        if number >= 0:
            scores[number] = scores.get(number, 0.0) + score
    return scores


@pytest.mark.parametrize("method", METHODS)
def test_scores_and_differences_are_those_of_the_reports(edit: Comparison, method: str, sentiment: TextModel) -> None:
    temperature = sentiment.head.temperature if method != "attention_rollout" else 1.0
    assert temperature and (temperature > 1.2 or method == "attention_rollout")
    scores = edit.of_method(method)
    assert scores.temperatures == (temperature, temperature)
    assert scores.scale == ("share" if method == "attention_rollout" else "log_odds")
    of_a, of_b = (by_word(report.attribution(method)) for report in (edit.report_a, edit.report_b))
    for row, a, b, difference in zip(edit.rows, scores.scores_a, scores.scores_b, scores.differences):
        assert np.isnan(a) if row.word_a is None else a == pytest.approx(of_a[row.words_a[0]] / temperature, abs=1e-9)
        assert np.isnan(b) if row.word_b is None else b == pytest.approx(of_b[row.words_b[0]] / temperature, abs=1e-9)
        assert np.isnan(difference) if None in (row.word_a, row.word_b) else difference == pytest.approx(b - a)


def test_rows_and_their_kinds(edit: Comparison) -> None:
    shown = [(row.word_a or "", row.word_b or "", row.kind) for row in edit.rows]
    assert shown[:7] == [
        ("The", "The", "same"),
        ("film", "film", "same"),
        ("isn't", "is", "replaced"),
        ("good", "bad", "replaced"),
        (",", ",", "same"),
        ("but", "and", "replaced"),
        ("its", "its", "same"),
    ]
    assert shown[7] == ("", "fine", "only_b") and edit.differs == "texts"


@pytest.mark.parametrize("method", METHODS)
def test_agreement_is_over_the_words_that_both_have(edit: Comparison, method: str) -> None:
    scores = edit.of_method(method)
    same = [number for number, row in enumerate(edit.rows) if row.word_a == row.word_b]
    a, b = scores.scores_a[same], scores.scores_b[same]
    assert len(same) == 8
    assert scores.agreement["spearman"] == pytest.approx(spearmanr(a, b).statistic)
    assert scores.agreement["kendall"] == pytest.approx(kendalltau(a, b).statistic)
    assert ("signs" in scores.agreement) == (method != "attention_rollout") == scores.signed
    sizes = {number: abs(size) for number, size in enumerate(scores.differences.tolist()) if not np.isnan(size)}
    assert scores.parting == tuple(sorted(sizes, key=lambda number: -sizes[number])[:5])


def test_the_answer_is_the_calibrated_probability_of_two_labels(edit: Comparison) -> None:
    answers = edit.answers
    for report, value in ((edit.report_a, answers.value_a), (edit.report_b, answers.value_b)):
        shares = shown_probabilities(report.prediction.output, report.prediction.temperature)
        assert shares is not None
        share = shares[0, report.target.index]
        assert value == pytest.approx(np.log(share / (1 - share)), abs=1e-4)
    assert answers.difference == pytest.approx(answers.value_b - answers.value_a) and answers.difference < -1


def test_differences_of_complete_scores_add_up_to_that_of_the_answers(edit: Comparison) -> None:
    scores = edit.of_method("integrated_gradients")
    for report, side in ((edit.report_a, scores.scores_a), (edit.report_b, scores.scores_b)):
        part = report.attribution("integrated_gradients")
        special = sum(score for unit, score in zip(part.units, part.scores) if part.tokens.special[unit[0]])
        assert part.baseline_output is not None
        whole = (part.output - part.baseline_output - special) / scores.temperatures[0]
        assert np.nansum(side) == pytest.approx(whole, abs=0.05)


def test_what_a_page_has_of_an_edit_is_enough_and_costs_no_pass(edit: Comparison) -> None:
    sides = [report.attribution("occlusion") for report in (edit.report_a, edit.report_b)]
    predictions = [report.prediction for report in (edit.report_a, edit.report_b)]
    scores = compare_scores(*sides, *predictions)
    assert np.array_equal(scores.differences, edit.of_method("occlusion").differences, equal_nan=True)
    rows = align_tokens(sides[0].tokens, sides[1].tokens)
    assert rows == edit.rows
    assert compare_answers(*sides, *predictions).difference == pytest.approx(edit.answers.difference, abs=1e-6)


def test_two_labels_of_one_text(sentiment: TextModel) -> None:
    comparison = explain.compare(BEFORE, model=sentiment, methods=["occlusion"], label=("positive", "negative"))
    scores = comparison.of_method("occlusion")
    assert comparison.differs == "targets" and all(row.kind == "same" for row in comparison.rows)
    assert np.allclose(scores.scores_b, -scores.scores_a, atol=1e-5)  # log-odds of two labels are opposite
    assert scores.agreement["spearman"] == pytest.approx(-1) and scores.agreement["signs"] == 0
    assert comparison.answers.value_b == pytest.approx(-comparison.answers.value_a, abs=1e-5)


def test_two_models_with_tokenizers_of_their_own(tiny: Callable[..., Any]) -> None:
    text = "The film isn't good \U0001f600\U0001f3ac, but it's top-notch."
    models = tiny("bert"), tiny("roberta")
    pieces = [model.encode(text).pieces for model in models]
    assert pieces[0] != pieces[1]
    comparison = explain.compare(text, model=models, methods=["occlusion", "gradient_norm"], label="LABEL_0")
    assert comparison.differs == "models"
    scores = comparison.of_method("occlusion")
    for side, report in enumerate((comparison.report_a, comparison.report_b)):
        part = report.attribution("occlusion")
        of_word = by_word(part)
        for row, score in zip(comparison.rows, (scores.scores_a, scores.scores_b)[side]):
            words = (row.words_a, row.words_b)[side]
            largest = max((of_word[word] for word in words), key=abs)
            assert score == pytest.approx(largest / scores.temperatures[side])
    assert "".join(row.word_a or "" for row in comparison.rows) == text.replace(" ", "")
    assert all(row.word_a == row.word_b for row in comparison.rows)
    emoji = next(row for row in comparison.rows if row.word_a == "\U0001f600\U0001f3ac")
    assert (len(emoji.words_a), len(emoji.words_b)) == (1, 2)  # one unknown piece against bytes of each


def merged() -> tuple[Report, tuple[AlignedWords, ...]]:
    """A report, and rows that hold two of its words against one of the other side."""
    report = explain.explain("one two three", TOY_MODELS["linear"], methods=["occlusion", "gradient_times_input"])
    rows = (
        AlignedWords((0, 1), (0,), "one two", "one two"),
        AlignedWords((2,), (2,), "three", "three"),
    )
    return report, rows


def test_words_that_stand_together_are_summed_where_scores_add_up() -> None:
    report, rows = merged()
    for name, adds in (("gradient_times_input", True), ("occlusion", False)):
        part = report.attribution(name)
        scores = compare_scores(part, part, report.prediction, report.prediction, rows)
        of_word, _ = word_scores(part)
        assert part.additive == adds
        expected = of_word[:2].sum() if adds else max(of_word[:2], key=abs)
        assert scores.scores_a.tolist() == pytest.approx([expected, of_word[2]])
        assert scores.scores_b.tolist() == pytest.approx([of_word[0], of_word[2]])


def test_intervals_of_both_sides_join() -> None:
    report = explain.explain("one two three", TOY_MODELS["curved"], methods=["occlusion"], phrases=False)
    part = report.attribution("occlusion")
    drawn = dataclasses.replace(part, error=np.array([0.3, 0.0, 0.4]))
    other = dataclasses.replace(part, error=np.array([0.4, 0.0, 0.3]))
    prediction = dataclasses.replace(report.prediction, temperature=2.0)
    scores = compare_scores(drawn, other, prediction, prediction)
    assert scores.errors.tolist() == pytest.approx([0.25, 0.0, 0.25])  # of 0.3 and 0.4, halved by the temperature
    assert scores.differences.tolist() == [0.0, 0.0, 0.0] and scores.parting == ()
    assert np.isnan(compare_scores(part, part, prediction, prediction).errors).all()


def test_constant_scores_have_no_order() -> None:
    report = explain.explain("one two three four", TOY_MODELS["linear"], methods=["occlusion"], phrases=False)
    part = report.attribution("occlusion")
    constant = dataclasses.replace(part, scores=np.ones(4))
    scores = compare_scores(part, constant, report.prediction, report.prediction)
    assert set(scores.agreement.values()) == {None}
    nothing = compare_scores(part, part, report.prediction, report.prediction, rows=())
    assert set(nothing.agreement.values()) == {None} and nothing.parting == ()


def test_units_that_differ_are_compared_by_order_alone() -> None:
    model = TOY_MODELS["linear"]
    text = "one two three four five"
    reports = [
        explain.explain(text, model, methods=["occlusion"], phrases=False, scale=scale)
        for scale in ("log_odds", "probability")
    ]
    comparison = compare_reports(*reports)
    scores = comparison.scores[0]
    assert comparison.differs == "targets" and scores.scale == "" and comparison.answers.difference is None
    assert np.isnan(scores.differences).all() and scores.agreement["spearman"] is not None
    changed = dataclasses.replace(reports[1].attributions[0], scores=np.array([9.0, 5.0, 3.0, 2.0, 1.0]))
    first = dataclasses.replace(reports[0].attributions[0], scores=np.array([1.0, 5.0, 3.0, 2.0, 9.0]))
    parts = compare_scores(first, changed, reports[0].prediction, reports[1].prediction)
    assert parts.parting == (0, 4)  # the fifth becomes the first, and the first the fifth
    assert parts.agreement["spearman"] == pytest.approx(spearmanr(first.scores, changed.scores).statistic)


def test_values_of_two_models_have_no_unit_in_common() -> None:
    part = explain.explain("one two", TOY_MODELS["linear"], methods=["occlusion"], phrases=False, scale="logit")
    sides = (part.attributions[0],) * 2 + (part.prediction,) * 2
    assert compare_scores(*sides).scale == "logit" and compare_scores(*sides, one_model=False).scale == ""


def test_the_largest_differences_come_first() -> None:
    assert parting(np.array([0.0, np.nan, -2.0, 1.0, 2.0]), most=2) == (2, 4)
    assert parting(np.array([np.nan, 0.0])) == ()


def test_the_label_of_a_is_explained_in_both(sentiment: TextModel) -> None:
    comparison = explain.compare("A mess.", "A feast.", sentiment, methods=["occlusion"])
    assert comparison.report_a.prediction.label == "negative" != comparison.report_b.prediction.label
    assert comparison.report_b.target.label == "negative"
    answers = explain.compare(
        "Who met Bob?", text_pair=("Ada met Bob.", "Eve met Bob."), model="answers", methods=["occlusion"]
    )
    assert (answers.report_a.target.label, answers.report_b.target.label) == ("Ada", "Eve")
    asked = [row for row in answers.rows if row.word_b == "Eve"]
    assert np.isnan(answers.scores[0].scores_a[answers.rows.index(asked[0])])  # no method removes an answer


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"b": "A feast.", "label": ("positive", "negative")},
            SettingError,
            "of two texts. Two labels are compared on",
        ),
        ({}, SettingError, "Nothing differs"),
        ({"b": "A feast.", "model": ("sentiment", "topics")}, SettingError, "differ in text and in model"),
        ({"label": ("positive", "negative", "other")}, SettingError, "`label` has 3 entries"),
        ({"label": ("positive", "other")}, TargetError, "other"),
        ({"b": Path("a.json")}, explain.ExplainError, "can't be read"),
    ],
)
def test_what_cant_be_compared_says_what_to_do(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        explain.compare("A mess.", methods=["occlusion"], **arguments)


def test_reports_without_a_common_method_or_with_windows(sentiment: TextModel) -> None:
    one, other, windows = (
        explain.explain("A mess of a film.", sentiment, methods=[method], settings=settings, phrases=False)
        for method, settings in (
            ("occlusion", {}),
            ("gradient_norm", {}),
            ("occlusion", {"occlusion": {"granularity": "window"}}),
        )
    )
    with pytest.raises(SettingError, match=r"no method in common. A has occlusion, B has gradient_norm"):
        compare_reports(one, other)
    with pytest.raises(SettingError, match="overlapping windows"):
        compare_reports(windows, windows)
    with pytest.raises(MetricError):
        word_scores(windows.attributions[0])
    with pytest.raises(SettingError, match="a report is compared with a report"):
        explain.compare(one, "A feast.")
    both = dataclasses.replace(one, attributions=(*windows.attributions, *other.attributions))
    comparison = compare_reports(both, dataclasses.replace(both))
    assert comparison.left_out == ("occlusion",) and comparison.differs == "settings"
    with pytest.raises(KeyError, match="it has: gradient_norm"):
        comparison.of_method("occlusion")


def test_two_texts_cost_what_both_cost_alone() -> None:
    model, meter = TOY_MODELS["linear"], Meter()
    explain.compare("one two three", "one four", model, methods=["occlusion"], meter=meter)
    alone = Meter()
    for text in ("one two three", "one four"):
        explain.explain(text, model, methods=["occlusion"], phrases=False, meter=alone)
    assert meter.spent.forward == alone.spent.forward > 0

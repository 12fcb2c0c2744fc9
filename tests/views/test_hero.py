"""The head of a page: every claim of its headline is recomputed from the scores, its numbers from the prediction."""

from dataclasses import replace

import numpy as np
import pytest

import explain
from explain.datatypes import Attribution, Report, Target
from explain.tasks.base import TASKS
from explain.views.base import VIEWS, percent, rounded
from explain.views.confidence import calibrated_scores
from explain.views.document import document
from explain.views.hero import because, decided, undecided, why_not
from explain.views.method_tiles import shared_words

TEXTS = [texts[0] for texts in TASKS["text_classification"].examples.values()]
METHODS = ["integrated_gradients", "occlusion", "attention_rollout"]


@pytest.fixture(scope="module", params=TEXTS[:3])
def report(request: pytest.FixtureRequest) -> Report:
    return explain.explain(request.param, methods=METHODS)


def score_of(attribution: Attribution, quoted: str) -> float:
    """Return the sum of the scores of the words that a headline quotes, found in the text by their letters."""
    shown = attribution.per_word() if attribution.granularity == "token" else attribution
    text, total, at = attribution.tokens.text, 0.0, 0
    for stretch in quoted.split(" \u2026 "):
        at = text.index(stretch, at)
        for unit, score in zip(shown.units, shown.scores.tolist()):
            _, start, stop = shown.tokens.unit_span(unit)
            if at <= start < stop <= at + len(stretch):
                total += score
        at += len(stretch)
    return total


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_what_is_named_for_and_against_is_so_by_the_scores(report: Report, method: str) -> None:
    attribution = report.attribution(method)
    parts = because(attribution)
    assert parts[0][0] in ("Because of ", f"Nothing in the text speaks for {report.target.label}; against it speaks ")
    for text, kind in parts:
        if kind:
            assert (score_of(attribution, text) > 0) == (kind == "for"), text
    named = [score_of(attribution, text) for text, kind in parts if kind == "for"]
    assert not named or max(named) >= 0.3 * float(np.abs(attribution.per_word().scores).max())


def test_scores_without_a_sign_are_no_reasons(report: Report) -> None:
    parts = because(report.attribution("attention_rollout"))
    assert parts[0][0] == "Most weight lies on " and "Because" not in "".join(text for text, _ in parts)


@pytest.mark.parametrize(("text", "strongest"), [("Wow 😍", "😍"), ("What?", "?"), ("😀", "😀")])
def test_an_emoji_or_a_mark_that_speaks_for_the_label_is_named(text: str, strongest: str) -> None:
    (attribution,) = explain.explain(text, methods=["integrated_gradients"], phrases=False).attributions
    assert score_of(attribution, strongest) == attribution.per_word().scores.max() > 0
    parts = because(attribution)
    assert parts[0][0] == "Because of " and parts[1] == [strongest, "for"]


def test_a_label_that_is_not_decided_is_named() -> None:
    report = explain.explain(TEXTS[0], label="negative", methods=["integrated_gradients"])
    drawn = VIEWS["hero"].data(report)
    assert report.prediction.label == "positive" and drawn["answer"]["label"] == "positive"
    assert "".join(text for text, _ in drawn["because"]).startswith("For negative: ")


def test_the_answer_has_one_confidence_and_the_label_behind_it(report: Report) -> None:
    drawn = VIEWS["hero"].data(report)
    confidence = report.prediction.confidence
    assert confidence is not None
    assert drawn["answer"]["after"] == percent(confidence) and drawn["answer"]["share"] == confidence
    assert drawn["answer"]["next"].endswith(percent(1 - confidence))


def test_shown_scores_are_divided_by_the_temperature_and_say_so(report: Report) -> None:
    attribution, temperature = report.attribution("occlusion"), report.prediction.temperature
    assert temperature
    heat = VIEWS["hero"].data(report, method="occlusion")["heat"]
    shown = {tuple(unit["tokens"]): unit["score"] for text in heat["texts"] for unit in text["units"]}
    for unit, score in zip(attribution.units, attribution.scores.tolist()):
        assert shown[unit] == pytest.approx(score / temperature)
    assert f"(÷ {temperature:.2f})" in heat["unit"]
    assert heat["largest"] == pytest.approx(np.abs(attribution.scores).max() / temperature)
    alone = VIEWS["token_heatmap"].data(attribution, prediction=report.prediction)
    assert alone["unit"] == heat["unit"] and alone["texts"] == heat["texts"]
    assert VIEWS["token_heatmap"].data(attribution)["unit"] == "log-odds"  # without a prediction they are as they are


def test_sums_and_references_are_divided_as_the_scores_are(report: Report) -> None:
    raw, temperature = report.attribution("integrated_gradients"), report.prediction.temperature
    assert temperature and raw.baseline_output is not None
    shown = calibrated_scores(report.prediction, raw)
    for mine, theirs in ((shown.output, raw.output), (shown.baseline_output, raw.baseline_output)):
        assert mine == pytest.approx(theirs / temperature)
    (total, difference), (raw_total, raw_difference) = *shown.sums, *raw.sums
    assert (total, difference) == pytest.approx((raw_total / temperature, raw_difference / temperature))
    note = VIEWS["token_heatmap"].data(raw, prediction=report.prediction)["note"]
    assert f"Scores add up to {rounded(total, '+.3f')}; the text has {rounded(shown.output, '+.3f')}" in note


def test_a_file_begins_with_the_head(report: Report) -> None:
    page = document(report, dict.fromkeys((each.method for each in report.attributions), ("", "", "")))
    head = page.index('data-view="hero"')
    assert head < page.index('data-view="probabilities"') < page.index('data-view="token_heatmap"')


def test_the_editor_colors_the_words_where_they_stand(report: Report) -> None:
    text = report.text
    drawn = VIEWS["hero"].data(report, method="occlusion", editor=[("Text", text)])
    attribution = report.attribution("occlusion")
    largest = np.abs(attribution.scores).max()
    spans = {
        attribution.tokens.unit_span(unit)[1:]: score for unit, score in zip(attribution.units, attribution.scores)
    }
    assert drawn["editor"] == [["Text", text]] and len(drawn["colors"][0]) == len(spans)
    for start, stop, share in drawn["colors"][0]:
        assert share == pytest.approx(spans[start, stop] / largest)
    emoji = explain.explain("😀😀 A good film.", methods=["occlusion"], phrases=False)
    colors = VIEWS["hero"].data(emoji, editor=[("Text", emoji.text)])["colors"][0]
    units = emoji.text.encode("utf-16-le")  # as JavaScript counts
    assert "good" in [units[2 * start : 2 * stop].decode("utf-16-le") for start, stop, _ in colors]
    other = VIEWS["hero"].data(report, editor=[("Text", text + " and more")])
    assert other["colors"] == [[]]  # nothing is known of a text that was edited since


def test_without_a_decision_there_are_boxes_only() -> None:
    assert undecided([("Text", "<b>")])["answer"] is None
    model = explain.load_model("entities")
    prediction = model.predict(model.encode("Marie Curie was born in Warsaw."))
    drawn = decided(prediction, None, None, editor=[("Text", "x")])
    assert drawn["answer"] is None and drawn["heat"] is None and drawn["plain"] == ["Marie Curie was born in Warsaw."]


def test_words_that_all_methods_share_are_among_the_largest_of_each(report: Report) -> None:
    words = shared_words(report)
    for attribution in report.attributions[:2]:
        shown = attribution.per_word() if attribution.granularity == "token" else attribution
        top = sorted(range(len(shown.units)), key=lambda number: -abs(shown.scores[number]))[:3]
        assert set(words) <= {shown.tokens.unit_text(shown.units[number]) for number in top}


def test_the_next_label_is_asked_about_where_the_page_offers_that_contrast() -> None:
    pair = ("A man plays a guitar.", "A man plays an instrument.")
    plain = explain.explain(*pair[:1], "entailment", text_pair=pair[1], methods=["attention_rollout"], phrases=False)
    prediction, target = plain.prediction, plain.target
    order = np.argsort(-prediction.output.logits[0])
    first, second, third = (prediction.output.labels[number] for number in order)
    assert target.label == first

    def contrast(label: str) -> Target:
        place = prediction.output.labels.index(label)
        return replace(target, against=label, against_index=place, scale="logit_difference")

    asked = {"label": second, "text": f"Why not {second}?", "on": False}
    assert why_not(prediction, target, (second, third)) == asked
    assert why_not(prediction, contrast(second), (second, third)) == asked | {"on": True}
    assert why_not(prediction, contrast(third), (second, third)) == asked
    assert why_not(prediction, target, ()) is None  # the page offers no contrast
    assert why_not(prediction, replace(target, label=second), (first, third)) is None  # not what is decided
    assert why_not(prediction, None, (second,)) is None
    assert decided(prediction, target, None, contrasts=(second,))["why_not"] == asked
    assert VIEWS["hero"].data(plain)["why_not"] is None


def test_of_two_labels_the_contrast_is_the_plain_target_so_it_is_not_offered(report: Report) -> None:
    other = next(label for label in report.prediction.output.labels if label != report.target.label)
    contrast = explain.explain(report.text, methods=["occlusion"], against=other, phrases=False)
    plain = report.attribution("occlusion")
    assert contrast.attribution("occlusion").scores == pytest.approx(plain.scores, abs=1e-4)

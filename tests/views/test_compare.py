"""The picture of a comparison, its page, its table: what they say, and that they say it of the right numbers."""

import csv
import dataclasses
import io
import json
import re

import numpy as np
import pytest

import explain
from explain.datatypes import Comparison
from explain.models.base import TextModel
from explain.report.comparison_record import comparison_to_json
from explain.report.side_by_side import compare_reports
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS
from explain.views.compare import agreement_text
from explain.views.comparison_page import comparison_document
from explain.views.comparison_table import comparison_to_csv, comparison_to_text

HOSTILE = "A good <b>film</b></script>\u202e, isn't it?"


@pytest.fixture(scope="module")
def edit(sentiment: TextModel) -> Comparison:
    methods = ("occlusion", "attention_rollout")
    return explain.compare(HOSTILE, HOSTILE.replace("good", "bad"), sentiment, methods=methods, label="positive")


def data(comparison: Comparison, **options: object) -> dict:
    return VIEWS["compare"].data(comparison, **options)


def test_both_sides_share_one_scale(edit: Comparison) -> None:
    occlusion, rollout = data(edit, titles={"occlusion": "Occlusion"})["methods"]
    assert occlusion["title"] == "Occlusion" and rollout["title"] == "attention_rollout"
    scores = edit.of_method("occlusion")
    assert occlusion["largest"] == [max(np.abs(scores.scores_a).max(), np.abs(scores.scores_b).max())] * 2
    assert occlusion["largest_difference"] == np.abs(scores.differences).max()
    assert occlusion["units"] == ["calibrated log-odds"] * 2 and rollout["units"] == ["of the whole"] * 2
    assert "divided by the temperature (1.59)" in occlusion["note"] and "smaller share" in rollout["note"]
    assert [method["method"] for method in data(edit, methods=["occlusion"])["methods"]] == ["occlusion"]


def test_rows_are_those_of_the_comparison(edit: Comparison) -> None:
    (text,) = data(edit)["methods"][0]["texts"]
    assert [row["row"] for row in text["rows"]] == list(range(len(edit.rows)))
    replaced = next(row for row in text["rows"] if row["kind"] == "replaced")
    assert replaced["words"] == ["good", "bad"]
    assert replaced["difference"] == pytest.approx(replaced["scores"][1] - replaced["scores"][0])
    tokens = edit.report_a.prediction.tokens
    assert [tokens.pieces[token] for token in replaced["tokens"][0]] == ["good"]


def test_a_word_that_is_asked_about_says_so() -> None:
    comparison = explain.compare("Ada met Bob.", "Ada saw Bob.", "entities", methods=["occlusion"])
    rows = data(comparison)["methods"][0]["texts"][0]["rows"]
    asked = [row for row in rows if row["asked"][0]]
    assert len(asked) == 1 and asked[0]["asked"] == ["asked", "asked"] and asked[0]["scores"] == [None, None]
    page = comparison_document(comparison, {})
    assert re.search(r"entities; explained: B-PER for (Ada|Bob) \(word \d\)\. Differences", page)


def test_what_is_compared_is_named(sentiment: TextModel) -> None:
    labels = explain.compare("A mess.", model=sentiment, label=("positive", "negative"), methods=["occlusion"])
    assert data(labels)["names"] == ["A: positive", "B: negative"] and data(labels)["note"] == ""
    assert data(labels)["answers"]["sides"][0]["after"] == "3.1% positive"  # the answer itself is negative
    models = explain.compare("A late goal.", model=("topics", "sentiment"), methods=["occlusion"])
    named = data(models)
    label = models.report_b.target.label
    assert named["names"] == [f"A: topics, {models.report_a.target.label}", f"B: sentiment, {label}"]
    assert f"B explains {label}." in named["note"]
    assert "(A 1.14, B 1.59). With more than two labels this is close" in named["methods"][0]["note"]


def test_notes_say_what_differs_besides() -> None:
    model, text = TOY_MODELS["linear"], "one two three"
    reports = [
        explain.explain(text, model, methods=["occlusion"], settings={"occlusion": settings}, phrases=False)
        for settings in ({}, {"operator": "delete"}, {"granularity": "sentence"})
    ]
    changed = data(compare_reports(reports[0], reports[1]))
    assert "Settings differ (operator: A auto, B delete)." in changed["methods"][0]["note"]
    assert "No temperature is known" in changed["methods"][0]["note"] and changed["answers"]["unit"] == "log-odds"
    assert "the score of its sentence" in data(compare_reports(reports[0], reports[2]))["methods"][0]["note"]
    probability = explain.explain(text, model, methods=["occlusion"], phrases=False, scale="probability")
    units = data(compare_reports(reports[0], probability))
    assert "Units differ (A log-odds, B probability)" in units["methods"][0]["note"]
    assert units["names"] == ["A: log-odds", "B: probability"] and units["answers"]["difference"] is None
    assert all(part["ranks"] and part["difference"] is None for part in units["methods"][0]["parting"])
    scores = dataclasses.replace(compare_reports(*reports[:2]), left_out=("lime",))
    assert "overlapping windows: lime." in data(scores)["note"] and "overlap: lime" in comparison_to_text(scores)


def test_models_whose_units_are_their_own() -> None:
    report = explain.explain("one two", TOY_MODELS["linear"], methods=["occlusion"], phrases=False, scale="logit")
    other = dataclasses.replace(report, model=dataclasses.replace(report.model, weight_sha256="other"))
    comparison = compare_reports(report, other)
    assert comparison.scores[0].scale == "" and comparison.differs == "models"
    assert "logit, of each model its own" in data(comparison)["methods"][0]["note"]
    one = dataclasses.replace(report.prediction, temperature=2.0)
    log_odds = explain.explain("one two", TOY_MODELS["linear"], methods=["occlusion"], phrases=False)
    half = compare_reports(dataclasses.replace(log_odds, prediction=one), log_odds)
    assert "temperature (A 2.00, B has none)" in data(half)["methods"][0]["note"]


def test_agreement_in_words(edit: Comparison) -> None:
    scores = edit.of_method("occlusion")
    said = agreement_text(scores, edit.rows)
    same = sum(row.kind == "same" for row in edit.rows)
    assert said.startswith(f"Agreement of the orders over {same} words that both have: Spearman ")
    assert "sizes compared" in agreement_text(edit.of_method("attention_rollout"), edit.rows)
    none = dataclasses.replace(scores, agreement={"spearman": None, "kendall": None})
    assert "a side gives every word the same score" in agreement_text(none, edit.rows)
    short = explain.compare("one two", "one three", TOY_MODELS["linear"], methods=["occlusion"])
    assert "over the 1 word that both have: there are fewer than three" in agreement_text(short.scores[0], short.rows)


def test_the_page_is_whole_and_safe(edit: Comparison) -> None:
    page = comparison_document(edit, {"occlusion": "Occlusion"}, record=comparison_to_json(edit))
    assert page.count("&lt;b&gt;film") == 3 and 'data-view="compare"' in page  # the title, and both texts
    assert "<b>" not in page and page.count("</script>") == 3
    assert 'DRAW["compare"] = ' in page and "https://" not in page and "default-src 'none'" in page
    inside = page.split('id="report">')[1].split("</script>")[0]
    assert explain.comparison_from_json(inside).rows == edit.rows
    pair = explain.compare("one two", text_pair=("three", "four"), model=TOY_MODELS["sequel"], methods=["occlusion"])
    labels = re.findall(r'<b dir="ltr">(.*?)</b>', comparison_document(pair, {}))
    names = pair.report_a.prediction.tokens.text_names
    assert labels == [f"{side}, {name}" for side in "AB" for name in names or ("first text", "second text")]
    assert 'data-view="compare"' in explain.show(edit).html


def test_the_table_has_every_row(edit: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_to_csv(edit))))
    assert len(rows) == 2 * len(edit.rows)
    for row, aligned, a, difference in zip(rows, edit.rows, edit.scores[0].scores_a, edit.scores[0].differences):
        assert (row["word_a"].lstrip("'"), row["kind"]) == (aligned.word_a, aligned.kind)
        assert float(row["score_a"]) == a and float(row["difference"]) == difference
        assert row["error"] == "" and row["scale"] == "log_odds"
    longer = explain.compare("one two", "one two " + "three " * 20, TOY_MODELS["linear"], methods=["occlusion"])
    last = list(csv.DictReader(io.StringIO(comparison_to_csv(longer))))[-1]
    assert (last["word_a"], last["score_a"], last["difference"], last["kind"]) == ("", "", "", "only_b")


def test_the_terminal_says_it(edit: Comparison) -> None:
    said = comparison_to_text(edit)
    assert "Two texts compared  [calibrated log-odds]" in said and "occlusion  [calibrated log-odds]" in said
    assert re.search(r"^ +\S+ +\S+ +\S+ \* good -> bad$", said, re.MULTILINE) and "\u202e" not in said
    assert "Spearman" in said and "B less A" in said
    many = TOY_MODELS["linear"]
    long = explain.compare("a " * 44, "b " * 44, many, methods=["occlusion"])
    assert "28 more rows" in comparison_to_text(long) and "(none) -> b" in comparison_to_text(long)
    json.dumps(data(long), allow_nan=False)

"""Marks of a visit: what is kept of them from text to text, and the files they are taken home in."""

import csv
import io
import json
from dataclasses import replace

import explain
from explain.evaluation.plausibility import RANDOM
from pages.shared.marks import Marks
from tests.evaluation.test_plausibility import MASKED, explained, scored


def test_marks_belong_to_their_text() -> None:
    marks = Marks()
    one, other, pair = explained("one two"), explained("two one"), explained("one two", "three")
    marks.mark(one, [0])
    marks.mark(other, [1])
    assert (marks.words(one), marks.words(other), marks.words(pair), len(marks)) == ((0,), (1,), (), 2)
    marks.mark(other, [])
    assert marks.words(one) == (0,) and len(marks) == 1
    assert marks.add_to(other) is other
    kept = marks.add_to(one).rationale
    assert kept is not None and kept.words == (0,)


def test_what_another_model_can_not_mark_stays_marked() -> None:
    marks = Marks()
    whole = explained("the [MASK] was good")
    asked = explain.explain("the [MASK] was good", MASKED, methods=["occlusion"], phrases=False)
    marks.mark(whole, [1, 3])
    assert marks.words(asked) == (3,)
    marks.mark(asked, [0])
    assert marks.words(whole) == (0, 1)


def test_figures_are_kept_by_method_until_the_marks_change() -> None:
    marks, report = Marks(), scored()
    marks.mark(report, [0, 3])
    marks.keep(marks.add_to(report))
    marks.keep(marks.add_to(replace(report, attributions=report.attributions[:1])))
    (text,) = json.loads(marks.to_json())
    assert [mark["text"] for mark in text["marked"]] == ["one", "four"]
    assert text["marked"][1] == {"word": 3, "segment": 0, "start": 14, "stop": 18, "text": "four"}
    assert [row["method"] for row in text["figures"]] == ["occlusion", "attention_rollout", RANDOM]
    assert text["figures"][0]["f1"] == 0.5 and text["figures"][0]["words"] == 5
    marks.mark(report, [0])
    (text,) = marks.record()
    assert not text["figures"]


def test_unfinished_methods_are_not_noted() -> None:
    marks, report = Marks(), scored()
    unfinished = replace(report.attributions[0], diagnostics={"partial": True})
    marks.mark(report, [0])
    marks.keep(marks.add_to(replace(report, attributions=(unfinished,))))
    assert [row["method"] for row in marks.record()[0]["figures"]] == [RANDOM]


def test_the_table_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    marks, report = Marks(), scored("=one @two three, four", [3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    marks.mark(report, [0])
    marks.keep(marks.add_to(report))
    other = explained("six")
    marks.mark(other, [0])
    first, *_, last = csv.DictReader(io.StringIO(marks.to_csv()))
    assert first["text"] == "'=one @two three, four" and first["marked_words"] == "'=" and first["word_numbers"] == "0"
    assert first["method"] == "occlusion" and first["f1"] == "1.0" and json.loads(first["settings"])["operator"]
    assert last["text"] == "six" and last["marked"] == "1" and last["f1"] == ""

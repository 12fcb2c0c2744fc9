import csv
import dataclasses
import io

import explain
from explain.report.record import from_json, to_json
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS, visible
from explain.views.scores_table import to_csv, to_text


def test_the_text_is_whole_and_phrases_are_numbered_in_it() -> None:
    text = "Good film, \x07one zebra <b>!"
    report = explain.explain(text, TOY_MODELS["planted"])
    data = VIEWS["phrase_bars"].data(report)
    assert "".join(part["text"] for part in data["texts"][0]["parts"]) == visible(text)
    for part in data["texts"][0]["parts"]:
        if part["rank"]:
            assert data["phrases"][part["rank"] - 1]["text"] == part["text"]
    assert data["phrases"][0]["text"] == "zebra" and data["phrases"][0]["necessary"]
    assert data["largest"] == abs(data["phrases"][0]["score"])


def test_what_was_not_read_stands_apart() -> None:
    report = explain.explain("Good film, one zebra.", TOY_MODELS["planted"])
    tokens = dataclasses.replace(report.prediction.tokens, begins_at=(5,), truncated_at=(20,))
    prediction = dataclasses.replace(report.prediction, encodings=(tokens,))
    (text,) = VIEWS["phrase_bars"].data(dataclasses.replace(report, prediction=prediction))["texts"]
    assert (text["before"], text["unread"]) == ("Good ", ".")
    assert "".join(part["text"] for part in text["parts"]) == "film, one zebra"


def test_a_part_is_drawn_inside_its_phrase_and_listed_below_it() -> None:
    text = "Good film, one zebra and so on."
    report = explain.explain(text, TOY_MODELS["planted"])
    (zebra,) = report.phrases
    whole = dataclasses.replace(
        zebra, words=(3, 7), span=(11, 27), text="one zebra and so", score=0.2, sufficient=None, necessary=False
    )
    part = dataclasses.replace(zebra, rank=2, part_of=whole.words, sufficient=None)
    last = dataclasses.replace(zebra, words=(0, 2), span=(0, 9), text="Good film", score=-0.1, rank=3, necessary=False)
    listed = dataclasses.replace(report, phrases=(whole, part, last))
    data = VIEWS["phrase_bars"].data(listed)
    assert [(stretch["text"], stretch["rank"], stretch["ends"]) for stretch in data["texts"][0]["parts"]] == [
        ("Good film", 3, [3]),
        (", ", 0, []),
        ("one ", 1, []),
        ("zebra", 2, [2]),
        (" and so", 1, [1]),
        (" on.", 0, []),
    ]
    assert [phrase["part_of"] for phrase in data["phrases"]] == ["", "one zebra and so", ""]
    assert data["largest"] == part.score and "A part is listed below its phrase" in data["note"]
    assert "zebra  (part of “one zebra and so”, needed)" in to_text(listed)
    rows = {row["text"]: row for row in csv.DictReader(io.StringIO(to_csv(listed))) if row["method"] == "key_phrases"}
    assert (rows["zebra"]["granularity"], rows["zebra"]["note"]) == ("part", "part of “one zebra and so”; needed")
    assert rows["one zebra and so"]["granularity"] == "phrase" and from_json(to_json(listed)).phrases == listed.phrases


def test_a_part_that_ends_with_its_phrase_has_its_number_first() -> None:
    report = explain.explain("Good film, one zebra.", TOY_MODELS["planted"])
    (zebra,) = report.phrases
    whole = dataclasses.replace(zebra, words=(3, 5), span=(11, 20), text="one zebra")
    part = dataclasses.replace(zebra, rank=2, part_of=whole.words)
    stretches = VIEWS["phrase_bars"].data(dataclasses.replace(report, phrases=(whole, part)))["texts"][0]["parts"]
    assert [(stretch["text"], stretch["ends"]) for stretch in stretches[1:3]] == [("one ", []), ("zebra", [2, 1])]


def test_the_note_says_what_is_left_out() -> None:
    report = explain.explain("Good film, one zebra.", TOY_MODELS["planted"])
    note = VIEWS["phrase_bars"].data(report)["note"]
    assert "a function word goes with the words after it" in note and "Below 10% of the largest none is listed." in note
    earlier = report.phrase_settings | {"function_words": False, "least_share": 0.0}
    note = VIEWS["phrase_bars"].data(dataclasses.replace(report, phrase_settings=earlier))["note"]
    assert "function word" not in note and "Below" not in note

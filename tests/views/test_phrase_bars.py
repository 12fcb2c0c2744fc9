import dataclasses

import explain
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS, visible


def test_the_text_is_whole_and_phrases_are_numbered_in_it() -> None:
    text = "Good film, \x07a zebra <b>!"
    report = explain.explain(text, TOY_MODELS["planted"])
    data = VIEWS["phrase_bars"].data(report)
    assert "".join(part["text"] for part in data["texts"][0]["parts"]) == visible(text)
    for part in data["texts"][0]["parts"]:
        if part["rank"]:
            assert data["phrases"][part["rank"] - 1]["text"] == part["text"]
    assert data["phrases"][0]["text"] == "zebra" and data["phrases"][0]["necessary"]
    assert data["largest"] == abs(data["phrases"][0]["score"])


def test_what_was_not_read_stands_apart() -> None:
    report = explain.explain("Good film, a zebra.", TOY_MODELS["planted"])
    tokens = dataclasses.replace(report.prediction.tokens, begins_at=(5,), truncated_at=(18,))
    prediction = dataclasses.replace(report.prediction, encodings=(tokens,))
    (text,) = VIEWS["phrase_bars"].data(dataclasses.replace(report, prediction=prediction))["texts"]
    assert (text["before"], text["unread"]) == ("Good ", ".")
    assert "".join(part["text"] for part in text["parts"]) == "film, a zebra"

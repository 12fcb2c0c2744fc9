"""Of a vocabulary the likeliest words are shown, with the odds they have among all."""

import dataclasses

import numpy as np
import pytest

import explain
from explain.report.record import from_json, to_json
from explain.testing import TOY_MODELS, VOCABULARY, check_view
from explain.views.base import VIEWS, percent
from explain.views.document import document
from explain.views.scores_table import to_text

MODEL = TOY_MODELS["masked"]
VIEW = VIEWS["probabilities"]
TEXT = "the [MASK] cat saw a [MASK]"


def test_log_odds_are_among_all_words() -> None:
    prediction = MODEL.predict(MODEL.encode(TEXT))
    data = VIEW.data(prediction)
    assert len(data["rows"]) == 12 and [row["decided"] for row in data["rows"]] == [True] + [False] * 11
    for row in data["rows"]:
        assert row["log_odds"] == pytest.approx(np.log(row["probability"] / (1 - row["probability"])))
    assert f"shares of all {VOCABULARY} words" in data["note"] and "the 12 likeliest are shown" in data["note"]
    check_view(VIEW, prediction)


def test_what_is_nearly_certain_has_finite_odds() -> None:
    prediction = MODEL.predict(MODEL.encode(TEXT))
    sure = dataclasses.replace(
        prediction.output, logits=[[900.0] + [0.0] * 19], probabilities=[[1.0] + [0.0] * 19], every_logit=None
    )
    rows = VIEW.data(dataclasses.replace(prediction, outputs=(sure,)))["rows"]
    assert rows[0]["log_odds"] > 30 and rows[1]["log_odds"] == pytest.approx(-900)


def test_the_mask_asked_about_is_the_one_shown() -> None:
    report = explain.explain(TEXT, MODEL, methods=[], phrases=False, position=6)
    first, second = report.prediction.outputs
    data = VIEW.data(report.prediction, target=report.target)
    before, label, after = data["headline"]
    assert label == second.labels[0] == data["rows"][0]["label"] != first.labels[0]
    assert after.startswith(percent(float(second.probabilities[0, 0])))
    assert to_text(report).startswith(f"{before} {label}, {after}".strip())
    assert f"<h1>{before} {label} at mask 2, {after}</h1>" in document(report, {})
    assert VIEW.data(report.prediction)["headline"][1] == first.labels[0]


def test_words_asked_about_are_shown_however_unlikely() -> None:
    logits = MODEL.predict(MODEL.encode(TEXT)).output.every_logit[0].astype(float)
    worst, other = np.argsort(logits)[:2].tolist()
    report = explain.explain(TEXT, MODEL, methods=[], phrases=False, label=f"word{worst}", against=f"word{other}")
    rows = VIEW.data(report.prediction, target=report.target)["rows"]
    assert [row["label"] for row in rows[12:]] == [f"word{worst}", f"word{other}"]
    probability = np.exp(logits - np.logaddexp.reduce(logits))[worst]
    assert rows[12]["probability"] == pytest.approx(probability)
    assert rows[12]["log_odds"] == pytest.approx(np.log(probability / (1 - probability)))
    assert f"word{worst}" in VIEW.html(report.prediction, target=report.target)
    recorded = from_json(to_json(report))
    assert len(VIEW.data(recorded.prediction, target=recorded.target)["rows"]) == 12

"""One confidence everywhere: by the temperature where there is one, in the same words and the same digits."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

import explain
from explain.analyses.logit_lens import LogitLens
from explain.datatypes import LayerReadings, MetricResult, Output, Prediction, Report
from explain.models.base import TextModel
from explain.report.record import to_json
from explain.testing import TOY_MODELS, texts_for
from explain.views.base import VIEWS, asset, percent, read_at
from explain.views.confidence import calibrated, headline, shown_probabilities, verb_of
from explain.views.document import document
from explain.views.phrase_notes import empty_sentence
from explain.views.scores_table import to_csv, to_text

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.fixture(scope="module")
def report(sentiment: TextModel) -> Report:
    return explain.explain(TEXT, sentiment, methods=["occlusion"])


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.floats(0.2, 5))
def test_a_temperature_divides_the_logits(logits: list[float], temperature: float) -> None:
    row = torch.tensor([logits], dtype=torch.float64)
    for exclusive, squashed in ((True, lambda z: z.softmax(-1)), (False, torch.sigmoid)):
        output = Output(tuple("abcdef"[: len(logits)]), row.numpy(), squashed(row).numpy(), exclusive)
        expected = squashed(row / temperature).numpy()
        assert np.allclose(shown_probabilities(output, temperature), expected, atol=1e-9)
        assert np.allclose(calibrated(output.probabilities, temperature, exclusive=exclusive), expected, atol=1e-5)
        assert shown_probabilities(output, None) is output.probabilities


def test_certainty_stays_what_it_is() -> None:
    sure = np.array([[1.0, 0.0]])
    for exclusive in (True, False):
        assert calibrated(sure, 2.0, exclusive=exclusive).tolist() == sure.tolist()


@pytest.mark.parametrize(
    ("probability", "following", "verb"),
    [
        (1.0, 0.0, "sure"),
        (0.9, 0.1, "sure"),
        (0.8951, 0.1049, "sure"),  # shown as 90%
        (0.8949, 0.1, "says"),
        (0.6, 0.4, "says"),
        (0.5951, 0.4, "says"),  # shown as 60%
        (0.5949, 0.4, "leans"),
        (0.52, None, "leans"),
        (0.028, 0.021, "leans"),
        (0.8, 0.7, "leans"),  # labels decided alone: the next one is near
        (0.8, 0.69, "says"),
        (0.97, 0.9, "leans"),
        (0.8, None, "says"),
    ],
)
def test_words_at_their_borders(probability: float, following: float | None, verb: str) -> None:
    assert verb_of(probability, following) == verb


@given(st.floats(0, 1))
def test_nothing_uncertain_is_called_certain(probability: float) -> None:
    text = percent(probability)
    assert (text == "100%") == (probability == 1) and (text == "0%") == (probability == 0)
    assert abs(float(text.strip("<>%")) / 100 - probability) <= 0.00501


def test_python_and_script_write_the_same_percents(browser: Browser) -> None:
    numbers = [*np.linspace(0, 1, 1001).tolist(), 1e-9, 4e-4, 6e-4, 0.0994, 0.0996, 0.9949, 0.9951, 0.9994, 0.9996]
    page = browser.new_page()
    try:
        page.add_script_tag(content=asset("drawing.js"))
        written = page.evaluate("(numbers) => numbers.map(percent)", numbers)
    finally:
        page.close()
    halves = {round(n, 4) for n in np.arange(0.105, 1, 0.01)}  # which way a half goes is each language's own
    assert [text for text, n in zip(written, numbers) if round(n, 4) not in halves] == [
        percent(n) for n in numbers if round(n, 4) not in halves
    ]


def test_one_number_in_every_output(report: Report, sentiment: TextModel) -> None:
    """Recomputed from the logits, and found in page, file, terminal and CSV; the raw one is a note."""
    prediction = report.prediction
    logits = torch.tensor(prediction.output.logits[0])
    best, temperature = int(logits.argmax()), sentiment.head.temperature
    shown, raw = (percent(float((logits / t).softmax(0)[best])) for t in (temperature, 1.0))
    assert shown != raw and prediction.temperature == temperature
    data = VIEWS["probabilities"].data(prediction)
    (row,) = [row for row in data["rows"] if row["decided"]]
    assert data["headline"] == headline_parts(prediction) and shown in data["headline"][2]
    assert (percent(row["probability"]), row["raw"]) == (shown, raw)
    assert row["log_odds"] == pytest.approx(float(logits[best] - logits[1 - best]))  # as scores explain it
    assert (
        f"(temperature {temperature:.2f}); the model itself gives {raw}. Log-odds are the model's own." in data["note"]
    )
    first = to_text(report).splitlines()[0]
    assert first.startswith(f"{headline(prediction).text()} (calibrated, temperature ") and shown in first
    assert f"<h1>{headline(prediction).text()}</h1>" in document(report, {"occlusion": ("", "", "")})
    (said,) = [line for line in csv.DictReader(io.StringIO(to_csv(report))) if line["method"] == "prediction"]
    assert said["note"] == first and float(said["score"]) == report.attributions[0].output
    # Records keep what the model gives, and the temperature.
    record = json.loads(to_json(report))["prediction"]
    assert record["outputs"][0]["probabilities"][0][best] == pytest.approx(float(logits.softmax(0)[best]))
    assert record["temperature"] == temperature


def headline_parts(prediction: Prediction) -> list[str]:
    found = headline(prediction)
    return [found.before, found.label, found.after]


def test_without_words_too_it_is_the_calibrated_one(report: Report, sentiment: TextModel) -> None:
    empty = report.empty_text
    own = 1 / (1 + np.exp(-abs(empty.value)))  # of two labels, from the log-odds
    scaled = 1 / (1 + np.exp(-abs(empty.value) / sentiment.head.temperature))
    assert empty.confidence == pytest.approx(scaled, abs=1e-5) and abs(own - scaled) > 1e-3
    assert f"({percent(scaled)})" in empty_sentence(report)


def test_the_last_layer_says_what_the_headline_says(sentiment: TextModel) -> None:
    prediction = sentiment.predict(sentiment.encode(TEXT))
    readings = explain.ask(LogitLens(), TEXT, sentiment)
    assert isinstance(readings, LayerReadings) and readings.temperature == sentiment.head.temperature
    raw = prediction.output.probabilities[0]
    assert np.allclose(readings.probabilities[-1], raw, atol=1e-5)  # Python keeps them raw
    data = VIEWS["layer_readings"].data(readings)
    last = {line["name"]: line["values"][-1] for line in data["lines"]}
    assert last[prediction.label] == pytest.approx(prediction.confidence, abs=1e-4)
    assert sum(last.values()) == pytest.approx(1, abs=1e-4) and "Calibrated as the prediction is." in data["note"]


def test_removal_curves_say_that_they_are_not_calibrated(report: Report) -> None:
    curve = MetricResult("deletion", "occlusion", [0, 1], [0.9, 0.1], 0.5, False, scale="probability", operator="mask")
    (chart,) = VIEWS["removal_curves"].data(dataclasses.replace(report, metrics=(curve,)))["charts"]
    assert chart["unit"] == "probability as the model gives it, before calibration"
    plain = dataclasses.replace(
        report, metrics=(curve,), prediction=dataclasses.replace(report.prediction, temperature=None)
    )
    assert VIEWS["removal_curves"].data(plain)["charts"][0]["unit"] == "probability"


@pytest.mark.parametrize("toy", TOY_MODELS)
def test_every_task_has_its_headline(toy: str) -> None:
    model = TOY_MODELS[toy]
    text, *second = texts_for(model)["plain"]
    found = explain.explain(text, model, text_pair=next(iter(second), None), methods=["occlusion"], phrases=False)
    asked = read_at(found.prediction, found.target.positions)
    said = headline(asked)
    page = document(found, {"occlusion": ("", "", "")})
    if model.head.value:
        assert said is None and f"<h1>similarity: {asked.output.logits[0, 0]:+.4f}</h1>" in page
        return
    shares = shown_probabilities(asked.output, asked.temperature)[0]
    assert said.label == asked.label and percent(float(shares.max())) in said.after
    assert said.before in ("", "says", "leans") and said.after.endswith(" sure") == (said.before == "")
    assert said.basis == "as the model gives it"
    assert to_text(found).startswith(f"{said.text()} (as the model gives it)\n") and "see below" not in page


def test_one_word_alone_has_a_label_too() -> None:
    model = TOY_MODELS["tagging"]
    report = explain.explain("zebra", model, methods=[], phrases=False)
    asked = read_at(report.prediction, report.target.positions)
    assert asked.label == model.head.labels[int(asked.output.logits[0].argmax())]


def test_several_labels_stand_side_by_side() -> None:
    output = Output(("b", "a"), [[0.0, 2.0]], [[0.5, 0.88]], exclusive=False)
    tokens = TOY_MODELS["linear"].encode("so")
    both = Prediction("text_classification", (tokens,), (output,), labels=("b", "a"))
    assert (
        headline(both).text() == "a, b"
        and headline(dataclasses.replace(both, labels=())).text() == "none of its labels"
    )
    warm = VIEWS["probabilities"].data(dataclasses.replace(both, temperature=2.0))
    assert warm["rows"][1]["probability"] == pytest.approx(1 / (1 + np.exp(-1.0))) and warm["rows"][1]["raw"] == "88%"

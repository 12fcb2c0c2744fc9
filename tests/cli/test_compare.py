"""`explain compare`, and `explain replay` of what it wrote."""

import io
import json
import sys
from pathlib import Path

import pytest

import explain
from explain.cli.main import main
from explain.core.installation import weights_folder

TEXTS = ["--text", "The film is good.", "--text", "The film is bad."]


def test_two_texts_and_a_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "comparison.json"
    asked = ["compare", *TEXTS, "--method", "occlusion", "--set", "occlusion.operator=delete", "--target", "positive"]
    assert main([*asked, "--format", "json", "--out", str(path)]) == 0
    comparison = explain.comparison_from_json(path.read_text(encoding="utf-8"))
    assert comparison.differs == "texts" and comparison.report_b.attributions[0].params["operator"] == "delete"
    assert comparison.report_a.target.label == comparison.report_b.target.label == "positive"
    assert main(["replay", str(path)]) == 0
    assert "numbers compared" in (said := capsys.readouterr().out) and "The comparison holds." in said
    assert main(["replay", str(path), "--model", str(weights_folder() / "sentiment")]) == 0
    record = json.loads(path.read_text())
    record["report_b"]["attributions"][0]["scores"][1] += 0.5
    path.write_text(json.dumps(record))
    assert main(["replay", str(path), "--tolerance", "0.1"]) == 1
    assert "The comparison does not hold (tolerance 0.1)." in capsys.readouterr().out


def test_two_reports_and_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path / f"{side}.json") for side in "ab"]
    for path, text in zip(paths, TEXTS[1::2]):
        asked = ["text", text, "--method", "attention_rollout", "--no-phrases", "--target", "positive"]
        assert main([*asked, "--format", "json", "--out", path]) == 0
    capsys.readouterr()
    assert main(["compare", *paths]) == 0
    assert "good -> bad" in capsys.readouterr().out
    assert main(["compare", *paths, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("method,row,kind,segment,word_a,word_b,")
    assert main(["compare", *paths, "--format", "html"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("<!doctype html>") and '"title": "Attention rollout"' in page


def test_two_models_and_two_labels(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"A late goal.")))
    method = ["--method", "occlusion"]
    assert main(["compare", "--text", "-", "--model", "topics", "--model", "sentiment", *method]) == 0
    assert "Two models compared" in capsys.readouterr().out
    assert main(["compare", "--text", "A mess.", "--target", "positive", "--target", "negative", *method]) == 0
    assert "Two targets compared" in capsys.readouterr().out
    pair = ["--pair", "A man is outside.", "--pair", "A man is not outside.", "--model", "entailment"]
    assert main(["compare", "--text", "A man plays outdoors.", *pair, *method]) == 0
    assert "(none) -> not" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is nothing to compare. Name two reports, or give --text"),
        (["a.json"], "Two reports are compared; 1 was given"),
        (["a.json", "b.json", "--text", "a"], "Leave out --text, or the reports"),
        (["a.json", "b.json"], "a.json can't be read"),
        (["--text", "a good film"], "Nothing differs: give two texts, two models or two labels."),
        (["--text", "a", "--text", "b", "--text", "c"], "--text was given 3 times"),
        ([*TEXTS, "--target", "positive", "--target", "negative"], "Two labels are compared on one text"),
        ([*TEXTS, "--method", "luck"], "There is no method 'luck'"),
        ([*TEXTS, "--model", "sentiment", "--model", "topics"], "differ in text and in model"),
    ],
)
def test_what_cant_be_compared_is_told(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err

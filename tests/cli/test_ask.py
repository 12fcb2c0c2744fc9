"""`explain ask`, and analyses in the reports of `explain text`: the same results as in Python, and they replay."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import explain
from explain.cli.main import main
from explain.datatypes.encoding import encode
from explain.report.record import read

TEXT = "a good film"


@pytest.fixture
def model(tiny_folder_of: Callable[..., Path]) -> str:
    return str(tiny_folder_of("bert"))


def test_json_is_a_report_that_replays(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    arguments = ["ask", "neuron_ablation", TEXT, "--model", model, "--set", "neurons=0.3,1.all", "--set", "draws=20"]
    assert main([*arguments, "--format", "json", "--out", str(path)]) == 0
    (answer,) = read(path).answers
    in_python = explain.ask("neuron_ablation", TEXT, model, settings={"neurons": ["0.3", "1.all"], "draws": 20})
    assert (answer.analysis, answer.settings["draws"]) == ("neuron_ablation", 20)
    assert encode(answer.result) == encode(in_python)
    assert main(["replay", str(path)]) == 0
    assert "The report holds." in capsys.readouterr().out


def test_csv_has_every_number(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "hidden_states", TEXT, "--model", model, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    norms = explain.ask("hidden_states", TEXT, model).norms
    written = {row["index"]: float(row["value"]) for row in rows if row["field"] == "norms"}
    assert written == {f"{layer}.{token}": value for (layer, token), value in np.ndenumerate(norms)}


def test_a_page_has_the_pictures_of_the_results_type(model: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    arguments = ["--model", model, "--format", "html", "--out", str(path)]
    assert main(["ask", "logit_lens", TEXT, *arguments]) == 0
    page = path.read_text(encoding="utf-8")
    assert '<div class="view" data-view="layer_readings">' in page and 'id="report"' in page
    assert main(["ask", "head_statistics", TEXT, *arguments]) == 0  # no view accepts its type
    assert "<pre>" in path.read_text(encoding="utf-8")


def test_a_terminal_gets_small_fields_and_the_range_of_large_ones(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hidden_states", TEXT, "--model", model]) == 0
    out = capsys.readouterr().out
    assert out.startswith(explain.ANALYSES["hidden_states"].title) and "tokens: 0:[CLS]" in out
    assert " numbers from " in out


def test_vectors_of_several_texts(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["a good film", "a bad film", "music"]
    arguments = ["ask", "cosine_matrix", *texts, "--model", model, "--pooling", "mean", "--format", "json"]
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["texts"] == texts and record["pooling"] == "mean"
    assert record["result"] == encode(explain.ask("cosine_matrix", texts, model, pooling="mean"))


def test_tests_of_a_method_name_the_method(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ask", "method_tests", TEXT, "--model", model, "--set", "method=occlusion", "--set", "tests=deletion"]
    assert main([*arguments, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [part["method"] for part in record["attributions"]] == ["occlusion"]
    assert "deletion" in {metric["metric"] for metric in record["metrics"]}


def test_analyses_are_part_of_the_report(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["text", TEXT, "--model", model, "--method", "occlusion", "--no-phrases"]
    arguments += ["--analysis", "logit_lens", "--analysis", "neuron_ablation", "--set", "neuron_ablation.neurons=0.3"]
    json_path, html_path = tmp_path / "report.json", tmp_path / "report.html"
    assert main([*arguments, "--format", "json", "--out", str(json_path)]) == 0
    assert [answer.analysis for answer in read(json_path).answers] == ["logit_lens", "neuron_ablation"]
    assert main(["replay", str(json_path)]) == 0
    assert "The report holds." in capsys.readouterr().out
    assert main([*arguments, "--format", "html", "--out", str(html_path)]) == 0
    page = html_path.read_text(encoding="utf-8")
    script = explain.VIEWS["neuron_effects"].drawn_by
    assert all(f'data-view="{view}">' in page and f'DRAW["{view}"]' in page for view in ("layer_readings", script))
    assert main(arguments) == 0
    assert "Layer by layer. " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", "nope", "a"], "There is no analysis 'nope'"),
        (["ask", "logit_lens", "a", "b"], "is about one text; 2 were given"),
        (["ask", "logit_lens", "a", "--pooling", "mean"], "Leave out --pooling"),
        (["ask", "logit_lens", "a", "--set", "x"], "expected SETTING=VALUE"),
        (["ask", "neuron_ablation", "a"], "needs the setting neurons"),
        (["ask", "neuron_ablation", "a", "--set", "neurons=x"], "neurons is 'x'; expected neurons such as"),
        (["ask", "cosine_matrix", "a", "--target", "b"], "Leave out --target"),
        (["text", "a", "--analysis", "key_phrases"], "key phrases are part of every report"),
        (["text", "a", "--analysis", "clusters"], "Use explain ask clusters"),
        (["text", "a", "--set", "logit_lens.x=1", "--analysis", "logit_lens"], "There is no setting of LogitLens 'x'"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], message: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--model", model]) == 2
    assert message in capsys.readouterr().err

"""Figures of a text equal what is worked out by hand; a run goes on where it stopped; the tables say what was found."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.stats import spearmanr

from explain.cli.main import main
from explain.core.errors import DataError, ExplainError, FileError
from explain.evaluation.dataset_table import to_markdown
from explain.evaluation.measure import RANDOM, EvaluationSettings, label_of, measure
from explain.evaluation.run import Record, about, evaluate, read_record
from explain.evaluation.samples import Sample, read_samples
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.base import METHODS, Method
from explain.methods.gradient_norm import GradientNorm
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial
from explain.metrics.comprehensiveness import Comprehensiveness
from explain.models.base import TextModel
from explain.testing import TOY_MODELS
from tests.full_disk import full_disk

MODEL = TOY_MODELS["linear"]
SETTINGS = EvaluationSettings(orders=4)
TREE = {  # "a good plot , badly told .": words, then phrases
    "id": "one",
    "text": "a good plot , badly told .",
    "tokens": ["a", "good", "plot", ",", "badly", "told", "."],
    "spans": [
        [0, 1, 2],
        [1, 2, 4],
        [2, 3, 2],
        [3, 4, 2],
        [4, 5, 0],
        [5, 6, 2],
        [6, 7, 2],
        [0, 3, 4],
        [4, 6, 1],
        [1, 3, 3],
    ],
    "label2": 1,
}
NEUTRAL = {"id": "two", "text": "a plot .", "label2": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "dev.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in (TREE, NEUTRAL, {"text": "so very good , and so slow"}))
    return tmp_path


def test_labels_are_laid_over_the_text(folder: Path) -> None:
    samples, left_out = read_samples(str(folder), "dev")
    assert left_out == 1 and [sample.id for sample in samples] == ["one", "1"]
    assert samples[0].words[1] == (2, 6, 2.0) and TREE["text"][2:6] == "good"
    assert samples[0].phrases[1] == (14, 24, -1.0) and TREE["text"][14:24] == "badly told"
    assert samples[1].words == ()


def test_rows_without_a_text_and_repeated_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "dev.csv").write_text("text,id\nso good,a\n ,b\nso good,c\n")
    notes: list[str] = []
    samples, neutral = read_samples(str(tmp_path), "dev", notes.append)
    assert [sample.id for sample in samples] == ["a", "c"] and not neutral
    assert notes == ["Rows without a text were left out: 1 (row 2).", "Rows that repeat an earlier text: 1 (row 3)."]
    assert read_samples(str(tmp_path / "dev.csv"), "dev") == (samples, 0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "so", "tokens": ["no"], "spans": [[0, 1, 2]]}, "don't fit"),
        ({"words": "so"}, "no column 'text'; it has words"),
    ],
)
def test_rows_that_don_t_fit_are_told(row: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text(json.dumps(row))
    with pytest.raises(DataError, match=said):
        read_samples(str(tmp_path), "dev")


def rows_of(model: TextModel, *methods: Method, sample: Sample | None = None) -> dict[str, dict[str, Any]]:
    sample = sample or read_one()
    return {row["method"]: row for row in measure(model, sample, methods, SETTINGS)}


def read_one() -> Sample:
    spans = [(2 * place, 2 * place + 1, float(label)) for place, label in enumerate((0, 1, -2, 0, 2))]
    return Sample("one", "a b c d e", None, tuple(spans), ((0, 3, 1.0), (2, 5, -1.0), (0, 9, 2.0)))


def test_human_figures_are_those_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five words scored 1 4 -3 2 0; people marked the 2nd, 3rd and 5th: found at ranks 1, 2 and 5 of the sizes."""
    scores = np.array([1.0, 4.0, -3.0, 2.0, 0.0])
    plain = Occlusion.attribute

    def planted(method: Occlusion, model: TextModel, *item: Any) -> Any:
        found = plain(method, model, *item)
        object.__setattr__(found, "scores", scores)
        return found

    monkeypatch.setattr(Occlusion, "attribute", planted)
    row = rows_of(MODEL, Occlusion())["occlusion"]
    decided = MODEL.predict(MODEL.encode("a b c d e")).label
    direction = 1 if decided == MODEL.head.labels[1] else -1
    human = row["human"]
    assert human["auprc"] == pytest.approx((1 / 1 + 2 / 2 + 3 / 5) / 3, abs=1e-5) and human["chance"] == 0.6
    labels = np.array([0, 1, -2, 0, 2])
    assert human["size"] == pytest.approx(spearmanr(np.abs(scores), np.abs(labels)).statistic, abs=1e-5)
    assert human["sign"] == pytest.approx(direction * spearmanr(scores, labels).statistic, abs=1e-5)
    sums, said = [5.0, 1.0, 4.0], [1, -1, 2]
    assert human["phrases"] == pytest.approx(direction * spearmanr(sums, said).statistic, abs=1e-5)


def test_faithfulness_is_the_metric_s_own_with_two_operators() -> None:
    row = rows_of(MODEL, Occlusion(), AttentionRollout())["occlusion"]
    tokens = MODEL.encode("a b c d e")
    target = MODEL.task.target(MODEL.predict(tokens), MODEL.head)
    assert list(row["faithful"]) == ["delete", "attention_off"]
    for operator, figures in row["faithful"].items():
        trial = Trial(MODEL, tokens, target, orders=4, operator=operator)
        result = Comprehensiveness().evaluate(trial, Occlusion().attribute(MODEL, tokens, target))
        assert result.operator == operator
        value, chance, beaten = figures["comprehensiveness"]
        assert (value, chance, beaten) == (
            pytest.approx(result.value, abs=1e-6),
            pytest.approx(result.controls.mean(), abs=1e-6),
            result.percentile,
        )


def test_a_method_is_never_tested_with_its_own_operator() -> None:
    row = rows_of(MODEL, Occlusion(operator="delete"))
    assert list(row["occlusion operator=delete"]["faithful"]) == ["attention_off"]


def test_what_can_t_be_explained_is_written_down() -> None:
    assert "error" in rows_of(MODEL, Occlusion(), sample=Sample("none", ""))["occlusion"]
    assert "fewer than two" in rows_of(MODEL, Occlusion(), sample=Sample("one", "so"))["occlusion"]["error"]


def test_a_run_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    samples, left_out = read_samples(str(folder), "dev")
    said = about(MODEL, str(folder), "dev", SETTINGS, left_out)
    path = tmp_path / "deep" / "record.jsonl"
    methods = (Occlusion(), AttentionRollout())
    evaluate(MODEL, samples, methods[:1], Record(path, said), SETTINGS)
    whole = path.read_text()
    path.write_text(whole + '{"text": "one", "meth')  # killed while writing
    told: list[str] = []
    record = Record(path, said)
    evaluate(MODEL, samples, methods, record, SETTINGS, on_progress=told.append)
    assert path.read_text().startswith(whole)
    assert [(row["text"], row["method"]) for row in read_record(path)[1]] == [
        ("one", RANDOM), ("one", "occlusion"), ("1", RANDOM), ("1", "occlusion"),
        ("one", "attention_rollout"), ("1", "attention_rollout"),
    ]  # fmt: skip
    evaluate(MODEL, samples, methods, Record(path, said), SETTINGS, on_progress=told.append)
    assert told[-1].endswith("0 texts to do.")
    with pytest.raises(DataError, match="written with orders 4, not 5"):
        Record(path, said | {"orders": 5})
    with pytest.raises(DataError, match="no record"):
        read_record(folder / "dev.jsonl.gz")


def test_a_full_disk_loses_no_row_and_leaves_no_record_that_is_refused(folder: Path, tmp_path: Path) -> None:
    samples, left_out = read_samples(str(folder), "dev")
    said = about(MODEL, str(folder), "dev", SETTINGS, left_out)
    path = tmp_path / "record.jsonl"
    with full_disk(100), pytest.raises(FileError, match="can't be written"):
        Record(path, said)
    assert [one.name for one in tmp_path.iterdir()] == ["dev.jsonl.gz"]
    path.touch()  # begun by an earlier release on a full disk
    record = Record(path, said)
    whole = Record(tmp_path / "whole.jsonl", said)
    evaluate(MODEL, samples, (Occlusion(), AttentionRollout()), whole, SETTINGS)
    first_text = whole.path.read_text().splitlines(keepends=True)[:4]
    one_text = len("".join(first_text)) + 20  # seconds are written with more or fewer digits
    with full_disk(one_text), pytest.raises(FileError, match=r"It holds 1 texts; the same command goes on from there"):
        evaluate(MODEL, samples, (Occlusion(), AttentionRollout()), record, SETTINGS)
    record = Record(path, said)
    assert {row["text"] for row in record.rows} == {"one"}
    evaluate(MODEL, samples, (Occlusion(), AttentionRollout()), record, SETTINGS)
    assert [row["text"] for row in Record(path, said).rows] == ["one"] * 3 + ["1"] * 3


@pytest.mark.parametrize("row", ["7", "[]", "{}", '{"text": 1, "method": "a"}', "9" * 5000, "[" * 100_000])
def test_a_record_of_other_rows_is_refused(row: str, tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(f'{{"schema": "explain-evaluation-1"}}\n{row}\n')
    with pytest.raises(DataError, match="is no record of an evaluation"):
        read_record(path)


def test_a_record_where_none_can_be(tmp_path: Path) -> None:
    for place in (Path("/proc/x/y"), tmp_path, tmp_path / "a\0b", tmp_path / ("n" * 300)):
        with pytest.raises(ExplainError):
            Record(place, {"schema": "x"})


def test_methods_of_many_passes_are_measured_on_a_part(folder: Path, tmp_path: Path) -> None:
    samples, left_out = read_samples(str(folder), "dev")
    record = Record(tmp_path / "record.jsonl", about(MODEL, str(folder), "dev", SETTINGS, left_out))
    dear = IntegratedGradients(steps=60)
    evaluate(MODEL, samples, (Occlusion(), dear), record, SETTINGS, part=1)
    by_method = [row["method"] for row in record.rows]
    assert by_method.count("occlusion") == 2 and by_method.count(label_of(dear)) == 1
    document = to_markdown(record.about, record.rows)
    assert "on the same 1 texts" in document and "on 2 texts" in document
    assert "Integrated gradients (steps=60, version=2)" in document and "nan" not in document


def test_intervals_and_winners() -> None:
    """Of three texts: a is always 1 above b and 0 to 2 above c."""
    gains = {"a": (2.0, 3.0, 4.0), "b": (1.0, 2.0, 3.0), "c": (2.0, 3.0, 2.0), RANDOM: (9.0, 9.0, 9.0)}
    rows = [
        {
            "text": str(text), "method": method, "words": 5, "passes": 1, "seconds": 0.0,
            "faithful": {"delete": {name: [sign * gain, 0.0, 50.0] for name, sign in METRIC_SIGNS}},
        }
        for method, found in gains.items() for text, gain in enumerate(found)
    ]  # fmt: skip
    said = about(MODEL, "data", "dev", SETTINGS, 0)
    document = to_markdown(said, rows)
    assert f"| a | 1 | 3.000 ± {stats.t.ppf(0.975, 2) / 3**0.5:.3f} |" in document
    assert "- comprehensiveness: **a**; not clearly different: c." in document


def test_scores_that_are_all_the_same_have_no_rank_correlation() -> None:
    """The gradient of a linear model has one size at every word. An old record's 0 is read as it stands."""
    rows = rows_of(MODEL, Occlusion(), GradientNorm())
    human = rows["gradient_norm"]["human"]
    assert human["size"] is None and human["auprc"] is not None and rows["occlusion"]["human"]["size"] is not None
    document = to_markdown(about(MODEL, "data", "dev", SETTINGS, 0), list(rows.values()))
    assert "left out of the mean rank correlations" in document and "size (Gradient norm 1)." in document
    assert "nan" not in document and "None" not in document
    human["size"] = 0.0
    assert "mean rank correlations" not in to_markdown(about(MODEL, "data", "dev", SETTINGS, 0), list(rows.values()))


METRIC_SIGNS = (("comprehensiveness", 1), ("sufficiency", -1))


def test_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data", str(folder), "--record", str(tmp_path / "r.jsonl"), "--out", str(tmp_path / "e.md")]
    asked = ["--method", "occlusion", "--method", "gradient_norm", "--orders", "2", "--most", "1", "--workers", "1"]
    assert main(["evaluate", *options, *asked]) == 0
    assert "1 texts, 2 methods, 2 of them on all" in capsys.readouterr().err
    document = (tmp_path / "e.md").read_text()
    assert "Occlusion" in document and "Gradient norm" in document and "AUPRC" in document
    assert main(["evaluate", "--data", str(tmp_path / "none"), "--method", "occlusion"]) == 2


def test_labels_of_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    assert label_of(METHODS["occlusion"]()) == "occlusion"
    monkeypatch.setattr(Occlusion, "version", 2)
    assert label_of(Occlusion(operator="delete")) == "occlusion operator=delete version=2"
    assert (
        label_of(IntegratedGradients(baseline="pad", steps=8)) == "integrated_gradients steps=8 baseline=pad version=2"
    )

"""Models of two texts, and models of several tasks: measured in this process and in workers, with the same figures."""

import json
import pickle
from collections.abc import Callable
from functools import partial
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest

from explain.cli.main import main
from explain.core.errors import DataError, ModelError
from explain.evaluation.measure import RANDOM, EvaluationSettings, Row, measure
from explain.evaluation.run import Record, TextWork, about, evaluate, implied, measure_text
from explain.evaluation.samples import Sample, read_samples
from explain.methods.gradient_times_input import GradientTimesInput
from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.models.loading.catalogue import load_model
from explain.models.loading.spec import ModelSpec
from explain.run.shards import ModelWork, Shard
from tests.tiny_models import tiny_folder, unsaid

SETTINGS = EvaluationSettings(orders=2)
METHODS = (Occlusion(), GradientTimesInput())
PAIRS = (("The film isn't good.", "It is bad."), ("Two people walk.", "They walk along the sea with a dog."))
NLI = {0: "contradiction", 1: "neutral", 2: "entailment"}
NEXT = "next-sentence-prediction"

Folders = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Tiny models: of two texts, and of two tasks, masked words and next sentences."""
    folder = tmp_path_factory.mktemp("models")
    tiny_folder("bert", folder / "two texts", head="ForNextSentencePrediction")
    tiny_folder("bert", folder / "two tasks", head="ForPreTraining")
    return lambda name: folder / name


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    folder.mkdir()
    rows = [json.dumps({"text": text, "text_b": text_b}) for text, text_b in PAIRS]
    (folder / "dev.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def figures(rows: list[Row]) -> dict[tuple[str, str, str, str], list[float]]:
    """The numbers of each text and method, by operator and metric."""
    return {
        (row["text"], row["method"], operator, metric): numbers
        for row in rows
        for operator, by_metric in row["faithful"].items()
        for metric, numbers in by_metric.items()
    }


def test_workers_measure_what_this_process_measures(folder_of: Folders, pairs: Path) -> None:
    model = ModelSpec(str(folder_of("two tasks")), NEXT).load()
    samples, left_out = read_samples(str(pairs), "dev")
    described = about(model, str(pairs), "dev", SETTINGS, left_out)
    here, in_workers = Record(None, described), Record(None, described)
    evaluate(model, samples, METHODS, here, SETTINGS)
    evaluate(model, samples, METHODS, in_workers, SETTINGS, workers=2)
    assert {row["method"] for row in here.rows} == {RANDOM, "occlusion", "gradient_times_input"}
    expected, found = figures(here.rows), figures(in_workers.rows)
    assert set(found) == set(expected) and len(here.rows) == len(PAIRS) * 3
    for key, numbers in expected.items():
        assert found[key] == pytest.approx(numbers, abs=1e-4), key


@pytest.mark.parametrize("name", ["two texts", "two tasks"])
def test_a_pair_s_figures_are_those_of_its_own_two_texts(name: str, folder_of: Folders) -> None:
    model = ModelSpec(str(folder_of(name)), NEXT).load()
    (_, row) = measure(model, Sample("0", *PAIRS[0]), METHODS[:1], SETTINGS)
    assert row["words"] == len(model.encode(*PAIRS[0]).word_units())
    assert not any("error" in row for row in measure(model, Sample("1", *PAIRS[1]), METHODS, SETTINGS))


def test_of_several_labels_the_likeliest_one_is_explained(tmp_path: Path) -> None:
    model = ModelSpec(str(tiny_folder("bert", tmp_path / "nli", id2label=NLI)), "zero-shot-classification").load()
    text, labels = PAIRS[0][0], ("film", "sea", "story", "dog")
    values = [model.predict(model.encode(text, label)).output.logits[0, 0] for label in labels]
    best = labels[int(np.argmax(values))]
    assert best != labels[0]  # else the first encoding would do
    alone, among = (
        figures(list(measure(model, Sample("0", text, asked), METHODS, SETTINGS)))
        for asked in (best, ", ".join(labels))
    )
    assert among.keys() == alone.keys() and all(among[key] == pytest.approx(alone[key], abs=1e-5) for key in alone)


def test_a_record_names_its_task_and_another_is_refused(folder_of: Folders, pairs: Path, tmp_path: Path) -> None:
    def described(model: TextModel) -> dict[str, object]:
        return about(model, str(pairs), "dev", SETTINGS, 0)

    place = str(folder_of("two tasks"))
    words, sentences = (ModelSpec(place, task).load() for task in ("fill-mask", NEXT))
    path = tmp_path / "record.jsonl"
    Record(path, described(sentences), implied(sentences))
    assert json.loads(path.read_text())["task"] == "next_sentence_prediction"
    with pytest.raises(DataError, match="written with task 'next_sentence_prediction', not 'fill_mask'"):
        Record(path, described(words), implied(words))
    old = {name: value for name, value in described(words).items() if name not in ("task", "files_sha256")}
    path.write_text(json.dumps(old) + "\n")
    assert Record(path, described(words), implied(words)).about["task"] == "fill_mask"
    with pytest.raises(DataError, match="written with task 'fill_mask', not 'next_sentence_prediction'"):
        Record(path, described(sentences), implied(sentences))


def test_an_old_record_of_a_model_that_no_task_is_known_of_is_refused(tmp_path: Path) -> None:
    model = load_model(str(unsaid(tiny_folder("bert", tmp_path / "m"))), task="text-classification")
    assert implied(model)["task"] is None


def test_a_worker_refuses_a_model_that_has_changed(
    tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ModelSpec(str(tiny_folder("bert", tmp_path / "m", head="ForNextSentencePrediction")), NEXT).load()
    work = ModelWork.of(model, partial(measure_text, settings=SETTINGS))
    shard = Shard(0, (TextWork(Sample("0", *PAIRS[0]), METHODS, True),))
    sent = ForkingPickler.loads(ForkingPickler.dumps(work))
    assert sent.model is None and len(sent(shard)) == 3
    config = tmp_path / "m" / "config.json"
    config.write_text(config.read_text() + "\n")
    monkeypatch.setattr(catalogue, "_LOADED", catalogue._Loaded())  # as in a new process
    with pytest.raises(ModelError, match="has changed since this work began"):
        sent(shard)


def test_a_model_that_can_read_nothing_says_why(folder_of: Folders, pairs: Path) -> None:
    model = ModelSpec(str(folder_of("two texts")), NEXT).load()
    record = Record(None, about(model, str(pairs), "dev", SETTINGS, 0))
    alone = [Sample("0", "The film isn't good."), Sample("1", "It is bad.")]
    with pytest.raises(DataError, match=r"can read no text of this data.*give the next sentence too"):
        evaluate(model, alone, METHODS, record, SETTINGS)
    some = [*alone, Sample("2", *PAIRS[0])]
    evaluate(model, some, METHODS, record, SETTINGS)
    assert [row["text"] for row in record.rows if "error" not in row] == ["2"] * 3


def test_a_spec_is_small_and_loads_the_same_model(folder_of: Folders) -> None:
    model = load_model(str(folder_of("two tasks")), task=NEXT)
    spec = ModelSpec.of(model)
    assert spec == ModelSpec(str(folder_of("two tasks")), "next_sentence_prediction") and len({spec, spec}) == 1
    assert len(pickle.dumps(spec)) < 400
    assert spec.load().record == model.record and spec.load().task is model.task


@pytest.mark.parametrize(
    "options", [["--model", "entailment"], ["--model", "base", "--task", NEXT]], ids=lambda options: options[1]
)
def test_command_line(
    options: list[str],
    pairs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["evaluate", "--data", str(pairs), "--method", "occlusion", "--orders", "2", *options]) == 0
    document = capsys.readouterr().out
    task = options[3] if len(options) > 2 else "text-classification"
    assert f"task {task}," in document and "on the same 2 texts" in document and "Not explained" not in document
    assert list(Path().iterdir()) == []  # nobody named a file

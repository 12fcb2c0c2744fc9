"""From a file to a model in the list: tiny encoders, a few steps; stopped, killed and gone on with."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics

import explain
from explain.__main__ import main
from explain.core.errors import Busy, Cancelled, DataError, ExplainError, FileError, ModelError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.models.loading import catalogue, listing, shared_encoder
from explain.models.loading.files import ModelFiles
from explain.run import background
from explain.training.labeled_rows import uploaded_rows
from explain.training.measure import baselines
from explain.training.measure.classification import (
    classification_figures,
    curves,
    macro_f1_interval,
    multi_label_figures,
)
from explain.training.measure.figures import read_evaluation, words_rows
from explain.training.objectives.classification import Labelled
from explain.training.recipes import classifier_settings
from explain.training.recipes.classifier_settings import TableSettings
from explain.training.recipes.lines import LinesSettings
from explain.training.run import job, preparation, runs, table_run
from explain.training.run.comparison import compare
from explain.training.run.foreground import train_here
from explain.training.run.preparation import prepare_classifier, prepare_pretraining
from explain.training.run.table_run import _examples
from tests.full_disk import full_disk
from tests.tiny_models import CORPUS, tiny_folder
from tests.waiting import PATIENCE, wait_for

WORDS = ("film", "cast", "story", "joke", "minute", "picture", "people", "beach", "dog", "sea")


def rows(several: bool = False) -> Dataset:
    """The first word decides."""
    found = []
    for number in range(120):
        good = number % 2
        text = f"{'loved' if good else 'bad'} {WORDS[number % 10]} {WORDS[number // 10 % 10]} line {number}"
        labels = ["good"] * good + ["tenth"] * (number % 10 < 3)
        found.append({"text": text, "label": labels if several else ("bad", "good")[good]})
    return uploaded_rows("reviews.jsonl", "\n".join(map(json.dumps, found)).encode())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "base"
    return tiny_folder("bert", folder, head="ForPreTraining", max_position_embeddings=128)


@pytest.fixture(autouse=True)
def models(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models, on a tiny encoder."""
    monkeypatch.setenv("EXPLAIN_MODELS_DIR", str(tmp_path / "models"))
    for room in (classifier_settings, preparation, listing, shared_encoder):
        monkeypatch.setattr(room, "weights_folder", lambda: base.parent)
    return tmp_path / "models"


@dataclass(frozen=True)
class Trained:
    folder: Path
    figures: dict
    lines: list[str]
    test: list[dict]


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run to the end, to be copied."""
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier_settings, "weights_folder", lambda: base.parent)
        folder = made(tmp_path_factory.mktemp("models") / "mine")
        test = [json.loads(line) for line in (folder / "data" / "test.jsonl").read_text().splitlines()]
        return Trained(folder, job.work(folder, lines.append), lines, test)


SHORT = TableSettings(epochs=2.0, batch_size=8, rank=2, learning_rate=5e-3)  # 21 steps, a look every 5


def made(folder: Path, settings: TableSettings = SHORT, several: bool = False) -> Path:
    prepare_classifier(folder, rows(several), Columns(several=several), settings)
    return folder


def steps(folder: Path) -> list[int]:
    return [entry["step"] for entry in runs.look_at(folder).progress]


def test_a_finished_model_is_in_the_list_at_once_and_explained(models: Path, trained: Trained) -> None:
    assert not catalogue.trained_here()
    made(models / "other")
    assert runs.look_at(models / "other").state == background.INTERRUPTED and not catalogue.trained_here()
    folder, figures, lines = shutil.copytree(trained.folder, models / "mine"), trained.figures, trained.lines
    assert runs.look_at(folder).state == background.FINISHED and lines[0] == "Reading" and lines[-1] == "Measuring"
    assert figures["steps"] == 21 and {"loss", "dev_loss"} <= set().union(*runs.look_at(folder).progress)
    (entry,) = catalogue.trained_here()
    assert entry.name == "mine" and entry.title == "Is it bad or good?" and entry.tasks == ("text_classification",)
    assert entry.main_figure == ("accuracy", figures["accuracy"], "reviews.jsonl test") and entry.size > 1000
    report = explain.explain("bad film", model="mine", methods=["occlusion"], phrases=False)
    assert report.prediction.label in ("bad", "good") and report.model.id == "mine"
    record = json.loads((folder / "training.json").read_text())
    assert record["file"]["sha256"] == rows().sha256() and record["beside"].keys() == {"Bag of words", "Most frequent"}
    card = (folder / "README.md").read_text()
    assert rows().sha256() in card and "bag of words" in card and "kept: the model after step" in card
    assert not (folder / "data").exists() and not (folder / "checkpoints").exists()  # no copy of the texts stays


def test_poolings_of_a_model_of_ones_own_are_served_and_compared(models: Path) -> None:
    short = replace(SHORT, epochs=0.5)
    for pooling in ("cls", "mean", "lstm"):
        job.work(made(models / pooling, replace(short, pooling=pooling)), lambda _: None)
    assert [catalogue.load_model(name).vectors.poolings[0] for name in ("cls", "mean", "lstm")] == [
        "mean",
        "mean",
        "lstm",
    ]
    model = catalogue.load_model("lstm")
    assert len(explain.embed(["a good film", "bad"], model, pooling="lstm").vectors) == 2
    report = explain.explain("bad film", model="lstm", methods=["integrated_gradients"], phrases=False)
    assert report.attributions[0].diagnostics["converged"]
    table = compare([str(models / name) for name in ("cls", "mean", "lstm")])
    assert "Task reviews.jsonl, measured on reviews.jsonl test" in table
    assert [line.split(" | ")[0] for line in table.splitlines()[4:]] == ["| cls", "| mean", "| lstm"]
    with pytest.raises(DataError, match=r"differs from .* in data"):
        compare([str(models / "cls"), str(job_of_others(models))])
    job.work(made(models / "again", replace(short, pooling="cls", seed=1)), lambda _: None)
    assert "| **cls** | mean of 2 |" in compare([str(models / "cls"), str(models / "again")])


def job_of_others(models: Path) -> Path:
    """A run on other rows."""
    table = rows()
    fewer = uploaded_rows("reviews.jsonl", "\n".join(json.dumps(row) for _, row in list(table.cells())[:-4]).encode())
    prepare_classifier(models / "others", fewer, Columns(), replace(SHORT, epochs=0.5))
    job.work(models / "others", lambda _: None)
    return models / "others"


def test_poolings_are_for_one_label_only(models: Path) -> None:
    with pytest.raises(DataError, match="'lstm' works for one label for each text only"):
        made(models / "several", replace(SHORT, pooling="lstm"), several=True)
    assert not (models / "several").exists()


def test_the_figures_are_those_of_the_served_model(models: Path, trained: Trained) -> None:
    folder = shutil.copytree(trained.folder, models / "mine")
    found = json.loads((folder / "evaluation.json").read_text())
    model = catalogue.load_model("mine")
    outputs = [model.predict(model.encode(row["text"])).output.probabilities[0] for row in trained.test]
    told, right = np.array(outputs), np.array([model.head.labels.index(row["label"]) for row in trained.test])
    ours, words, frequent = (judge["figures"] for judge in found["judges"])
    assert found["count"] == len(right) and ours["accuracy"] == pytest.approx((told.argmax(axis=1) == right).mean())
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(right, told), abs=1e-5)
    assert words["accuracy"] == 1.0  # the first word decides
    assert frequent["roc_auc"] == 0.5 and frequent["accuracy"] == pytest.approx(max(right.mean(), 1 - right.mean()))
    assert found["gain"][0] == pytest.approx(ours["accuracy"] - 1.0)
    assert set(catalogue.trained_here()[0].examples.values()) <= {(row["text"],) for row in trained.test}


def test_several_labels_and_the_head_alone(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is simpler is called from thresholds of its own too: from 0 on, every label of every text.
    monkeypatch.setattr(table_run, "best_thresholds", lambda told, right: np.zeros(right.shape[1]))
    settings = TableSettings(epochs=0.5, batch_size=8, train="head")
    folder = made(models / "several", settings, several=True)
    figures = job.work(folder)
    model = catalogue.load_model("several")
    assert not model.head.exclusive and len(model.head.thresholds) == 2 and model.head.labels == ("good", "tenth")
    assert figures["trained_parameters"] == 32 * 32 + 32 + 2 * 32 + 2  # pooler and classifier
    judges = read_evaluation(folder)["judges"]
    assert [judge["name"] for judge in judges] == ["This model", "Bag of words", "Most frequent"]
    assert [judge["figures"]["micro_recall"] == 1.0 for judge in judges[1:]] == [True, True]
    plain = shared_encoder.shared_encoder(ModelFiles(shared_encoder.weights_folder() / "base"))[0]
    assert all(
        np.array_equal(mine, plain.get_parameter(name))
        for name, mine in model._module.named_parameters()
        if name.startswith("bert.encoder")
    )


def kill_at(step: int) -> Callable[[str], None]:
    def told(line: str) -> None:
        if line.startswith(f"step {step} "):
            os.kill(os.getpid(), signal.SIGTERM)

    return told


def test_a_run_that_is_stopped_loses_nothing_and_goes_on(models: Path, trained: Trained) -> None:
    folder = made(models / "mine")
    with pytest.raises(Cancelled):
        job.work(folder, kill_at(12))
    found = runs.look_at(folder)
    assert (
        found.state == background.CANCELLED
        and found.can_go_on
        and 0.5 < found.fraction < 1
        and not catalogue.trained_here()
    )
    assert found.kept_step == 13  # the step it was in
    (folder / "checkpoints" / "checkpoint-14").mkdir()  # half a checkpoint, of a run that was killed while writing
    assert job.work(folder)["steps"] == 21
    for name in ("step", "seconds"):
        noted = [entry[name] for entry in runs.look_at(folder).progress]
        assert noted == sorted(noted)
    one, other = (np.concatenate([t.ravel() for t in tensors(path).values()]) for path in (folder, trained.folder))
    assert np.array_equal(one, other)  # it came out as if it had never been stopped


def tensors(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "adapter_model.safetensors")


def test_a_killed_process_loses_the_steps_since_the_last_checkpoint_and_no_more(models: Path) -> None:
    folder = made(models / "mine", TableSettings(epochs=30.0, batch_size=8, rank=2, patience=50))
    other = made(models / "other")
    runs.start(folder)
    assert runs.look_at(folder).state == background.ACTIVE
    with pytest.raises(Busy, match="one at a time"):
        runs.start(other)
    with pytest.raises(Busy, match="is active in"):
        runs.delete(folder)
    every = 15  # steps, of 315
    wait_for(lambda: max(steps(folder), default=0) > every)
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not background.is_held(folder))
    found = runs.look_at(folder)
    reached = max(steps(folder))
    assert found.state == background.INTERRUPTED and "killed" in found.message and found.kept_step >= reached - every
    begun: list[str] = []

    def told(line: str) -> None:
        if line.startswith("step"):
            begun.append(line)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Cancelled):
        job.work(folder, told)
    first = int(begun[0].split()[1])
    assert reached - every <= first <= reached + every / 5  # what is noted first lies a fifth after where it went on
    assert steps(folder) == sorted(steps(folder))
    runs.delete(folder)
    assert not folder.exists() and [run.name for run in runs.all_runs()] == ["other"]


def test_a_run_of_the_command_line_is_stopped_by_its_own_number(models: Path) -> None:
    folder, other = (
        made(models / "mine", TableSettings(epochs=30.0, batch_size=8, rank=2, patience=50)),
        made(models / "b"),
    )
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    (folder / "pid").write_text(f"{bystander.pid}\n")  # of a process that ended long ago; the number is another's now
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "explain.training.run.job", str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(explain.__file__).parents[1])},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(steps(folder)) > 0)
        with pytest.raises(Busy, match="one at a time"):
            runs.start(other)
        background.cancel(folder)
        assert worker.wait(PATIENCE) == 2 and bystander.poll() is None
        assert runs.look_at(folder).state == background.CANCELLED
    finally:
        bystander.kill()
        worker.kill()


def test_an_end_by_patience_is_an_end_for_a_run_that_is_gone_on_with(models: Path) -> None:
    settings = replace(SHORT, epochs=20.0, patience=1, learning_rate=0.1)
    whole = job.work(made(models / "whole", settings))
    folder = made(models / "mine", settings)

    def told(line: str) -> None:
        if line == "Measuring":
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Cancelled):
        job.work(folder, told)
    again = job.work(folder)
    assert (again["steps"], again["kept_step"]) == (whole["steps"], whole["kept_step"]) and again["steps"] < 200
    one, other = (tensors(models / name) for name in ("whole", "mine"))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_busy_machine_leaves_no_run_behind(models: Path) -> None:
    other = made(models / "other")
    with runs.locked(other), pytest.raises(Busy, match="one at a time"):
        train_here(models / "mine", rows(), Columns(), SHORT, lambda _: None)
    assert [run.name for run in runs.all_runs()] == ["other"]


def test_a_run_that_was_killed_while_it_tidied_up_is_finished(models: Path, trained: Trained) -> None:
    folder = shutil.copytree(trained.folder, models / "mine")
    (folder / "status.json").write_text('{"state": "active", "doing": "Measuring", "fraction": 1.0}')
    assert runs.look_at(folder).state == background.INTERRUPTED
    assert job.work(folder) == trained.figures and runs.look_at(folder).state == background.FINISHED


def test_examples_of_several_labels_say_what_is_called() -> None:
    labels, texts = ("a", "b"), [Labelled((text,), ()) for text in ("both", "none", "wrong")]
    right = np.array([[True, True], [False, False], [True, False]])
    told = np.array([[0.9, 0.6], [0.3, 0.2], [0.8, 0.7]])
    found = _examples(texts, told, right, told >= [0.5, 0.5], labels)
    assert found == {"a and b, got right": ("both",), "a, taken for a and b": ("wrong",)}


def test_names_and_folders_are_guarded(models: Path, tmp_path: Path) -> None:
    made(models / "mine")
    for name in ("", "../up", "a/b", ".hidden", "Über", "x" * 41, "con\n"):
        if name != "con\n":
            with pytest.raises(DataError, match="is not valid"):
                runs.check_name(name, set())
    assert runs.check_name(" con ", set()) == "con"
    for name in ("mine", "base"):
        with pytest.raises(DataError, match="already"):
            runs.check_name(name, {"base"})
    with pytest.raises(DataError, match="exists and is not empty"):
        made(models / "mine")
    with pytest.raises(DataError, match="is not a model trained here"):
        runs.delete(tmp_path)
    (models / "broken").mkdir()
    (models / "broken" / "explain.json").write_text('{"title": ')
    assert not catalogue.trained_here()


def test_an_adapter_of_another_encoder_is_refused(models: Path, trained: Trained) -> None:
    folder = shutil.copytree(trained.folder, models / "mine")
    tiny_folder("bert", models / "base", head="ForPreTraining", num_hidden_layers=2)
    with pytest.raises(ModelError, match="trained on another encoder"):
        catalogue.load_model(str(folder))


def test_what_went_wrong_is_kept_with_the_run(models: Path) -> None:
    folder = made(models / "mine")
    (folder / "data" / "train.jsonl").write_text('{"text": "a", "label": "neither"}\n')
    with pytest.raises(ExplainError, match="has the label 'neither'"):
        job.work(folder)
    found = runs.look_at(folder)
    assert found.state == background.FAILED and "has the label 'neither'" in found.message and found.can_go_on


def test_a_full_disk_keeps_what_was_there_and_the_run_goes_on(models: Path) -> None:
    folder = models / "full"
    prepare_classifier(folder, rows(), Columns(), TableSettings(epochs=1, rank=2))
    with full_disk(4096), pytest.raises(FileError, match="can't be written"):
        job.work(folder)
    stopped = runs.look_at(folder)
    assert stopped.state == background.FAILED and "can't be written" in stopped.message
    assert list((folder / "checkpoints").glob("checkpoint-*")) == []
    assert not list(folder.rglob(".explain-*")) and not (folder / runs.MODEL).exists()
    job.work(folder)
    assert runs.look_at(folder).state == background.FINISHED


def test_figures_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    logits, right = random.normal(size=(300, 3)), random.integers(3, size=300)
    logits[np.arange(300), right] += 1.0
    told = softmax(logits, axis=1)
    found = classification_figures(logits, right, names="abc")
    predicted, asked = told.argmax(axis=1), np.eye(3, dtype=bool)[right]
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(right, predicted, average="macro"))
    assert found["accuracy"] == pytest.approx(metrics.f1_score(right, predicted, average="micro"))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(asked, told, average="macro"))
    low, high = found["macro_f1_interval"]
    assert low < found["macro_f1"] < high and high - low < 0.15
    assert macro_f1_interval(np.diag([5, 5])) == (1.0, 1.0)
    drawn = curves(told, asked, "abc", exclusive=True)
    for column, name in enumerate("abc"):
        one = drawn["by_label"][name]
        assert one["roc_auc"] == pytest.approx(metrics.roc_auc_score(asked[:, column], told[:, column]))
        points = np.array(one["roc"])
        assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(one["roc_auc"], abs=0.02)
        assert len(points) <= 80 and points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1]
    several = multi_label_figures(told, asked, np.full(3, 0.5), "abc")
    assert several["log_loss"] == pytest.approx(np.mean([metrics.log_loss(asked[:, c], told[:, c]) for c in range(3)]))
    assert several["macro_recall"] == pytest.approx(metrics.recall_score(asked, told >= 0.5, average="macro"))


def test_simple_models_know_words_and_shares() -> None:
    texts = [("good film",), ("bad film",)] * 20
    right = np.tile(np.eye(2, dtype=bool), (20, 1))
    told, strength = baselines.bag_of_words((texts, right), (texts, right), [("good",), ("bad",)], exclusive=True)
    assert told[0, 0] > 0.9 and told[1, 1] > 0.9 and strength == 100.0
    assert np.allclose(baselines.majority(right[:30], 3), 0.5)
    apart, _ = baselines.bag_of_words((texts, right), (texts, right), [("good",)], exclusive=False)
    assert apart[0, 0] > 0.9 > 0.1 > apart[0, 1]
    wordless = [("!",)] * 4
    nothing, _ = baselines.bag_of_words((wordless, right[:4]), (wordless, right[:4]), wordless[:1], exclusive=True)
    assert np.allclose(nothing, 0.5)
    rated = [(text, "5") for (text,) in texts]  # a second text without a word of two letters tells nothing
    told, _ = baselines.bag_of_words((rated, right), (rated, right), [("good", "5"), ("bad", "5")], exclusive=True)
    assert told[0, 0] > 0.9 and told[1, 1] > 0.9


def test_the_command_line_trains_goes_on_and_says_what_it_found(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "reviews.csv", str(tmp_path / "out")
    lines = [f"{row['text']},{row['label']}" for _, row in rows().cells()]
    file.write_text("\n".join(["body,is", *lines]))
    arguments = ["train", str(file), "--text", "body", "--label", "is", "--out", out, "--epochs", "0.3", "--head-only"]
    assert main(["train", str(file), "--out", out]) == 2
    assert "reviews.csv has no column text, label; it has body, is." in capsys.readouterr().err
    assert not Path(out).exists()
    with monkeypatch.context() as patch:
        patch.setattr(runs.Reporter, "note", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        assert main(arguments) == 2
    assert "Stopped. Run the same command to continue." in capsys.readouterr().err
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert said.startswith("Continuing from the last checkpoint.\nReading\n") and "step 2  dev accuracy" in said
    assert (
        "Bag of words" in said
        and "Most frequent" in said
        and "\nmacro F1 " in said
        and "loss in nats (lower is better)" in said
    )
    assert "Of 100 such rows the model gets" in said and f"--model {tmp_path / 'out'}" in said
    assert main(arguments) == 2 and "this model already" in capsys.readouterr().err
    assert main([*arguments, "--seed", "1"]) == 2 and "has a run with other rows" in capsys.readouterr().err
    assert main([*arguments, "--set", "rank=0"]) == 2 and "expected 1 to 64" in capsys.readouterr().err


def test_pretraining_goes_on_bounded_and_measured_before_and_after(models: Path) -> None:
    text = "\n".join(f"{line} {number}. {CORPUS[number % 4]}" for number, line in enumerate(CORPUS * 30))
    table = uploaded_rows("mine.txt", text.encode())
    with pytest.raises(DataError, match=r"mine.txt has 339 words in text. .* at least 3,000"):
        prepare_pretraining(models / "mine", uploaded_rows("mine.txt", text[:2000].encode()), "text", LinesSettings())
    prepare_pretraining(models / "mine", table, "text", LinesSettings(steps=6, batch_size=4, learning_rate=5e-3))
    with pytest.raises(Cancelled):
        job.work(models / "mine", kill_at(3))
    assert job.work(models / "mine")["steps"] == 6
    found = read_evaluation(models / "mine")
    assert found["before"]["masked_asked"] == found["after"]["masked_asked"] > 100
    assert found["after"]["masked_loss"] < found["before"]["masked_loss"]
    assert [row["figure"] for row in words_rows(found)][-1] == "next sentences recognized"
    (entry,) = catalogue.trained_here()
    assert entry.tasks == ("fill_mask", "next_sentence_prediction")
    model = catalogue.load_model("mine")
    assert model.predict(model.encode("the [MASK] is good")).output.labels
    card = (models / "mine" / "README.md").read_text()
    assert card.startswith("---") and "# mine: a small BERT" in card and "| before training, **mean" in card

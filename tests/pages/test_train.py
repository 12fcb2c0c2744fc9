"""The page Train by AppTest: what is asked, refused and shown; runs are made up, what trains is tested elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.core.locks import FolderLock
from explain.data.columns import Columns
from explain.run import background
from explain.training.labeled_rows import open_rows
from explain.training.recipes.classifier_settings import TableSettings
from explain.training.run import runs
from explain.training.run.preparation import prepare_classifier
from explain.training.shipped import SHIPPED
from pages.shared import session
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script> ![x](http://x) :red[no] **b**"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLAIN_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("EXPLAIN_ALLOW_TRAINING", "1")
    return tmp_path / "models"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were started; nothing is trained."""
    found: list[Path] = []
    monkeypatch.setattr(runs, "start", found.append)
    return found


def app() -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    return at.switch_page("train.py")


def said(at: AppTest) -> str:
    """All that is told, less what keeps it from being read as Markdown."""
    told = (one.value for kind in ("error", "info", "caption", "markdown") for one in getattr(at, kind))
    return " ".join(told).replace("\\", "")


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    return at.run()


def finished(folder: Path, file: str = "requests.csv") -> Path:
    """A run that was trained, with made-up figures."""
    prepare_classifier(folder, open_rows(SHIPPED["table"][0]), Columns(), TableSettings())
    recipe = json.loads((folder / runs.RECIPE).read_text())
    recipe["file"]["name"] = file
    (folder / runs.RECIPE).write_text(json.dumps(recipe))
    curve = {
        "roc": [[0, 0], [1, 1]],
        "precision_recall": [[0, 1], [1, 0.5]],
        "roc_auc": 0.5,
        "average_precision": 0.5,
        "share": 0.5,
    }
    judge: dict[str, Any] = {
        "figures": {"accuracy": 0.75, "accuracy_interval": [0.5, 0.9], "confusion": [[3, 1], [0, 4]]},
        "curves": {"by_label": {HOSTILE: curve}, "calibration": [[0.5, 0.4], [0.9, 0.8]]},
    }
    evaluation = {
        "labels": [HOSTILE, "b"],
        "count": 8,
        "exclusive": True,
        "gain": [0.125, 0.2],
        "judges": [judge | {"name": name} for name in ("This model", "Bag of words", "Most frequent")],
    }
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    for name in ("README.md", "training.json"):
        (folder / name).write_text(HOSTILE)
    runs.Reporter(folder).note(5, 1.5, {"loss": 0.7, "dev_loss": 0.6})
    runs.Reporter(folder).ended(background.FINISHED)
    return folder


def test_it_is_off_on_a_server_that_others_reach(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPLAIN_ALLOW_TRAINING")
    monkeypatch.setattr(session, "own_machine", lambda: False)
    at = app().run()
    assert not at.exception and not at.button and "allow-training" in said(at)


def test_the_shipped_example_is_ready_to_be_trained(models: Path, started: list[Path]) -> None:
    at = app().run()
    assert not at.exception and not at.error
    assert "288 rows, 3 labels: question 96, request 96, statement 96" in said(at)
    at.text_input(key="training_name").set_value("mine").run()
    press(at, "Start training")
    assert not at.exception and started == [models / "mine"]
    assert at.selectbox(key="run").value == "mine" and "interrupted" in said(at)  # nothing works there
    press(at, "Continue")
    assert started == [models / "mine"] * 2
    at.selectbox(key="run").set_value("a new one").run()
    at.text_input(key="training_name").set_value("mine").run()
    press(at, "Start training")
    assert "There is a model or a run called mine already" in said(at)


def test_a_file_is_still_there_when_one_comes_back(models: Path, started: list[Path]) -> None:
    at = app().run()
    at.button_group(key="from").set_value("a file of mine").run()
    at.file_uploader[0].set_value(("own.csv", b"text,label\n" + b"one,x\ntwo,y\n", "text/csv")).run()
    at.text_input(key="training_name").set_value("mine") if at.text_input else None
    at.switch_page("inside.py").run()
    at.switch_page("train.py").run()
    assert at.button_group(key="from").value == "a file of mine" and "own.csv is still loaded" in said(at)
    press(at, "Forget it")
    assert "is still loaded" not in said(at)


def test_pretraining_is_offered_too(models: Path, started: list[Path]) -> None:
    at = app().run()
    at.button_group(key="kind").set_value("Continue pretraining").run()
    assert not at.exception and "documents. A tenth" in said(at)
    press(at, "Start training")
    assert json.loads((started[0] / runs.RECIPE).read_text())["kind"] == "lines"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"text,label\n", "has no rows"),
        ("a.csv", "text,label\nschön,x\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", b"text,label\none,x\ntwo,x\n", "every row has the label 'x'"),
        (f"{HOSTILE.replace('/', '')}.csv", b"only\none\n", "has one column"),
        ("a.parquet", b"nothing", "no Parquet file"),
    ],
)
def test_bad_files_are_told_before_anything_begins(
    models: Path, started: list[Path], name: str, data: bytes, message: str
) -> None:
    at = app().run()
    at.button_group(key="from").set_value("a file of mine").run()
    assert not at.exception and not at.error
    at.file_uploader[0].set_value((name, data, "text/csv")).run()
    assert not at.exception and message in said(at)
    assert not any(button.label == "Start training" for button in at.button) and not started and not models.exists()


def test_a_run_at_work_shows_how_far_it_is_and_is_stopped(
    models: Path, started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = finished(models / "mine")
    runs.Reporter(folder).doing("Training", 0.25)
    lock = FolderLock(folder, "busy")
    asked: list[Path] = []
    monkeypatch.setattr(background, "cancel", asked.append)
    at = app()
    at.query_params["run"] = "mine"
    at.run()
    assert not at.exception and "at work" in said(at) and "5 steps" in said(at)
    press(at, "Stop")
    assert asked == [folder]
    at.selectbox(key="run").set_value("a new one").run()
    assert "mine is being trained, and only one can be at a time" in said(at)
    assert next(button for button in at.button if button.label == "Start training").disabled
    lock.close()


def test_results_are_shown_and_nothing_hostile_in_them_is_read_as_markup(models: Path) -> None:
    finished(models / "mine", file=HOSTILE)
    at = app()
    at.query_params["run"] = "mine"
    at.run()
    assert not at.exception and not at.error
    assert at.table[0].value.loc[0].tolist() == ["accuracy"] + ["0.750 (0.500 to 0.900)"] * 3
    assert "may be due to chance" in said(at) and HOSTILE in said(at)
    assert not any(HOSTILE in one.value for one in at.markdown)
    press(at, "Delete it")
    assert not at.exception and not (models / "mine").exists()
    assert "288 rows" in said(at)


def test_other_pages_turn_to_the_finished_model_that_is_looked_at(models: Path) -> None:
    finished(models / "mine")
    at = app()
    at.query_params["run"] = "mine"
    at.run()
    assert not at.exception and at.session_state["carried"]["model"] == "mine"

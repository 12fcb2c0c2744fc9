"""The page Data set by AppTest: the form, a run's figures, rows and words, and what strangers may do."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.data.columns import Columns
from explain.library.library import Library
from explain.methods.base import METHODS
from explain.report import kept_runs
from explain.report.dataset_run import Run
from explain.report.kept_runs import RunRequest
from explain.run import background
from explain.run.kept_scores import KeptRow
from explain.run.run_table import RunTable
from explain.run.sample import Sample
from explain.text import lemmas
from pages.shared import session
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script> ![x](http://x) :red[no] **b**"
LABELS = ("negative", "positive")
ROWS = [("A feast.", "positive"), ("A mess.", "negative"), ("Good fun, and a mess.", "negative"), (HOSTILE, "other")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of the app, among them one that is finished."""
    path = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLAIN_RUNS", str(path))
        patch.setattr(kept_runs, "start", lambda folder: None)
        content = "say,label,site\n" + "".join(f'"{text}",{label},=1+1\n' for text, label in 6 * ROWS)
        columns = Columns(text="say", label="label", groups=("site",))
        methods = (METHODS["gradient_times_input"](), METHODS["decompx"]())
        request = RunRequest("rows.csv", True, "sentiment", columns=columns, methods=methods)
        kept_runs.work(kept_runs.begin("finished one", request, content.encode()))
    return path


@pytest.fixture
def begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were started; nothing is computed."""
    started: list[Path] = []
    monkeypatch.setenv("EXPLAIN_RUNS", str(folder))
    monkeypatch.setattr(kept_runs, "start", started.append)
    return started


def visit(**parameters: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "data_set" / "page.py"), default_timeout=PATIENCE)
    for name, value in parameters.items():
        at.query_params[name] = value
    return at.run()


def spoken(at: AppTest) -> str:
    """All that is on the page, less what keeps it from being read as Markdown."""
    parts = (part.value for kind in ("error", "info", "caption", "markdown", "header") for part in getattr(at, kind))
    return " ".join(parts).replace("\\", "")


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    return at.run()


def table_of(at: AppTest, column: str) -> Any:
    return next(frame.value for frame in at.dataframe if column in frame.value.columns)


def test_the_shipped_rows_are_offered_and_started(begun: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit()
    assert not at.exception and "192 short reviews" in spoken(at)
    assert table_of(at, "form").shape == (5, 5)
    press(at, "Start")
    (run,) = begun
    request = RunRequest.of(background.read_json(run / "request.json"))
    assert run.name == "reviews" and request.columns == Columns(
        text="text", label="label", id="id", groups=("topic", "form")
    )
    assert [method.name for method in request.methods] == ["decompx"] and request.most is request.most_passes is None
    assert "interrupted" in spoken(at) and "It continues where it stopped." in spoken(at)  # nothing was computed
    press(at, "Continue")
    assert begun == [run, run]
    press(at, "Delete it")
    assert not run.exists() and at.selectbox(key="run_of_data").value == "a new one"


def test_figures_are_those_of_the_rows(begun: list[Path]) -> None:
    at = visit(run_of_data="finished one")
    assert not at.exception and "sentiment on rows.csv · 24 rows" in spoken(at).replace("**", "")
    assert [metric.value for metric in at.metric][:2] == ["24", "0.667"]
    by_label = table_of(at, "average precision")
    assert by_label["rows"].tolist() == [12, 6] and by_label["precision"].tolist()[1].startswith("0.500")
    assert table_of(at, "accuracy")["site"].tolist() == ["=1+1"]
    at.slider(key="run_threshold").set_value(1.0)
    assert "is predicted for 0 of 18 rows" in spoken(at.run()).replace("**", "")


def test_rows_are_filtered_and_sorted(begun: list[Path]) -> None:
    at = visit(run_of_data="finished one", data_view="rows", known_label="negative", correct="wrong")
    rows = table_of(at, "prediction")
    assert len(rows) == 6 and set(rows["prediction"]) == {"positive"} and "6 of 24 rows." in spoken(at)
    press(at, "All rows")
    assert len(table_of(at, "prediction")) == 24
    at.text_input(key="contains").set_value(HOSTILE)
    rows = table_of(at.run(), "text")
    assert len(rows) == 6 and set(rows["text"]) == {HOSTILE}
    assert any("contains(lower" in code.value for code in at.code)
    at.text_input(key="contains").set_value("' OR 1=1 --")
    assert "No row fulfils these conditions." in spoken(at.run()) and not at.exception


def test_words_are_listed_and_compared(begun: list[Path]) -> None:
    at = visit(run_of_data="finished one", data_view="words", least="6", words_against="decompx")
    words = table_of(at, "mean score")
    run = kept_runs.look_at(kept_runs.runs_folder() / "finished one")
    expected = {figure.word: figure for figure in Run(run.path).words(least=6)}
    other = {figure.word: figure for figure in Run(run.path).words("decompx", least=6)}
    assert set(words["word"]) == set(expected)
    for row in words.to_dict("records"):
        assert row["mean score"] == pytest.approx(expected[row["word"]].mean)
        assert row["other mean"] == pytest.approx(other[row["word"]].mean)


def test_words_are_listed_by_lemma_and_lead_to_their_rows(begun: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit(run_of_data="finished one", data_view="words", words_by="lemma", least="6")
    expected = {
        figure.word: figure
        for figure in Run(kept_runs.runs_folder() / "finished one" / "run").words(by="lemma", least=6)
    }
    words = table_of(at, "mean score").set_index("word")
    assert set(words.index) == set(expected) and words["mean score"]["a"] == pytest.approx(expected["a"].mean)
    at = visit(run_of_data="finished one", data_view="rows", word="messes", word_form="lemma", word_language="en")
    assert "12 of 24 rows." in spoken(at) and set(table_of(at, "text")["text"]) == {"A mess.", ROWS[2][0]}
    monkeypatch.setattr(lemmas, "find_spec", lambda name: None)
    at = visit(run_of_data="finished one", data_view="words", words_by="lemma")
    assert "pip install 'explain-transformers[lemma]'" in spoken(at) and not at.exception


def test_words_of_a_row_are_there_on_the_page_of_words(begun: list[Path]) -> None:
    table = RunTable(Run(kept_runs.runs_folder() / "finished one" / "run"))
    row = table.row(3)
    table.close()
    assert row is not None
    at = AppTest.from_file(str(ROOT / "pages" / "explain_text.py"), default_timeout=PATIENCE)
    at.query_params["text"], at.query_params["methods"] = row["text"], ["gradient_times_input", "decompx"]
    at.session_state["kept_row"] = KeptRow(table.run, HOSTILE, row)
    at.run()
    for _ in range(20):
        if "These are the scores by word" in spoken(at):
            break
        at.run()
    assert not at.exception and f"that the run **{HOSTILE}** kept of row {row['id']}." in spoken(at)
    assert "Key phrases" not in spoken(at) and "What would change it?" not in {button.label for button in at.button}
    press(at, "Compute anew")
    for _ in range(200):
        if "What would change it?" in {button.label for button in at.button}:
            break
        at.run()
    assert "These are the scores by word" not in spoken(at) and "Key phrases" in spoken(at) and not at.exception


def test_a_map_is_drawn_and_its_rows_are_looked_at(begun: list[Path]) -> None:
    at = visit(run_of_data="finished one", data_view="map", map_color="correct")
    for _ in range(100):
        if "Draw a lasso" in spoken(at):
            break
        at.run()  # it is computed in the background
    assert not at.exception and "Draw a lasso" in spoken(at)
    path = kept_runs.runs_folder() / "finished one" / "run"
    at.session_state["rows_of_lasso"] = (str(path), (2, 3))  # what a lasso leaves; AppTest draws none
    at.button_group(key="data_view").set_value("rows")
    assert "2 of 24 rows." in spoken(at.run())
    press(at, "All rows of the map")
    assert "24 of 24 rows." in spoken(at)


def test_a_sample_shows_predictions_of_all_rows_and_figures_of_the_drawn(begun: list[Path]) -> None:
    content = "text,label\n" + "".join(f"The plot is thin but it is well played {n}.,positive\n" for n in range(40))
    request = RunRequest(
        "rows.csv",
        True,
        "sentiment",
        columns=Columns(text="text", label="label"),
        methods=(METHODS["gradient_times_input"](),),
        tests=True,
        sample=Sample(rows=2),
    )
    folder = kept_runs.begin("drawn", request, content.encode())
    kept_runs.work(folder)
    at = visit(run_of_data="drawn")
    assert not at.exception and next(iter(at.metric)).value == "40"
    verdicts = table_of(at, "it holds, of all")
    assert verdicts[["it holds", "with care", "don't rely on it", "too short to tell"]].sum(axis=1).tolist() == [2]
    at.button_group(key="data_view").set_value("rows")
    assert "2 of 2 rows." in spoken(at.run()) and "verdict_gradient_times_input" in table_of(at, "prediction").columns
    at.button_group(key="data_view").set_value("words")
    assert len(table_of(at.run(), "mean score")) and not at.exception
    kept_runs.delete(folder)
    content = "text,label\n" + "".join(
        f"A {'mess' if n % 3 else 'feast'} {n}.,{LABELS[n % 4 > 0]}\n" for n in range(60)
    )
    only = RunRequest(
        "a.csv", True, "sentiment", columns=Columns(label="label"), sample=Sample(rows=20, only_drawn=True)
    )
    folder = kept_runs.begin("only drawn", only, content.encode())
    kept_runs.work(folder)
    at = visit(run_of_data="only drawn")
    accuracy = Run(folder / "run").summary().accuracy
    assert not at.exception and "Estimates for all 60 rows, by the weights of the 20 drawn ones" in spoken(at)
    assert accuracy is not None and [metric.value for metric in at.metric][:2] == ["20", f"{accuracy[0]:.3f}"]
    assert at.metric[1].delta.startswith(f"{accuracy[1]:.3f} to {accuracy[2]:.3f}, 95 %")
    assert not table_of(at, "share")["95 %"].isna().any()
    kept_runs.delete(folder)


def test_a_run_is_kept_in_the_library(begun: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path))
    monkeypatch.setattr(session, "visitor_is_here", lambda: True)
    at = visit(run_of_data="finished one")
    assert "library_name" not in {box.key for box in at.text_input}
    at.session_state["run_library"] = True  # a click on it; AppTest opens no popover
    at.run()
    at.text_input(key="library_name").set_value(HOSTILE)
    press(at, "Keep")
    at.text_area[0].set_value("Look at the negations.")
    press(at, "Add the note")
    (entry,) = Library(tmp_path).listed("negations")
    assert entry.name == HOSTILE and entry.place == str(kept_runs.runs_folder() / "finished one" / "run")
    assert "Look at the negations." in spoken(at) and not at.exception
    monkeypatch.setattr(session, "visitor_is_here", lambda: False)
    assert not visit(run_of_data="finished one").text_area


def test_strangers_see_their_own_runs_alone(begun: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "own_machine", lambda: False)
    at = visit()
    assert not at.selectbox or "run_of_data" not in {box.key for box in at.selectbox}
    assert "a path on this machine" not in str(at.button_group)
    press(at, "Start")
    (run,) = begun
    request = RunRequest.of(background.read_json(run / "request.json"))
    assert len(run.name) == len("run-") + 32 and request.most == 2000 and request.most_passes == 200_000
    assert at.selectbox(key="run_of_data").options == ["a new one", run.name]
    other = visit(run_of_data=run.name)
    assert other.selectbox(key="run_of_data").value == run.name  # the link is the key
    assert "run_of_data" not in {box.key for box in visit(run_of_data="finished one").selectbox}  # a name is none
    at.selectbox(key="run_of_data").select("a new one")
    press(at.run(), "Start")
    at.selectbox(key="run_of_data").select("a new one")
    press(at.run(), "Start")
    assert "A visitor may have 2 runs here." in spoken(at)
    for folder in set(begun):
        kept_runs.delete(folder)


def test_a_path_is_read_where_it_lies(begun: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Good."}\n')
    at = visit()
    at.button_group(key="data_from").set_value("a path on this machine")
    at.run()
    for place, refusal in ((str(tmp_path / "nothing"), "does not exist"), ("zip://a::s3://b/c.csv", "chain")):
        at.text_input(key="data_path").set_value(place)
        assert refusal in spoken(at.run())
    at.text_input(key="data_path").set_value(str(tmp_path / "a.jsonl"))
    press(at.run(), "Start")
    request = RunRequest.of(background.read_json(begun[0] / "request.json"))
    assert request.data == str(tmp_path / "a.jsonl") and not request.uploaded
    kept_runs.delete(begun[0])
    monkeypatch.setattr(session, "own_machine", lambda: False)
    monkeypatch.setenv("EXPLAIN_DATA_ROOTS", str(tmp_path / "opened"))
    at = visit()
    at.button_group(key="data_from").set_value("a path on this machine")
    at.run()
    at.text_input(key="data_path").set_value(str(tmp_path / "a.jsonl"))
    assert "not below a folder" in spoken(at.run())

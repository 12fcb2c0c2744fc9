"""The history on the page: what is kept and where, and what a link to an entry opens."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explain.report.record import from_json
from explain.report.replay import replay
from explain.run.history import History
from pages.shared import session
from tests.pages.test_explain_text import ROOT, errors, run, start
from tests.pages.visits import FIRST_EXAMPLE
from tests.run.test_history import entry
from tests.waiting import PATIENCE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLAIN_HISTORY", str(tmp_path / "history"))
    return tmp_path / "history"


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """The history of a visitor whose browser is on the server's machine."""
    monkeypatch.setattr(session, "visitor_is_here", lambda: True)
    return History(folder)


def page(**parameters: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params.update({"methods": "occlusion", **parameters})
    return app


def warning(app: AppTest) -> str:
    return " ".join(box.value.replace("\\", "") for box in app.warning)


def test_an_explanation_is_one_entry_whose_report_replays(here: History) -> None:
    app = run(page(target="negative", text="A dull film."))
    (kept,) = here.listed().entries
    assert (kept.text, kept.model, kept.method, kept.target) == ("A dull film.", "sentiment", "occlusion", "negative")
    assert kept.settings == {"model": ("sentiment",), "methods": ("occlusion",), "target": ("negative",)}
    report = from_json(here.report(kept.id))
    assert report.prediction.label == kept.label and report.prediction.confidence == kept.confidence
    assert replay(report).within(1e-4)
    app.session_state["token"] = 2  # a word is picked
    run(app)
    assert here.listed().entries == (kept,)  # not even written again
    app.multiselect(key="methods").set_value(["occlusion", "gradient_norm"])
    run(app)
    assert [again.id for again in here.listed().entries] == [kept.id]
    app.session_state["method"] = "gradient_norm"
    run(app)
    assert {again.method for again in here.listed().entries} == {"occlusion", "gradient_norm"}


def test_nothing_is_written_for_visitors_from_elsewhere(folder: Path) -> None:
    app = run(page())
    assert not folder.exists()
    assert [kept.text for kept in app.session_state["history"].listed().entries] == [FIRST_EXAMPLE]
    other = run(page(entry=app.session_state["history"].listed().entries[0].id))
    assert "A link to an entry works on the machine that keeps it." in warning(other)


def test_nothing_is_written_where_the_owner_says_so(here: History, monkeypatch: pytest.MonkeyPatch) -> None:
    here.pause(True)
    run(page())
    assert here.listed().entries == ()
    here.pause(False)
    monkeypatch.setenv("EXPLAIN_HISTORY", "off")
    app = run(page())
    assert here.listed().entries == () and len(app.session_state["history"].listed().entries) == 1


def test_a_link_opens_an_entry_with_its_settings(here: History) -> None:
    long = f"A dull film,{' ' * 2100}and a long one."  # longer than a link holds
    settings = {"methods": ("gradient_norm", "occlusion"), "target": ("positive",), "occlusion.operator": ("delete",)}
    id = here.keep(entry(long, method="gradient_norm", settings=settings))
    app = run(page(entry=id, methods="lime"))
    state = app.session_state
    assert state["text"] == long and state["method"] == "gradient_norm" and not app.warning
    assert (state["methods"], state["target"], state["occlusion.operator"]) == (
        ["gradient_norm", "occlusion"],
        "positive",
        "delete",
    )
    assert "entry" not in app.query_params and "text" not in app.query_params
    assert "The model has changed since" in app.info[0].value  # the one of the entry is made up


def test_an_entry_is_opened_again_in_the_same_visit(here: History) -> None:
    settings = {"model": ("topics",), "methods": ("occlusion",), "scale": ("probability",)}
    id = here.keep(entry("Rain is expected in the north.", 1e9, model="topics", settings=settings))
    app = run(page(target="negative"))
    app.session_state["history_opened"] = id
    run(app)
    state = app.session_state
    assert (state["text"], state["model"], state["scale"]) == (
        "Rain is expected in the north.",
        "topics",
        "probability",
    )
    assert state["target"] == "(what the model decided)"
    assert not app.warning and not app.error
    app.session_state["history_opened"] = next(kept.id for kept in here.listed().entries if kept.text == FIRST_EXAMPLE)
    run(app)
    assert (state["text"], state["model"], state["target"]) == (FIRST_EXAMPLE, "sentiment", "negative")
    assert not app.info
    assert len(here.listed().entries) == 3  # the first one was made by hand, with other weights


def test_another_page_opens_an_entry_on_the_page_of_words(here: History) -> None:
    settings = {"model": ("topics",), "methods": ("occlusion",)}
    id = here.keep(entry("Rain is expected in the north.", 1e9, model="topics", settings=settings))
    app = run(page(target="negative", text="A dull film."))
    app.switch_page("inside.py")
    run(app)
    assert "History" in {header.value for header in app.header}
    app.session_state["history_opened"] = id
    app.run()  # once: a second run would be one of the page that was left
    state = app.session_state
    assert (state["page"], state["text"], state["model"]) == (
        "explain_text",
        "Rain is expected in the north.",
        "topics",
    )
    assert state["target"] == "(what the model decided)" and not app.exception


@pytest.mark.parametrize("id", ["0" * 32, "../secret", "<b>*x*", ""])
def test_an_entry_that_is_not_there_is_named(here: History, id: str) -> None:
    app = start(page(entry=id, target="negative"))
    assert f"The history has no entry {id[:40]}." in warning(app)  # by the first run; later ones follow the work
    run(app)
    assert app.session_state["text"] == FIRST_EXAMPLE and app.session_state["target"] == "negative"
    app.multiselect(key="methods").set_value(["gradient_norm"])
    assert not run(app).warning


def test_what_an_entry_asks_for_in_vain_is_named(here: History) -> None:
    settings = {"methods": ("saliency",), "present": ("1",), "text": ("another",), "occlusion.batch": ("x",)}
    app = run(page(entry=here.keep(entry("A dull film.", settings=settings))))
    assert app.session_state["text"] == "A dull film." and "“saliency”" in warning(app)
    assert "present" not in app.query_params


def test_a_folder_that_cannot_be_written_is_no_obstacle(here: History, folder: Path) -> None:
    folder.write_text("a file")
    app = run(page())
    assert not errors(app) and "can't be written" in app.session_state["history_problem"]
    assert len(app.session_state["history"].listed().entries) == 1


def test_a_folder_that_cannot_be_is_no_obstacle(here: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_HISTORY", "~nobody-of-that-name/history")
    app = run(page(entry="0" * 32))
    assert not errors(app) and "no user of that name" in app.session_state["history_problem"]


def test_a_text_that_cannot_be_read_keeps_the_menu(here: History) -> None:
    app = run(page())
    app.session_state["text"] = " "
    run(app)
    assert "History" in {header.value for header in app.header}


@pytest.mark.parametrize(
    ("server", "browser", "hosts", "near"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501/", "", True),
        ("localhost", "http://localhost:8501/?model=base", "", True),
        ("::1", "http://[::1]:8501/", "", True),
        ("127.0.0.1", "https://explain.example.org/", "", False),
        ("127.0.0.1", "http://localhost:8501/", "explain.example.org", False),
        ("0.0.0.0", "http://localhost:8501/", "", False),
        ("", "http://localhost:8501/", "", False),
        ("127.0.0.1", "", "", False),
    ],
)
def test_a_browser_on_the_servers_own_machine(
    monkeypatch: pytest.MonkeyPatch, server: str, browser: str, hosts: str, near: bool
) -> None:
    monkeypatch.setattr(session.st, "get_option", lambda name: server)
    monkeypatch.setattr(session, "_address", lambda: browser)
    monkeypatch.setenv("EXPLAIN_ALLOWED_HOSTS", hosts)
    assert session.visitor_is_here() is near

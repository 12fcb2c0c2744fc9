"""What the last change of the text did: drawn from what was known already, in numbers that a comparison has, too."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explain
from explain.datatypes import Report
from explain.models.loading.catalogue import load_model
from explain.run.jobs import Job, Jobs
from explain.views.hero import answer
from pages.shared import show
from tests.pages.test_explain_text import ROOT, run
from tests.pages.visits import FIRST_EXAMPLE
from tests.waiting import PATIENCE

EDITED = FIRST_EXAMPLE.replace("not as bad", "not bad")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each component was last given, by name."""
    given: dict[str, Any] = {}
    component = show.component

    def watch(name: str, data: Any, **options: Any) -> None:
        given[name] = data
        component(name, data, **options)

    monkeypatch.setattr(show, "component", watch)
    return given


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that something was computed of."""
    texts: list[str] = []
    submit = Jobs.submit

    def watch(jobs: Jobs, key: Any, *arguments: Any, **options: Any) -> Job:
        texts.append(key[1].item.text)
        return submit(jobs, key, *arguments, **options)

    monkeypatch.setattr(Jobs, "submit", watch)
    return texts


def change(app: AppTest, text: str) -> AppTest:
    """Change the text as an edit does."""
    state = app.session_state
    state["former"], state["reached"] = (state["text"], ""), (text, "")
    state["text"] = text
    return run(app)


@pytest.mark.parametrize("edited", [EDITED, FIRST_EXAMPLE.replace("not ", "")])
def test_the_answer_before_and_after_and_the_difference_of_each_word(
    edited: str, drawn: dict[str, Any], submitted: list[str]
) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params["methods"] = "occlusion"
    run(app)
    assert "before_after" not in drawn
    submitted.clear()
    change(app, edited)
    assert set(submitted) <= {edited}  # no pass over the text that was there before
    strip = drawn["before_after"]
    label = load_model("sentiment").predict(load_model("sentiment").encode(edited)).label
    compared = explain.compare(FIRST_EXAMPLE, edited, "sentiment", methods=["occlusion"], label=label)
    rows = [row for text in strip["words"]["texts"] for row in text["rows"]]
    expected = [
        None if number != number else pytest.approx(number, abs=1e-5) for number in compared.scores[0].differences
    ]
    assert [row["difference"] for row in rows] == expected
    assert strip["before"] == head(explain.explain(FIRST_EXAMPLE, phrases=False, methods=[]))
    assert strip["after"] == head(explain.explain(edited, phrases=False, methods=[]))
    assert strip["flips"] == (compared.report_a.prediction.label != compared.report_b.prediction.label)
    drawn.pop("before_after")
    app.session_state["text"] = "Another text."
    run(app)
    assert "before_after" not in drawn


def head(report: Report) -> str:
    """Return the answer as the head of the page says it."""
    said = answer(report.prediction, report.target)
    assert said is not None
    return f"{said['label']} {said['after']}"


def test_of_more_labels_that_change_only_the_answers_stand_beside_each_other(drawn: dict[str, Any]) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params.update({"methods": "occlusion", "model": "topics"})
    run(app)
    before = drawn["hero"]["answer"]["label"]
    change(app, "The match ended in a draw after the keeper was sent off.")
    if drawn["hero"]["answer"]["label"] == before:
        change(app, "Shares of the bank fell by a tenth.")
    strip = drawn["before_after"]
    assert strip["flips"] and strip["words"] is None and "Choose one label" in strip["note"]

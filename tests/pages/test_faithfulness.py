"""The page of verdicts by AppTest: what it says before and after the test, and of bad texts."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.golden import HOSTILE
from tests.pages.test_explain_text import ROOT, drawn, run


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "faithfulness.py"), default_timeout=120)


def said(app: AppTest) -> str:
    """All that stands in the text of the page, as it is read."""
    return " ".join(one.value for one in app.markdown).replace("\\", "")


def test_verdicts_are_free_and_the_test_is_on_demand(app: AppTest) -> None:
    run(app)
    assert not app.error and not app.exception
    assert "not yet compared with random orders" in said(app).lower()
    assert "Switch on the test" in app.info[0].value.replace("\\", "")
    assert any("passes, for 15 words" in caption.value for caption in app.caption)
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "of random orders" in said(app) and "Take it with you" in drawn(app)
    assert set(app.dataframe[0].value["metric"]) >= {"Deletion", "Insertion", "Completeness gap"}


def test_short_texts_can_not_be_judged(app: AppTest) -> None:
    app.session_state["text"] = "zebra"
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "too short to tell" in said(app) and "1 word, and" in said(app)


@pytest.mark.parametrize("model", ["sentiment", "base"])
def test_hostile_and_masked_texts(app: AppTest, model: str) -> None:
    app.query_params["model"] = model
    app.session_state["text"] = HOSTILE if model == "sentiment" else "The capital of France is [MASK], not of Spain."
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "of random orders" in said(app)

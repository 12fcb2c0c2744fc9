"""The page of verdicts by AppTest and in a browser: what it says before and after the test, and of bad texts."""

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from tests.golden import HOSTILE
from tests.pages.test_explain_text import ROOT, drawn, run
from tests.pages.visits import Visit


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


def test_further_tests_are_drawn(app: AppTest) -> None:
    app.session_state["test"] = app.session_state["pairs"] = True
    app.session_state["metrics"] = ["reference_robustness"]
    app.session_state["method"] = ["occlusion"]
    app.session_state["text"] = "The film isn't good, but its cast saves it."
    run(app)
    assert not app.error and not app.exception
    headings = [one.value for one in app.subheader]
    assert "From another empty text" in headings and "Words that act together" in headings


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


@pytest.mark.browser
@pytest.mark.parametrize(
    "visit", [{}, {"viewport": {"width": 400, "height": 900}, "color_scheme": "dark"}], indirect=True
)
def test_it_is_drawn(visit: Visit) -> None:
    visit.page.goto(visit.address + "/faithfulness?test=true")
    page = visit.page
    expect(page.get_by_text("Take it with you")).to_be_visible(timeout=90_000)
    expect(page.locator(".readings .chart polygon.band").first).to_be_attached()
    expect(page.locator(".agreement td")).to_have_count(9)
    assert page.locator(".heatmap .w").count() == 3 * 15
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".stAlert").count() == 0

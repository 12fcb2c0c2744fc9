"""The page of verdicts by AppTest and in a browser: what it says before and after the test, of bad texts, of marks."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from explain import replay
from explain.views.word_marks import fingerprint
from pages.shared import show, state
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


def captions(app: AppTest) -> str:
    return " ".join(one.value for one in app.caption)


Mark = Callable[..., None]


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Mark:
    """Marks words by number, as clicks in the drawing do; AppTest knows nothing of drawings."""
    seen: dict[str, Any] = {}
    draw = show.view

    def watched(name: str, result: Any, **options: Any) -> None:
        if name == "word_marks":
            seen.update(result=result, **options)
        draw(name, result, **options)

    def choose(*words: int, **changes: str) -> None:
        on_chosen: Callable[[Mapping[str, Any]], None] = seen["on_chosen"]
        on_chosen({"of": fingerprint(seen["result"], seen["among"]), "words": list(words)} | changes)

    monkeypatch.setattr(show, "view", watched)
    return choose


def test_marks_are_kept_over_pages_texts_and_settings_and_compute_nothing(
    mark: Mark, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=120)
    run(app)
    app.switch_page("faithfulness.py")
    run(app)
    assert not app.table and "Nothing is marked yet" in captions(app)
    mark(2, 10)
    with monkeypatch.context() as still:
        still.setattr("torch.nn.Module.__call__", lambda *_, **__: 1 / 0)  # a mark needs no pass
        run(app)
    assert not app.error and not app.exception
    (table,) = app.table
    assert list(table.value["Method"]) == ["Attention rollout", "Integrated gradients", "Occlusion", "Random order"]
    assert list(table.value["F1"])[-1] == "0.13" and "the 2 highest-scored words" in captions(app)
    marks = app.session_state["marks"]

    app.switch_page("explain_text.py")
    run(app)
    app.switch_page("faithfulness.py")
    run(app)
    assert len(app.table) == 1
    app.text_area(key="text").set_value("Another text altogether.")
    run(app)
    assert not app.table
    mark(1, of="a click that came too late")
    assert len(marks) == 1
    mark(0, 1, 2, 3)
    run(app)
    assert not app.table and "Every word is marked" in captions(app)
    mark(1)
    app.multiselect(key="methods").set_value(["occlusion"])
    run(app)
    assert len(app.table[0].value) == 2 and len(marks) == 2
    app.text_area(key="text").set_value(state.EXAMPLES[state.FIRST_EXAMPLE])
    run(app)
    assert list(app.table[0].value["F1"])[-1] == "0.13"
    first, second = json.loads(marks.to_json())
    assert [word["text"] for word in first["marked"]] == ["isn't", "bad"] and len(first["figures"]) == 4
    assert [word["text"] for word in second["marked"]] == ["text"] and len(second["figures"]) == 2


@pytest.mark.parametrize(("model", "text"), [("sentiment", HOSTILE), ("base", "The capital of [MASK] is [MASK].")])
def test_hostile_texts_pairs_and_masks_are_marked(app: AppTest, mark: Mark, model: str, text: str) -> None:
    app.query_params["model"] = model
    app.session_state["text"] = text
    app.session_state["pair"] = ":red[Not] *so* `good`"
    run(app)
    mark(3, 4, 6)
    run(app)
    assert not app.error and not app.exception
    assert (len(app.table) == 1) and "Take it with you" in drawn(app)


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


@pytest.mark.browser
def test_words_are_marked_by_mouse_and_keyboard(visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(visit.address + "/faithfulness?methods=attention_rollout&methods=occlusion")
    page = visit.page
    expect(page.get_by_text("Take it with you")).to_be_visible(timeout=90_000)
    words, table, told = page.locator(".marks .w"), page.get_by_test_id("stTable"), page.locator(".marks [role=status]")
    above = page.locator(".heatmap").first
    above.evaluate("node => (node.untouched = true)")
    words.nth(2).scroll_into_view_if_needed()
    place = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = page.evaluate(place)
    words.nth(2).click()
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table).to_contain_text("0.07")  # of 15 words one is marked
    for key in ("ArrowRight", "Enter", "ArrowRight", "ArrowRight", "Shift+Space"):
        page.keyboard.press(key)
    assert page.locator('.marks .w[aria-pressed="true"]').all_text_contents() == ["isn't", "good", ",", "but"]
    expect(told).to_have_text("4 of 15 words marked")
    expect(table).to_contain_text("0.27")
    assert page.evaluate(place) == before and above.evaluate("node => node.untouched")
    with page.expect_download() as caught:
        page.get_by_role("button", name="JSON, to replay").click()
    caught.value.save_as(tmp_path / "report.json")
    report = replay.read(tmp_path / "report.json")
    assert report.rationale is not None and report.rationale.words == (2, 3, 4, 5)
    assert len(report.rationale.figures) == 2 and replay.replay(report).within(1e-3)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Figures, CSV").click()
    caught.value.save_as(tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(newline="") as opened:
        assert [row["method"] for row in csv.DictReader(opened)] == ["attention_rollout", "occlusion", "random"]

    page.get_by_role("link", name="Attention").click()
    expect(page.get_by_text("Where does the model look?")).to_be_visible()
    page.get_by_role("link", name="Is it right?").click()
    expect(told).to_have_text("4 of 15 words marked", timeout=60_000)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Nothing is marked yet")).to_be_visible()
    assert page.locator(".marks .w.marked").count() == 0

"""The page of verdicts in a real Chromium: drawn on a wide screen and on a narrow, dark one; words are marked."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from explain.report.record import read
from explain.report.replay import replay
from tests.pages.visits import Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "visit", [{}, {"viewport": {"width": 400, "height": 900}, "color_scheme": "dark"}], indirect=True
)
def test_it_is_drawn(visit: Visit) -> None:
    text = "The plot is thin, but it is well played."
    visit.open(f"/faithfulness?test=true&methods=integrated_gradients&methods=occlusion&text={text}")
    page = visit.page
    for sentence in ("The order fits the effects", "The other methods order the words"):
        page.locator("summary", has_text=sentence).click()
    expect(page.locator(".readings .chart polygon.band").first).to_be_visible()
    expect(page.locator(".agreement").first.locator("td")).to_have_count(4)
    expect(page.locator(".heatmap .w")).to_have_count(2 * 11)
    curves = page.locator(".readings svg").first.bounding_box()
    assert curves and curves["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".stAlert").count() == 0


def test_words_are_marked_by_mouse_and_keyboard(visit: Visit, tmp_path: Path) -> None:
    visit.open("/faithfulness?methods=attention_rollout&methods=occlusion")
    page = visit.page
    words, table, told = (
        page.locator(".marks .w"),
        page.get_by_test_id("stTable").last,
        page.locator(".marks [role=status]"),
    )
    above = page.locator(".opinions").first
    above.evaluate("node => (node.untouched = true)")
    words.nth(2).scroll_into_view_if_needed()
    place = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = page.evaluate(place)
    words.nth(2).click()
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table).to_contain_text("0.07")  # of 15 words one is marked
    visit.settle()
    for key in ("ArrowRight", "Enter", "ArrowRight", "ArrowRight", "Shift+Space"):
        page.keyboard.press(key)
    assert page.locator('.marks .w[aria-pressed="true"]').all_text_contents() == ["isn't", "good", ",", "but"]
    expect(told).to_have_text("4 of 15 words marked")
    expect(table).to_contain_text("0.27")
    assert page.evaluate(place) == before and above.evaluate("node => node.untouched")
    visit.open_menu("export")
    with page.expect_download() as caught:
        page.get_by_role("button", name="JSON, to replay").click()
    caught.value.save_as(tmp_path / "report.json")
    report = read(tmp_path / "report.json")
    assert report.rationale is not None and report.rationale.words == (2, 3, 4, 5)
    assert len(report.rationale.figures) == 2 and replay(report).within(1e-3)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Figures, CSV").click()
    caught.value.save_as(tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(newline="") as opened:
        assert [row["method"] for row in csv.DictReader(opened)] == ["occlusion", "attention_rollout", "random"]

    visit.after_run(page.get_by_role("link", name="Attention").click)
    page.get_by_role("link", name="Trust").click()
    expect(told).to_have_text("4 of 15 words marked")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("No word is marked yet")).to_be_visible()
    assert page.locator(".marks .w.marked").count() == 0

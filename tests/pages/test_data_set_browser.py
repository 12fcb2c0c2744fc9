"""The page Data set in a real Chromium: a run is begun, a row opened on Words, and "back" keeps the place."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.visits import Visit

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"
ROWS = [("A feast.", "positive"), ("A mess.", "negative"), ("Not a mess at all.", "positive"), (HOSTILE, "negative")]


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
def test_a_run_is_begun_and_a_row_opened(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.address}/data")
    page.get_by_text("a file of mine").click()
    content = "text,label\n" + "".join(f"{text},{label}\n" for text, label in 3 * ROWS)
    page.locator('input[type="file"]').set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("finished")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(3)
    page.locator(".confusion .cell", has_text=re.compile(r"^\d+$")).first.click()
    expect(page).to_have_url(re.compile("data_view=rows.*known_label=negative"))
    table = page.get_by_test_id("stDataFrame").last
    expect(table).to_be_visible()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 52)
    expect(page.locator(".heatmap .w").first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    place = page.url
    page.get_by_text("Open on Words").click()
    expect(page.locator(".hero .w").first).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Sorted by")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(place.partition("?")[2])))

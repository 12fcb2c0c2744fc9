"""The page of verdicts in a real Chromium: everything is drawn, on a wide screen and on a narrow, dark one."""

import pytest
from playwright.sync_api import expect

from tests.pages.visits import PATIENCE, Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "visit", [{}, {"viewport": {"width": 400, "height": 900}, "color_scheme": "dark"}], indirect=True
)
def test_it_is_drawn(visit: Visit) -> None:
    visit.page.goto(visit.address + "/faithfulness?test=true")
    page = visit.page
    expect(page.get_by_text("Take it with you")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".readings .chart polygon.band").first).to_be_attached()
    expect(page.locator(".agreement td")).to_have_count(9)
    assert page.locator(".heatmap .w").count() == 3 * 15
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".stAlert").count() == 0

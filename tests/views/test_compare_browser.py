"""The page of a comparison in a real Chromium: words above each other, in their direction, on a narrow screen too."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import explain
from explain.testing import TOY_MODELS
from explain.views.comparison_page import comparison_document

pytestmark = pytest.mark.browser

# Left, top and width of the upper and the lower word of each row.
PLACES = """
[...document.querySelectorAll(".pair:not(.sides)")].map((row) => [...row.querySelectorAll(".w, .none")].map((word) => {
  const at = word.getBoundingClientRect();
  return [at.left, at.top, at.width];
}))
"""


def opened(browser: Browser, folder: Path, texts: tuple[str, str], width: int, scheme: str = "light") -> Page:
    comparison = explain.compare(*texts, TOY_MODELS["planted"], methods=["occlusion"])
    file = folder / "page.html"
    file.write_text(comparison_document(comparison, {"occlusion": "Occlusion"}), encoding="utf-8")
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1200, "light")])
def test_words_stand_above_each_other_and_nothing_is_too_wide(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    texts = ("A good zebra saves it all, again and again.", "A zebra saves it, </b> and " + "so" * 80 + " again.")
    page = opened(browser, tmp_path, texts, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    places = page.evaluate(PLACES)
    assert len(places) > 10
    for (left, top, upper), (also_left, below, lower) in places:
        assert (left, upper) == pytest.approx((also_left, lower), abs=1) and below > top
    page.locator("[data-row]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".pair.picked").count() == 1 and "B has no such word" in page.locator(".tip").inner_text()
    page.context.close()


def test_right_to_left_begins_at_the_right(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, ("הסרט הזה טוב", "הסרט הזה רע"), 600)
    lefts = [upper[0] for upper, _ in page.evaluate(PLACES)]
    assert lefts == sorted(lefts, reverse=True) and len(lefts) == 3
    assert page.evaluate("getComputedStyle(document.querySelector('.quote')).direction") == "rtl"
    page.context.close()

"""The page Help in a real Chromium: links, pictures, both themes, and a narrow window."""

import re

import pytest
from playwright.sync_api import Page, expect

from explain.core import guide
from tests.pages.visits import PATIENCE, Visit

pytestmark = pytest.mark.browser


def shown(page: Page, name: str) -> None:
    """Wait until a page of the guide is shown to its end."""
    expect(page.get_by_role("heading", name=guide.pages()[name].title, level=1)).to_be_visible(timeout=1000 * PATIENCE)
    names = list(guide.contents())
    following = names[names.index(name) + 1]
    expect(page.get_by_role("button", name=f"Next: {guide.contents()[following]}")).to_be_visible(
        timeout=1000 * PATIENCE
    )
    page.wait_for_function("[...document.images].every((image) => image.complete)")  # a page that is left keeps none


def test_links_and_the_list_lead_from_page_to_page(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.address}/help?topic=tasks")
    shown(page, "tasks")
    page.goto(f"{visit.address}/help")
    shown(page, "index")
    page.get_by_test_id("stMain").get_by_role("link", name="Glossary", exact=True).click()
    shown(page, "glossary")
    expect(page).to_have_url(re.compile("topic=glossary"))
    assert len(visit.context.pages) == 2  # the profile's own and this one: no new tab
    page.get_by_role("button", name="Next: Methods").click()
    shown(page, "docs/methods")
    page.wait_for_function("document.querySelector('[data-testid=\"stMain\"]').scrollTop === 0")
    page.go_back()
    shown(page, "glossary")
    page.get_by_test_id("stSidebar").get_by_text("Limits", exact=True).click()
    shown(page, "limits")
    expect(page.get_by_role("radio", name="Limits")).to_be_checked()


def test_a_text_waits_while_help_is_read(visit: Visit) -> None:
    page = visit.open("/attention").page
    box = page.get_by_role("textbox", name="Text to explain")
    box.fill("A text of my own.")
    box.press("Control+Enter")
    visit.settle()
    page.get_by_test_id("stHeader").get_by_role("link", name="Help").click()
    shown(page, "index")
    page.get_by_test_id("stHeader").get_by_role("link", name="Attention").click()
    expect(page.get_by_role("textbox", name="Text to explain")).to_have_value(
        "A text of my own.", timeout=1000 * PATIENCE
    )
    visit.settle()


@pytest.mark.parametrize("visit", [{"viewport": {"width": 400, "height": 800}}], indirect=True)
def test_nothing_is_wider_than_a_narrow_window(visit: Visit) -> None:
    page = visit.page
    for name in ("index", "command_line", "docs/methods", "docs/evaluation"):
        page.goto(f"{visit.address}/help?topic={name}")
        shown(page, name)
        expect(page.get_by_test_id("stImage").locator("img")).to_have_count(1 if name == "index" else 0)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth"), name

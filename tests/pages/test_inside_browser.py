"""The page about the inside of a model in a real Chromium: it draws, clicks choose, hostile text does nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.test_browser import HOSTILE
from tests.pages.visits import Visit

pytestmark = pytest.mark.browser


def test_layers_are_drawn_and_a_click_chooses_a_word(visit: Visit) -> None:
    visit.open("/inside?figure=state+x+gradient")
    page = visit.page
    expect(page.locator(".readings .chart circle").first).to_be_visible()
    expect(page.locator(".cosine")).to_have_count(49)
    page.locator(".strip canvas").click(position={"x": 30, "y": 30})  # the second token, one layer up
    page.wait_for_url(re.compile("token=1"))
    expect(page.locator(".strip .kept")).to_have_count(1)
    expect(page.locator(".effects .chart-title")).to_contain_text("\u201cThe\u201d")


def test_words_are_walked_and_chosen_by_keyboard(visit: Visit) -> None:
    visit.open("/inside")
    page = visit.page
    page.locator(".strip .stage").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    tip = page.locator(".readings .tip")
    expect(tip).to_contain_text("layer 0: ")
    expect(page.locator(".strip .spot.on")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("token=2"))
    expect(page.locator(".strip .kept")).to_have_count(1)
    visit.settle()
    page.keyboard.press("ArrowRight")  # the drawing is another one now; the keyboard is where it was
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("token=3"))
    page.keyboard.press("Escape")
    expect(page.locator(".strip .spot.on")).to_have_count(0)


def test_the_same_can_be_chosen_a_second_time_and_let_go(visit: Visit) -> None:
    visit.open("/inside?inside=Neurons")
    page = visit.page
    bar = page.locator(".neurons .cut-row").nth(1)
    name = bar.locator(".name").inner_text()
    bar.click()
    page.wait_for_url(re.compile(f"neuron={re.escape(name)}"))
    visit.settle()  # until then, the box may be set to what was clicked
    box = page.get_by_role("textbox", name="Neuron", exact=True)
    box.fill("0.3")
    box.press("Enter")
    page.wait_for_url(re.compile(r"neuron=0\.3"))
    visit.settle()
    page.locator(".neurons .cut-row").nth(1).click()
    page.wait_for_url(re.compile(f"neuron={re.escape(name)}"))
    page.locator(".heatmap .w").nth(2).click()
    page.wait_for_url(re.compile("token=2"))
    expect(page.locator(".heatmap .w.picked")).to_have_count(1)
    page.locator(".heatmap .w.picked").click()
    page.wait_for_url(lambda url: "token=" not in url)


def test_a_neuron_is_chosen_and_set_to_zero_by_clicks(visit: Visit) -> None:
    visit.open("/inside?inside=Neurons")
    page = visit.page
    second = page.locator(".neurons .cut-row").nth(1)
    name = second.locator(".name").inner_text()
    second.click()
    expect(page.get_by_role("heading", name=f"Neuron {name}")).to_be_visible()
    page.get_by_role("button", name="Set it to zero").click()
    expect(page.locator(".neuron_effects .cut-row")).to_have_count(3)  # it, and two kinds of others
    page.wait_for_url(re.compile(f"zero={re.escape(name)}"))
    page.locator(".heatmap .w").nth(2).click()
    page.wait_for_url(re.compile("token=2"))
    visit.type(HOSTILE)
    assert page.title() == "explain" and page.locator("img[src=x]").count() == 0
    assert page.locator(".stAlert").count() == 0

"""The attention page in a real Chromium, the network cut: every view drawn, one selection shared by all."""

import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import product
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.test_browser import HOSTILE
from tests.pages.visits import CAUGHT_UP, Visit

pytestmark = pytest.mark.browser

DRAWN = {
    "Graph": ".graph path.edge",
    "Overview": ".heads .tile",
    "Matrix": ".matrix canvas",
    "Which heads matter": ".effects .effect",
    "Layer by layer": ".readings .chart circle",
}
LONG = "The acting is wonderful but the story drags on and on. " * 60  # more than 512 pieces


def open_view(visit: Visit, view: str, more: str = "") -> Visit:
    return visit.open(f"/attention?view={quote(view)}{more}")


def button_of(page: Page, view: str) -> Locator:
    return page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True)


def show(visit: Visit, view: str) -> Visit:
    """Choose a view, if another is shown."""
    button = button_of(visit.page, view)
    chosen = visit.page.get_by_role("radio", name=view, exact=True, checked=True).count()
    return visit if chosen else visit.after_run(button.click)


def test_bertviz_draws_in_the_app(visit: Visit) -> None:
    open_view(visit, "BertViz")
    for which in ("head view", "model view", "neuron view"):
        show(visit, which)
        frame = visit.page.frame_locator("iframe.frame")
        expect(frame.locator(".savers")).to_have_count(1)
        assert frame.locator("#vis svg *").count() > 100


def test_one_selection_is_shared_by_all_views(visit: Visit) -> None:
    open_view(visit, "Overview")
    page = visit.page
    page.locator('.tile[data-layer="2"][data-head="3"]').click()
    expect(page.locator(".matrix canvas")).to_be_visible()  # a click opens the head
    expect(page.locator(".matrix .note")).to_contain_text("layer 2; head 3")
    page.wait_for_url(re.compile("layer=2&head=3|head=3.*layer=2|layer=2.*head=3"))
    visit.settle()  # a drawing that is made anew takes no keys
    stage = page.locator(".matrix .stage")
    stage.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("Does it matter?")).to_be_visible()
    expect(page.locator(".cuts .cut-row")).to_have_count(5)
    page.get_by_test_id("stButtonGroup").get_by_text("Graph", exact=True).click()
    expect(page.locator(".graph .point.on").first).to_be_visible()
    expect(page.locator(".graph .note")).to_contain_text("head 3")
    page.reload()
    visit.settle()
    assert "token=" in page.url and "source=" in page.url
    expect(page.locator(".graph .point.on").first).to_be_visible()


def test_points_and_lines_of_the_graph_are_selected_by_a_click(visit: Visit) -> None:
    open_view(visit, "Graph", "&head=3&least=20")
    page = visit.page
    page.locator('.graph circle[data-column="3"]').nth(4).click()
    expect(page.locator(".cuts .cut-row")).to_have_count(3)  # head, layer, token
    page.wait_for_url(re.compile("layer=2"))
    visit.settle()
    line = page.locator(".graph path.edge").first
    line.dispatch_event("click")
    expect(page.locator(".cuts .name").first).to_contain_text("\u2190")
    expect(page.locator(".cuts .more").first).to_contain_text("of its attention")


def test_a_pair_is_told_apart(visit: Visit) -> None:
    open_view(visit, "Graph")
    visit.after_run(visit.page.get_by_role("button", name="+ second text").click)
    box = visit.page.get_by_role("textbox", name="Second text")
    box.fill("I loved every minute of it.")
    box.press("Control+Enter")
    expect(visit.page.locator(".graph text", has_text="second text")).to_have_count(1)
    assert visit.page.locator(".graph text.token.second").count() == 2 * 7


def test_a_pairs_texts_have_the_names_of_their_task(visit: Visit) -> None:
    open_view(visit, "Graph", "&model=entailment")
    expect(visit.page.locator(".graph text.label", has_text="Hypothesis")).to_have_count(1)
    expect(visit.page.locator(".graph text.label", has_text="Premise")).to_have_count(1)


def test_hostile_texts_do_nothing(visit: Visit) -> None:
    page = visit.page
    open_view(visit, next(iter(DRAWN)))
    visit.type(HOSTILE)
    for view in [*DRAWN, "BertViz"]:
        show(visit, view)
        expect(page.locator(DRAWN.get(view, "iframe.frame")).first).to_be_visible()
        assert page.title() == "explain" and page.locator("img[src=x], .stAlert").count() == 0, view


def test_long_texts_stay_usable(visit: Visit) -> None:
    """In one visit: a page of its own for each view would be drawn for seconds, and the text read, before the view."""
    page = visit.page
    slow = "Which heads matter"  # 73 passes; nobody has to wait for them
    open_view(visit, next(iter(DRAWN)))
    box = page.get_by_role("textbox", name="Text to explain")
    box.fill(LONG)
    box.press("Control+Enter")
    for view in [*(view for view in DRAWN if view != slow), "BertViz", slow]:
        if page.get_by_role("radio", name=view, exact=True, checked=True).count() == 0:
            button_of(page, view).click()
        if view == slow:
            page.get_by_role("button", name="Stop").click()
            expect(page.get_by_text("Stopped. The results so far are shown.")).to_be_visible()
        else:
            expect(page.locator(DRAWN.get(view, "iframe.frame")).first).to_be_visible()
        expect(page.get_by_text("the model reads at most 512 pieces")).to_be_visible()
        assert page.locator(".graph path.edge").count() <= 2000, view
        page.evaluate(CAUGHT_UP)  # the tab is not frozen


@pytest.mark.parametrize("visit", [{"viewport": {"width": 400, "height": 900}, "color_scheme": "dark"}], indirect=True)
def test_narrow_and_dark(visit: Visit) -> None:
    page = visit.page
    open_view(visit, next(iter(DRAWN)))
    for view, drawn in DRAWN.items():
        show(visit, view)
        expect(page.locator(drawn).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), view
        ink = page.locator(drawn.split()[0]).evaluate("(node) => getComputedStyle(node).color")
        assert min(map(int, re.findall(r"\d+", ink)[:3])) > 150, view


def test_every_view_is_drawn_and_saved_whole(visit: Visit, tmp_path: Path) -> None:
    open_view(visit, next(iter(DRAWN)))
    page = visit.page
    for view, kind in product(DRAWN, ("SVG", "PNG")):
        show(visit, view)
        expect(page.locator(DRAWN[view]).first).to_be_visible()
        assert page.locator(".stAlert").count() == 0
        box = page.locator(DRAWN[view].split()[0])
        box.hover(position={"x": 40, "y": 5})
        with page.expect_download() as download:
            box.get_by_role("button", name=f"Save this picture as {kind}").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        if kind == "SVG":
            root = ElementTree.parse(path).getroot()
            assert len(list(root.iter())) > 20
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


def test_arrays_are_saved(visit: Visit, tmp_path: Path) -> None:
    open_view(visit, "Matrix", "&layer=2&head=3")
    page = visit.page
    visit.open_menu("export")
    with page.expect_download() as download:
        page.get_by_role("button", name="All weights, for NumPy").click()
    download.value.save_as(tmp_path / "attention.npz")
    with np.load(tmp_path / "attention.npz", allow_pickle=False) as file:
        weights = file["weights"]
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON of layer 2").click()
    download.value.save_as(tmp_path / "attention.json")
    record = json.loads((tmp_path / "attention.json").read_text())
    assert np.allclose(record["weights"], weights[2, 3], atol=1e-6)


def test_the_first_page_and_this_one_link_to_each_other(visit: Visit) -> None:
    visit.open("/attention")
    visit.after_run(visit.page.get_by_role("link", name="Words").click)
    visit.type("A quiet, wonderful film.")
    visit.after_run(visit.page.get_by_role("link", name="Attention").click)
    expect(visit.page.get_by_role("textbox", name="Text to explain")).to_have_value("A quiet, wonderful film.")


def test_a_copied_link_holds_both_texts(visit: Visit, browser: Browser, address: str) -> None:
    open_view(visit, "Matrix", "&layer=2&head=3")
    page = visit.page
    visit.after_run(page.get_by_role("button", name="+ second text").click)
    box = page.get_by_role("textbox", name="Second text")
    box.fill("A dull & endless one?")
    box.press("Control+Enter")
    expect(page.locator(".matrix text", has_text="endless").first).to_be_visible()
    visit.type("A wonderful film.")
    visit.open_menu("export")
    page.get_by_role("button", name="Copy link with text").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    context = browser.new_context()
    other = Visit(context, address)
    other.page.goto(link)
    other.settle()
    expect(other.page.get_by_role("textbox", name="Text to explain")).to_have_value("A wonderful film.")
    expect(other.page.get_by_role("textbox", name="Second text")).to_have_value("A dull & endless one?")
    expect(other.page.locator(".matrix .note")).to_contain_text("layer 2; head 3")
    assert "endless" not in other.page.url
    context.close()


def test_how_a_masked_word_forms(visit: Visit) -> None:
    open_view(visit, "Layer by layer", "&model=base&example=two+masks&which=2")
    page = visit.page
    rows = page.locator(".readings .words tr")
    expect(rows).to_have_count(7)
    first = rows.last.locator(".word").first.text_content()
    expect(page.locator(".hero .answer")).to_contain_text(first)
    expect(page.locator(".readings .note")).to_contain_text("the row of the mask (token")

"""Our drawings in the app of somebody else, in a real Chromium: a click is returned, and marked in every drawing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.servers import running
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser
APP = """
import streamlit as st

import explain.streamlit
from explain.testing import TOY_MODELS

text = st.text_input("Text", "A good <b>zebra</b> film.")
report = explain.explain(text, TOY_MODELS["planted"], methods=["occlusion", "integrated_gradients"])
clicked = explain.streamlit.heatmap(report, key="first")
explain.streamlit.waterfall(report, "integrated_gradients")
st.write(f"clicked {clicked}")
"""


@pytest.fixture
def other_app(tmp_path: Path) -> Iterator[str]:
    """The address of an app that is not ours."""
    script = tmp_path / "app.py"
    script.write_text(APP)
    command = ("streamlit", "run", str(script), "--server.address", "127.0.0.1", "--server.port", "PORT")
    with running(*command, said=str(tmp_path / "log")) as (port, _):
        yield f"http://127.0.0.1:{port}"


def test_a_click_is_returned_and_marked_in_every_drawing(browser: Browser, other_app: str) -> None:
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(other_app)
    words = page.locator(".heatmap .w")
    zebra = words.filter(has_text=re.compile("^zebra$"))
    steps = page.locator(".fall .fall-word", has_text="zebra")
    expect(page.get_by_text("clicked None")).to_be_visible()
    expect(steps).to_have_attribute("aria-pressed", "false")
    zebra.click()
    expect(page.get_by_text(re.compile(r"clicked \d+"))).to_be_visible()
    expect(zebra).to_have_class(re.compile("picked"))
    expect(steps).to_have_attribute("aria-pressed", "true")
    box = page.get_by_role("textbox", name="Text")
    box.fill("Another zebra.")
    box.press("Enter")
    expect(words).to_have_count(3)
    expect(page.get_by_text("clicked None")).to_be_visible()
    expect(page.locator(".w.picked")).to_have_count(0)  # it was a word of another text
    assert not complaints
    context.close()

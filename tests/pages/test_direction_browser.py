"""Text boxes and drawings lay text out in its own direction."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.pages.visits import Visit

pytestmark = pytest.mark.browser
HEBREW, ARABIC, ENGLISH = "סרט טוב מאוד!", "فيلم جيد!", "A good film!"


def inked_halves(box: Locator) -> tuple[int, int]:
    """Return how many columns of pixels of a box hold ink, in its left and in its right half; its border left out."""
    gray = np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("L")).astype(int)[8:-8, 8:-8]
    inked = np.abs(gray - np.median(gray)).max(axis=0) > 60
    middle = len(inked) // 2
    return int(inked[:middle].sum()), int(inked[middle:].sum())


def test_boxes_follow_what_is_typed(visit: Visit) -> None:
    visit.open("/?text=good&methods=Occlusion")
    boxes = [
        visit.page.get_by_role("textbox", name="Text to explain"),
        visit.page.get_by_role("textbox", name="Second text, read together with the first (optional)"),
    ]
    for box in boxes:
        for text in (HEBREW, ARABIC, ENGLISH):
            box.fill(text)
            visit.page.locator("h1, h2, h3").first.click()  # no caret in the box
            left, right = inked_halves(box)
            assert (left == 0) == (text != ENGLISH) and (right == 0) == (text == ENGLISH), text


def test_drawings_follow_the_text(visit: Visit) -> None:
    visit.open("/?text=good&methods=Occlusion")
    for text, direction in ((HEBREW, "rtl"), (ENGLISH, "ltr"), (f"{ARABIC} A film.", "rtl")):
        visit.type(text)
        for drawing in (".heatmap .text", ".phrases .text", ".bar .name"):
            expect(visit.page.locator(drawing).first).to_have_css("direction", direction)
        expect(visit.page.locator(".graph text.token").first).to_have_css("unicode-bidi", "plaintext")
        words = visit.page.locator(".heatmap .w")
        first, last = words.first.bounding_box(), words.last.bounding_box()
        assert first and last and (first["x"] > last["x"]) == (direction == "rtl")


def test_of_two_texts_each_has_its_own_direction(visit: Visit) -> None:
    visit.open(f"/?model=entailment&text={HEBREW}&pair={ENGLISH}&methods=Occlusion")
    texts = visit.page.locator(".heatmap .text")
    expect(texts.nth(0)).to_have_css("direction", "rtl")
    expect(texts.nth(1)).to_have_css("direction", "ltr")
    expect(texts.nth(0).locator(".which")).to_have_css("direction", "ltr")  # the label is English

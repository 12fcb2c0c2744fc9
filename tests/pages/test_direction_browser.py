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
    visit.after_run(visit.page.get_by_role("button", name="+ second text").click)
    boxes = [visit.page.locator(".hero .sheet").nth(number) for number in (0, 1)]
    for box in boxes:
        for text in (HEBREW, ARABIC, ENGLISH):
            editor = box.get_by_role("textbox")
            editor.fill(text)
            visit.after_run(editor.blur)
            left, right = inked_halves(box.locator(".read"))
            assert (left == 0) == (text != ENGLISH) and (right == 0) == (text == ENGLISH), text


def test_drawings_follow_the_text(visit: Visit) -> None:
    visit.open("/?text=good&methods=Occlusion")
    for text, direction in ((HEBREW, "rtl"), (ENGLISH, "ltr"), (f"{ARABIC} A film.", "rtl")):
        visit.type(text)
        for drawing in (".hero .read", ".phrases .text", ".bar .name"):
            expect(visit.page.locator(drawing).first).to_have_css("direction", direction)
        visit.open_graph()
        expect(visit.page.locator(".graph text.token").first).to_have_css("unicode-bidi", "plaintext")
        words = visit.page.locator(".hero .w")
        first, last = words.first.bounding_box(), words.last.bounding_box()
        assert first and last and (first["x"] > last["x"]) == (direction == "rtl")


def test_of_two_texts_each_has_its_own_direction(visit: Visit) -> None:
    visit.open(f"/?model=entailment&text={HEBREW}&pair={ENGLISH}&methods=Occlusion")
    texts = visit.page.locator(".hero .read")
    expect(texts.nth(0)).to_have_css("direction", "rtl")
    expect(texts.nth(1)).to_have_css("direction", "ltr")
    expect(visit.page.locator(".hero .which").first).to_have_css("direction", "ltr")  # the label is English

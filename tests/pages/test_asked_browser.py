"""The asked word in the browser: outlined and named, on the page, for screen readers and in a saved picture."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.visits import Visit

pytestmark = pytest.mark.browser
ENTITIES = "?model=entities&text=Marie Curie was born in Paris.&methods=Occlusion"


@pytest.mark.parametrize("page", ["", "faithfulness"])
def test_the_asked_word_is_outlined_and_named(visit: Visit, page: str) -> None:
    visit.open(f"/{page}{ENTITIES}")
    heatmap = visit.page.locator(".hero")
    asked = heatmap.locator(".w.asked")
    expect(asked).to_have_text(["Marie"])
    expect(asked).to_have_attribute("aria-label", "Marie (asked)")
    expect(asked).to_have_css("outline-style", "solid")
    expect(heatmap.locator(".asked-label")).to_have_text(["asked"])
    expect(asked).to_have_css("background-color", re.compile(r", 0\)$"))
    sentence = visit.page.get_by_text(re.compile(r"log-odds are there with “Marie” alone; the words around explain"))
    expect(sentence).to_have_count(1)
    said, drawn = sentence.bounding_box(), heatmap.bounding_box()
    words = heatmap.locator(".w").first.bounding_box()
    assert said and drawn and words and said["y"] < words["y"]
    asked.hover()
    expect(heatmap.locator(".tip")).to_contain_text("asked")


def test_a_saved_picture_has_the_outline(visit: Visit) -> None:
    visit.open(f"/{ENTITIES}")
    heatmap = visit.page.locator(".hero")
    heatmap.hover()
    with visit.page.expect_download() as download:
        heatmap.get_by_role("button", name="Save this picture as SVG").click()
    picture = download.value.path().read_text()
    assert ">asked</text>" in picture and picture.count('fill="none" stroke="rgba(') == 1

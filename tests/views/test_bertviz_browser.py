"""BertViz in a real Chromium, under the app's own policy and in a file, without a network."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, Route, expect

from app import HEADERS
from explain.views.base import VIEWS, asset, json_for_script
from explain.views.document import document, scripts
from tests.golden import sample_report
from tests.views.test_bertviz import HOSTILE, drawn, seen
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser
ADDRESS = "http://app.test/"  # answered by the test itself
VIEW_NAMES = ("head", "model", "neuron")
TEXT = "one two thr four five six"  # 8 tokens, in 3 layers of 4 heads of width 8
# How many SVG elements each view has at least: a line for each weight, in the neuron view a square for each number too.
LEAST = {"head": 4 * 8 * 8, "model": 3 * 4 * 8 * 8, "neuron": 8 * 8 + 2 * 8 * 8}


class Stage:
    """A page with one drawing, and everything the browser complained of or asked others for."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(1000 * PATIENCE)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.content = ""
        context.route("**", self._answer)
        self.page.on("console", lambda message: self._said(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _answer(self, route: Route) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=self.content, headers={**HEADERS, "content-type": "text/html; charset=utf-8"})
        elif route.request.url.startswith("file:"):
            route.continue_()
        else:
            self.complaints.append(f"asked for {route.request.url}")
            route.abort()

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def show(self, data: dict[str, Any]) -> Frame:
        """Draw as the app does: the same script, under the same policy."""
        view = VIEWS["bertviz"]
        self.content = (
            f"<title>explain</title><style>{asset('document.css')}{asset('views.css')}</style><div class='view'></div>"
            f"<script>{view.script}\ndraw(document.querySelector('.view'), {json_for_script(data)})</script>"
        )
        self.page.goto(ADDRESS)
        return self.frame()

    def frame(self) -> Frame:
        expect(self.page.locator("iframe.frame")).to_have_count(1)
        expect(self.page.frame_locator("iframe.frame").locator(".savers")).to_have_count(1)
        return self.page.frames[1]


@pytest.fixture
def stage(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Stage]:
    options = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True} | getattr(request, "param", {})
    context = browser.new_context(**options)
    on = Stage(context)
    yield on
    title = on.page.title()
    context.close()
    assert on.complaints == []
    assert title != "PWNED"


def wait_for_height(frame: Frame) -> None:
    """Wait until the frame is as high as what is in it: it tells its height, and the page around it answers."""
    frame.wait_for_function("document.documentElement.scrollHeight <= innerHeight + 1")


@pytest.mark.parametrize("which", VIEW_NAMES)
def test_each_view_draws_under_the_apps_policy(stage: Stage, which: str) -> None:
    frame = stage.show(drawn(which, TEXT, pieces=HOSTILE))
    assert frame.locator("#vis svg *").count() > LEAST[which]
    assert frame.locator("#vis img, #vis script").count() == 0
    if which != "model":
        texts = frame.locator("#vis text title").all_text_contents()
        assert HOSTILE[0] in texts and HOSTILE[1] in texts
    wait_for_height(frame)
    assert stage.page.title() == "explain"
    assert "Attention says where" in stage.page.locator(".note").text_content()


def test_each_token_is_laid_out_in_its_own_direction(stage: Stage) -> None:
    pieces = ["\u05d8\u05d5\u05d1!", "good!", *"abcde"]
    frame = stage.show(drawn("head", TEXT, pieces=pieces))
    begins_right = frame.locator("#vis #left text").evaluate_all(
        "texts => texts.map((one) => one.getExtentOfChar(0).x > one.getExtentOfChar(one.getNumberOfChars() - 1).x)"
    )
    assert begins_right[1:3] == [True, False]


@pytest.mark.parametrize("which", VIEW_NAMES)
def test_each_view_draws_in_a_file(stage: Stage, tmp_path: Path, which: str) -> None:
    report, _ = sample_report()
    maps, vectors = seen(TEXT, pieces=HOSTILE)
    page = document(report, {one.method: ("", "", "") for one in report.attributions})
    path = tmp_path / "alone.html"
    picture = VIEWS["bertviz"].html(maps, which=which, vectors=vectors)
    body = page[: page.index("</main>")]
    script = f"<script>{scripts([page, picture])}</script>"
    path.write_text(f"{body}{picture}</main>{script}</body></html>", encoding="utf-8")
    stage.page.goto(path.as_uri())
    assert stage.frame().locator("#vis svg *").count() > LEAST[which]


def test_an_intruder_stays_in_its_frame(stage: Stage) -> None:
    """Were a token to get in after all: it finds no page to change, and can't make the frame endless."""
    data = drawn("head")
    intruder = """<div class="savers"></div><script>
      parent.postMessage({ height: 1e9 }, "*");
      let reached = "nothing";
      for (const reach of [() => parent.document.title, () => localStorage.length, () => document.cookie])
        try { reached = String(reach()); } catch {}
      document.body.append(reached);
    </script>"""
    frame = stage.show(data | {"page": intruder})
    assert frame.evaluate("document.body.innerText").strip() == "nothing"
    assert stage.page.locator("iframe").evaluate("frame => frame.contentDocument") is None
    assert stage.page.locator("iframe").get_attribute("sandbox") == "allow-scripts allow-downloads"
    expect(stage.page.locator("iframe")).to_have_css("height", "10000px")


def test_no_foreign_script_runs_in_the_frame(stage: Stage) -> None:
    data = drawn("head")
    frame = stage.show(
        data | {"page": data["page"].replace("</body>", "<script>document.title='PWNED'</script></body>")}
    )
    assert frame.evaluate("document.title") == "BertViz"
    assert "violates" in " ".join(stage.complaints)
    stage.complaints.clear()


BRIGHTNESS = """([selector, property]) => {
  const [red, green, blue] = getComputedStyle(document.querySelector(selector))[property].match(/[\\d.]+/g);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""


@pytest.mark.parametrize("which", VIEW_NAMES)
@pytest.mark.parametrize(
    ("stage", "dark"),
    [({"color_scheme": "light"}, False), ({"color_scheme": "dark"}, True)],
    indirect=["stage"],
    ids=["light", "dark"],
)
def test_dark_is_dark_and_light_is_light(stage: Stage, which: str, dark: bool) -> None:
    frame = stage.show(drawn(which, TEXT))
    grounds = [["html", "backgroundColor"]]
    inks = [["body", "color"], ["#vis text", "fill"]]
    if which == "model":
        frame.locator("#vis svg > g > rect:last-child").first.click()
        grounds += [[".attn_background:not([fill^='#'])", "fill"], ["rect.detail", "fill"]]
        inks += [["text.detail", "fill"], ["text.token", "fill"]]
    for part in grounds:
        assert (frame.evaluate(BRIGHTNESS, part) < 0.25) == dark, part
    for part in inks:
        assert (frame.evaluate(BRIGHTNESS, part) > 0.7) == dark, part


def test_dark_can_be_asked_for(stage: Stage) -> None:
    frame = stage.show(drawn("model", dark=True))
    assert frame.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 23, 28)"


def test_the_head_view_is_worked_as_in_bertviz(stage: Stage) -> None:
    maps, _ = seen(TEXT)
    frame = stage.show(VIEWS["bertviz"].data(maps, layer=1))
    lines = frame.locator("#attention line")
    squares = frame.locator("#vis > svg > g:last-child > rect")

    def opacities() -> Any:
        values = lines.evaluate_all("all => all.map((line) => Number(line.getAttribute('stroke-opacity')))")
        return np.reshape(values, maps.weights.shape[1:])

    def drawn_lines() -> int:
        return lines.evaluate_all(
            "all => all.filter((line) => line.checkVisibility({ visibilityProperty: true })).length"
        )

    assert squares.locator("title").all_text_contents() == [f"head {head}" for head in range(4)]
    assert frame.locator("#layer option").all_text_contents() == ["0", "1", "2"]
    assert np.allclose(opacities(), maps.weights[1], atol=5.1e-4)
    frame.locator("#layer").select_option("2")
    weights = maps.weights[2].round(3)
    assert np.allclose(opacities(), weights, atol=1e-6) and drawn_lines() == (weights >= 0.04).sum() < weights.size
    squares.nth(2).dblclick()
    assert not opacities()[[0, 1, 3]].any() and drawn_lines() == (weights[2] >= 0.01).sum()
    squares.nth(0).click()
    assert drawn_lines() == (weights[[0, 2]] >= 0.02).sum()
    frame.locator("#left text").nth(3).hover()
    assert drawn_lines() == weights[:, 3].size  # of this token all, faint as they are


def test_a_pair_is_filtered_by_text(stage: Stage) -> None:
    for which in VIEW_NAMES:
        frame = stage.show(drawn(which, "one two", "three"))
        frame.locator("#filter").select_option(label="Sentence A -> Sentence B")
        if which == "model":
            frame.locator("#vis svg > g > rect:last-child").first.click()
        left, right = {
            "head": ("#left text", "#right text"),
            "model": (".detail:nth-last-child(3) text", ".detail:nth-last-child(1) text"),
            "neuron": ("#collapsed #leftText text", "#collapsed #rightText text"),
        }[which]
        shown = "nodes => nodes.map((node) => node.firstChild.data)"
        assert frame.locator(left).evaluate_all(shown) == ["[CLS]", "one", "two", "[SEP]"]
        assert frame.locator(right).evaluate_all(shown) == ["thre", "##e", "[SEP]"]


@pytest.mark.parametrize("stage", [{"viewport": {"width": 400, "height": 800}}], indirect=True)
def test_on_a_narrow_screen_the_frame_scrolls_and_the_page_does_not(stage: Stage) -> None:
    frame = stage.show(drawn("neuron", TEXT))
    assert stage.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    token = frame.locator("#collapsed #leftText > g").nth(2)
    token.hover()
    token.locator("rect").nth(1).click(force=True)
    expect(frame.locator("#expanded")).to_be_visible()
    assert frame.evaluate("document.documentElement.scrollWidth") > 1000
    wait_for_height(frame)
    assert stage.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("which", VIEW_NAMES)
def test_pictures_are_saved(stage: Stage, which: str, tmp_path: Path) -> None:
    frame = stage.show(drawn(which, TEXT, pieces=HOSTILE))
    frame.locator("body").hover()
    for kind in ("SVG", "PNG"):
        with stage.page.expect_download() as caught:
            frame.get_by_role("button", name=f"Save this picture as {kind}").click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        assert path.name == f"bertviz_{which}_view.{kind.lower()}"
        if kind == "SVG":
            picture = ElementTree.parse(path).getroot()
            assert len(list(picture.iter())) > LEAST[which]
            texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
            assert texts[-1].startswith(f"BertViz, {which} view of attention weights; 8 tokens")
            assert "NaN" not in path.read_text() and "var(" not in path.read_text()
        else:
            assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_the_frame_hears_of_the_page_only_its_look(stage: Stage) -> None:
    stage.show(drawn("head"))
    name = json.loads(stage.page.locator("iframe").get_attribute("name"))
    assert set(name) == {"dark", "text", "ground", "accent"}

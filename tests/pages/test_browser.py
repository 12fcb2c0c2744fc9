"""The page in a real Chromium: what is drawn, clicked, saved and copied, with hostile text and without a network."""

import json
import re
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import product
from math import ceil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from explain.report.record import from_record, read
from explain.report.replay import replay
from tests.pages.visits import FIRST_EXAMPLE, Visit

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
LONG = "/?example=long+review&methods=Occlusion&occlusion.granularity=sentence&phrases.most_words=10"  # few passes
HOSTILE = (
    "<script>document.title='PWNED'</script> <img src=x onerror=\"document.title='PWNED'\"> **b** $x$ good \u202efilm"
)


def test_first_sight(visit: Visit) -> None:
    visit.open()
    page = visit.page
    assert page.title() == "explain"
    expect(visit.words).to_have_text(re.findall(r"[\w'-]+|[^\w\s]", FIRST_EXAMPLE))
    assert page.locator(".opinions .method").count() == 3
    assert page.locator(".bar").count() > 0 and page.locator(".fall-row").count() > 5
    number = re.search(r"\d+%", page.locator(".hero .answer").text_content())
    page.get_by_text("Labels", exact=True).click()
    assert number and page.locator(".label-row.decided .value").text_content() == number[0]  # one confidence
    assert "Calibrated" in page.locator(".probabilities .note").text_content()
    assert page.locator(".fall-row.answer .answer, .fall-row.answer").last.text_content().find(number[0]) >= 0
    visit.open_graph()
    assert page.locator(".graph path.edge").count() > 50


def test_a_click_marks_the_word_everywhere_and_shows_its_numbers(visit: Visit) -> None:
    visit.open()
    page = visit.page
    word = page.locator(".hero").get_by_role("button", name=re.compile("^isn't:"))
    visit.after_run(word.click)
    assert page.locator(".hero .w.picked").all_text_contents() == ["isn't"]
    assert page.locator(".phrases .picked").count() >= 1
    assert page.locator(".fall .picked").count() == 1
    assert page.locator(".graph text.picked").count() == 2 * 3  # three pieces, named on both sides
    details = page.locator(".details")
    for part in ("isn't", "Attention rollout", "Integrated gradients", "Occlusion", "3475"):
        expect(details).to_contain_text(part)
    visit.after_run(word.click)
    expect(page.locator(".picked")).to_have_count(0)


def test_the_keyboard_alone_reaches_and_picks_words(visit: Visit) -> None:
    visit.open()
    page = visit.page
    heatmap = page.locator(".hero")
    expect(heatmap.locator('.w[tabindex="0"]')).to_have_count(1)  # one stop for Tab, arrows inside
    heatmap.locator('.w[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(heatmap.locator(".picked")).to_have_text(["isn't"])
    expect(heatmap.locator(".tip")).to_contain_text("isn't")
    page.keyboard.press("Escape")
    expect(page.locator(".picked")).to_have_count(0)


def test_screen_readers_get_names(visit: Visit) -> None:
    visit.open()
    page = visit.page
    for mark in page.locator(".hero .w").all()[:5]:
        assert re.match(r".+: [\d<>.,+\u2212 %]+", mark.get_attribute("aria-label"))
    assert page.locator(".graph svg").get_attribute("aria-label").startswith("Attention graph of")
    expect(page.get_by_role("textbox", name="Text to explain")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Positive", re.IGNORECASE))


def test_own_text_and_hostile_text(visit: Visit) -> None:
    visit.open().type(HOSTILE)
    page = visit.page
    assert page.title() == "explain"
    shown = page.locator(".hero .read").first.text_content()
    assert "<script>document.title='PWNED'</script>" in shown and "⟨U+202E⟩" in shown
    assert page.locator("img[src=x]").count() == 0
    assert page.locator(".stAlert").count() == 0


def test_masked_words(visit: Visit) -> None:
    visit.open("/?methods=occlusion")
    page = visit.page
    visit.open_menu("model")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="base").click()
    expect(page.get_by_role("textbox", name="Text to explain")).to_have_value(
        "The keys to the cabinet [MASK] on the table."
    )
    visit.settle()
    visit.close_menu()
    page.get_by_text("two masks", exact=True).click()
    visit.settle()
    visit.open_menu("model")
    expect(page.get_by_role("combobox", name="Which mask?")).to_be_visible()
    first = page.locator(".hero .answer").text_content()
    page.get_by_role("combobox", name="Which mask?").click()
    page.get_by_role("option", name="mask 2").click()
    expect(page.locator(".hero .answer")).not_to_have_text(first)
    visit.settle()

    def ask(word: str) -> None:
        page.get_by_role("combobox", name="Why this word?").click()
        page.keyboard.type(word)
        page.get_by_role("option", name=f"Add: {word}").click()

    ask("Moon")
    expect(page.locator(".label-row .name").last).to_have_text("moon")
    visit.settle()
    assert "for moon" in page.locator(".hero .legend").text_content()
    ask("unforgettable")
    expect(page.get_by_text("is 4 pieces for this model")).to_be_visible()
    assert "target=unforgettable" in page.url


def test_pieces_instead_of_words(visit: Visit) -> None:
    visit.open("/?show=pieces")
    rows = visit.page.locator(".fall .fall-word")
    assert "isn" in rows.all_text_contents() and visit.words.filter(has_text=re.compile("^isn't$")).count()
    visit.after_run(visit.page.get_by_role("button", name="Occlusion").click)
    assert "isn't" in rows.all_text_contents()  # occlusion takes words away whole; its scores can't be cut up


def test_a_link_brings_back_what_was_chosen(visit: Visit) -> None:
    visit.open("/?example=irony&target=positive&integrated_gradients.baseline=pad&layers=2&layers=4")
    page = visit.page
    expect(visit.words.first).to_have_text("Oh")
    assert "for positive" in page.locator(".hero .legend").text_content()
    assert "integrated_gradients.baseline=pad" in page.url
    labels = page.locator(".graph text.label").all_text_contents()
    assert labels == ["input", "layer 2", "layer 3", "layer 4"]
    page.reload()
    visit.settle()
    expect(visit.words.first).to_have_text("Oh")
    assert "target=positive" in page.url


def test_a_link_holds_over_pages_and_on_the_way_back(visit: Visit) -> None:
    visit.open("/?model=entities")
    page = visit.page
    model = page.locator(".st-key-model_menu summary p").first
    visit.after_run(page.get_by_role("link", name="Attention").first.click)
    assert page.url.endswith("/attention?model=entities") and model.text_content() == "entities"
    visit.after_run(page.go_back)
    assert page.url.endswith("/?model=entities") and model.text_content() == "entities"
    # A word of another text says nothing of this one.
    word = page.locator(".hero .w.asked")
    expect(word).to_have_text("Marie")
    page.locator(".spans .w", has_text="Paris").click()
    expect(word).to_have_text("Paris")
    visit.settle()
    assert "&which=11" in page.url
    visit.after_run(page.get_by_role("link", name="Attention").first.click)
    expect(word).to_have_text("Paris")
    expect(page).to_have_url(re.compile("&which=11"))
    visit.after_run(page.go_back)
    visit.type("Berlin is big and Paris is bigger.")
    expect(word).to_have_text("Berlin")
    assert "which" not in page.url


def test_the_address_holds_ids(visit: Visit) -> None:
    visit.open("/?methods=Occlusion&methods=gradient-norm&show=zzz")
    page = visit.page
    assert page.url.endswith("/?methods=occlusion&methods=gradient_norm")
    assert page.locator(".opinions .method").count() == 2
    expect(page.get_by_text("The link asks for the unit “zzz”, which does not exist. This is words.")).to_be_visible()
    visit.open("/attention?layer=1&view=MATRIX")
    assert page.url.endswith("/attention?layer=1&view=matrix")
    before = page.evaluate("history.length")
    page.get_by_role("radio", name="Which heads matter").click()
    page.wait_for_url("**/attention?layer=1&view=heads")
    visit.wait_until(lambda: visit.runs.over)
    assert page.evaluate("history.length") == before
    page.reload()
    expect(page.get_by_role("radio", name="Which heads matter")).to_be_checked()


def test_copied_links(visit: Visit, browser: Browser, address: str) -> None:
    visit.open("/?target=positive").type("A wonderful film & more?")
    page = visit.page
    assert "wonderful" not in page.url
    visit.open_menu("export")
    page.get_by_role("button", name="Copy link with text").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "target=positive" in link and "wonderful" in link
    page.get_by_role("button", name="Copy link", exact=True).click()
    page.wait_for_function("navigator.clipboard.readText().then((link) => !link.includes('wonderful'))")
    context = browser.new_context()
    other = Visit(context, address)
    other.page.goto(link)
    other.settle()
    expect(other.words.nth(1)).to_have_text("wonderful")
    assert "wonderful" not in other.page.url
    context.close()


def test_downloads(visit: Visit, tmp_path: Path) -> None:
    visit.open().type("A </script><b> charming film.")
    page = visit.page
    visit.open_menu("export")

    def saved(name: str) -> Path:
        with page.expect_download() as caught:
            page.get_by_role("button", name=name).first.click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        return path

    report = read(saved("JSON, to replay"))
    assert report.text == "A </script><b> charming film." and replay(report).within(1e-3)
    assert saved("CSV of the scores").read_text().startswith("method,granularity,text")
    html = saved("HTML, opens offline")
    words = visit.words.all_text_contents()

    visit.context.set_offline(True)
    alone = visit.context.new_page()
    alone.goto(html.as_uri())
    assert alone.locator(".heatmap").first.locator(".w").all_text_contents() == words
    alone.locator(".heatmap .w").nth(1).click()
    assert alone.locator(".heatmap .picked").count() == 3
    kept = json.loads(alone.locator("#report").text_content())
    assert from_record(kept).text == report.text
    alone.close()
    visit.context.set_offline(False)


# What a saved picture must hold, whatever of it is scrolled out of sight.
WHOLE: dict[str, Callable[[Page], list[str]]] = {
    ".hero": lambda page: ["thing", "again", page.locator(".hero .legend .unit").inner_text()],
    ".phrases": lambda page: page.locator(".bar .value").all_inner_texts(),
    ".graph": lambda page: page.locator(".graph text.token title").all_text_contents(),
}


@pytest.mark.parametrize(
    "visit", [{}, {"viewport": {"width": 500, "height": 800}}], ids=["wide", "narrow"], indirect=True
)
def test_pictures_are_made_in_the_browser_and_whole(visit: Visit, tmp_path: Path) -> None:
    visit.open(LONG)
    page = visit.page
    visit.open_graph()
    for drawing, kind in product(WHOLE, ("SVG", "PNG")):
        box = page.locator(drawing).first
        box.hover()
        with page.expect_download() as caught:
            box.get_by_role("button", name=f"as {kind}").click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        if kind == "SVG":
            picture = ElementTree.parse(path).getroot()
            texts = " ".join("".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text"))
            assert "film" in texts and float(picture.get("width")) > 300
            for part in WHOLE[drawing](page):
                assert part in texts, (drawing, part)
            titles = [text for text in picture if text.get("font-weight") == "600" and text.get("font-size") == "13"]
            assert "".join("".join(title.itertext()) for title in titles).strip()
            assert "foreignObject" not in path.read_text() and "NaN" not in path.read_text()
        else:
            content = path.read_bytes()
            assert content.startswith(b"\x89PNG") and len(content) > 5000
            sides = [float(picture.get(side)) for side in ("width", "height")]
            larger = min(2, 8000 / max(sides))  # two points for one of the screen, unless the picture is very long
            assert [int.from_bytes(content[at : at + 4]) for at in (16, 20)] == [ceil(larger * side) for side in sides]


def test_the_graph_is_traced_by_mouse_and_walked_by_keyboard(visit: Visit) -> None:
    visit.open()
    page = visit.page
    visit.open_graph()
    page.locator(".graph circle.point").nth(20).hover()
    expect(page.locator(".graph svg.tracing .edge.on").first).to_be_visible()
    expect(page.locator(".graph .edge:not(.on)").first).to_be_attached()
    page.mouse.move(0, 0)
    expect(page.locator(".graph svg")).not_to_have_class(re.compile("tracing"))
    stop = page.locator('.graph text[tabindex="0"]')
    expect(stop).to_have_count(1)
    stop.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".graph svg")).to_have_class(re.compile("tracing"))
    expect(page.locator(".graph .tip")).to_contain_text("attends to")
    page.keyboard.press("Enter")
    expect(page.locator('.graph text[aria-pressed="true"]')).to_have_count(1)
    expect(page.locator(".hero .w.picked")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".picked")).to_have_count(0)


def test_an_empty_page_begins_again(visit: Visit) -> None:
    visit.open("/?methods=occlusion&target=negative")
    visit.page.evaluate("document.getElementById('root').replaceChildren()")
    expect(visit.page.locator(".hero .w").first).to_be_visible()
    visit.settle()
    assert "target=negative" in visit.page.url


def test_half_a_character_breaks_nothing(visit: Visit) -> None:
    """A lone surrogate, which a browser's text box can hold and UTF-8 can't."""
    visit.open()
    box = visit.page.get_by_role("textbox", name="Text to explain")
    box.evaluate(
        """node => {
          const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
          set.call(node, "a \\ud800 good film");
          node.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    visit.after_run(lambda: box.press("Control+Enter"))
    expect(visit.words).to_have_text(["a", "good", "film"])  # half a character is no word
    visit.type("Still here.")
    expect(visit.words).to_have_text(["Still", "here", "."])


@pytest.mark.parametrize("visit", [{"viewport": {"width": 400, "height": 800}}], indirect=True)
def test_a_narrow_screen_needs_no_sideways_scrolling(visit: Visit) -> None:
    visit.open(LONG)
    main = visit.page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    for drawing in visit.page.locator(".hero, .fall, .phrases").all():
        assert drawing.evaluate("node => node.scrollWidth <= node.clientWidth + 1")


# The contrast ratio of WCAG 2.1 between each word and its tint laid over the ground; the smallest.
WORST_CONTRAST = """() => {
  const brush = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parse = (color) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value / 255 <= .03928 ? value / 255 / 12.92 : ((value / 255 + .055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => .2126 * linear(red) + .7152 * linear(green) + .0722 * linear(blue);
  let worst = 99;
  const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
  for (const word of roots.flatMap((root) => [...root.querySelectorAll('.hero .w')])) {
    const look = getComputedStyle(word);
    const ground = parse(getComputedStyle(word.closest('.view')).getPropertyValue('--ground'));
    const tint = parse(look.backgroundColor);
    const behind = [0, 1, 2].map((i) => (tint[i] * tint[3] + ground[i] * (255 - tint[3])) / 255);
    const [more, less] = [light(parse(look.color)), light(behind)].sort((a, b) => b - a);
    worst = Math.min(worst, (more + .05) / (less + .05));
  }
  return worst;
}"""


@pytest.mark.parametrize(
    "visit", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_text_stays_readable_on_its_tint(visit: Visit) -> None:
    """WCAG AA: at least 4.5 to 1 between a word and the strongest tint behind it."""
    visit.open()
    assert 4.5 <= visit.page.evaluate(WORST_CONTRAST) < 99


def test_long_work_can_be_stopped_and_the_page_goes_on(visit: Visit) -> None:
    slow = "/?integrated_gradients.max_points=513&integrated_gradients.word_tolerance=1e-05&occlusion.granularity=token"
    page = visit.page
    visit.open(slow)
    box = page.get_by_role("textbox", name="Text to explain")
    box.fill("an odd but charming film about nothing, " * 50)
    box.press("Control+Enter")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Occlusion \u2026")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. The results so far are shown")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    visit.open().type("A short one.")  # away, and a text that is quicker
    expect(visit.words).to_have_text(["A", "short", "one", "."])


def test_a_closed_tab_frees_its_place(visit: Visit) -> None:
    """One visitor starts what a link asks for; another sees the prediction at once, and the rest when the first leaves.

    No turn ends before the first visitor's only method has ended, which it would not for hours.
    """
    page, heavy = visit.page, visit.context.new_page()
    words = "an+odd+but+charming+film+about+nothing+" * 8
    heavy.goto(
        f"{visit.address}/?methods=shapley_values&shapley_values.budget=100000&shapley_values.precision=0&text={words}"
    )
    expect(heavy.get_by_text("This link asks for up to 100,")).to_be_visible()
    expect(heavy.locator(".hero .answer")).not_to_be_empty()
    heavy.get_by_role("button", name="Start", exact=True).click()
    expect(heavy.get_by_test_id("stProgress")).to_contain_text("Shapley values \u2026")
    page.goto(f"{visit.address}/?text=Nobody+waits+for+this+film&target=negative")
    expect(page.get_by_text("Waiting for 1 other job.")).to_be_visible()
    expect(page.locator(".hero .answer")).not_to_be_empty()
    expect(page.get_by_text("Export", exact=True)).to_have_count(0)
    heavy.close()
    expect(page.get_by_text("Export", exact=True).first).to_be_visible()


def test_stopped_work_can_be_taken_up_again(visit: Visit) -> None:
    visit.open("/?integrated_gradients.max_points=129&integrated_gradients.word_tolerance=1e-05")
    page = visit.page
    box = page.get_by_role("textbox", name="Text to explain")
    box.fill("an odd but charming film about nothing, " * 3)
    box.press("Control+Enter")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Stopped. The results")).to_have_count(0)
    visit.settle()
    expect(visit.words).to_have_count(3 * 8)


def test_health_and_headers(address: str) -> None:
    with urllib.request.urlopen(f"{address}/ready") as answer:
        assert json.load(answer) == {"ready": True}
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        assert answer.status == 200

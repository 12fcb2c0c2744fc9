"""The head of a page in a browser: editing, undo, keys, present mode, edits of a word, a pinned result."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.pages.visits import FIRST_EXAMPLE, Visit

pytestmark = pytest.mark.browser
QUICK = "/?methods=Occlusion"


def editor(visit: Visit) -> Locator:
    return visit.page.get_by_role("textbox", name="Text to explain")


def test_the_text_is_edited_where_it_stands_and_changes_are_taken_back(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    page.locator(".hero .w", has_text="good").dblclick()
    expect(editor(visit)).to_be_focused()
    visit.after_run(lambda: page.keyboard.type(" enough"))
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE.replace("good", "good enough"))
    expect(editor(visit)).to_be_focused()  # an answer takes neither focus nor caret
    page.keyboard.type("!")
    expect(editor(visit)).to_have_value(re.compile("good enough!"))
    page.keyboard.press("Control+z")  # the browser's own undo
    expect(editor(visit)).not_to_have_value(re.compile("good enough!"))
    page.keyboard.press("Escape")
    page.wait_for_timeout(700)  # a change is sent once typing pauses
    visit.settle()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()  # what was typed is one change
    visit.after_run(lambda: page.keyboard.press("z"))
    expect(undo).to_have_count(0)
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE)


def test_an_input_method_is_waited_for_and_html_is_pasted_as_text(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    devices = page.context.new_cdp_session(page)
    editor(visit).focus()
    page.keyboard.press("Control+a")
    before = visit.runs.requested
    devices.send("Input.imeSetComposition", {"text": "えいが", "selectionStart": 3, "selectionEnd": 3})
    page.wait_for_timeout(1500)  # three pauses of typing
    assert visit.runs.requested == before
    visit.after_run(lambda: devices.send("Input.insertText", {"text": "映画"}))
    expect(editor(visit)).to_have_value("映画")
    page.evaluate(
        """navigator.clipboard.write([new ClipboardItem({
          "text/html": new Blob(["<b>good</b> film"], { type: "text/html" }),
          "text/plain": new Blob(["good film"], { type: "text/plain" }),
        })])"""
    )
    editor(visit).focus()
    page.keyboard.press("Control+a")
    visit.after_run(lambda: page.keyboard.press("Control+v"))
    expect(editor(visit)).to_have_value("good film")
    expect(page.locator(".hero b b")).to_have_count(0)


def test_the_strongest_word_is_tried_before_anyone_picks_one(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    word = page.locator(".details .word .name").first.inner_text()
    expect(page.locator(".tries .try").first).to_have_text(re.compile(rf"^{word} remove"))
    text = editor(visit).input_value()
    field = page.get_by_label(f"Your word in place of {word}")
    field.fill("quite")
    visit.after_run(lambda: field.press("Enter"))
    expect(editor(visit)).to_have_value(re.sub(rf"\b{word}\b", "quite", text, count=1))


def test_keys_work_and_are_silent_while_text_is_edited(visit: Visit) -> None:
    visit.open("/")
    page = visit.page
    visit.after_run(lambda: page.keyboard.press("2"))
    expect(page.locator(".opinions .method.on")).to_contain_text("Occlusion")
    visit.after_run(lambda: page.keyboard.press("ArrowRight"))
    expect(page.locator(".hero .w.picked")).to_have_text("The")
    visit.after_run(lambda: page.keyboard.press("]"))
    expect(page).to_have_url(re.compile("example=(?!negation)"))
    visit.after_run(lambda: page.keyboard.press("["))
    visit.after_run(lambda: page.keyboard.press("["))
    expect(page).to_have_url(re.compile("example=another_language"))
    visit.after_run(lambda: page.keyboard.press("]"))  # not the button that stands beside the examples
    expect(page).to_have_url(re.compile("example=negation"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("body")).to_be_focused()  # no longer the list of keys, where keys are silent
    page.keyboard.press("p")
    expect(page.locator("html")).to_have_class(re.compile("explain-present"))
    expect(page).to_have_url(re.compile("present=1"))
    page.keyboard.press("Escape")
    expect(page.locator("html")).not_to_have_class(re.compile("explain-present"))
    page.keyboard.press("/")
    expect(editor(visit)).to_be_focused()
    page.keyboard.type("p?2")
    expect(editor(visit)).to_have_value(re.compile(r"p\?2$"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("html")).not_to_have_class(re.compile("explain-present"))


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
def test_a_first_visit_has_four_notes_that_are_in_the_way_of_nothing(visit: Visit) -> None:
    page = visit.page
    # Each visit of these tests begins with the notes seen; this one as a first visit does, once.
    first = "if (!sessionStorage.getItem('again')) { localStorage.clear(); sessionStorage.setItem('again', '1'); }"
    page.add_init_script(f"if (location.protocol === 'http:') {{ {first} }}")
    visit.open(QUICK)
    note = page.get_by_role("dialog", name="First steps")
    expect(note).to_contain_text("1 of 4")
    expect(page.locator("body")).to_be_focused()
    ground = note.evaluate("node => getComputedStyle(node).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 200  # dark as the app is
    page.keyboard.press("/")  # keys go on working
    expect(editor(visit)).to_be_focused()
    for step in ("2 of 4", "3 of 4", "4 of 4"):
        note.get_by_role("button", name="Next").click()
        expect(note).to_contain_text(step)
        ring, frame = page.locator(".explain-ring").bounding_box(), note.bounding_box()
        assert ring and frame and (ring["y"] + ring["height"] < frame["y"] or ring["x"] + ring["width"] < frame["x"])
    page.set_viewport_size({"width": 400, "height": 800})  # a low sheet, under the text
    sheet, hero = note.bounding_box(), page.locator(".st-key-hero").bounding_box()
    assert sheet and hero and (sheet["x"], sheet["width"]) == (0, 400) and hero["y"] + hero["height"] < sheet["y"]
    assert sheet["y"] + sheet["height"] == 800 and sheet["height"] < 80
    page.keyboard.press("p")
    expect(note).to_be_hidden()
    page.keyboard.press("p")
    note.get_by_role("button", name="Done").focus()
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
    expect(editor(visit)).to_be_focused()  # where the focus was
    page.reload()
    visit.settle()
    page.wait_for_timeout(1000)  # more than twice the pause between two looks
    expect(note).to_have_count(0)


def test_the_first_stop_of_the_tab_key_leads_to_the_text(visit: Visit) -> None:
    visit.open(QUICK)
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("link", name="To the text")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(editor(visit)).to_be_focused()
    assert visit.page.locator("[tabindex]").evaluate_all("nodes => nodes.every((node) => node.tabIndex <= 0)")
    visit.page.get_by_role("link", name="Help").click()
    expect(visit.page.get_by_role("radio", name="Limits")).to_be_visible()
    visit.page.locator(".explain-skip").focus()
    expect(visit.page.locator(".explain-skip")).to_have_text("To the content")  # no text stands here
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_test_id("stMain")).to_be_focused()


def test_words_are_picked_and_masked_together_and_the_answer_stands_before_and_after(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    first, last = (page.locator(".hero .w", has_text=re.compile(f"^{word}$")) for word in ("not", "bad"))
    said = page.locator(".hero .answer").text_content()
    first.hover()
    page.mouse.down()
    last.hover()
    visit.after_run(page.mouse.up)
    expect(page.locator(".hero .w.picked")).to_have_text(["not", "as", "bad"])
    visit.after_run(page.locator(".tries .try", has_text="[MASK] [MASK] [MASK]").click)
    masked = FIRST_EXAMPLE.replace("not as bad", "[MASK] [MASK] [MASK]")
    expect(editor(visit)).to_have_value(masked)
    strip = page.locator(".before-after")
    before = strip.locator(".former").text_content() or ""
    assert all(word in (said or "") for word in before.split())
    expect(strip.locator("b")).to_have_text(re.compile(r"^\w+ \d+%$"))
    expect(strip.locator(".move.replaced")).to_have_count(3)
    visit.after_run(lambda: page.keyboard.press("z"))
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE)
    visit.after_run(lambda: page.keyboard.press("Shift+Z"))
    expect(editor(visit)).to_have_value(masked)
    visit.after_run(strip.get_by_role("button", name="Close before and after").click)
    expect(strip).to_have_count(0)
    visit.after_run(lambda: page.keyboard.press("ArrowRight"))
    page.keyboard.down("Shift")
    page.keyboard.press("ArrowRight")
    visit.after_run(lambda: page.keyboard.up("Shift"))
    expect(page.locator(".hero .w.picked")).to_have_text(["The", "film"])


def test_a_word_is_edited_from_its_card_and_stands_beside_the_pinned_result(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    visit.after_run(lambda: page.get_by_role("button", name="Pin").click())
    visit.after_run(lambda: page.locator(".hero .w", has_text=re.compile("^not$")).click())
    remove = page.locator(".tries .try", has_text="remove")
    expect(remove.locator(".after")).to_have_text(re.compile(r"negative \d+%"))
    said = remove.locator(".after").text_content()
    visit.after_run(remove.click)
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE.replace("not ", ""))
    label, share = said.split()
    expect(page.locator(".hero .answer")).to_contain_text(re.compile(f"{label}.*{share}", re.IGNORECASE))
    expect(page.locator(".hero .because")).to_contain_text("For positive:")  # what was pinned is still explained
    expect(page.locator(".compare")).to_be_visible()
    visit.after_run(lambda: page.get_by_role("button", name="Unpin").click())
    expect(page.locator(".compare")).to_have_count(0)
    expect(page.locator(".hero .because")).to_contain_text("Because of")


def test_the_card_of_a_word_leads_to_other_words_and_to_its_top_neuron(visit: Visit) -> None:
    visit.open(QUICK)
    page = visit.page
    visit.after_run(lambda: page.locator(".hero .w", has_text=re.compile("^not$")).click())
    other = page.locator(".details .partners button").first
    name = other.locator("bdi").text_content()
    visit.after_run(other.click)
    expect(page.locator(".details .word > .name")).to_have_text(str(name))
    neuron = page.locator(".details .neuron button")
    number = str(neuron.text_content())
    visit.after_run(neuron.click)
    expect(page).to_have_url(re.compile(f"/inside.*neuron={number}"))
    expect(page.get_by_role("heading", name=f"Neuron {number}")).to_be_visible()
    expect(page.locator(".hero .w.picked")).to_have_text(str(name))
    expect(page.locator(".details .neuron button")).to_have_text(number)


def test_a_click_asks_why_not_the_next_label_and_another_goes_back(visit: Visit) -> None:
    visit.open("/?model=entailment&methods=occlusion")
    chip = visit.page.get_by_role("button", name="Why not")
    asked = re.fullmatch(r"Why not (\w+)\?", str(chip.text_content()))
    assert asked is not None
    visit.after_run(chip.click)
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(visit.page).to_have_url(re.compile(f"against={asked[1]}"))
    expect(visit.page.locator(".hero .legend")).to_contain_text(f"rather than {asked[1]}")
    visit.after_run(chip.click)
    expect(chip).to_have_attribute("aria-pressed", "false")
    expect(visit.page).not_to_have_url(re.compile("against="))

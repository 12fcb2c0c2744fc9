"""The history in a browser: opened again, starred, named, kept over a reload, linked to, saved and deleted."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from explain.report.record import from_json
from tests.pages.visits import FIRST_EXAMPLE, Visit

pytestmark = pytest.mark.browser
QUICK = "/?methods=occlusion"
HOSTILE = "A <b>bad</b> film *and* \u202e [worse](http://example.org)."


def history(visit: Visit) -> Locator:
    return visit.open_menu("history").locator(".history")


def editor(visit: Visit) -> Locator:
    return visit.page.get_by_role("textbox", name="Text to explain")


def test_an_entry_is_starred_named_opened_again_linked_to_and_deleted(visit: Visit) -> None:
    page = visit.open(QUICK).page
    shown = history(visit)
    shown.get_by_role("button", name="Clear all").click()
    visit.after_run(lambda: shown.get_by_role("button", name="Delete").click())  # what other tests left
    expect(shown).to_contain_text("Nothing yet.")
    visit.close_menu()
    visit.type("A dull film.")
    visit.type(HOSTILE)
    shown = history(visit)
    expect(shown.locator(".entry")).to_have_count(2)
    expect(shown.locator(".entry .heat").first).to_have_text(HOSTILE.replace("\u202e", "\u27e8U+202E\u27e9"))
    expect(shown.locator(".heat b, .heat a")).to_have_count(0)
    expect(page.locator(".hero .answer .label")).to_have_text(re.compile("negative", re.IGNORECASE))
    expect(shown.locator(".entry .decided").first).to_have_text(re.compile(r"^negative \d"))

    dull = shown.locator(".entry", has_text="A dull film.")
    visit.after_run(lambda: dull.get_by_role("button", name="Star").click())
    expect(dull.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    dull.get_by_role("button", name="Rename").click()
    page.keyboard.type("my <i>name</i>")
    visit.after_run(lambda: page.keyboard.press("Enter"))
    expect(dull.locator(".title")).to_have_text("my <i>name</i>")

    visit.open("/")  # another visit of the same person
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE)
    shown = history(visit)
    expect(shown.locator(".entry")).to_have_count(3)
    expect(shown.locator(".entry .title").first).to_have_text("my <i>name</i>")  # starred ones stand first
    with page.expect_download() as saved:
        shown.locator(".entry").first.get_by_role("button", name="Save").click()
    record = from_json(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert record.text == "A dull film." and [scores.method for scores in record.attributions] == ["occlusion"]
    shown.locator(".entry").first.get_by_role("button", name="Copy link").click()
    expect(shown.get_by_text("Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(re.escape(visit.address) + r"/\?entry=[0-9a-f]{32}", link)

    visit.after_run(lambda: shown.get_by_role("button", name="Open again: negative").first.click())
    expect(editor(visit)).to_have_value("A dull film.")
    expect(page).to_have_url(re.compile(r"\?methods=occlusion$"))
    expect(page.locator('[class*="_menu"] details[open]')).to_have_count(0)

    visit.open(link.removeprefix(visit.address))
    expect(editor(visit)).to_have_value("A dull film.")
    expect(page).to_have_url(re.compile(r"\?methods=occlusion$"))
    visit.open(f"/?entry={'0' * 32}")
    expect(page.get_by_text("The history has no entry 0000")).to_be_visible()
    expect(editor(visit)).to_have_value(FIRST_EXAMPLE)

    shown = history(visit)
    shown.get_by_label("Keep no history").click()
    visit.after_run(lambda: shown.get_by_role("button", name="Delete").click())
    expect(shown).to_contain_text("No history is kept.")
    visit.open("/")
    expect(history(visit)).to_contain_text("No history is kept.")
    visit.after_run(lambda: page.get_by_label("Keep no history").click())
    expect(page.locator(".history")).to_contain_text("Kept on this machine")

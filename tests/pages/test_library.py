"""The library on pages: kept on Words, listed, changed, opened again; by link alone where others come."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explain
from explain.data.dataset import Dataset
from explain.datatypes import Report
from explain.library.library import Library
from pages.shared import library, session, stored
from tests.pages.test_explain_text import ROOT, run
from tests.waiting import PATIENCE

HOSTILE = "<script>alert(1)</script> ![x](http://x) :red[no] \u202e**b**"
TEXT = "A dull film."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLAIN_HISTORY", str(tmp_path / "history"))
    monkeypatch.setenv("EXPLAIN_RUNS", str(tmp_path / "runs"))
    for name in ("EXPLAIN_LIBRARY", "EXPLAIN_ALLOW_SAVING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "history" / "library"


@pytest.fixture
def kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library of a visitor whose browser is on the server's machine."""
    monkeypatch.setattr(session, "visitor_is_here", lambda: True)
    return Library(folder)


@pytest.fixture(scope="module")
def report() -> Report:
    return explain.explain(TEXT, methods=["occlusion"], label="positive", phrases=False)


def page(name: str = "navigation", **parameters: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=PATIENCE)
    app.query_params.update(parameters)
    return app


def spoken(app: AppTest) -> str:
    """All that is on the page, less what keeps it from being read as Markdown."""
    assert not app.exception
    kinds = ("error", "info", "warning", "success", "caption", "markdown")
    return " ".join(part.value for kind in kinds for part in getattr(app, kind)).replace("\\", "")


def press(app: AppTest, key: str) -> AppTest:
    next(button for button in app.button if button.key == key or button.label == key).click()
    return app.run()


def shown(app: AppTest, kept: Library, place: int = 0) -> AppTest:
    """Draw the details of an entry of the list."""
    return press(app, f"row_{kept.listed()[place].id}")


def test_an_explanation_is_kept_on_words_and_opened_again_from_the_library(kept: Library) -> None:
    app = run(page(methods="occlusion", text=TEXT, target="positive"))
    assert "keep_name" not in {box.key for box in app.text_input}
    app.session_state["library_part"] = True  # a click on it; AppTest opens no expander
    app.run()
    app.text_input(key="keep_name").set_value(HOSTILE)
    app.text_area(key="keep_note").set_value("Look at the negations.")
    app.number_input(key="keep_days").set_value(7)
    assert f"Kept as **{HOSTILE.replace(chr(0x202E), '⟨U+202E⟩')}**, until" in spoken(press(app, "Keep"))
    (entry,) = kept.listed("negations")
    assert (entry.name, entry.snippet, entry.kind) == (HOSTILE, TEXT, "explanation")
    assert kept.open(entry.id).target.label == "positive"  # type: ignore[union-attr]
    app.switch_page("library.py")
    app.run()
    assert "7 days left · 1 note" in spoken(app)
    app.session_state["text"] = "Another text."
    assert "Look at the negations." in spoken(shown(app, kept))
    press(app, "Open on Words")  # one run: a second would be one of the page that was left
    state = app.session_state
    assert (state["page"], state["text"], state["methods"], state["target"]) == (
        "explain_text",
        TEXT,
        ["occlusion"],
        "positive",
    )
    assert "From the library: kept on" in spoken(app) and "Computed again now: the same scores." in spoken(app)


def test_what_is_computed_now_is_compared_with_what_was_stored(kept: Library, report: Report) -> None:
    model = dataclasses.replace(report.model, weight_sha256="0" * 64)
    (scores,) = report.attributions
    earlier = dataclasses.replace(scores, scores=scores.scores + 0.25)
    entry = kept.keep_explanation(dataclasses.replace(report, model=model, attributions=(earlier,)), name=HOSTILE)
    app = run(page(saved=kept.share(entry.id)))
    assert not app.query_params.get("saved") and app.session_state["text"] == TEXT
    (warning,) = app.warning
    assert "The model has changed since. Numbers computed now differ by up to 0.25." in warning.value
    assert "\\<script\\>" in warning.value
    app.session_state["target"] = "negative"
    assert "From the library" not in spoken(run(app))


def test_a_report_says_what_the_address_bar_holds(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    (scores,) = report.attributions
    assert dict(stored.link_settings(report)) == {
        "model": ("sentiment",),
        "methods": ("occlusion",),
        "target": ("positive",),
        "scale": ("log_odds",),
    }
    target = dataclasses.replace(report.target, scale="logit_difference", against="negative", against_index=0)
    deleted = dataclasses.replace(scores, params={**scores.params, "operator": "delete"})
    elsewhere = dataclasses.replace(report.model, id="org/not-here")
    other = dataclasses.replace(report, target=target, attributions=(deleted,), model=elsewhere)
    monkeypatch.setattr(session, "any_model_allowed", lambda: False)
    assert dict(stored.link_settings(other))["model"] == ("org/not-here",)  # the page says that there is none
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    assert dict(stored.link_settings(other)) == {
        "model": ("other",),
        "place": ("org/not-here",),
        "task": ("text_classification",),
        "methods": ("occlusion",),
        "occlusion.operator": ("delete",),
        "target": ("positive",),
        "against": ("negative",),
    }


def test_an_entry_is_changed_and_another_visitor_is_not_overwritten(kept: Library, report: Report) -> None:
    entry = kept.keep_explanation(report, name="mine")
    app = page("library").run()
    assert "Explanation · sentiment · kept on" in spoken(app)
    shown(app, kept)
    app.text_input(key=f"entry_name_{entry.id}_0").set_value("stale")
    kept.rename(entry.id, "of somebody else")
    assert "Somebody else has changed this entry meanwhile." in spoken(press(app, "Rename"))
    assert kept.listed()[0].name == "of somebody else"
    app.text_input(key=f"entry_name_{entry.id}_1").set_value("better")
    press(app, "Rename")
    app.text_area(key=f"entry_note_{entry.id}").set_value(HOSTILE)
    kept.annotate(entry.id, "of somebody else")  # notes are added, whoever was first
    press(app, "Add the note")
    app.number_input(key=f"entry_days_{entry.id}_4").set_value(3)
    press(app, "Set")
    press(app, "Make a link")
    (entry,) = kept.listed()
    assert (entry.name, [note.text for note in entry.notes], entry.links) == (
        "better",
        ["of somebody else", HOSTILE],
        1,
    )
    assert "3 days left · 2 notes" in spoken(app) and "1 link opens this entry." in spoken(app)
    assert kept.by_link(app.session_state["library_link"][1]) == entry
    press(app, "Remove")
    press(app, "End all links")
    assert [note.text for note in kept.listed()[0].notes] == [HOSTILE] and not kept.listed()[0].links
    place = Path(entry.place)
    assert "Deleted: better." in spoken(press(app, "Delete it")) and "Nothing is kept yet." in spoken(app.run())
    assert not kept.listed() and not place.exists()


def test_entries_are_sought_and_damage_is_said(
    kept: Library, report: Report, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "MOST_AT_ONCE", 2)
    for number in range(3):
        entry = kept.keep_explanation(report, name=f"number {number}" if number else HOSTILE)
    app = page("library", find="NUMBER 1", kept_kind="explanations").run()
    assert [button.label for button in app.button if button.label.startswith("**")] == ["**number 1**"]
    app.text_input(key="find").set_value("no such word")
    assert "Nothing has these words." in spoken(app.run())
    app.text_input(key="find").set_value("")
    app.run()
    app.number_input(key="kept_page").set_value(2)
    (row,) = [button.label for button in app.run().button if button.label.startswith("**")]
    assert row.replace("\\", "") == f"**{HOSTILE.replace(chr(0x202E), '⟨U+202E⟩')}**" and "\\<script\\>" in row
    app.number_input(key="kept_page").set_value(1)
    Path(entry.place).write_text("{")
    app.run()
    assert "Its files are damaged or gone" in spoken(shown(app, kept))
    assert "Open on Words" not in {button.label for button in app.button}
    (folder / "index.sqlite").write_bytes(b"no database" * 1000)
    assert "is damaged" in spoken(app.run())
    app = press(app, "rebuild")
    assert "The index holds 2 entries" in spoken(app) and entry.id in spoken(app)


def test_a_run_of_the_command_line_is_opened_on_its_page(kept: Library, tmp_path: Path) -> None:
    rows = [{"text": f"Film {number} is a mess."} for number in range(3)]
    explain.run(Dataset.of_rows(rows), out=tmp_path / "made" / "RUN", methods=(), shard_size=2)
    entry = kept.keep_run(tmp_path / "made" / "RUN", name="by command")
    app = page(saved=kept.share(entry.id)).run()
    state = app.session_state
    assert state["page"] == "data_set" and state["run_of_data"] == "made/RUN"
    assert "sentiment on The rows · 3 rows" in spoken(app).replace("**", "")
    assert not {"Delete it", "Continue"} & {button.label for button in app.button}
    again = page("data_set/page", run_of_data="made/RUN").run()  # the page was loaded again
    assert "3 rows" in spoken(again)
    kept.delete(entry.id)
    assert "3 rows" not in spoken(page("data_set/page", run_of_data="made/RUN").run())


def by_link(app: AppTest) -> Any:
    return app.session_state["library_saved"][1]


def test_others_save_by_link_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = run(page(methods="occlusion", text=TEXT))
    app.session_state["library_part"] = True
    assert "save_by_link" not in {button.key for button in app.run().button}  # saving is off
    assert "Saving is off on this server" in spoken(page("library").run()) and not folder.exists()
    monkeypatch.setenv("EXPLAIN_ALLOW_SAVING", "1")
    press(app.run(), "save_by_link")
    saved, kept = by_link(app), Library(folder)
    assert "Copy both now" in spoken(app) and not kept.listed()
    hidden = kept.by_link(saved.opens)
    assert hidden is not None and hidden.by_link
    opened = run(page(saved=saved.opens))
    assert opened.session_state["text"] == TEXT and "Opened by link. It was saved on" in spoken(opened)
    for stranger in (hidden.id, saved.deletes, saved.opens[:-1], "", HOSTILE):
        assert "This link opens nothing." in spoken(page("library", saved=stranger).run())
    assert "listed nowhere" in spoken(page("library").run())
    assert "This link deletes nothing." in spoken(page("library", delete=saved.opens).run())
    deletion = page("library", delete=saved.deletes).run()
    assert TEXT in spoken(deletion) and kept.by_link(saved.opens) is not None  # looking deletes nothing
    assert "It is deleted" in spoken(press(deletion, "delete_by_link")) and not Path(hidden.place).exists()
    assert "This link deletes nothing." in spoken(page("library", delete=saved.deletes).run())
    monkeypatch.setattr(library, "MOST_SAVES", 1)
    del app.session_state["library_saved"]
    assert "A visitor may save 1 explanations here." in spoken(press(app.run(), "save_by_link"))
    monkeypatch.delenv("EXPLAIN_ALLOW_SAVING")
    assert "Saving is off on this server" in spoken(page("library", saved=saved.opens).run())

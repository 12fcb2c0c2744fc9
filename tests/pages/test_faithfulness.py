"""The page of verdicts by AppTest: what it says before and after the test, of bad texts, and of marks."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.run.results import MethodTests
from explain.views.word_marks import fingerprint
from pages.shared import show
from tests.golden import HOSTILE
from tests.pages.test_explain_text import ROOT, drawn, run, start
from tests.pages.visits import FIRST_EXAMPLE
from tests.waiting import PATIENCE


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "faithfulness.py"), default_timeout=PATIENCE)


def said(app: AppTest) -> str:
    """All that stands in the text of the page, as it is read."""
    return " ".join(one.value for one in app.markdown).replace("\\", "")


def verdicts_of(app: AppTest) -> list[str]:
    return [one.value.replace("\\", "") for one in app.markdown if "-badge[" in one.value]


def test_verdicts_are_free_and_the_test_is_on_demand(app: AppTest) -> None:
    run(app)
    assert not app.error and not app.exception
    assert "not yet compared with measured effects" in said(app).lower()
    assert "Switch on the test" in app.info[0].value.replace("\\", "")
    assert any("passes, for 15 words" in caption.value for caption in app.caption)
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "agreement with measured effects is" in said(app) and "Take it with you" in drawn(app)
    reinitialized, figures = app.dataframe
    assert len(reinitialized.value) == 3 and reinitialized.value["random scores"][0] == "0.23"
    assert set(figures.value["metric"]) >= {"Deletion", "Insertion", "Completeness gap"}


def test_a_verdict_is_gray_until_its_tests_are_in(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, run_on = threading.Event(), MethodTests.run_on

    def wait_and_run(tests: MethodTests, *arguments: Any) -> Any:
        assert may_end.wait(PATIENCE)
        return run_on(tests, *arguments)

    monkeypatch.setattr(MethodTests, "run_on", wait_and_run)
    app.session_state["test"] = True
    app.session_state["text"] = "The cast is good, but nobody told them what the film is about."
    start(app)
    give_up = time.monotonic() + PATIENCE
    while len(verdicts_of(app)) < 3 and time.monotonic() < give_up:
        app.run()
    assert len(verdicts_of(app)) == 3
    for sentence in verdicts_of(app):
        assert ":gray-badge[testing …]" in sentence and "the comparison with measured effects" in sentence
        assert "model's weights are randomized" in sentence  # measured before, and said from the start
    may_end.set()
    run(app)
    for sentence in verdicts_of(app):
        assert ":gray-badge" not in sentence and "agreement with measured effects is" in sentence
        assert "model's weights are randomized" in sentence


def test_further_tests_are_drawn(app: AppTest) -> None:
    app.session_state["test"] = app.session_state["pairs"] = True
    app.session_state["metrics"] = ["reference_robustness"]
    app.session_state["method"] = ["occlusion"]
    app.session_state["text"] = "The film isn't good, but its cast saves it."
    run(app)
    assert not app.error and not app.exception
    headings = [one.value for one in app.subheader]
    assert "From another empty text" in headings and "What acts together" in headings


def test_the_caption_says_what_was_measured(app: AppTest) -> None:
    run(app)
    (caption,) = (one.value for one in app.caption if one.value.startswith("*It holds*"))
    green: dict[str, list[float]] = {}
    for row in (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 4 and cells[1].partition(" ")[0].replace(".", "").isdigit() and "%" in cells[1]:
            green[cells[0].split(",")[0].strip("* ")] = [float(cell.split()[0]) for cell in cells[1:] if "%" in cell]
    default = [green["integrated gradients"], green["occlusion"]]
    assert "of no random explanation" in caption and green["random"][0] == 0
    assert "seven in eight of the default ones" in caption
    assert sum(shares[0] for shares in default) / 2 == pytest.approx(100 * 7 / 8, abs=2)
    assert "about half of the default ones" in caption
    assert sum(shares[2] for shares in default) / 2 == pytest.approx(50, abs=10)


def test_short_texts_can_not_be_judged(app: AppTest) -> None:
    app.session_state["text"] = "zebra"
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "too short to tell" in said(app) and "1 word, and" in said(app)


@pytest.mark.parametrize("model", ["sentiment", "base"])
def test_hostile_and_masked_texts(app: AppTest, model: str) -> None:
    app.query_params["model"] = model
    app.session_state["text"] = HOSTILE if model == "sentiment" else "The capital of France is [MASK], not of Spain."
    app.session_state["test"] = True
    run(app)
    assert not app.error and not app.exception
    assert "agreement with measured effects is" in said(app)


def captions(app: AppTest) -> str:
    return " ".join(one.value for one in app.caption)


Mark = Callable[..., None]


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Mark:
    """Marks words by number, as clicks in the drawing do; AppTest knows nothing of drawings."""
    seen: dict[str, Any] = {}
    draw = show.view

    def watched(name: str, result: Any, **options: Any) -> None:
        if name == "word_marks":
            seen.update(result=result, **options)
        draw(name, result, **options)

    def choose(*words: int, **changes: str) -> None:
        on_chosen: Callable[[Mapping[str, Any]], None] = seen["on_chosen"]
        on_chosen({"of": fingerprint(seen["result"], seen["among"]), "words": list(words)} | changes)

    monkeypatch.setattr(show, "view", watched)
    return choose


def test_marks_are_kept_over_pages_texts_and_settings_and_compute_nothing(
    mark: Mark, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    run(app)
    app.switch_page("faithfulness.py")
    run(app)
    assert not app.table and "No word is marked yet" in captions(app)
    mark(2, 10)
    with monkeypatch.context() as still:
        still.setattr("torch.nn.Module.__call__", lambda *_, **__: 1 / 0)  # a mark needs no pass
        run(app)
    assert not app.error and not app.exception
    (table,) = app.table
    assert list(table.value["Method"]) == ["Integrated gradients", "Occlusion", "Attention rollout", "Random order"]
    assert list(table.value["F1"])[-1] == "0.13" and "the 2 highest-scored words" in captions(app)
    marks = app.session_state["marks"]

    app.switch_page("explain_text.py")
    run(app)
    app.switch_page("faithfulness.py")
    run(app)
    assert len(app.table) == 1
    app.text_area(key="text").set_value("Another text altogether.")
    run(app)
    assert not app.table
    mark(1, of="a click that came too late")
    assert len(marks) == 1
    mark(0, 1, 2, 3)
    run(app)
    assert not app.table and "Every word is marked" in captions(app)
    mark(1)
    app.multiselect(key="methods").set_value(["occlusion"])
    run(app)
    assert len(app.table[0].value) == 2 and len(marks) == 2
    app.text_area(key="text").set_value(FIRST_EXAMPLE)
    run(app)
    assert list(app.table[0].value["F1"])[-1] == "0.13"
    first, second = json.loads(marks.to_json())
    assert [word["text"] for word in first["marked"]] == ["isn't", "bad"] and len(first["figures"]) == 4
    assert [word["text"] for word in second["marked"]] == ["text"] and len(second["figures"]) == 2


@pytest.mark.parametrize(("model", "text"), [("sentiment", HOSTILE), ("base", "The capital of [MASK] is [MASK].")])
def test_hostile_texts_pairs_and_masks_are_marked(app: AppTest, mark: Mark, model: str, text: str) -> None:
    app.query_params["model"] = model
    app.session_state["text"] = text
    app.session_state["pair"] = ":red[Not] *so* `good`"
    run(app)
    mark(3, 4, 6)
    run(app)
    assert not app.error and not app.exception
    assert (len(app.table) == 1) and "Take it with you" in drawn(app)

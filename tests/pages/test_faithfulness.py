"""The page of verdicts by AppTest: what it says before and after the test, of bad texts, and of marks."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.report.record import from_json
from explain.report.replay import replay
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


def verdict_of(app: AppTest) -> str:
    """The verdict on the scores that are shown, and its reason."""
    (badge,) = (one for one in app.markdown if "-badge[" in one.value)
    return f"{badge.value} {badge.help}".replace("\\", "")


def checks_of(app: AppTest) -> dict[str, str]:
    """The sentence of each check, with the icon of its state."""
    labels = [one.label for one in app.expander] + [one.value for one in app.markdown]
    found = (re.fullmatch(r":\w+\[:material/(\w+):] (.+)", label.replace("\\", "")) for label in labels)
    return {match[2]: match[1] for match in found if match}


def agreement_with_marks(app: AppTest) -> list[Any]:
    return [table.value for table in app.table if "F1" in table.value]


def test_checks_are_free_or_run_by_a_button(app: AppTest) -> None:
    run(app)
    assert not app.error and not app.exception
    assert ":gray-badge[untested]" in verdict_of(app)
    assert "passed 2 of 2 checks that were run" in said(app)
    checks = checks_of(app)
    assert checks["The scores add up."] == checks["An untrained model gives other scores."] == "check_circle"
    assert checks["Does the order fit the effects of removing words?"] == "radio_button_unchecked"
    assert checks["Which words act together?"] == "radio_button_unchecked"
    assert "passes, for 15 words" in captions(app) and len(app.dataframe) == 1
    assert "At most" in app.button(key="ask_effects").help and "passes" in app.button(key="ask_word_interactions").help
    app.button(key="ask_effects").click()
    run(app)
    assert not app.error and not app.exception
    assert "agreement with measured effects is" in verdict_of(app) and "Export" in drawn(app)
    checks = checks_of(app)
    assert checks["The order fits the effects of removing words."] == "check_circle"
    assert checks["Do the signs depend on the reference text?"] == "radio_button_unchecked"
    figures, reinitialized = app.dataframe
    assert len(reinitialized.value) == 3 and reinitialized.value["random scores"][0] == "0.23"
    assert set(figures.value["metric"]) >= {"Deletion", "Insertion", "Completeness gap"}
    (row, *others) = app.table[0].value.to_dict("records")
    assert row["method"] == "Integrated gradients" and row["order"] == "✓" and row["reference text"] == "○"
    assert all(other["order"] == "○" and other["verdict"] == "untested" for other in others)


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
    while (not app.table or len(app.table[0].value) < 3) and time.monotonic() < give_up:
        app.run()
    waiting = verdict_of(app)
    assert ":gray-badge[testing …]" in waiting and "the comparison with measured effects" in waiting
    assert "model's weights are randomized" in waiting  # measured before, and said from the start
    assert "running …" in captions(app) and not [button for button in app.button if button.key == "ask_effects"]
    may_end.set()
    run(app)
    assert ":gray-badge" not in verdict_of(app) and "agreement with measured effects is" in verdict_of(app)
    assert "model's weights are randomized" in verdict_of(app) and "running …" not in captions(app)


def test_every_check_is_run_at_once(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(show.st, "download_button", lambda label, make, *_, **__: files.update({label: make}))
    app.session_state["methods"] = ["occlusion"]
    app.session_state["pairs"] = True
    app.session_state["text"] = "The cast saves this film."
    run(app)
    assert ":gray[:material/info:] What acts together" in [one.label for one in app.expander]
    app.button(key="ask_all").click()
    run(app)
    assert not app.error and not app.exception
    checks = checks_of(app)
    assert "radio_button_unchecked" not in checks.values()
    assert checks["These scores are not meant to add up."] == "do_not_disturb_on"
    assert any("reference text" in sentence for sentence in checks)
    record = from_json(files["JSON, to replay"]())
    assert {"reference_robustness", "effect_agreement"} <= {figure.metric for figure in record.metrics}
    assert replay(record).within(1e-3)


def test_the_caption_says_what_was_measured(app: AppTest) -> None:
    run(app)
    (caption,) = (one.value for one in app.caption if one.value.startswith("*It holds*"))
    green: dict[str, list[float]] = {}
    for row in (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 6 and cells[1].partition(" ")[0].replace(".", "").isdigit() and "%" in cells[1]:
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
    assert "too short to tell" in verdict_of(app) and "1 word, and" in said(app)


@pytest.mark.parametrize("model", ["sentiment", "base"])
def test_hostile_and_masked_texts(app: AppTest, model: str) -> None:
    app.query_params["model"] = model
    app.session_state["text"] = HOSTILE if model == "sentiment" else "Paris is the capital of [MASK]."
    app.session_state["test"] = True
    app.session_state["methods"] = ["occlusion"]
    run(app)
    assert not app.error and not app.exception
    assert "agreement with measured effects is" in verdict_of(app)


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
    assert not agreement_with_marks(app) and "No word is marked yet" in captions(app)
    mark(2, 10)
    with monkeypatch.context() as still:
        still.setattr("torch.nn.Module.__call__", lambda *_, **__: 1 / 0)  # a mark needs no pass
        run(app)
    assert not app.error and not app.exception
    (table,) = agreement_with_marks(app)
    assert list(table["Method"]) == ["Integrated gradients", "Occlusion", "Attention rollout", "Random order"]
    assert list(table["F1"])[-1] == "0.13" and "the 2 highest-scored words" in captions(app)
    marks = app.session_state["marks"]

    app.switch_page("explain_text.py")
    run(app)
    app.switch_page("faithfulness.py")
    run(app)
    assert len(agreement_with_marks(app)) == 1
    app.session_state["text"] = "Another text altogether."
    run(app)
    assert not agreement_with_marks(app)
    mark(1, of="a click that came too late")
    assert len(marks) == 1
    mark(0, 1, 2, 3)
    run(app)
    assert not agreement_with_marks(app) and "Every word is marked" in captions(app)
    mark(1)
    app.multiselect(key="methods").set_value(["occlusion"])
    run(app)
    assert len(agreement_with_marks(app)[0]) == 2 and len(marks) == 2
    app.session_state["text"] = FIRST_EXAMPLE
    run(app)
    assert list(agreement_with_marks(app)[0]["F1"])[-1] == "0.13"
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
    assert len(agreement_with_marks(app)) == 1 and "Export" in drawn(app)

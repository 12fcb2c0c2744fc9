"""The pages Attention and Inside hand out reports that hold what they computed, and that replay."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explain.report.record import from_json
from explain.report.replay import replay
from pages.shared import show
from tests.pages.test_explain_text import ROOT, run
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    ("page", "key", "view", "answers"),
    [
        ("attention", "view", "overview", ["head_statistics"]),
        ("attention", "view", "layers", ["logit_lens"]),
        ("inside", "inside", "layers", ["hidden_states"]),
        ("inside", "inside", "neurons", ["neuron_activations", "neuron_ablation"]),
    ],
)
def test_what_is_shown_can_be_replayed(
    page: str, key: str, view: str, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files: dict[str, Callable[[], str | bytes]] = {}
    monkeypatch.setattr(show.st, "download_button", lambda label, make, *_, **__: files.update({label: make}))
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=PATIENCE)
    app.session_state[key] = view
    app.session_state["text"] = "A dull film."
    if "neuron_ablation" in answers:
        app.session_state["zero"] = ["3.12"]
    run(app)
    assert not app.error and not app.exception
    recorded = from_json(str(files["JSON, to replay"]()))
    assert [answer.analysis for answer in recorded.answers] == answers
    assert replay(recorded).within(1e-3)

"""The attention page by AppTest: what it says, keeps and refuses; what is drawn is looked at in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explain.methods.base import METHODS
from tests.golden import HOSTILE
from tests.pages.test_explain_text import ROOT, drawn, errors, run
from tests.waiting import PATIENCE

VIEWS = ["graph", "overview", "matrix", "bertviz", "heads", "layers"]


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "attention.py"), default_timeout=PATIENCE)
    app.session_state["python"] = True
    return app


def look(app: AppTest, view: str, **selected: object) -> AppTest:
    app.session_state["view"] = view
    for name, value in selected.items():
        app.session_state[name] = value
    return run(app)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_at_first_sight(app: AppTest, view: str) -> None:
    look(app, view)
    assert not app.error and not app.exception
    assert "Export" in drawn(app)
    assert "explain.attention(" in app.code[0].value


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("text", [HOSTILE, "zebra", "so 😍👍🏽 good 🇩🇪", "הסרט הזה לא טוב"])
def test_every_view_bears_every_text(app: AppTest, view: str, text: str) -> None:
    app.session_state["text"] = text
    look(app, view)
    assert not app.error and not app.exception


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_a_masked_word_model(app: AppTest, view: str) -> None:
    app.query_params.update({"model": "base", "example": "two masks", "which": "mask 2"})
    look(app, view, layer="1", token=3)
    assert not app.error and not app.exception
    assert "Export" in drawn(app)


def test_a_text_without_a_mask_is_told_so(app: AppTest) -> None:
    app.query_params["model"] = "base"
    look(app, "graph", text="No mask here.")
    assert "Put" in app.info[0].value and not app.error


def test_a_pair_is_read_together(app: AppTest) -> None:
    look(app, "graph", text="The film was long.", pair="I loved it.")
    assert "text_pair='I loved it.'" in app.code[0].value
    assert not app.error


def test_what_is_selected_is_cut(app: AppTest) -> None:
    look(app, "matrix", layer="2", head="3", token=4, source=6)
    assert "Does it matter?" in drawn(app)
    look(app, "matrix", layer="all", head="mean", token=None, source=None)
    assert "Does it matter?" not in drawn(app)


def test_a_selection_that_no_longer_fits_is_let_go(app: AppTest) -> None:
    look(app, "matrix", token=11, source=2)
    app.session_state["text"] = "so good"
    run(app)
    assert app.number_input(key="token").value is None
    assert not app.exception


@pytest.mark.parametrize(
    "name", ["alti", "value_zeroing", "attention_times_gradient", "attention_flow", "raw_attention"]
)
def test_the_graph_shows_any_member_of_the_family(app: AppTest, name: str) -> None:
    look(app, "graph", weights=name)
    assert not app.error and any(METHODS[name].title in one.value for one in app.markdown)


def test_a_text_too_long_for_a_method_is_told_what_to_do(app: AppTest) -> None:
    look(app, "graph", weights="attention_flow", text="a very long film about nothing at all, " * 20)
    assert "Shorten the text" in errors(app).replace("\\", "")


@pytest.mark.parametrize("view", VIEWS)
def test_models_that_can_not_be_opened(
    app: AppTest, view: str, tiny_folder_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS", f"closed={tiny_folder_of('deberta-v2')}")
    look(app, view, model="closed")
    said = errors(app).replace("\\", "")
    assert not app.exception
    if view in ("heads", "layers"):
        assert "attention in a way of its own" in said
    else:
        assert not said


def test_an_empty_text_says_what_to_do(app: AppTest) -> None:
    look(app, "graph", text="   ")
    assert not app.error and "Type a sentence" in app.info[0].value.replace("\\", "")

"""Links: every widget's choices by ids, earlier words that still work, and what is asked for in vain."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.methods.base import METHODS
from explain.run.plan import DEFAULT_METHODS
from explain.tasks.base import TASKS
from pages.shared import links
from tests.pages.test_explain_text import ROOT, drawn, run
from tests.waiting import PATIENCE

PAGES = ROOT / "pages"
ID = re.compile(r"[a-z0-9_.]+")


def visit(page: str, **parameters: Any) -> AppTest:
    """Open a page by a link."""
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=PATIENCE)
    app.query_params.update(
        {"text": "A dull film."} if page not in ("embeddings/page", "train", "data_set/page") else {}
    )
    app.query_params.update(parameters)
    return run(app)


def link_warning(app: AppTest) -> str:
    """Return the warning about the link, without Markdown's backslashes; there is one at most."""
    boxes = [box.value.replace("\\", "") for box in app.warning]
    assert len(boxes) <= 1
    return "".join(boxes)


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("explain_text", {"model": "entities", "text": "Marie lives in Paris."}),
        ("explain_text", {"model": "base", "text": "A [MASK] and a [MASK].", "methods": list(METHODS)}),
        ("explain_text", {"show": "pieces", "methods": "integrated_gradients"}),
        *(("attention", {"view": view}) for view in ("graph", "overview", "matrix", "bertviz", "heads", "layers")),
        *(("inside", {"inside": view}) for view in ("layers", "neurons")),
        ("faithfulness", {"test": "false"}),
        *(("embeddings/page", {"look": look}) for look in ("map", "search", "neighbors", "matrix", "clusters")),
        ("embeddings/page", {"texts_from": "file", "pooling": "layer"}),
        ("train", {}),
        ("data_set/page", {}),
    ],
)
def test_every_choice_has_an_id(page: str, parameters: Mapping[str, Any]) -> None:
    app = visit(page, **parameters)
    assert not app.exception and not link_warning(app)
    for key, ids in app.session_state["link_ids"].items():
        assert all(map(ID.fullmatch, ids.values())), key
        assert len(set(ids.values())) == len(ids), key
    shown = [*app.selectbox, *app.multiselect, *app.button_group]
    for widget in shown:
        if widget.key in app.session_state["link_parameters"] - {"model", "encoder", "target", "against", "label"}:
            ids = app.session_state["link_ids"][widget.key]
            assert all(ID.fullmatch(ids.get(title, title)) for title in widget.options), widget.key


@pytest.mark.parametrize(
    ("page", "key", "word", "name"),
    [
        ("attention", "view", "heads", "heads"),
        ("attention", "view", "Which heads matter", "heads"),
        ("attention", "view", "which HEADS matter", "heads"),
        ("attention", "weights", "Value zeroing", "value_zeroing"),
        ("attention", "weights", "attention × gradient", "attention_times_gradient"),
        ("inside", "inside", "Neurons", "neurons"),
        ("inside", "figure", "state x gradient", "state_x_gradient"),
        ("inside", "figure", "similarity to the input", "to_input"),
        ("faithfulness", "metrics", "Normalized AOPC", ["normalized_aopc"]),
        ("faithfulness", "figure", "top overlap", "top_overlap"),
        ("explain_text", "methods", "Shapley values", ["shapley_values"]),
        ("explain_text", "methods", "shapley-values", ["shapley_values"]),
        (
            "explain_text",
            "methods",
            ["lime", "Gradient × input", "OCCLUSION"],
            ["lime", "gradient_times_input", "occlusion"],
        ),
        ("explain_text", "show", "Pieces", "pieces"),
        ("explain_text", "scale", "Log-Probability", "log_probability"),
        ("explain_text", "target", "NEGATIVE", "negative"),
        ("explain_text", "model", "Topics", "topics"),
        ("embeddings/page", "look", "Neighbours", "neighbors"),
        ("embeddings/page", "map", "umap", "UMAP"),
        ("embeddings/page", "pooling", "Maximum over the tokens", "max"),
        ("embeddings/page", "texts_from", "load a file", "Load a file"),
    ],
)
def test_a_link_holds_ids_or_earlier_words(page: str, key: str, word: Any, name: Any) -> None:
    app = visit(page, **{key: word})
    assert app.session_state[key] == name and not app.exception and not app.warning
    titles = word if isinstance(word, list) else [word]
    ids = app.session_state["link_ids"][key]
    assert all(ID.fullmatch(ids.get(title, title)) for title in titles)  # what the address bar is given


@pytest.mark.parametrize("name", ["fill_mask", "next_sentence_prediction"])
def test_a_task_by_any_of_its_names(name: str) -> None:
    for word in (name, TASKS[name].hub_name, TASKS[name].title, name.upper()):
        app = visit("explain_text", model="base", task=word)
        assert app.session_state["task"] == name and not app.warning and not app.exception


def test_words_of_a_default_are_no_mistake() -> None:
    app = visit("explain_text", target="(what the model decided)", against="any other")
    assert not app.warning and "Key phrases" in drawn(app)


def test_a_mask_by_its_number_or_its_position() -> None:
    for word in ("mask 2", "5"):
        app = visit("explain_text", model="base", text="A [MASK] and a [MASK].", which=word)
        assert app.selectbox(key="which").value == 5 and not app.warning


@pytest.mark.parametrize(
    ("page", "parameters", "sentence"),
    [
        ("attention", {"view": "nope"}, "The link asks for the view “nope”, which does not exist. This is Graph."),
        ("attention", {"layer": "99"}, "The link asks for the layer “99”, which does not exist. This is all."),
        ("attention", {"lines": "9999"}, "“Lines a layer” to “9999”, which is not possible. This is 40."),
        ("attention", {"token": "900"}, "The link sets “Attending token” to “900”, which is not possible."),
        ("attention", {"special": "maybe"}, "“Special tokens” to “maybe”, which is not possible. This is off."),
        ("inside", {"inside": "x"}, "The link asks for the view “x”, which does not exist. This is Layer by layer."),
        ("inside", {"view": "Neurons"}, "The link sets “view”, which this page does not have."),
        ("explain_text", {"methods": "foo"}, "The link asks for the method “foo”, which does not exist. This is "),
        ("explain_text", {"show": "zzz"}, "The link asks for the unit “zzz”, which does not exist. This is words."),
        ("explain_text", {"target": "so so"}, "The link asks for the label “so so”, which does not exist."),
        ("explain_text", {"model": "base", "task": "bar"}, "the task “bar”, which does not exist. This is M"),
        ("explain_text", {"layers": ["1", "77"]}, "The link sets “Layers” to “77”, which is not possible."),
        ("explain_text", {"layers": "1"}, "The link sets “Layers” to “1”, which is not possible."),
        ("explain_text", {"occlusion.granularity": "x"}, "“Granularity” to “x”, which is not possible. This is "),
        ("faithfulness", {"orders": "inf"}, "“Random orders” to “inf”, which is not possible. This is 40."),
        ("embeddings/page", {"look": "Pie"}, "The link asks for the view “Pie”, which does not exist. This is Map."),
        ("embeddings/page", {"one": "first"}, "The link sets “Row of a text” to “first”, which is not possible."),
        ("embeddings/page", {"encoder": "nope"}, "There is no model nope here. This is "),
        ("train", {"kind": "dance"}, "The link asks for the kind of training “dance”, which does not exist."),
    ],
)  # fmt: skip
def test_what_a_link_asks_for_in_vain_is_named(page: str, parameters: Mapping[str, Any], sentence: str) -> None:
    app = visit(page, **parameters)
    assert sentence in link_warning(app) and not app.exception and not app.error


def test_valid_parts_of_a_link_hold_and_one_box_names_the_others() -> None:
    app = visit("explain_text", methods=["occlusion", "foo"], show="pieces", **{"<b>*x*": "1", "phrases.top": "x"})
    assert app.session_state["methods"] == ["occlusion"] and app.session_state["show"] == "pieces"
    assert "“foo”" in link_warning(app) and "“<b>*x*”" in link_warning(app) and "“Top”" in link_warning(app)
    assert "\\<b\\>\\*x\\*" in app.warning[0].value


def test_a_warning_ends_with_a_choice_and_on_another_page() -> None:
    app = AppTest.from_file(str(PAGES / "navigation.py"), default_timeout=PATIENCE)
    app.query_params.update({"text": "A dull film.", "show": "zzz"})
    run(app)
    assert "zzz" in link_warning(app)
    run(app)
    assert "zzz" in link_warning(app)
    app.button_group(key="show").set_value("pieces")
    run(app)
    assert not app.warning
    app.switch_page("inside.py")
    app.query_params["methods"] = "occlusion"  # a page before had it
    run(app)
    assert not app.warning and not app.exception


def test_a_later_view_names_what_a_link_asks_of_it() -> None:
    app = visit("attention", figure="zzz")
    assert not app.warning
    app.button_group(key="view").set_value("overview")
    run(app)
    assert "the figure “zzz”, which does not exist. This is confidence." in link_warning(app)


def test_streamlits_own_parameters_are_known() -> None:
    assert not visit("attention", embed="true", embed_options="light_theme").warning


def test_a_model_of_ones_own_is_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.shared.session.any_model_allowed", lambda: True)
    for word in ("other", "another model …", "another+model"):
        assert visit("explain_text", model=word.replace("+", " ")).session_state["model"] == "another model …"
    monkeypatch.setattr("pages.shared.session.any_model_allowed", lambda: False)
    for word in ("other", "another model …"):
        assert "Other models are not allowed here. This is sentiment." in link_warning(
            visit("explain_text", model=word)
        )


def test_words_that_two_options_share_pick_none() -> None:
    assert links.place_of("C#", ["C", "C#", "C++"]) == 1
    assert links.place_of("c", ["C", "C#", "C++"]) is None
    assert links.place_of("?", ["!", "…"]) is None


def test_only_one_file_binds_widgets() -> None:
    """Every widget of a link is translated and checked."""
    binding = [path.name for path in PAGES.rglob("*.py") if 'bind="query-params"' in path.read_text(encoding="utf-8")]
    assert binding == ["links.py"]


def test_the_default_methods_need_no_words() -> None:
    assert visit("explain_text").session_state["methods"] == list(DEFAULT_METHODS)

"""Views are found by the type of a result: on pages, in the HTML of a report, and in a notebook."""

import dataclasses
import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explain
from explain.analyses.hidden_states import HiddenStates
from explain.core.errors import SettingError
from explain.datatypes import Answer, LayerStates, Report
from explain.models.loading.catalogue import load_model
from explain.report import notebook
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS, View
from explain.views.document import document
from tests.waiting import PATIENCE

PAGES = Path(__file__).parents[2] / "pages"


class StateCount(View):
    """The number of states, written by a script of its own."""

    name = "state_count"
    title = "Number of states"
    accepts = LayerStates

    @property
    def own_script(self) -> str:
        return "function draw(root, data) { root.append(`states counted: ${data.count}`); }\n"

    def data(self, result: LayerStates, /, **options: Any) -> dict[str, Any]:
        return {"count": result.norms.size}


@pytest.fixture
def new_view(monkeypatch: pytest.MonkeyPatch) -> Iterator[View]:
    VIEWS.discover()
    view = StateCount()
    monkeypatch.setitem(VIEWS._entries, view.name, view)
    yield view


@pytest.fixture(scope="module")
def states() -> LayerStates:
    return explain.ask(HiddenStates(), "A mess.", "sentiment")


def test_views_are_found_by_type_in_the_order_they_are_drawn(states: LayerStates, new_view: View) -> None:
    assert [view.name for view in VIEWS.for_result(states)] == ["layer_states", "state_similarity", "state_count"]
    assert VIEWS.for_type(LayerStates) == VIEWS.for_result(states) and not VIEWS.for_type(int)


def test_a_view_that_a_page_places_is_named_by_a_page() -> None:
    scripts = "".join(path.read_text() for path in PAGES.rglob("*.py"))
    named = set(re.findall(r'(?:view|show\.component)\(\s*"(\w+)"', scripts))
    alone = {"token_heatmap"}  # of a stored record a page draws it, and no other view of the scores
    assert named - alone == {name for name in VIEWS if VIEWS[name].placed}


def test_a_result_without_what_a_view_draws_does_not_fit_it() -> None:
    report = explain.explain("one two", TOY_MODELS["planted"], methods=["occlusion"], phrases=False)
    assert [view.name for view in VIEWS.for_result(report)] == ["hero", "word_details"]
    assert [view.name for view in VIEWS.for_result(report.prediction)] == ["probabilities"]


def test_a_new_view_shows_up_on_the_page_of_its_type(new_view: View) -> None:
    app = AppTest.from_file(str(PAGES / "inside.py"), default_timeout=PATIENCE).run()
    while any(skeleton for skeleton in app.get("skeleton")):
        app.run()
    assert not app.exception and not app.error
    components = {element.proto.component_name for element in app.get("bidi_component")}
    assert {"explain_layer_states", "explain_state_similarity", "explain_state_count"} <= components


def with_answer(states: LayerStates) -> Report:
    report = explain.explain("A mess.", load_model("sentiment"), methods=["occlusion"], phrases=False)
    return dataclasses.replace(report, answers=(Answer("hidden_states", {}, states),))


def test_answers_and_a_new_view_of_them_are_in_the_html_of_a_report(states: LayerStates, new_view: View) -> None:
    page = document(with_answer(states), {})
    for name in ("layer_states", "state_similarity", "state_count"):
        assert f'data-view="{name}"' in page
        assert f'DRAW["{name}"] = ' in page
    assert f'{{"count": {states.norms.size}}}' in page and "states counted" in page


def test_views_drawn_by_the_script_of_another_are_drawn_in_a_file(states: LayerStates) -> None:
    activity = explain.ask("neuron_activations", "A mess.", "sentiment")
    page = explain.show(activity).html
    assert {VIEWS["neuron_heatmap"].drawn_by, VIEWS["top_neurons"].drawn_by} == {"token_heatmap", "cut_effects"}
    for name in ("token_heatmap", "cut_effects"):
        script = page[page.index(f'DRAW["{name}"] = ') :]
        assert f'data-view="{name}"' in page and "function draw(" in script[: script.index("return draw;")]


def test_a_notebook_draws_a_result_in_a_frame_of_its_own(states: LayerStates) -> None:
    picture = explain.show(states, height=300)
    assert picture.html.count('data-view="') == 2 and "height:300px" in picture._repr_html_()
    assert '"' not in picture._repr_html_().split('srcdoc="')[1].split('" sandbox')[0]
    assert explain.show(states, "state_similarity").html.count('data-view="') == 1
    assert 'data-view="layer_states"' in explain.show(with_answer(states)).html


@pytest.mark.parametrize(
    ("result", "view", "message"),
    [
        (3, None, "No view draws this int. Results of this type have no picture."),
        (None, "layer_states", "No view 'layer_states' draws this NoneType."),
    ],
)
def test_what_has_no_picture_says_so(result: object, view: str | None, message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        explain.show(result, view)


def test_a_view_that_does_not_fit_names_those_that_do(states: LayerStates) -> None:
    with pytest.raises(SettingError, match="These do: layer_states, state_similarity"):
        explain.show(states, "token_heatmap")


def test_examples_run() -> None:
    assert doctest.testmod(notebook).failed == 0

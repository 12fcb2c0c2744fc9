"""Drawings in the Streamlit apps of others: what they draw, say and return, and who imports streamlit."""

import json
import subprocess
import sys
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import explain
import explain.streamlit
from explain.core.errors import SettingError, UnknownNameError
from explain.datatypes import Report
from explain.testing import TOY_MODELS
from tests.waiting import PATIENCE


def app() -> None:
    import streamlit as st

    import explain.streamlit
    from explain.testing import TOY_MODELS

    report = explain.explain("A good zebra film.", TOY_MODELS["planted"], methods=["occlusion", "integrated_gradients"])
    clicked = explain.streamlit.heatmap(report, key="first")
    explain.streamlit.waterfall(report.attribution("integrated_gradients"))
    explain.streamlit.view("phrase_bars", report)
    explain.streamlit.heatmap(report, "integrated_gradients", by="token", group="other")
    st.write(f"clicked {clicked}")


def drawn(element: Any) -> dict[str, Any]:
    """The data of a component, as its script gets them."""
    return json.loads(element.proto.json)


def test_an_app_without_our_pages_draws_a_report() -> None:
    ran = AppTest.from_function(app, default_timeout=PATIENCE).run()
    assert not ran.exception
    components = list(ran.get("bidi_component"))
    assert [component.proto.component_name for component in components] == [
        f"explain_embedded_{name}" for name in ("token_heatmap", "waterfall", "phrase_bars", "token_heatmap")
    ]
    first, steps, phrases, tokens = map(drawn, components)
    assert (first["title"], steps["title"]) == ("Occlusion", "Integrated gradients")
    assert first["sends"] and first["group"] == steps["group"] == "explain" and tokens["group"] == "other"
    assert steps["falls"][0]["rows"][1]["text"] == "zebra" and phrases["phrases"]
    assert ran.markdown[-1].value == "clicked None"


@pytest.fixture(scope="module")
def report() -> Report:
    return explain.explain("A good zebra film.", TOY_MODELS["planted"], methods=["occlusion"], phrases=False)


def test_a_click_is_returned_and_stays_marked(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    mounted: list[dict[str, Any]] = []
    clicks: list[dict[str, Any] | None] = [None]

    def component(*, data: dict[str, Any], key: str, on_chosen_change: Any) -> dict[str, Any]:
        state[key] = {"chosen": clicks[-1]}
        on_chosen_change()
        mounted.append(data)
        return state[key]

    monkeypatch.setattr(explain.streamlit.st, "session_state", state)
    monkeypatch.setattr(explain.streamlit, "_component", lambda name: component)
    assert explain.streamlit.heatmap(report) is None and mounted[-1]["chosen"] == []
    clicks.append({"token": 3})
    assert explain.streamlit.heatmap(report) == 3
    clicks.append(None)
    assert explain.streamlit.waterfall(report) is None and mounted[-1]["chosen"] == [3]
    other = explain.explain("Another zebra.", TOY_MODELS["planted"], methods=["occlusion"], phrases=False)
    assert explain.streamlit.heatmap(other) is None and mounted[-1]["chosen"] == []  # a number of another text
    clicks.append({"token": None})
    assert explain.streamlit.heatmap(report) is None  # let go
    clicks.append(None)
    assert explain.streamlit.heatmap(report) is None and mounted[-1]["chosen"] == []
    clicks.append({"token": None})
    assert explain.streamlit.view("probabilities", report.prediction, key="shares") == {"token": None}


def test_what_cannot_be_drawn_says_what_can(report: Report) -> None:
    with pytest.raises(UnknownNameError, match="'occlusion'"):
        explain.streamlit.heatmap(report, "oclusion")
    empty = explain.explain("A zebra.", TOY_MODELS["planted"], methods=[], phrases=False)
    with pytest.raises(SettingError, match="has no scores"):
        explain.streamlit.waterfall(empty)
    with pytest.raises(SettingError, match=r"does not draw this Prediction\. These do: probabilities"):
        explain.streamlit.view("token_heatmap", report.prediction)
    with pytest.raises(UnknownNameError):
        explain.streamlit.view("no_such_view", report)


def test_only_one_file_of_the_package_imports_streamlit_and_nothing_imports_it() -> None:
    code = "import explain.api, explain.report.notebook, explain.report.record, sys; print('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    code = "import explain.streamlit, sys; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"

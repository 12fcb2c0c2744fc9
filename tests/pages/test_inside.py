"""The page about the inside of a model, by AppTest: what it says, keeps and refuses; drawings are for the browser."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from torch import Tensor

from explain.core.meter import Meter
from explain.datatypes import NeuronWords, Tokens
from explain.models.capabilities.neurons import SeeNeurons
from explain.models.transformer import EncoderNeurons
from explain.run.jobs import Cache
from explain.testing.toys import NoGradientModel
from pages.shared import session, show
from tests.golden import HOSTILE
from tests.pages.test_explain_text import ROOT, drawn, errors, run, start
from tests.waiting import PATIENCE, wait_for

VIEWS = ["layers", "neurons"]


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "inside.py"), default_timeout=PATIENCE)
    app.session_state["python"] = True
    return app


def look(app: AppTest, view: str, **selected: object) -> AppTest:
    app.session_state["inside"] = view
    for name, value in selected.items():
        app.session_state[name] = value
    return run(app)


@pytest.mark.parametrize(
    ("view", "text"), [*((view, text) for view in VIEWS for text in (None, HOSTILE)), ("neurons", "so 😍👍🏽 good 🇩🇪")]
)
def test_every_view_bears_every_text(app: AppTest, view: str, text: str | None) -> None:
    look(app, view, **({} if text is None else {"text": text}), token=1)
    assert not app.error and not app.exception
    assert "Export" in drawn(app)
    assert "explain.ask(" in app.code[0].value


def test_the_python_runs(app: AppTest) -> None:
    look(app, "neurons", zero=["2.308"])
    names: dict[str, Any] = {}
    for block in app.code:
        exec(block.value, names)
    assert names["result"].neurons[0].number == 308


def test_neurons_are_set_to_zero_and_taken_back(app: AppTest) -> None:
    look(app, "neurons", neuron="2.308")
    assert "Neuron 2.308" in drawn(app) and "Does it matter?" not in drawn(app)
    next(button for button in app.button if button.label == "Set it to zero").click()
    run(app)
    assert app.session_state["zero"] == ["2.308"] and "Does it matter?" in drawn(app)
    app.multiselect(key="zero").set_value([])
    run(app)
    assert "Does it matter?" not in drawn(app)


def test_a_set_that_is_stopped_keeps_what_was_found_in_it(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Cache()
    monkeypatch.setattr(session, "cache", lambda: fresh)
    monkeypatch.setattr("explain.analyses.max_activations.SHOW_SECONDS", 0)
    shown: list[NeuronWords] = []
    monkeypatch.setattr(show, "view", lambda name, result, **_: name == "neuron_words" and shown.append(result))
    app.query_params["inside"] = "Neurons"
    app.session_state["set_of_texts"] = "\n".join(f"a film of {number} minutes and more" for number in range(1500))

    def partly_shown() -> bool:
        start(app)
        return bool(shown and shown[-1].awaited)

    wait_for(partly_shown)
    app.button(key="stop").click()
    for _ in range(2):  # the run that stops it, and one that comes later
        shown.clear()
        app.run()
        assert shown[-1].awaited and len(shown[-1].texts) == 1500
        assert not app.exception and "Export" not in drawn(app)


def test_a_set_that_is_stopped_is_continued_by_trying_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first search halts after some texts, until it is stopped; the second reads the others."""
    fresh, is_stopped, asked = Cache(), threading.Event(), list[int]()
    plain = EncoderNeurons.stream_activations

    def watch(neurons_of: EncoderNeurons, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        asked.append(len(texts))

        def see_and_halt(chunk: Sequence[int], layer: int, neurons: Tensor) -> None:
            see(chunk, layer, neurons)
            if len(asked) == 1 and layer == neurons_of._model.layers - 1:
                is_stopped.wait(60)

        plain(neurons_of, texts, see_and_halt, meter)

    monkeypatch.setattr(EncoderNeurons, "stream_activations", watch)
    monkeypatch.setattr(session, "cache", lambda: fresh)
    monkeypatch.setattr("explain.analyses.max_activations.SHOW_SECONDS", 0)
    shown: list[NeuronWords] = []
    monkeypatch.setattr(show, "view", lambda name, result, **_: name == "neuron_words" and shown.append(result))
    app.query_params["inside"] = "Neurons"
    app.session_state["set_of_texts"] = "\n".join(f"a film of {number} minutes and more" for number in range(400))

    def partly_shown() -> bool:
        start(app)
        return bool(shown and shown[-1].awaited)

    wait_for(partly_shown)
    awaited = shown[-1].awaited
    app.button(key="stop").click()
    app.run()
    is_stopped.set()
    shown.clear()
    app.button(key="again").click()

    def wholly_shown() -> bool:
        app.run()
        return bool(shown) and not shown[-1].awaited

    wait_for(wholly_shown)
    assert asked == [400, awaited] and 0 < awaited < 400
    assert len(shown[-1].texts) == 400 and not app.exception and "Export" in drawn(app)


def test_words_of_a_set_are_found(app: AppTest) -> None:
    look(app, "neurons", set_of_texts="so good\na bad film\n\n")
    assert any("in the set" in one.value for one in app.markdown)
    assert any("2 texts, one pass each" in one.value for one in app.caption)


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        ({"neuron": "2.9999"}, "neurons 0 to 1535"),
        ({"neuron": "2.all"}, "a whole layer"),
        ({"zero": ["so"]}, "Name one by layer and number"),
        ({"set_of_texts": "\u200b"}, "Give one text a line"),
    ],
)
def test_what_is_named_wrongly_is_told_and_the_rest_is_drawn(
    app: AppTest, selected: dict[str, object], message: str
) -> None:
    look(app, "neurons", **selected)
    assert message in errors(app).replace("\\", "") and "Which neurons" in drawn(app)


def test_a_link_brings_it_back(app: AppTest) -> None:
    app.query_params.update({"inside": "Neurons", "neuron": "3.5", "zero": ["0.571", "1.2"], "token": "2"})
    run(app)
    assert "Neuron 3.5" in drawn(app) and "Does it matter?" in drawn(app)
    assert app.number_input(key="token").value == 2


@pytest.mark.parametrize("view", VIEWS)
def test_a_masked_word(app: AppTest, view: str) -> None:
    app.query_params["model"] = "base"
    look(app, view, text="The capital of France is [MASK].", token=6)
    assert not app.error and "Export" in drawn(app)


def test_a_pair_is_read_together(app: AppTest) -> None:
    look(app, "layers", text="The film was long.", pair="I loved it.", figure="gradient")
    assert not app.error and "text_pair='I loved it.'" in app.code[0].value


def test_models_that_show_no_neurons_say_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "model", lambda *_: NoGradientModel())
    look(app, "neurons")
    assert "their neurons can't be seen" in errors(app).replace("\\", "") and not app.exception


def test_a_set_of_texts_is_still_there_when_one_comes_back(app: AppTest) -> None:
    look(app, "neurons", set_of_texts="so good\na bad film")
    look(app, "layers")
    look(app, "neurons")
    assert app.text_area(key="set_of_texts").value == "so good\na bad film"
    assert any("in the set" in one.value for one in app.markdown)


def test_neurons_in_a_link_that_are_none(app: AppTest) -> None:
    for key in ("neuron", "zero"):
        app.query_params[key] = "0." + "9" * 5000
    look(app, "neurons")
    assert not app.exception and "is no neuron" in errors(app).replace("\\", "")

"""What is drawn and written of the inside of a model equals what was found, and says what it is."""

import csv
import io
import json

import numpy as np
import pytest

from explain.analyses.hidden_states import HiddenStates
from explain.analyses.neuron_activations import NeuronActivations
from explain.datatypes import LayerStates, Neuron, NeuronActivity, NeuronEffects, NeuronWords
from explain.models.analysis import ExplainedText
from explain.numerics.neurons import NEURON_FIGURES, neuron_figures
from explain.testing import TOY_MODELS, default_item
from explain.views.base import VIEWS
from explain.views.inside_tables import InsideTable, neurons_csv, states_csv, to_json, to_text
from explain.views.layer_states import STATE_FIGURES, state_figure
from explain.views.neuron_words import AROUND
from tests.golden import HOSTILE
from tests.views.test_attention_views import unpacked

MODEL = TOY_MODELS["linear"]


def activity(text: str = "so good, unbelievably good", layers: int = 2, neurons: int = 6) -> NeuronActivity:
    tokens, target = default_item(MODEL, text)
    draw = np.random.default_rng(0)
    return NeuronActivity(tokens, target, *draw.normal(size=(2, layers, len(tokens), neurons)), output=1.5)


def states(text: str = "so good, unbelievably good") -> LayerStates:
    tokens, target = default_item(MODEL, text)
    vectors = np.random.default_rng(0).normal(size=(3, len(tokens), 5))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    norms = np.random.default_rng(1).random((3, len(tokens))) * 4
    similarity = np.einsum("ltd,mtd->tlm", vectors, vectors)
    return LayerStates(tokens, target, norms, norms / 7, norms - 2, similarity, 1.5)


@pytest.mark.parametrize("figure", STATE_FIGURES)
def test_states_are_drawn_as_they_are(figure: str) -> None:
    found = states()
    data = VIEWS["layer_states"].data(found, figure=figure, selected=(4, 5))
    values = state_figure(found, figure)
    assert np.allclose(unpacked(data["values"]).reshape(values.shape), values, atol=2e-4)
    assert np.allclose(data["means"], values.mean(axis=1), atol=1e-5)
    assert [line["name"] for line in data["lines"]] == ["words, on average", "special tokens", "unbelievably"]
    assert np.allclose(data["lines"][2]["values"], values[:, 4:6].mean(axis=1), atol=1e-5)
    assert data["names"] == ["input", "layer 0", "layer 1"] and data["chosen"] == [4, 5]
    assert ("log-odds" in data["title"]) == (figure in ("gradient", "state_x_gradient"))


def test_full_color_of_a_long_text_is_reached_below_its_few_largest() -> None:
    data = VIEWS["layer_states"].data(states("so good " * 20), figure="state_x_gradient")
    assert data["over"] and data["full"] < data["values"]["largest"]


def test_layers_are_compared_for_a_word_or_for_all() -> None:
    found = states()
    data = VIEWS["state_similarity"].data(found, selected=(4, 5))
    assert np.allclose(data["values"], found.similarity[4:6].mean(axis=0), atol=1e-4)
    assert "\u201cunbelievably\u201d" in data["title"] and "over its pieces" in data["note"]
    assert np.allclose(VIEWS["state_similarity"].data(found)["values"], found.similarity.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("by", NEURON_FIGURES)
def test_top_neurons_are_those_with_most(by: str) -> None:
    found = activity()
    values = neuron_figures(found.activations, found.gradients, [4, 5])[by]
    data = VIEWS["top_neurons"].data(found, unit=(4, 5), by=by, count=5, selected=Neuron(1, 2), layer=1)
    sizes = values[1] if by == "above_elsewhere" else np.abs(values[1])
    order = np.argsort(-sizes)[:5].tolist()
    assert [row["name"] for row in data["rows"]] == [f"1.{number}" for number in order]
    assert np.allclose([row["effect"] for row in data["rows"]], values[1][order], atol=1e-5)
    assert [row["picked"] for row in data["rows"]] == [number == 2 for number in order]
    assert "at \u201cunbelievably\u201d, layer 1" in data["note"]
    total = (found.activations * found.gradients)[1, 4:6].sum()
    assert (f"this layer is {total:+.3f}" in data["note"]) == (by == "activation_x_gradient")


def test_a_neuron_over_the_text() -> None:
    found = activity()
    for figure, values in (
        ("activation", found.activations[1, :, 3]),
        ("activation_x_gradient", (found.activations * found.gradients)[1, :, 3]),
    ):
        data = VIEWS["neuron_heatmap"].data(found, neuron=Neuron(1, 3), figure=figure)
        (text,) = data["texts"]
        words = {tuple(unit["tokens"]): unit["score"] for unit in text["units"]}
        pieces = values[4:6]
        largest = pieces[np.abs(pieces).argmax()]
        assert words[4, 5] == pytest.approx(float(pieces.sum() if figure != "activation" else largest), abs=1e-6)
        assert words[(0,)] == pytest.approx(float(values[0]), abs=1e-6)  # special tokens are shown


def words_of(text: str) -> NeuronWords:
    tokens, _ = default_item(MODEL, text)
    one = np.ones((1, 2, 6))
    return NeuronWords((tokens,), one, 0 * one, (len(tokens) - 2) * one, one[0], one[0] / 4, len(tokens), 2)


def test_words_stand_in_their_text() -> None:
    data = VIEWS["neuron_words"].data(words_of("a" * 80 + " so wonderful"), neuron=Neuron(0, 0))
    (row,) = data["rows"]
    assert row["word"] == "wonderful" and row["after"] == "" and row["before"].startswith("\u2026")
    assert len(row["before"]) == AROUND + 1 and "2 texts could not be read" in data["note"]


def effects() -> NeuronEffects:
    _, target = default_item(MODEL, "so good")
    controls = {"random": np.array([0.1, -0.2, 3.0]), "as active": np.array([0.5, 0.6, 0.7])}
    pair = (Neuron(0, 3), Neuron(1, 2))
    return NeuronEffects(target, pair, [0.5, -0.25], [False, True], [0.4, -0.2], 1.0, False, 0.2, controls, 1.5)


def test_effects_stand_beside_other_neurons() -> None:
    data = VIEWS["neuron_effects"].data(effects())
    assert [(row["name"], row["effect"]) for row in data["rows"]] == [
        ("0.3", 0.5),
        ("1.2", -0.25),
        ("all 2 at once", 1.0),
        ("2 random ones of the same layers", 0.1),
        ("2 others about as active", 0.6),
    ]
    assert data["rows"][3]["claim"] == "2 of 3 draws move it less" and data["rows"][3]["range"] == [-0.2, 3.0]
    assert data["rows"][2]["claim"] == "gradient forecasts +0.20" and data["largest"] == 3.0


def inside(text: str = HOSTILE) -> InsideTable:
    return InsideTable("toy", activity(text), states(text), (1,), 1, "activation", 3, effects(), words_of(text))


def test_json_holds_what_was_found() -> None:
    table = inside()
    record = json.loads(to_json(table))
    assert record["text"] == HOSTILE and record["target"]["scale"] == "log_odds"
    assert np.allclose(record["states"]["length"], table.states.norms)
    assert [row["neuron"] for row in record["neurons"]["rows"]] == [row["neuron"] for row in table.rows()]
    assert record["effects"]["controls"]["random"] == [0.1, -0.2, 3.0]
    assert "states" not in json.loads(to_json(InsideTable("toy", activity())))
    assert "neurons" not in json.loads(to_json(InsideTable("toy", states=states())))


def test_csv_has_every_neuron_and_every_state() -> None:
    table = InsideTable("toy", activity("=1+1 good"))
    rows = list(csv.DictReader(io.StringIO(neurons_csv(table))))
    figures = neuron_figures(table.neurons.activations, table.neurons.gradients, range(len(table.neurons.tokens)))
    assert len(rows) == 12 and set(rows[0]) == {"layer", "number", *NEURON_FIGURES}
    assert float(rows[7]["gradient"]) == pytest.approx(figures["gradient"][1, 1], rel=1e-5)
    rows = list(csv.DictReader(io.StringIO(states_csv(states("=1+1 good")))))
    assert rows[0]["layer"] == "input" and rows[-1]["layer"] == "1"
    assert "'=" in {row["text"] for row in rows}  # no formula for a spreadsheet to run


def test_the_table_has_all_of_it() -> None:
    table = to_text(inside("so \x1b[31mgood film"))
    for said in ("states, mean of all tokens", "neurons at \u201c", "layer 1, by activation", "set to zero: how far"):
        assert said in table
    assert "2 of 3 draws of as many random ones of the same layers move it less (-0.200 to +3.000)" in table
    assert "\x1b" not in table and "changes the decision" in table


def test_questions_find_what_views_draw(tiny_bert: object) -> None:
    item = default_item(tiny_bert, "so good")
    for question, view in ((HiddenStates(), "layer_states"), (NeuronActivations(), "top_neurons")):
        assert VIEWS[view].data(question.run(tiny_bert, ExplainedText(*item)))

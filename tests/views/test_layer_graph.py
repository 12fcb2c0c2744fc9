import numpy as np

from explain.datatypes import AttentionMaps
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS
from explain.views.layer_graph import MOST_EDGES

GRAPH = VIEWS["layer_graph"]


def maps(text: str, layers: int = 6) -> AttentionMaps:
    tokens = TOY_MODELS["linear"].encode(text)
    weights = np.random.default_rng(0).random((layers, 2, len(tokens), len(tokens)))
    return AttentionMaps(tokens, weights / weights.sum(axis=-1, keepdims=True), ("0", "1"))


def test_never_more_lines_than_a_browser_bears() -> None:
    data = GRAPH.data(maps("word " * 60, layers=24), per_layer=500, special=True)
    assert len(data["edges"]) <= MOST_EDGES


def test_texts_are_named() -> None:
    assert GRAPH.data(maps("one two"))["texts"] == ["text"]
    for toy, names in (("linear", ["first text", "second text"]), ("answer", ["Question", "Context"])):
        model = TOY_MODELS[toy]
        seen = model.observe(model.encode("Is it so?", "It is so.")).maps
        assert GRAPH.data(seen)["texts"] == names


def test_chosen_layers_and_heads() -> None:
    one = maps("one two three")
    data = GRAPH.data(one, layers=[4, 1], heads=[1], per_layer=3)
    assert data["layers"] == [1, 4]
    assert {edge[0] for edge in data["edges"]} == {0, 1}
    _, row, source, weight = data["edges"][0]
    assert weight == round(float(one.weights[1, 1, row, source]), 5)
    assert "head 1" in data["note"]


def test_special_tokens_are_hidden_or_shown_and_that_is_said() -> None:
    hidden, shown = GRAPH.data(maps("one two")), GRAPH.data(maps("one two"), special=True)
    assert [token["text"] for token in hidden["tokens"]] == ["one", "two"] and "are hidden" in hidden["note"]
    assert [token["text"] for token in shown["tokens"]] == ["[CLS]", "one", "two", "[SEP]"]
    assert {end for edge in hidden["edges"] for end in edge[1:3]} <= {1, 2}

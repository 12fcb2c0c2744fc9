"""Matrix, head grid, effects and readings: what is drawn equals what was found, and what is left out is said."""

import base64
import json
import re

import numpy as np
import pytest

from explain.datatypes import AttentionMaps, HeadEffects
from explain.numerics.heads import head_figures
from explain.testing import TOY_MODELS, default_item
from explain.views.attention_arrays import to_json, to_npz, to_svg, to_text
from explain.views.base import VIEWS
from explain.views.head_effects import ranking
from tests.golden import HOSTILE
from tests.numerics.test_rollout import random_attention

MODEL = TOY_MODELS["linear"]


def random_maps(text: str, pair: str | None = None, layers: int = 2, heads: int = 3) -> AttentionMaps:
    tokens = MODEL.encode(text, pair)
    weights = np.stack([random_attention(head, layers, len(tokens)) ** 3 for head in range(heads)], axis=1)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return AttentionMaps(tokens, weights, tuple(map(str, range(heads))))


def unpacked(packed: dict[str, object]) -> np.ndarray:
    whole = np.frombuffer(base64.b64decode(str(packed["base64"])), "<i2" if packed["signed"] else "<u2")
    return whole * float(str(packed["largest"])) / (32767 if packed["signed"] else 65535)


def test_matrix_of_one_head() -> None:
    maps = random_maps("The film isn't good, is it?")
    data = VIEWS["attention_matrix"].data(maps, layer=1, heads=[2], selected=(3, 5))
    count = len(maps.tokens)
    assert np.allclose(unpacked(data["weights"]).reshape(count, count), maps.weights[1, 2], atol=2e-5)
    assert data["chosen"] == [3, 5] and "layer 1" in data["note"] and "head 2" in data["note"]


def test_matrix_by_word_keeps_rows_at_one() -> None:
    maps = random_maps("The film isn't good, unbelievably so")
    data = VIEWS["attention_matrix"].data(maps, by="word", selected=(1, None))
    count = len(data["units"])
    assert count < len(maps.tokens)
    assert np.allclose(unpacked(data["weights"]).reshape(count, count).sum(axis=1), 1, atol=1e-3)
    assert [unit["text"] for unit in data["units"]][:3] == ["[CLS]", "The", "film"]
    assert "averaged over pieces that look" in data["note"] and data["chosen"] == [1, None]


def test_matrix_without_special_tokens_says_so() -> None:
    maps = random_maps("so good")
    data = VIEWS["attention_matrix"].data(maps, special=False)
    assert [unit["special"] for unit in data["units"]] == [False, False] and "hidden" in data["note"]


def test_pairs_are_told_apart() -> None:
    maps = random_maps("so good", "so bad")
    matrix = VIEWS["attention_matrix"].data(maps)
    graph = VIEWS["layer_graph"].data(maps, special=True)
    for drawn in (matrix["units"], graph["tokens"]):
        assert [unit["segment"] for unit in drawn] == maps.tokens.segment.tolist()


def test_graph_with_threshold_chosen_head_and_no_selves() -> None:
    maps = random_maps("The film isn't good, is it?")
    data = VIEWS["layer_graph"].data(maps, heads=[1], per_layer=1000, least=0.2, selves=False, special=True)
    expected = {
        (layer, row, column)
        for layer in range(2)
        for row in range(len(maps.tokens))
        for column in range(len(maps.tokens))
        if maps.weights[layer, 1, row, column] >= 0.2 and row != column
    }
    assert {tuple(edge[:3]) for edge in data["edges"]} == expected and expected
    assert "head 1" in data["note"]


def test_graph_draws_at_most_two_thousand_lines_and_says_so() -> None:
    maps = random_maps("word " * 45, layers=4)
    data = VIEWS["layer_graph"].data(maps, per_layer=900, special=True)
    assert len(data["edges"]) == 2000
    assert "At most 2,000 lines are drawn at once: 900 a layer were asked for." in data["note"]


def test_graph_of_signed_weights() -> None:
    tokens = MODEL.encode("so good")
    weights = np.zeros((1, 1, 4, 4), np.float32)
    weights[0, 0, 0, 1], weights[0, 0, 0, 2], weights[0, 0, 1, 2] = 0.5, -2.0, 0.1
    maps = AttentionMaps(tokens, weights, ("sum",), "attention_times_gradient", row_stochastic=False)
    data = VIEWS["layer_graph"].data(maps, special=True, per_layer=2, title="Attention x gradient")
    assert data["signed"] and [edge[3] for edge in data["edges"]] == [-2.0, 0.5]
    assert "Attention x gradient" in data["note"] and "100% of all" not in data["note"]


def test_head_grid_sorts_and_filters_by_a_figure() -> None:
    maps = random_maps("The film isn't good, is it?")
    figures = head_figures(maps.weights, maps.tokens.special, maps.tokens.word_of)
    whole = VIEWS["head_grid"].data(maps, figures=figures, figure="distance")
    assert [(one["layer"], one["head"]) for one in whole["heads"]] == [(x, y) for x in range(2) for y in range(3)]
    assert whole["columns"] == 3
    data = VIEWS["head_grid"].data(maps, figures=figures, figure="distance", order="most", at_least=0.95)
    values = [one["value"] for one in data["heads"]]
    assert values == sorted(values, reverse=True) and len(values) < 6
    assert f"{6 - len(values)} heads are filtered out" in data["note"]
    first = np.frombuffer(base64.b64decode(whole["heads"][4]["map"]), np.uint8).reshape(whole["side"], -1)
    assert np.allclose(first / 255, maps.weights[1, 1], atol=0.003)


def test_head_ranking() -> None:
    tokens, target = default_item(MODEL, "so good")
    effects = HeadEffects(tokens, target, [[0.5, -2.0]], [[False, True]], {"entropy": np.array([[1.0, 0.2]])}, {}, 1.0)
    assert ranking(effects) == [
        {"head": "0·1", "effect": -2.0, "rank by effect": 1, "changes the decision": True, "entropy": 0.2,
         "rank by entropy": 2},
        {"head": "0·0", "effect": 0.5, "rank by effect": 2, "changes the decision": False, "entropy": 1.0,
         "rank by entropy": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(("layer", "head"), [(None, None), (1, None), (None, 2), (1, 2)])
def test_json_holds_the_weights_exactly(layer: int | None, head: int | None) -> None:
    maps = random_maps(HOSTILE)
    record = json.loads(to_json(maps, "toy", layer, head))
    places = tuple(slice(None) if place is None else place for place in (layer, head))
    assert np.array_equal(np.array(record["weights"], np.float32), maps.weights[places])
    assert record["shape"] == list(maps.weights[places].shape) and len(record["axes"]) == len(record["shape"])
    assert record["text"] == HOSTILE


def test_npz_holds_everything(tmp_path: object) -> None:
    import io

    maps = random_maps("so good", "so bad")
    with np.load(io.BytesIO(to_npz(maps)), allow_pickle=False) as file:
        assert np.array_equal(file["weights"], maps.weights)
        assert file["pieces"].tolist() == list(maps.tokens.pieces)
        assert file["segment"].tolist() == maps.tokens.segment.tolist()


def test_svg_is_escaped_and_says_what_it_shows() -> None:
    from xml.etree import ElementTree

    picture = to_svg(random_maps(HOSTILE), "toy", 1, [2])
    assert "<script" not in picture and "layer 1, head 2" in picture
    root = ElementTree.fromstring(picture)
    assert len(root) > len(MODEL.encode(HOSTILE))


def test_table_has_a_line_for_each_head() -> None:
    table = to_text(random_maps("so good"))
    assert len(re.findall(r"^ +\d+ +\d+ +\d", table, re.M)) == 6
    assert "entropy: how spread out" in table
    assert len(re.findall(r"^ +\d+ +\d+ +\d", to_text(random_maps("so good"), layer=1, head=0), re.M)) == 1

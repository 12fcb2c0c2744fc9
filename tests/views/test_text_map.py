"""The map of texts and the matrix of cosines: bounded, escaped, told apart without color, names that cover nothing."""

import numpy as np

from explain.datatypes import TextMap, TextMatrix
from explain.views.text_map import MOST_GROUPS, MOST_POINTS, Coloring, map_figure, matrix_figure, points_shown

HOSTILE = "<b>bold</b><script>alert(1)</script> %{x} & more"


def spread(count: int, explained: bool = False) -> TextMap:
    points = np.random.default_rng(0).normal(size=(count, 2))
    return TextMap("umap", np.arange(count), count, points, np.array([0.5, 0.2]) if explained else None)


def names_on(result: TextMap, texts: list[str]) -> list[str]:
    figure = map_figure(result, texts, range(1, len(texts) + 1))
    return [one.text for one in figure.layout.annotations]


def test_texts_are_escaped_wherever_they_are_drawn() -> None:
    texts = [HOSTILE] * 3
    figure = map_figure(spread(3), texts, [1, 2, 3], Coloring("label", [HOSTILE, "a", "b"]))
    assert len(figure.layout.annotations) == 3
    assert "<script" not in figure.to_json() and "<b>" not in figure.to_json()
    matrix = TextMatrix(np.arange(3), np.ones((3, 3)), np.zeros((0, 2), dtype=int))
    drawn = matrix_figure(matrix, texts, [1, 2, 3], np.arange(3)).to_json()
    assert "<script" not in drawn and "bold" in drawn


def test_quotes_are_no_markup_to_plotly() -> None:
    text = 'He said "no" & left.'
    figure = map_figure(spread(3), [text] * 3, [1, 2, 3])
    assert figure.layout.annotations[0].text.startswith('He said "no" &amp;')
    assert figure.data[0].customdata[0][2] == 'He said "no" &amp; left.'


def test_names_stand_beside_points_of_small_maps_and_cover_nothing() -> None:
    apart = TextMap("pca", np.arange(4), 4, np.array([[0, 0], [0, 9], [9, 0], [9, 9]]), np.array([0.5, 0.5]))
    assert names_on(apart, ["one", "two", "three", "a text that is longer than fits"])[:3] == ["one", "two", "three"]
    same = TextMap("pca", np.arange(9), 9, np.zeros((9, 2)), np.array([0.0, 0.0]))
    assert (
        len(names_on(same, ["all in one place"] * 9)) == 4
    )  # above, below, and to both sides; hovering shows the rest
    assert len(names_on(spread(40), ["a text of a usual length"] * 40)) > 10
    assert names_on(spread(41), ["a text"] * 41) == []


def test_a_name_near_an_edge_stands_inward_of_its_point_where_a_narrow_screen_shows_it() -> None:
    line = TextMap("umap", np.arange(5), 5, np.array([[x, x % 2] for x in range(5)]), None)
    names = map_figure(line, ["a text of a usual length"] * 5, range(5)).layout.annotations
    assert {name.x: name.xanchor for name in names} == {0: "left", 1: "left", 2: "center", 3: "right", 4: "right"}
    assert [name.xshift for name in names] == [0] * 5 and {name.yanchor for name in names} == {"bottom"}


def test_points_are_bounded_and_those_picked_are_among_them() -> None:
    large = spread(MOST_POINTS + 500)
    shown = points_shown(large, picked=range(40))
    assert MOST_POINTS <= len(shown) <= MOST_POINTS + 40 and set(range(40)) <= set(shown.tolist())
    figure = map_figure(large, ["x"] * len(large.members), range(len(large.members)), picked=[7])
    assert [len(trace.x) for trace in figure.data] == [len(points_shown(large, [7])), 1]
    assert {trace.type for trace in figure.data} == {"scatter"}, "what is drawn where there is no WebGL"
    figure = map_figure(large, ["x " * 99] * len(large.members), range(len(large.members)), most=20_000)
    (trace,) = figure.data
    assert trace.type == "scattergl" and len(trace.x) == len(large.members) and len(trace.customdata[0][2]) <= 61


def test_groups_differ_in_shape_and_the_smallest_are_one() -> None:
    groups = [f"group {number}" for number in range(MOST_GROUPS + 3) for _ in range(20 - number)]
    figure = map_figure(spread(len(groups)), ["x"] * len(groups), range(len(groups)), Coloring("label", groups))
    assert len({trace.marker.symbol for trace in figure.data[:MOST_GROUPS]}) == MOST_GROUPS
    assert figure.data[-1].name == "3 others" and len(figure.data) == MOST_GROUPS + 1
    assert sum(len(trace.x) for trace in figure.data) == len(groups)


def test_what_there_is_an_amount_of_is_a_scale() -> None:
    figure = map_figure(spread(50), ["x"] * 50, range(50), Coloring("pieces", np.arange(50)))
    (trace,) = figure.data
    assert trace.marker.colorbar.title.text == "pieces" and trace.customdata[7][0] == 7


def test_a_saved_map_has_a_title() -> None:
    flat = TextMap("pca", np.arange(4), 4, np.zeros((4, 2)), np.array([0.5, 0.5]))
    assert map_figure(flat, ["a"] * 4, range(4)).layout.title.text == "4 texts by PCA"
    assert map_figure(spread(3), ["a"] * 3, range(3)).layout.title.text == "3 texts by UMAP"
    matrix = TextMatrix(np.arange(3), np.ones((3, 3)), np.zeros((0, 2), dtype=int))
    assert matrix_figure(matrix, ["a"] * 3, [1, 2, 3], np.arange(3)).layout.title.text == "Cosines of 3 texts"

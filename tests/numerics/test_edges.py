import numpy as np

from explain.numerics.edges import top_edges


def test_the_largest_of_each_layer_in_order() -> None:
    weights = np.array([[[0.5, 0.2, 0.3], [0.9, 0.1, 0.0], [0.4, 0.4, 0.2]]])
    assert top_edges(weights, 3) == [(0, 1, 0, 0.9), (0, 0, 0, 0.5), (0, 2, 0, 0.4)]


def test_hidden_tokens_are_no_end_of_an_edge() -> None:
    weights = np.array([[[0.5, 0.2, 0.3], [0.9, 0.1, 0.0], [0.4, 0.35, 0.25]]])
    shown = np.array([False, True, True])
    assert top_edges(weights, 2, shown) == [(0, 2, 1, 0.35), (0, 2, 2, 0.25)]


def test_fewer_edges_than_asked() -> None:
    assert len(top_edges(np.ones((2, 1, 1)), 10)) == 2

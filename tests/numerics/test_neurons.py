"""Figures of neurons by hand, their order, and what random ones are drawn from."""

import numpy as np
import pytest

from explain.numerics.neurons import NEURON_FIGURES, most_of, neuron_figures, neurons_alike, random_neurons

ACTIVATIONS = np.array([[[1.0, 0.0], [-3.0, 2.0], [2.0, 4.0], [0.0, 6.0]]])  # one layer, four tokens, two neurons
GRADIENTS = np.array([[[1.0, 1.0], [2.0, 1.0], [-1.0, 0.5], [5.0, 0.0]]])


def test_figures_by_hand() -> None:
    found = neuron_figures(ACTIVATIONS, GRADIENTS, (1, 2))
    assert set(found) == set(NEURON_FIGURES)
    assert found["activation"].tolist() == [[-3.0, 4.0]]
    assert found["above_elsewhere"].tolist() == [[-3.5, 1.0]]  # elsewhere 0.5 and 3 on average
    assert found["gradient"].tolist() == [[1.0, 1.5]]
    assert found["activation_x_gradient"].tolist() == [[-8.0, 4.0]]
    whole = neuron_figures(ACTIVATIONS, GRADIENTS, range(4))
    assert whole["above_elsewhere"].tolist() == [[-3.0, 3.0]]  # less the mean over the text: 0 and 3
    assert whole["activation_x_gradient"].tolist() == [[-7.0, 4.0]]


def test_order() -> None:
    values = np.array([[1.0, -5.0, 2.0], [2.0, 4.0, 0.0]])
    assert most_of(values, 3) == [(0, 1), (1, 1), (0, 2)]
    assert most_of(values, 3, by_size=False) == [(1, 1), (0, 2), (1, 0)]
    assert most_of(values, 10, layer=1) == [(1, 1), (1, 0), (1, 2)]


def test_random_ones_are_as_many_of_the_same_layers() -> None:
    chosen = [(0, 3), (2, 1), (2, 5)]
    sizes = np.arange(3 * 60.0).reshape(3, 60)
    for draws in (random_neurons(chosen, 60, 50, 0), neurons_alike(chosen, sizes, 50, 0, nearest=4)):
        assert len(draws) == 50 and len({tuple(draw) for draw in draws}) > 5
        for draw in draws:
            assert sorted(layer for layer, _ in draw) == [0, 2, 2]
            assert len(set(draw)) == 3 and not set(draw) & set(chosen)
    for draw in neurons_alike(chosen, sizes, 50, 0, nearest=4):
        (alone,) = [number for layer, number in draw if layer == 0]
        assert alone in (1, 2, 4, 5)  # the four nearest in size to number 3
    assert random_neurons(chosen, 60, 5, 1) == random_neurons(chosen, 60, 5, 1) != random_neurons(chosen, 60, 5, 2)


@pytest.mark.parametrize("count", [31, 60])
def test_where_there_are_too_few_others_none_are_drawn(count: int) -> None:
    chosen = [(0, number) for number in range(count)]
    assert random_neurons(chosen, 60, 5, 0) == neurons_alike(chosen, np.zeros((1, 60)), 5, 0) == []


def test_none_is_drawn_twice_or_chosen_however_many_there_are() -> None:
    sizes = np.random.default_rng(0).random((1, 100))
    for count in range(1, 60):
        chosen = [(0, number) for number in range(count)]
        for draw in neurons_alike(chosen, sizes, 3, 0):
            assert len(set(draw)) == count and not set(draw) & set(chosen)

"""Figures of neurons at some tokens of a text, their order, and random ones to compare a choice with."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explain.numerics.neuron_figures import NEURON_FIGURES as NEURON_FIGURES

FloatArray = npt.NDArray[np.floating]
Place = tuple[int, int]  # a layer and a number


def neuron_figures(activations: FloatArray, gradients: FloatArray, unit: Sequence[int]) -> dict[str, FloatArray]:
    """Return every figure of `NEURON_FIGURES` for every neuron.

        activation_i = n_ti at the t of the unit where |n_ti| is largest
        above_elsewhere_i = activation_i - mean over t outside the unit of n_ti
        gradient_i = sum over t of the unit of dF/dn_ti
        activation_x_gradient_i = sum over t of the unit of n_ti dF/dn_ti

    The last is the layer's gradient x activation of captum (Kokhlikyan et al. 2020, https://arxiv.org/abs/2009.07896).

    Args:
        activations, gradients (L, T, F): in the target's unit per unit of activation.
        unit: tokens; all of a text: then there is no elsewhere, and the mean is over all.

    Returns:
        By name: (L, F).

    >>> activations = np.array([[[1.0], [-3.0], [2.0]]])  # one neuron of one layer, three tokens
    >>> {name: float(figure[0, 0]) for name, figure in neuron_figures(activations, np.ones((1, 3, 1)), [0, 1]).items()}
    {'activation': -3.0, 'above_elsewhere': -5.0, 'gradient': 2.0, 'activation_x_gradient': -2.0}
    """
    tokens = list(unit)
    here, slopes = activations[:, tokens], gradients[:, tokens]
    largest = np.take_along_axis(here, np.abs(here).argmax(axis=1)[:, None], axis=1)[:, 0]
    elsewhere = np.setdiff1d(np.arange(activations.shape[1]), tokens)
    mean = activations[:, elsewhere if len(elsewhere) else tokens].mean(axis=1)
    return {
        "activation": largest,
        "above_elsewhere": largest - mean,
        "gradient": slopes.sum(axis=1),
        "activation_x_gradient": np.einsum("ltf,ltf->lf", here, slopes),
    }


def most_of(values: FloatArray, count: int, *, layer: int | None = None, by_size: bool = True) -> list[Place]:
    """Return the neurons with most of a figure (L, F), the most first; of equal ones the first in the model.

    Args:
        layer: look in this layer alone; by_size: compare absolute values.

    >>> most_of(np.array([[0.1, -0.9], [0.5, 0.2]]), 2)
    [(0, 1), (1, 0)]
    """
    amounts = np.abs(values) if by_size else values
    if layer is not None:
        amounts = amounts[layer : layer + 1]
    order = np.argsort(-amounts, axis=None, kind="stable")[:count]
    width = values.shape[1]
    return [(int(place) // width + (layer or 0), int(place) % width) for place in order]


def most_above_elsewhere(
    activations: FloatArray, units: Sequence[Sequence[int]]
) -> list[tuple[int, int, float, float]]:
    """Return for each unit the neuron with the largest `above_elsewhere` of `neuron_figures`.

    Args:
        activations (L, T, F).

    Returns:
        Layer, number, the activation here, and the mean at the other tokens, of each unit.

    >>> most_above_elsewhere(np.array([[[1.0, 5.0], [-3.0, 5.0], [2.0, 5.0]]]), [[0, 1], [2]])
    [(0, 1, 5.0, 5.0), (0, 0, 2.0, -1.0)]
    """
    count, width = activations.shape[1:]
    total = activations.sum(axis=1, dtype=np.float64)
    strongest = []
    for unit in units:
        here = activations[:, list(unit)]
        largest = np.take_along_axis(here, np.abs(here).argmax(axis=1)[:, None], axis=1)[:, 0]
        elsewhere = (total - here.sum(axis=1)) / (count - len(unit)) if len(unit) < count else total / count
        layer, number = divmod(int((largest - elsewhere).argmax()), width)
        strongest.append((layer, number, float(largest[layer, number]), float(elsewhere[layer, number])))
    return strongest


def random_neurons(neurons: Sequence[Place], width: int, draws: int, seed: int) -> list[list[Place]]:
    """Draw as many other neurons of the same layers, `draws` times, no neuron twice within a draw.

    Args:
        neurons: the neurons that a random choice is compared with; width: neurons of a layer.

    Returns:
        A list of neurons for each draw; empty where a layer has too few others.

    >>> random_neurons([(0, 1)], width=2, draws=2, seed=0)
    [[(0, 0)], [(0, 0)]]
    """
    taken = _by_layer(neurons)
    if any(2 * len(numbers) > width for numbers in taken.values()):
        return []
    generator = np.random.default_rng(seed)
    free = {layer: np.setdiff1d(np.arange(width), list(numbers)) for layer, numbers in taken.items()}
    return [
        [
            (layer, int(number))
            for layer, numbers in taken.items()
            for number in generator.choice(free[layer], len(numbers), replace=False)
        ]
        for _ in range(draws)
    ]


def neurons_alike(
    neurons: Sequence[Place], sizes: FloatArray, draws: int, seed: int, nearest: int = 40
) -> list[list[Place]]:
    """Draw like `random_neurons`, each neuron among the `nearest` others of its layer by size of activation.

    Most neurons are nearly silent at most tokens, so an active one does more than a random one whatever it stands for.

    Args:
        sizes (L, F): how active each neuron is.

    >>> neurons_alike([(0, 0)], np.array([[5.0, 4.0, 0.1]]), draws=1, seed=0, nearest=1)
    [[(0, 1)]]
    """
    width = sizes.shape[1]
    taken = _by_layer(neurons)
    if any(2 * len(numbers) + nearest - 1 > width for numbers in taken.values()):
        return []
    generator = np.random.default_rng(seed)
    samples: list[list[Place]] = []
    for _ in range(draws):
        drawn: list[Place] = []
        for layer, numbers in taken.items():
            for number in sorted(numbers):
                far = np.abs(sizes[layer] - sizes[layer, number])
                far[[*numbers, *(other for drawn_layer, other in drawn if drawn_layer == layer)]] = np.inf
                drawn.append((layer, int(generator.choice(np.argsort(far, kind="stable")[:nearest]))))
        samples.append(drawn)
    return samples


def _by_layer(neurons: Sequence[Place]) -> dict[int, set[int]]:
    numbers: dict[int, set[int]] = {}
    for layer, number in neurons:
        numbers.setdefault(layer, set()).add(number)
    return numbers

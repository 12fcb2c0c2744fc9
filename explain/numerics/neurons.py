"""Figures of neurons at some tokens of a text, their order, and random ones to compare a choice with."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Place = tuple[int, int]  # a layer and a number

# What each figure is, for people. n: activations, g: the target's gradients there, both at the tokens of a word.
NEURON_FIGURES = {
    "activation": "what the neuron gives at the word; of several pieces, the one of the largest size",
    "above_elsewhere": "its activation at the word less its mean at the text's other tokens",
    "gradient": "how far the target moves for each unit that the activation at the word is raised by",
    "activation_x_gradient": "to first order, how far the target falls when the neuron is set to zero at the word",
}


def neuron_figures(activations: FloatArray, gradients: FloatArray, unit: Sequence[int]) -> dict[str, FloatArray]:
    """Every figure of `NEURON_FIGURES` for every neuron.

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
    """
    chosen = list(unit)
    here, slopes = activations[:, chosen], gradients[:, chosen]
    largest = np.take_along_axis(here, np.abs(here).argmax(axis=1)[:, None], axis=1)[:, 0]
    elsewhere = np.setdiff1d(np.arange(activations.shape[1]), chosen)
    mean = activations[:, elsewhere if len(elsewhere) else chosen].mean(axis=1)
    return {
        "activation": largest,
        "above_elsewhere": largest - mean,
        "gradient": slopes.sum(axis=1),
        "activation_x_gradient": np.einsum("ltf,ltf->lf", here, slopes),
    }


def most_of(values: FloatArray, count: int, *, layer: int | None = None, by_size: bool = True) -> list[Place]:
    """The neurons with most of a figure (L, F), the most first; of equal ones the first in the model.

    Args:
        layer: of this one alone; by_size: whatever their sign.
    """
    amounts = np.abs(values) if by_size else values
    if layer is not None:
        amounts = amounts[layer : layer + 1]
    order = np.argsort(-amounts, axis=None, kind="stable")[:count]
    width = values.shape[1]
    return [(int(place) // width + (layer or 0), int(place) % width) for place in order]


def random_neurons(chosen: Sequence[Place], width: int, draws: int, seed: int) -> list[list[Place]]:
    """For each draw, as many neurons of the same layers as were chosen, none of them chosen, none twice.

    None at all where a layer has too few others.
    """
    taken = _by_layer(chosen)
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
    chosen: Sequence[Place], sizes: FloatArray, draws: int, seed: int, nearest: int = 40
) -> list[list[Place]]:
    """As `random_neurons`, each drawn among the `nearest` others of its layer by size of activation.

    Most neurons are nearly silent at most tokens, so an active one does more than a random one whatever it stands for.

    Args:
        sizes (L, F): how active each neuron is.
    """
    width = sizes.shape[1]
    taken = _by_layer(chosen)
    if any(2 * len(numbers) + nearest - 1 > width for numbers in taken.values()):
        return []
    generator = np.random.default_rng(seed)
    found: list[list[Place]] = []
    for _ in range(draws):
        drawn: list[Place] = []
        for layer, numbers in taken.items():
            for number in sorted(numbers):
                far = np.abs(sizes[layer] - sizes[layer, number])
                far[[*numbers, *(other for one, other in drawn if one == layer)]] = np.inf
                drawn.append((layer, int(generator.choice(np.argsort(far, kind="stable")[:nearest]))))
        found.append(drawn)
    return found


def _by_layer(chosen: Sequence[Place]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for layer, number in chosen:
        found.setdefault(layer, set()).add(number)
    return found

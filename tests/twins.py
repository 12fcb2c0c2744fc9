"""Slow twins: the formulas written as the papers have them, loop by loop, to compare the quick versions with."""

from collections.abc import Callable, Iterator
from itertools import chain, combinations, permutations, product
from math import factorial

import networkx
import numpy as np
import torch

from explain.datatypes import Target, Tokens
from explain.models.base import TextModel

Worth = Callable[[frozenset[int]], float]


def rollout_matrix(weights: np.ndarray, residual: float = 0.5) -> np.ndarray:
    """A_L ... A_1 (T, T) with A_l = (1 - r) W_l + r I."""
    count = weights.shape[-1]
    joint = np.eye(count)
    for layer in weights:
        joint = ((1 - residual) * layer + residual * np.eye(count)) @ joint
    return joint


def attention_block(module: torch.nn.Module, states: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """One BERT layer of a module, token by token and head by head.

    Returns:
        y (T, D) after attention's norm, and parts (T, T, D) with and without residual and norm: what j gives to i.
    """
    attention, count = module.attention, len(states)
    heads, width = weights.shape[0], states.shape[-1] // weights.shape[0]
    value, output, norm = attention.self.value, attention.output.dense, attention.output.LayerNorm
    plain = torch.zeros(count, count, states.shape[-1])
    normed = torch.zeros_like(plain)
    results = torch.zeros_like(states)
    for i in range(count):
        for j in range(count):
            for head in range(heads):
                own = slice(head * width, (head + 1) * width)
                vector = value.weight[own] @ states[j] + value.bias[own]
                plain[i, j] += weights[head, i, j] * (output.weight[:, own] @ vector)
        total = plain[i].sum(dim=0) + output.bias + states[i]
        deviation = torch.sqrt(((total - total.mean()) ** 2).mean() + norm.eps)
        results[i] = norm.weight * (total - total.mean()) / deviation + norm.bias
        for j in range(count):
            part = plain[i, j] + (states[i] if i == j else 0)
            normed[i, j] = norm.weight * (part - part.mean()) / deviation
    return results, plain, normed


def feed_forward(module: torch.nn.Module, attended: torch.Tensor) -> torch.Tensor:
    """The rest of a BERT layer."""
    return module.output(module.intermediate(attended), attended)


def maximum_flow(weights: np.ndarray, read: int) -> np.ndarray:
    """Maximum flow from row `read` of the last layer to each input token, by networkx."""
    layers, count, _ = weights.shape
    graph = networkx.DiGraph()
    for layer in range(layers):
        for i in range(count):
            for j in range(count):
                graph.add_edge((layer + 1, i), (layer, j), capacity=float(weights[layer, i, j]))
    return np.array([networkx.maximum_flow_value(graph, (layers, read), (0, j)) for j in range(count)])


def subsets(members: list[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(members, size) for size in range(len(members) + 1))


def worth_of_words(model: TextModel, tokens: Tokens, target: Target) -> Worth:
    """F with a set of words there, all others masked: every set of them."""
    words = tokens.word_units()
    every = [frozenset(subset) for subset in subsets(list(range(len(words))))]
    gone = [[token for number, word in enumerate(words) if number not in there for token in word] for there in every]
    values = model.scores([model.removed(tokens, unit, "mask", target) for unit in gone]).values.tolist()
    return dict(zip(every, values)).__getitem__


def orders(tree: tuple) -> Iterator[list[int]]:
    """Every order of a tree's players that tears no group apart; of (0, 1, 2) simply every order."""
    for children in permutations(tree):
        for parts in product(*([[child]] if isinstance(child, int) else orders(child) for child in children)):
            yield [player for part in parts for player in part]


def average_over_orders(tree: tuple, count: int, worth: Worth) -> np.ndarray:
    """What each player adds to those before it, averaged: Shapley's values for a flat tree, Owen's for another."""
    added, number = np.zeros(count), 0
    for order in orders(tree):
        number += 1
        for place, player in enumerate(order):
            added[player] += worth(frozenset(order[: place + 1])) - worth(frozenset(order[:place]))
    return added / number


def interaction_index(count: int, worth: Worth) -> np.ndarray:
    """The Shapley interaction index of every two players, as Grabisch and Roubens define it."""
    index = np.zeros((count, count))
    for i, j in permutations(range(count), 2):
        for rest in subsets([player for player in range(count) if player not in (i, j)]):
            weight = factorial(len(rest)) * factorial(count - len(rest) - 2) / factorial(count - 1)
            both, left, right, none = (worth(frozenset({*rest, *more})) for more in ((i, j), (i,), (j,), ()))
            index[i, j] += weight * (both - left - right + none)
    return index

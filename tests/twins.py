"""Slow twins: the formulas written as the papers have them, loop by loop, to compare the quick versions with."""

import functools
from collections.abc import Callable, Iterator
from itertools import chain, combinations, permutations, product
from math import factorial
from typing import Any

import networkx
import numpy as np
import torch

from explain.datatypes import Target, Tokens
from explain.models.base import TextModel
from explain.models.target_module import is_activation
from explain.models.transformer import EncoderModel

Worth = Callable[[frozenset[int]], float]


def value_at(model: TextModel, tokens: Tokens, target: Target) -> Callable[[torch.Tensor], torch.Tensor]:
    """The target as captum takes it: a function of word embeddings (B, T, D), to be differentiated by others."""

    def forward(points: torch.Tensor) -> torch.Tensor:
        return (
            model._network.value_at(tokens, target, points)
            if isinstance(model, EncoderModel)
            else model._value(tokens, target, points)
        )

    return forward


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


class MeanSlope(torch.autograd.Function):
    """An activation on x and b, one above the other, whose slope is that of the line between its two values."""

    @staticmethod
    def forward(ctx: Any, stacked: torch.Tensor, activation: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        result = activation(stacked)
        there, rise = (each[0] - each[1] for each in (stacked, result))
        with torch.enable_grad():
            start = stacked.detach().requires_grad_()
            (own,) = torch.autograd.grad(activation(start).sum(), start)
        ctx.save_for_backward(torch.where(there.abs() < 1e-10, own, rise / there))
        return result

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient * ctx.saved_tensors[0], None


def deeplift(own: torch.nn.Module, points: torch.Tensor, empty: torch.Tensor) -> np.ndarray:
    """Rescale rule (T,) by autograd: in a module of one's own every activation is taken with its mean slope."""
    for one in filter(is_activation, own.modules()):
        one.forward = functools.partial(lambda plain, stacked: MeanSlope.apply(stacked, plain), one.forward)
    start = points.detach().clone().requires_grad_()
    own(torch.stack([start, empty])).sum().backward()
    return ((points - empty) * start.grad).sum(dim=-1).detach().numpy()


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

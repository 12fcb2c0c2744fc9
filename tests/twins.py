"""Slow twins: the formulas written as the papers have them, loop by loop, to compare the quick versions with."""

from collections.abc import Callable

import networkx
import numpy as np
import torch

from explain.datatypes import Target, Tokens
from explain.models.base import TextModel


def value_at(model: TextModel, tokens: Tokens, target: Target) -> Callable[[torch.Tensor], torch.Tensor]:
    """The target as captum takes it: a function of word embeddings (B, T, D), to be differentiated by others."""

    def forward(points: torch.Tensor) -> torch.Tensor:
        return model._value_at(tokens, target, points) if hasattr(model, "_value_at") else model._value(target, points)

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

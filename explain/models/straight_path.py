"""The straight path from an empty text to this one, in word embeddings, and the model run along it.

Positions, segments and mask stay as they are on the whole path, and so do special tokens and what the target reads: the
empty text has them as the text does.
"""

import numpy as np
import torch
from torch import Tensor

from explain.core.meter import Meter
from explain.datatypes import BoolArray, FloatArray, Target, Tokens
from explain.models.base import TextModel
from explain.text.units import Units


class StraightPath:
    """Points x - (1 - a) (x - b) between an empty text b, at a = 0, and the text x, at a = 1.

    Args:
        empty (T, D): word embeddings of the empty text.
    """

    def __init__(
        self, model: TextModel, tokens: Tokens, target: Target, empty: Tensor, meter: Meter | None = None
    ) -> None:
        self._model, self._tokens, self._target, self._meter = model, tokens, target, meter
        self._text = model.word_embeddings(tokens)
        self._way = self._text - empty

    def gradients(self, nodes: FloatArray, moved: BoolArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return F, and its gradient times the way gone, at each node: one forward and one backward pass each.

        Args:
            nodes (K,): in [0, 1].
            moved (K, T): which tokens are on the path at each node, the others at their place in the text; None: all.

        Returns:
            Values (K,) and sum_d (x - b)_td dF/dx_td (K, T), in the unit of the target.
        """
        values, products = [], []
        for part in np.array_split(np.arange(len(nodes)), self._model.chunks(len(nodes), len(self._tokens))):
            points = self._points(nodes[part], None if moved is None else moved[part])
            part_values, gradient = self._model.gradients(self._tokens, self._target, points, self._meter)
            values.append(part_values.double())
            products.append((gradient.double() * self._way.double()).sum(dim=-1))
        return torch.cat(values).cpu().numpy(), torch.cat(products).cpu().numpy()

    def vectors(self, nodes: FloatArray, left: Units, right: Units) -> tuple[FloatArray, FloatArray]:
        """Return two texts' vectors at each node, and the derivative of each unit's own text's vector along its way.

        Args:
            nodes (K,): in [0, 1].
            left (U), right (V): units of the first text, and of the second; a pass moves one of each.

        Returns:
            Vectors of length 1 (K, 2, E), and d vector / d node (K, U + V, E), those of `left` first.
        """
        moved = self._text.new_zeros(max(len(left), len(right)), len(self._tokens))
        for units in (left, right):
            for row, unit in zip(moved, units):
                row[list(unit)] = 1.0
        ways = moved[..., None] * self._way
        parts = []
        for part in np.array_split(nodes, self._model.chunks(len(nodes) * len(ways), len(self._tokens))):
            if len(part):
                points = self._points(part, None).repeat_interleave(len(ways), dim=0)
                directions = ways.repeat(len(part), 1, 1)
                pair = self._model.vectors.jvp(self._tokens, points, directions, self._meter)
                parts.append([tensor.double().unflatten(0, (len(part), len(ways))) for tensor in pair])
        vectors, changes = (torch.cat(tensors).cpu().numpy() for tensors in zip(*parts))  # (K, R, 2, E)
        return vectors[:, 0], np.concatenate([changes[:, : len(left), 0], changes[:, : len(right), 1]], axis=1)

    def ends(self) -> tuple[float, float]:
        """Return F of the empty text and of the text: two forward passes."""
        points = self._points(np.array([0.0, 1.0]), None)
        start, end = self._model.values(self._tokens, self._target, points, self._meter).tolist()
        return start, end

    def _points(self, nodes: FloatArray, moved: BoolArray | None) -> Tensor:
        left = torch.tensor(1 - nodes, dtype=torch.float32, device=self._text.device)[:, None]  # (K, 1)
        if moved is not None:
            left = left * torch.from_numpy(moved).to(left.device)
        return self._text - left[..., None] * self._way  # (K, T, D)

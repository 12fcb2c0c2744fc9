"""The straight path from an empty text to this one, in word embeddings, and the model run along it.

Positions, segments and mask stay as they are on the whole path, and so do special tokens and what the target reads: the
empty text has them as the text does.
"""

import numpy as np
import torch
from torch import Tensor

from explain.datatypes import BoolArray, FloatArray, Target, Tokens
from explain.meter import Meter
from explain.models.base import TextModel


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
        """F, and its gradient times the way gone, at each node: one forward and one backward pass each.

        Args:
            nodes (K,): in [0, 1].
            moved (K, T): which tokens are on the path at each node, the others at their place in the text; None: all.

        Returns:
            Values (K,) and sum_d (x - b)_td dF/dx_td (K, T), in the unit of the target.
        """
        values, products = [], []
        for part in np.array_split(np.arange(len(nodes)), self._model.chunks(len(nodes), len(self._tokens))):
            points = self._points(nodes[part], None if moved is None else moved[part])
            value, gradient = self._model.gradients(self._tokens, self._target, points, self._meter)
            values.append(value.double())
            products.append((gradient.double() * self._way.double()).sum(dim=-1))
        return torch.cat(values).numpy(), torch.cat(products).numpy()

    def ends(self) -> tuple[float, float]:
        """F of the empty text and of the text: two forward passes."""
        points = self._points(np.array([0.0, 1.0]), None)
        start, end = self._model.values(self._tokens, self._target, points, self._meter).tolist()
        return start, end

    def _points(self, nodes: FloatArray, moved: BoolArray | None) -> Tensor:
        left = torch.tensor(1 - nodes, dtype=torch.float32)[:, None]  # (K, 1)
        if moved is not None:
            left = left * torch.from_numpy(moved)
        return self._text - left[..., None] * self._way  # (K, T, D)

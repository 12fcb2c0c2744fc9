"""Heads that read single rows of states: a chain of linear maps, activations and norms, the same at every row.

A classifier reads the first row of the last layer, a masked-word head the rows of the masks. As a chain of steps it can
be applied to those rows alone (a head over the vocabulary at one row of twenty costs a twentieth), to states of inner
layers, or to the parts of a decomposed state. That the chain is the model's own head is checked when it is loaded.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from explain.models.families import FAMILIES

Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class RowHead:
    """A head's steps, first to last, each of them `nn.Linear`, `nn.LayerNorm` or an activation; the last is linear."""

    steps: tuple[Activation, ...]

    def __call__(self, rows: Tensor) -> Tensor:
        """Rows of states (..., D) to logits (..., C)."""
        for step in self.steps:
            rows = step(rows)
        return rows

    @property
    def out(self) -> nn.Linear:
        """The last step."""
        last = self.steps[-1]
        assert isinstance(last, nn.Linear)
        return last


def row_head(module: Any, auto_class: str) -> RowHead | None:
    """Return the head of a model of transformers; None where it is built otherwise.

    Args:
        auto_class: transformers' automatic class that loads it.
    """
    family = FAMILIES.get(module.config.model_type)
    names = () if family is None else family.heads.get(auto_class, ())
    if not names:
        return None
    try:
        steps = [operator.attrgetter(name)(module) if isinstance(name, str) else name for name in names]
    except AttributeError:
        return None
    return RowHead(tuple(steps)) if isinstance(steps[-1], nn.Linear) else None

"""The head over the vocabulary at a few rows: what a mask does not ask need not be computed.

A head for masked words is a matrix of hidden size by vocabulary, applied to every row; at one row of twenty it costs a
twentieth. Where the head is a chain of modules on the last layer's rows it is applied to the wanted rows alone; that
changes no number beyond rounding, which is checked when a model is loaded.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from explain.models.families import Family


def can_gather(module: PreTrainedModel, family: Family) -> bool:
    """Whether the module has the head its family is known for."""
    return bool(family.word_head) and all(hasattr(module, name) for name in family.word_head)


def word_logits(module: PreTrainedModel, family: Family, inputs: Mapping[str, Tensor], places: Tensor) -> Tensor:
    """Logits of the vocabulary (B, P, C) at some places of each sequence.

    Args:
        module: a model that `can_gather`.
        inputs: what the module takes, its attention mask included.
        places (B, P): the rows wanted.
    """
    rows = rows_at(module.base_model(**inputs).last_hidden_state, places)  # (B, P, D)
    for name in family.word_head:
        rows = getattr(module, name)(rows)
    return rows


def rows_at(table: Tensor, places: Tensor) -> Tensor:
    """Some rows of each sequence: (B, T, C) at (B, P) -> (B, P, C)."""
    return table[torch.arange(len(table))[:, None], places]

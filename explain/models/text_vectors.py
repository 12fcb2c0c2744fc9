"""Vectors of many texts, each read by itself: what a plain call of transformers gives, in batches of like length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding
from torch import Tensor

from explain.core.meter import Meter
from explain.models.chunks import chunks_by_length
from explain.models.pooling import Pooling


@dataclass(frozen=True, eq=False)
class ReadTexts:
    """What reading texts gave.

    Attributes:
        vectors (N, D): float32.
        pieces (N,): how many were read of each text, special tokens included.
        unknown (N,): how many of them the vocabulary has no entry for.
        truncated (N,): whether something was left out at the end.
    """

    vectors: npt.NDArray[np.float32]
    pieces: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.int64]
    truncated: npt.NDArray[np.bool_]


def read_vectors(
    encoder: Any,
    encodings: Sequence[Encoding],
    pooling: Pooling,
    *,
    types: bool,
    unknown: int | None,
    meter: Meter | None = None,
) -> ReadTexts:
    """Run encodings through an encoder, one forward pass each.

    Args:
        encoder: a model of transformers without a head, in evaluation mode and float32.
        encodings: of a fast tokenizer, cut off where the model reads no further.
        types: whether the model is told token types.
        unknown: the id of unknown pieces, if there is one.
    """
    vectors: list[npt.NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(encodings)
    lengths = [len(one.ids) for one in encodings]
    for chunk in chunks_by_length(lengths):
        found = _vectors(encoder, [encodings[number] for number in chunk], pooling, types)
        for number, vector in zip(chunk, found, strict=True):
            vectors[number] = vector
        if meter is not None:
            meter.tick(forward=len(chunk), positions=len(chunk) * lengths[chunk[0]])
    return ReadTexts(
        np.stack(vectors),
        np.array(lengths, dtype=np.int64),
        np.array([0 if unknown is None else one.ids.count(unknown) for one in encodings], dtype=np.int64),
        np.array([bool(one.overflowing) for one in encodings]),
    )


def _vectors(encoder: Any, encodings: Sequence[Encoding], pooling: Pooling, types: bool) -> npt.NDArray[np.float32]:
    """Vectors (B, D) of one batch, the longest first."""
    longest = len(encodings[0].ids)
    attended = torch.tensor([[place < len(one.ids) for place in range(longest)] for one in encodings])
    inputs: dict[str, Any] = {"input_ids": _padded([one.ids for one in encodings], encoder.config.pad_token_id or 0)}
    if not attended.all():
        inputs["attention_mask"] = attended.long()
    if types:
        inputs["token_type_ids"] = _padded([one.type_ids for one in encodings], 0)
    with torch.inference_mode():
        output = encoder(**inputs, output_hidden_states=pooling.layers is not None, return_dict=True)
        rows = pooling.rows(output.last_hidden_state, output.get("hidden_states"))
        return pooling.of(rows, attended).numpy()


def _padded(values: Sequence[Sequence[int]], filler: int) -> Tensor:
    longest = max(map(len, values))
    return torch.tensor([[*line, *[filler] * (longest - len(line))] for line in values])

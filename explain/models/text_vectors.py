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
    """The vectors of texts, and how much of each was read.

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
    lengths = [len(encoding.ids) for encoding in encodings]
    for chunk in chunks_by_length(lengths):
        chunk_vectors = _vectors(encoder, [encodings[number] for number in chunk], pooling, types)
        for number, vector in zip(chunk, chunk_vectors, strict=True):
            vectors[number] = vector
        if meter is not None:
            meter.tick(forward=len(chunk), positions=len(chunk) * lengths[chunk[0]])
    return ReadTexts(
        np.stack(vectors),
        np.array(lengths, dtype=np.int64),
        np.array([0 if unknown is None else encoding.ids.count(unknown) for encoding in encodings], dtype=np.int64),
        np.array([bool(encoding.overflowing) for encoding in encodings]),
    )


def _vectors(encoder: Any, encodings: Sequence[Encoding], pooling: Pooling, types: bool) -> npt.NDArray[np.float32]:
    """Return the vectors (B, D) of one batch, the longest first."""
    longest = len(encodings[0].ids)
    device = next(encoder.parameters()).device
    lengths = torch.tensor([len(encoding.ids) for encoding in encodings], device=device)
    attended = torch.arange(longest, device=device) < lengths[:, None]
    ids = _padded([encoding.ids for encoding in encodings], encoder.config.pad_token_id or 0)
    inputs: dict[str, Any] = {"input_ids": ids.to(device)}
    if not attended.all():
        inputs["attention_mask"] = attended.long()
    if types:
        inputs["token_type_ids"] = _padded([encoding.type_ids for encoding in encodings], 0).to(device)
    with torch.inference_mode():
        output = encoder(**inputs, output_hidden_states=pooling.layers is not None, return_dict=True)
        rows = pooling.rows(output.last_hidden_state, output.get("hidden_states"))
        return pooling.of(rows, attended).cpu().numpy()


def _padded(lines: Sequence[Sequence[int]], filler: int) -> Tensor:
    longest = max(map(len, lines))
    return torch.from_numpy(np.array([[*line, *[filler] * (longest - len(line))] for line in lines], dtype=np.int64))

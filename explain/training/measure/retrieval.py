"""Figures of sentence vectors: how often a question's own paragraph is the nearest."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.numerics.statistics import wilson


def retrieval_figures(
    vectors: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    source: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    right: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return how often a question's own paragraph is the nearest of all, or among the ten nearest.

    Args:
        vectors: of the questions (N, D) and of the paragraphs (P, D), all of length 1.
        source: the same of the encoder that the vectors were learned from.
        right (N): index of each question's paragraph.

    Returns:
        `recall_at_1`, `recall_at_10` with their 95 % intervals (Wilson); those of the source, `source_recall_at_1` and
        `_10`; the share of these that is reached, `ratio_at_1` and `_10`; `candidates`, `count`.
    """
    ranks, source_ranks = (_ranks(*of, right) for of in (vectors, source))
    figures: dict[str, Any] = {"count": len(right), "candidates": len(vectors[1])}
    for first in (1, 10):
        hits, source_hits = int((ranks < first).sum()), int((source_ranks < first).sum())
        figures |= {
            f"recall_at_{first}": hits / len(right),
            f"recall_at_{first}_interval": list(wilson(hits, len(right))),
            f"source_recall_at_{first}": source_hits / len(right),
            f"ratio_at_{first}": hits / source_hits if source_hits else math.nan,
        }
    return figures


def _ranks(
    questions: npt.NDArray[np.float32], paragraphs: npt.NDArray[np.float32], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return how many paragraphs are nearer to each question (N) than its own."""
    cosines = questions @ paragraphs.T
    return (cosines > cosines[np.arange(len(right)), right][:, None]).sum(axis=1)

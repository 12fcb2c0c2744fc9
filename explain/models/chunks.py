"""Batches of sequences of similar length: little padding, bounded memory."""

from collections.abc import Iterator, Sequence

CHUNK_POSITIONS = 2048  # positions run at once: from about 512 the cost is flat, more only takes memory


def balanced(count: int, length: int) -> int:
    """Return a chunk size for so many sequences of one length: about 2048 positions, and no small rest."""
    most = max(1, CHUNK_POSITIONS // length)
    return -(-count // -(-count // most))


def chunks_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield numbers of sequences in chunks, the longest first, so that the first of a chunk says how many fit."""
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    start = 0
    while start < len(order):
        size = balanced(len(order) - start, lengths[order[start]])
        yield order[start : start + size]
        start += size

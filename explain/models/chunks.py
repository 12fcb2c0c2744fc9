"""Batches of sequences of similar length: little padding, bounded memory."""

from collections.abc import Callable, Iterator, Sequence

CHUNK_POSITIONS = 2048  # positions run at once: from about 512 the cost is flat, more only takes memory
FILLED = 512  # positions from which sequences of one length are not joined by shorter ones: padding would cost more
CHUNK_WEIGHTS = 512**2  # attention weights of a head that are kept at once: those of one text of 512 positions


def balanced(count: int, length: int) -> int:
    """Return a chunk size for so many sequences of one length: about 2048 positions, and no small rest."""
    return _even(count, CHUNK_POSITIONS // length)


def balanced_with_maps(count: int, length: int) -> int:
    """Return a chunk size for so many sequences of one length whose attention weights are kept.

    >>> [balanced_with_maps(100, length) for length in (16, 64, 128, 256, 512)]
    [100, 25, 15, 4, 1]
    """
    return _even(count, min(CHUNK_POSITIONS // length, CHUNK_WEIGHTS // length**2))


def _even(count: int, most: int) -> int:
    return -(-count // -(-count // max(1, most)))


def chunks_by_length(lengths: Sequence[int], size_for: Callable[[int, int], int] = balanced) -> Iterator[list[int]]:
    """Yield numbers of sequences in chunks, the longest first, so that the first of a chunk says how many fit.

    Args:
        size_for: returns the size of a chunk, from the number of sequences left and the length of the longest.

    >>> list(chunks_by_length([5, 300, 300, 7])), list(chunks_by_length([5, 100, 100, 7]))
    ([[1, 2], [3, 0]], [[1, 2, 3, 0]])
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    start = 0
    while start < len(order):
        size = size_for(len(order) - start, lengths[order[start]])
        same = sum(lengths[number] == lengths[order[start]] for number in order[start : start + size])
        if same * lengths[order[start]] >= FILLED:
            size = same
        yield order[start : start + size]
        start += size

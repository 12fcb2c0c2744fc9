"""Alignment of two sequences: which entries of the one stand for which entries of the other."""

import difflib

import numpy as np
import numpy.typing as npt

MOST_CELLS = 4_000_000  # of the table, two arrays of four bytes each

_Codes = npt.NDArray[np.int64]
_Table = npt.NDArray[np.int32]


def common_subsequence(codes_a: _Codes, codes_b: _Codes) -> npt.NDArray[np.int64]:
    """Return a longest common subsequence as pairs of places, of several the one with the most neighboring pairs.

    So of repeated words those are paired that stand beside other pairs. By dynamic programming over suffixes (Wagner
    and Fischer 1974), with a second state for the entry after a pair. Sequences whose table would be too large are
    paired by difflib's matching blocks, which may find fewer.

    Args:
        codes_a (N,), codes_b (M,): equal entries have equal codes.

    Returns:
        Places (K, 2), ascending in both columns.

    >>> common_subsequence(np.array([7, 8, 9]), np.array([7, 5, 7, 8, 9])).tolist()
    [[0, 2], [1, 3], [2, 4]]
    """
    if len(codes_a) * len(codes_b) > MOST_CELLS:
        blocks = difflib.SequenceMatcher(None, codes_a.tolist(), codes_b.tolist(), autojunk=False).get_matching_blocks()
        pairs = [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]
    else:
        pairs = _traced(codes_a, codes_b, *_tables(codes_a, codes_b))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _weight(codes_a: _Codes, codes_b: _Codes) -> int:
    """Return what a pair counts, where two pairs beside each other count one more: no sum of these outweighs a pair."""
    return min(len(codes_a), len(codes_b)) + 1


def _tables(codes_a: _Codes, codes_b: _Codes) -> tuple[_Table, _Table]:
    """Return the best sums (N + 1, M + 1) of every two suffixes: after an entry without partner, and after a pair."""
    weight = _weight(codes_a, codes_b)
    apart = np.zeros((len(codes_a) + 1, len(codes_b) + 1), dtype=np.int32)
    beside = np.zeros_like(apart)
    for row in range(len(codes_a) - 1, -1, -1):
        paired = np.where(codes_b == codes_a[row], weight + beside[row + 1, 1:], 0)
        best = np.maximum(apart[row + 1, :-1], paired)
        apart[row, :-1] = np.maximum.accumulate(best[::-1])[::-1]
        beside[row, :-1] = np.maximum(apart[row, :-1], np.where(paired > 0, paired + 1, 0))
    return apart, beside


def _traced(codes_a: _Codes, codes_b: _Codes, apart: _Table, beside: _Table) -> list[tuple[int, int]]:
    """Return the pairs of the best sum, from the first on; of equal sums that with the earlier pair."""
    weight = _weight(codes_a, codes_b)
    pairs: list[tuple[int, int]] = []
    row = column = bonus = 0
    while row < len(codes_a) and column < len(codes_b):
        best = (beside if bonus else apart)[row, column]
        if codes_a[row] == codes_b[column] and best == weight + bonus + beside[row + 1, column + 1]:
            pairs.append((row, column))
            row, column, bonus = row + 1, column + 1, 1
            continue
        bonus = 0
        if apart[row + 1, column] == best:
            row += 1
        else:
            column += 1
    return pairs

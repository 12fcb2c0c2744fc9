"""The strongest attention edges, for a graph of at most so many lines."""

import numpy as np
import numpy.typing as npt


def top_edges(
    weights: npt.NDArray[np.floating],
    per_layer: int,
    shown: npt.NDArray[np.bool_] | None = None,
    *,
    least: float = 0.0,
    selves: bool = True,
) -> list[tuple[int, int, int, float]]:
    """Return the edges with the largest weights of each layer, by size where some are negative.

    Args:
        weights (L, T, T): row = the token that attends, column = the attended token.
        per_layer: most edges of one layer.
        shown (T,): tokens that may be an end of an edge; by default all.
        least: smaller weights are left out; selves: tokens may be linked to themselves.

    Returns:
        (layer, row, column, weight), layer by layer, largest first; equal weights in order of row and column.

    >>> top_edges(np.array([[[0.1, 0.9], [0.7, 0.3]]]), per_layer=2)
    [(0, 0, 1, 0.9), (0, 1, 0, 0.7)]
    """
    layers, count, _ = weights.shape
    tokens = np.arange(count) if shown is None else np.flatnonzero(shown)
    edges: list[tuple[int, int, int, float]] = []
    for layer in range(layers):
        block = weights[layer][np.ix_(tokens, tokens)]
        sizes = np.abs(block)
        if not selves:
            np.fill_diagonal(sizes, -1.0)
        flat, sizes = block.ravel(), sizes.ravel()
        floor = least
        if per_layer < len(flat):  # a full sort of T x T weights takes long; equal weights must not fall out by chance
            floor = max(floor, np.partition(sizes, len(flat) - per_layer)[len(flat) - per_layer])
        candidates = np.flatnonzero(sizes >= floor)
        best = candidates[np.argsort(-sizes[candidates], kind="stable")][:per_layer]
        rows, columns = np.divmod(best, len(tokens))
        edges += [
            (layer, int(tokens[row]), int(tokens[column]), float(flat[place]))
            for place, row, column in zip(best, rows, columns)
        ]
    return edges

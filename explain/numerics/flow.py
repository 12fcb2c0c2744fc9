"""Attention flow: the maximum flow from the rows of the last layer to each input token, with weights as capacities.

Nodes are tokens at each layer; an edge from (l, i) down to (l - 1, j) holds at most A_l[i, j]. The flow of token j is
the largest that can run from the rows read to (0, j). Abnar and Zuidema (2020), https://arxiv.org/abs/2005.00928,
section 3.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

# The library's solver takes whole numbers. Rows sum to 1, so nothing exceeds 2^30; a capacity is off by 2^-31 at most.
_WHOLE = 1 << 30


def maximum_flows(
    weights: npt.NDArray[np.floating],
    rows: npt.NDArray[np.floating],
    after_each: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.float64]:
    """Return the maximum flow to every input token, one problem each.

    Args:
        weights (L, T, T): capacities, rows summing to 1.
        rows (T,): capacities from the source into the last layer's rows; sums to 1.
        after_each: called after each token, to show progress or to raise.

    Returns:
        (T,): each in [0, 1]; each is the answer to a problem of its own, so they have no meaningful sum.

    >>> maximum_flows(np.array([[[0.5, 0.5], [0.25, 0.75]]]), np.array([0.5, 0.5])).tolist()
    [0.75, 1.0]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import maximum_flow

    layers, count, _ = weights.shape
    source = (layers + 1) * count
    to, origin = np.divmod(np.arange(count * count), count)
    tails = [(layer + 1) * count + to for layer in range(layers)]
    heads = [layer * count + origin for layer in range(layers)]
    capacities = [weights[layer].ravel() for layer in range(layers)]
    tails.append(np.full(count, source))
    heads.append(layers * count + np.arange(count))
    capacities.append(rows)
    whole = np.rint(np.concatenate(capacities) * _WHOLE).astype(np.int32)
    graph = coo_matrix((whole, (np.concatenate(tails), np.concatenate(heads))), shape=(source + 1, source + 1)).tocsr()
    graph.eliminate_zeros()
    flows = np.zeros(count)
    for token in range(count):
        flows[token] = maximum_flow(graph, source, token, method="dinic").flow_value / _WHOLE
        after_each()
    return flows

"""Coalitions of the players of a game, and values computed from the worth of coalitions.

A game gives every set of its U players a number, its worth. Coalitions are rows of a boolean array (C, U): True where
a player takes part. Everything is float64.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.datatypes import BoolArray, FloatArray
from explain.numerics.least_squares import Equations, constrained_fit

MOST_COMPLETE = 1 / 3  # of the rest of a budget; sizes that take no more of it are run completely

_Floats = npt.NDArray[np.float64]


def every_coalition(count: int) -> BoolArray:
    """Return all coalitions (2^U, U); player p takes part in row r if bit p of r is set.

    >>> every_coalition(2).astype(int)
    array([[0, 0],
           [1, 0],
           [0, 1],
           [1, 1]])
    """
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


def prefixes(order: npt.NDArray[np.int64]) -> BoolArray:
    """Return the coalitions (U + 1, U) on the way from none to all, players joining in an order (U,).

    >>> prefixes(np.array([1, 0])).astype(int)
    array([[0, 0],
           [0, 1],
           [1, 1]])
    """
    return np.argsort(order) < np.arange(len(order) + 1)[:, None]


def order_weights(count: int) -> _Floats:
    """Return the probability (U,), by size s, that a player joins right after a certain set of s others.

    Orders of the U players are random. Shapley's values weigh coalitions by this.

    >>> order_weights(2)
    array([0.5, 0.5])
    """
    return np.array([1 / (count * comb(count - 1, size)) for size in range(count)])


def shapley_values(worth: FloatArray) -> _Floats:
    """Return Shapley's values (U,) from the worth of all coalitions (2^U,), in the order of `every_coalition`.

    Shapley (1953), "A value for n-person games".

    >>> shapley_values(np.array([0.0, 1.0, 2.0, 5.0])).tolist()  # alone 1 and 2, together 2 more
    [2.0, 3.0]
    """
    count = len(worth).bit_length() - 1
    together = every_coalition(count)
    size = together.sum(axis=1)
    weights = np.append(order_weights(count), 0.0)  # a last weight, of a size that no player can join
    joined = np.where(together, weights[size - 1][:, None], -weights[size][:, None])
    return worth @ joined


def owen_values(tree: Sequence[Any], worth: Callable[[BoolArray], FloatArray]) -> _Floats:
    """Return Owen's values (U,): Shapley's, over orders in which each group stays together.

    A group joins its siblings as a single player; inside it the same is true of its own groups. Owen (1977), "Values of
    games with a priori unions"; for more than one level Winter (1989), https://doi.org/10.1007/BF01268145.

    Args:
        tree: numbers of players in nested sequences.
        worth: the worth (C,) of coalitions (C, U); called once, with at most `owen_coalitions(tree)` of them.

    >>> owen_values([[0, 1], 2], lambda coalitions: coalitions.sum(axis=1) ** 2.0).tolist()
    [3.0, 3.0, 3.0]
    """
    count = len(list(players(tree)))
    nodes = list(_owen_nodes(tree, np.zeros((1, count), dtype=bool), np.ones(1)))
    by_node = [(node.outside[None] | node.inside[:, None]).reshape(-1, count) for node in nodes]
    worths = worth(np.concatenate(by_node)) if by_node else np.empty(0)
    values = np.zeros(count)
    start = 0
    for node, coalitions in zip(nodes, by_node):
        table = worths[start : start + len(coalitions)].reshape(len(node.inside), -1)
        start += len(coalitions)
        shares = shapley_values(table @ node.weights)
        for child, share in zip(node.children, shares):
            if isinstance(child, int):
                values[child] = share
    return values


def owen_coalitions(tree: Sequence[Any]) -> int:
    """Return the number of coalitions that Owen's values are computed from, some counted twice.

    >>> owen_coalitions([[0, 1], 2])
    12
    """
    own = 2 ** len(tree) if any(isinstance(child, int) for child in tree) else 0
    groups = sum(owen_coalitions(child) for child in tree if not isinstance(child, int))
    return own + groups * 2 ** (len(tree) - 1)


def players(tree: Sequence[Any]) -> Iterator[int]:
    """Yield the players of a tree, in order.

    >>> list(players([[0, 1], 2]))
    [0, 1, 2]
    """
    for child in tree:
        if isinstance(child, int):
            yield child
        else:
            yield from players(child)


def nested_order(tree: Sequence[Any], generator: np.random.Generator) -> list[int]:
    """Draw a random order of a tree's players in which each group stays together.

    >>> abs(np.diff(np.argsort(nested_order([[0, 1], [2, 3]], np.random.default_rng(0))))[[0, 2]]).tolist()
    [1, 1]
    """
    order: list[int] = []
    for number in generator.permutation(len(tree)):
        child = tree[number]
        order += [child] if isinstance(child, int) else nested_order(child, generator)
    return order


@dataclass(frozen=True, eq=False)
class _Node:
    """A group: its children, the coalitions of these (2^K, U), and those outside it (O, U) with their weights."""

    children: Sequence[Any]
    inside: BoolArray
    outside: BoolArray
    weights: _Floats


def _owen_nodes(tree: Sequence[Any], outside: BoolArray, weights: _Floats) -> Iterator[_Node]:
    member = np.zeros((len(tree), outside.shape[1]), dtype=bool)
    for line, child in zip(member, tree):
        line[[child] if isinstance(child, int) else list(players(child))] = True
    if any(isinstance(child, int) for child in tree):
        yield _Node(tree, every_coalition(len(tree)) @ member, outside, weights)
    for number, child in enumerate(tree):
        if isinstance(child, int):
            continue
        others = every_coalition(len(tree) - 1)
        met = others @ np.delete(member, number, axis=0)
        likely = order_weights(len(tree))[others.sum(axis=1)]
        around = (outside[:, None] | met[None]).reshape(-1, outside.shape[1])
        yield from _owen_nodes(child, around, (weights[:, None] * likely).ravel())


@dataclass(frozen=True, eq=False)
class Pairs:
    """Coalitions, each of which represents itself and its complement.

    A weighted sum over them is the sum over all coalitions except the empty and the full one, or an unbiased estimate.

    Attributes:
        coalitions (P, U): those of complete sizes first.
        weights (P,): of both together; they sum to 1, as the shares do.
        drawn: the number of pairs, the last of all, that were drawn at random; 0 where the sum is exact.
    """

    coalitions: BoolArray
    weights: _Floats
    drawn: int


def paired_coalitions(shares: FloatArray, most: int, generator: np.random.Generator) -> Pairs:
    """Return coalitions with their complements, by the weight of their sizes.

    All of them, if these are no more than `most` pairs. Otherwise sizes are complete, from the smallest on, while that
    is cheap or draws would be as many; the rest is drawn, with repetition. Lundberg and Lee's own program does the same
    (https://github.com/shap/shap); drawing complements together follows Covert and Lee (2021),
    https://arxiv.org/abs/2012.01536.

    Args:
        shares (U - 1,): weight of all coalitions of a size from 1 to U - 1; equal for complements, summing to 1.
        most: pairs, at least three for each player, unless all fit; so those of single players are always complete.

    >>> pairs = paired_coalitions(kernel_shares(3), most=9, generator=np.random.default_rng(0))
    >>> pairs.coalitions.astype(int), pairs.drawn
    (array([[1, 0, 0],
           [0, 1, 0],
           [0, 0, 1]]), 0)
    """
    count = len(shares) + 1
    sizes = range(1, count // 2 + 1)
    number = {size: comb(count, size) // (2 if 2 * size == count else 1) for size in sizes}
    mass = {size: float(shares[size - 1]) * (1 if 2 * size == count else 2) for size in sizes}
    all_fit = sum(number.values()) <= most
    blocks, weights, left = [], [], list(sizes)
    while left:
        size = left[0]
        expected = most * mass[size] / (sum(mass[size_left] for size_left in left) or 1.0)
        cheap = number[size] <= max(expected, most * MOST_COMPLETE) and number[size] <= most - 2
        if not (all_fit or cheap):
            break
        block = _of_size(count, size)[: number[size]]  # of half the players, the first half are the others' complements
        blocks.append(block)
        weights.append(np.full(len(block), mass[size] / len(block)))
        most -= len(block)
        left.pop(0)
    if not left:
        return Pairs(np.concatenate([np.empty((0, count), dtype=bool), *blocks]), np.concatenate([[], *weights]), 0)
    rest = np.array([mass[size] for size in left])
    drawn = generator.choice(left, size=most, p=rest / rest.sum())
    places = generator.random((most, count)).argsort(axis=1)
    blocks.append(places < drawn[:, None])
    weights.append(np.full(most, rest.sum() / most))
    return Pairs(np.concatenate(blocks), np.concatenate(weights), most)


def _of_size(count: int, size: int) -> BoolArray:
    """Return all coalitions of a size, complements at mirrored rows where they are of the same size."""
    rows = np.array(list(combinations(range(count), size)))
    coalitions = np.zeros((len(rows), count), dtype=bool)
    np.put_along_axis(coalitions, rows, True, axis=1)
    return coalitions


def kernel_shares(count: int) -> _Floats:
    """Return the Shapley kernel, summed over the coalitions of each size from 1 to U - 1, and scaled to sum to 1.

    Lundberg and Lee (2017), https://arxiv.org/abs/1705.07874, theorem 2: (U - 1) / (C(U, s) s (U - s)) for a coalition.

    >>> kernel_shares(4).round(4)
    array([0.3636, 0.2727, 0.3636])
    """
    sizes = np.arange(1, count)
    shares = 1 / (sizes * (count - sizes))
    return shares / shares.sum()


def kernel_values(pairs: Pairs, worth: FloatArray, total: float) -> tuple[_Floats, _Floats]:
    """Fit values (U,) to a game's worth by the Shapley kernel, so that they sum to `total` exactly.

    With all pairs there are, the fit is Shapley's values themselves.

    With its complement, a coalition z gives one equation, (z - 1/2) . values = (F(z) - F(complement)) / 2, since the
    values' sum is fixed.

    Args:
        pairs: drawn by `kernel_shares`.
        worth (P, 2): of each coalition and of its complement.
        total: the worth of all less that of none.

    Returns:
        The values, and half-widths of their 95 % intervals (U,): 0 where nothing was drawn.

    >>> pairs = paired_coalitions(kernel_shares(3), most=9, generator=np.random.default_rng(0))
    >>> worth = np.array([[1.0, 5.0], [2.0, 4.0], [3.0, 3.0]])  # players that add 1, 2 and 3
    >>> kernel_values(pairs, worth, total=6.0)[0].round(6)
    array([1., 2., 3.])
    """
    equations = Equations(pairs.coalitions - 0.5, (worth[:, 0] - worth[:, 1]) / 2, pairs.weights, pairs.drawn)
    return constrained_fit(equations, np.ones((1, pairs.coalitions.shape[1])), np.array([total]))


def interaction_shares(count: int) -> _Floats:
    """Return the kernel of `pair_interactions`, summed over coalitions of a size from 1 to U - 1, scaled to sum to 1.

    1 / (s (s - 1) (U - s) (U - s - 1)); 0 for single players and their complements, whose equations hold exactly.

    >>> interaction_shares(5)
    array([0. , 0.5, 0.5, 0. ])
    """
    sizes = np.arange(2, count - 1)
    shares = np.zeros(max(0, count - 1))
    shares[1 : 1 + len(sizes)] = 1 / (sizes * (sizes - 1) * (count - sizes) * (count - sizes - 1.0))
    return shares / (shares.sum() or 1.0)


def pair_interactions(pairs: Pairs, both: FloatArray) -> tuple[_Floats, _Floats]:
    """Return the Shapley interaction index of every two players, lower numbers first: (U (U - 1) / 2,).

        I(i, j) = sum over S without i and j of |S|! (U - |S| - 2)! / (U - 1)! [F(S+i+j) - F(S+i) - F(S+j) + F(S)]

    Grabisch and Roubens (1999), https://doi.org/10.1007/s001820050125. Like Shapley's values, this index is a weighted
    least-squares fit (Fumagalli et al. 2024, https://arxiv.org/abs/2405.10852). A coalition T and its complement, in
    whose sum the players' single effects cancel, give one equation:

        F(T) + F(complement) - F(all) - F(none) = - sum of I(i, j) over i in T, j not in T

    Equations of single players hold exactly, the others as nearly as possible by the weights of `interaction_shares`.

    Args:
        pairs: drawn by `interaction_shares`, those of single players completely.
        both (P,): F(T) + F(complement) - F(all) - F(none).

    Returns:
        The index, and half-widths of its 95 % intervals: 0 where nothing was drawn.

    >>> single = Pairs(np.eye(3, dtype=bool), np.ones(3) / 3, drawn=0)
    >>> pair_interactions(single, np.array([-4.0, -4.0, 0.0]))[0].round(6) + 0.0  # players 0 and 1 add 4 together
    array([4., 0., 0.])
    """
    left, right = np.triu_indices(pairs.coalitions.shape[1], 1)
    design = -(pairs.coalitions[:, left] ^ pairs.coalitions[:, right]).astype(np.float64)
    single = pairs.coalitions.sum(axis=1) == 1
    equations = Equations(design, both, pairs.weights, pairs.drawn)
    return constrained_fit(equations, design[single], both[single])

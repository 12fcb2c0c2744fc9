"""Games small enough to be worked out by every order and every coalition."""

from collections.abc import Callable

import numpy as np
import pytest

from explain.datatypes import BoolArray
from explain.numerics.coalitions import (
    Pairs,
    every_coalition,
    interaction_shares,
    kernel_shares,
    kernel_values,
    nested_order,
    order_weights,
    owen_coalitions,
    owen_values,
    pair_interactions,
    paired_coalitions,
    players,
    prefixes,
    shapley_values,
)
from tests import twins

TREES = [((0, 1), (2, 3, 4)), (((0, 1), 2), (3,), (4, 5)), (0, (1, 2), 3), (0,), ((0, 1, 2), 3)]


class CoalitionGame:
    """A game of random worths."""

    def __init__(self, count: int, seed: int = 0) -> None:
        self.count = count
        self.table = np.random.default_rng(seed).normal(size=2**count)
        self.calls = 0

    def __call__(self, coalitions: BoolArray) -> np.ndarray:
        self.calls += len(coalitions)
        return self.table[coalitions @ (1 << np.arange(self.count))]

    def of(self, members: frozenset[int]) -> float:
        return float(self.table[sum(1 << player for player in members)])

    def interactions(self, most: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        pairs = drawn(interaction_shares, self.count, most, seed)
        both = self(pairs.coalitions) + self(~pairs.coalitions) - self.table[0] - self.table[-1]
        return pair_interactions(pairs, both)

    def kernel(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        worth = np.stack([self(pairs.coalitions), self(~pairs.coalitions)], axis=1) - self.table[0]
        return kernel_values(pairs, worth, self.table[-1] - self.table[0])


def drawn(shares: Callable[[int], np.ndarray], count: int, most: int, seed: int = 0) -> Pairs:
    return paired_coalitions(shares(count), most, np.random.default_rng(seed))


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_shapley_values_are_the_average_over_orders(count: int) -> None:
    game = CoalitionGame(count)
    expected = twins.average_over_orders(tuple(range(count)), count, game.of)
    assert np.allclose(shapley_values(game(every_coalition(count))), expected)


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_owen_values_are_the_average_over_orders_that_tear_no_group(tree: tuple) -> None:
    game = CoalitionGame(len(list(players(tree))))
    expected = twins.average_over_orders(tree, game.count, game.of)
    assert np.allclose(owen_values(tree, game), expected)
    assert game.calls <= owen_coalitions(tree)


def test_owen_values_need_far_fewer_coalitions() -> None:
    tree = tuple(tuple(range(start, start + 4)) for start in range(0, 20, 4))
    assert owen_coalitions(tree) == 5 * 2**4 * 2**4 < 2**20 // 800


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_orders_tear_no_group_apart(tree: tuple) -> None:
    allowed = {tuple(order) for order in twins.orders(tree)}
    generator = np.random.default_rng(0)
    seen = {tuple(nested_order(tree, generator)) for _ in range(500)}
    assert seen <= allowed and (seen == allowed or len(allowed) > 60)


def test_prefixes_go_from_none_to_all() -> None:
    ways = prefixes(np.array([2, 0, 1]))
    assert ways.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1]]


def test_weights_of_orders_are_chances() -> None:
    for count in (1, 4, 7):
        others = every_coalition(count - 1).sum(axis=1)
        assert order_weights(count)[others].sum() == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shares", [kernel_shares, interaction_shares])
def test_pairs_that_all_fit_are_every_coalition_once(shares: Callable[[int], np.ndarray], count: int) -> None:
    pairs = drawn(shares, count, 2 ** (count - 1))
    every = np.concatenate([pairs.coalitions, ~pairs.coalitions])
    assert not pairs.drawn and len({row.tobytes() for row in every}) == len(every) == 2**count - 2
    assert pairs.weights.sum() == pytest.approx(shares(count).sum())


def test_pairs_keep_to_their_number_and_their_weights() -> None:
    shares = kernel_shares(12)
    pairs = drawn(kernel_shares, 12, 60)
    assert len(pairs.coalitions) == 60 and pairs.weights.sum() == pytest.approx(1) and 0 < pairs.drawn < 60
    sizes = pairs.coalitions.sum(axis=1)
    assert (sizes[: 60 - pairs.drawn] == 1).sum() == 12
    assert pairs.weights[sizes == 1].sum() == pytest.approx(2 * shares[0])
    many = drawn(kernel_shares, 12, 1000).coalitions[-400:].sum(axis=1)
    assert {4, 5, 6} <= set(many.tolist())


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_with_every_coalition_the_kernel_gives_shapley_values(count: int) -> None:
    game = CoalitionGame(count)
    scores, error = game.kernel(drawn(kernel_shares, count, 2**count))
    assert np.allclose(scores, shapley_values(game.table), atol=1e-10)
    assert not error.any()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_with_every_coalition_interactions_are_those_of_the_definition(count: int) -> None:
    game = CoalitionGame(count)
    index, error = game.interactions(2**count)
    assert np.allclose(index, twins.interaction_index(count, game.of)[np.triu_indices(count, 1)])
    assert not error.any()


def test_what_is_drawn_lies_in_its_intervals() -> None:
    game = CoalitionGame(9)
    game.table = np.tanh(every_coalition(9) @ np.random.default_rng(1).normal(size=9)) + game.table / 10
    expected = shapley_values(game.table)
    index = game.interactions(512)[0]
    held: dict[str, list[np.ndarray]] = {"kernel": [], "pairs": [], "sums": []}
    for seed in range(100):
        scores, error = game.kernel(drawn(kernel_shares, 9, 50, seed))
        held["kernel"].append(np.abs(scores - expected) <= error)
        held["sums"].append(np.array([np.isclose(scores.sum(), game.table[-1] - game.table[0])]))
        found, half = game.interactions(100, seed)
        held["pairs"].append(np.abs(found - index) <= half)
    assert np.mean(held["kernel"]) > 0.92 and np.mean(held["pairs"]) > 0.9 and np.all(held["sums"])


def test_what_players_share_in_pairs_is_exact_from_few_draws() -> None:
    """A game of single players and pairs alone: no interval, nothing missed."""
    game, generator = CoalitionGame(10), np.random.default_rng(5)
    every = every_coalition(10).astype(float)
    own, pairs = generator.normal(size=10), np.triu(generator.normal(size=(10, 10)), 1)
    game.table = 3 + every @ own + np.einsum("ci,ij,cj->c", every, pairs, every)
    index, error = game.interactions(80)
    assert np.allclose(index, pairs[np.triu_indices(10, 1)]) and np.allclose(error, 0, atol=1e-8)
    scores, _ = game.kernel(drawn(kernel_shares, 10, 40))
    assert np.allclose(scores, own + (pairs + pairs.T).sum(axis=1) / 2)


def test_a_seed_draws_the_same() -> None:
    first, again, other = (drawn(kernel_shares, 9, 60, seed).coalitions for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)

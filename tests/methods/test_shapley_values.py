"""On a whole model, against all orders one by one; then how it stops."""

import numpy as np
import pytest

from explain.methods.base import METHODS
from explain.methods.owen_values import OwenValues
from explain.methods.permutations import FEWEST
from explain.methods.shapley_values import ShapleyValues
from explain.models.transformer import EncoderModel
from explain.testing import TEXTS, TOY_MODELS, default_item
from explain.text.units import hierarchy, units_of
from tests import twins

TEXT = "Not good, sir! Sad."


@pytest.mark.parametrize("name", ["shapley_values", "kernel_shap"])
def test_the_average_over_all_orders(name: str, tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    count = len(item[0].words)
    one = METHODS[name]().attribute(tiny_bert, *item)
    expected = twins.average_over_orders(tuple(range(count)), count, twins.worth_of_words(tiny_bert, *item))
    assert np.allclose(one.scores, expected, atol=1e-4)
    assert one.passes.forward == 2**count and one.diagnostics["exact"]


def test_owen_values_are_the_average_over_orders_of_phrases_and_sentences(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    count = len(item[0].words)
    tree = (((0, 1, 2), (3, 4)), (5, 6))
    assert hierarchy(item[0], item[0].word_units()) == tree
    one = OwenValues().attribute(tiny_bert, *item)
    worth = twins.worth_of_words(tiny_bert, *item)
    assert np.allclose(one.scores, twins.average_over_orders(tree, count, worth), atol=1e-4)
    assert one.passes.forward < 2**count and one.diagnostics["exact"]


@pytest.mark.parametrize("granularity", ["phrase", "sentence"])
def test_owen_values_sum_to_those_of_phrases_and_sentences(granularity: str) -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, "Not good, sir! Sad, all of it. So what")
    words = OwenValues(budget=5000).attribute(model, *item)
    groups = OwenValues(granularity=granularity, budget=5000).attribute(model, *item)
    score = dict(zip((unit[0] for unit in words.units), words.scores))
    for unit, whole in zip(groups.units, groups.scores):
        assert sum(score[token] for token in unit if token in score) == pytest.approx(whole, abs=1e-9)


def test_owen_values_are_exact_as_soon_as_every_set_that_is_passed_can_be_run() -> None:
    model = TOY_MODELS["curved"]
    flat, grouped = default_item(model, "one two three four"), default_item(model, "one two. three. four five six")
    for item, passes in ((flat, 16), (grouped, 80)):
        one = OwenValues(budget=passes).attribute(model, *item)
        assert one.diagnostics["exact"] and one.granularity == "word" and one.passes.forward <= passes
    assert not OwenValues(budget=79, granularity="word").attribute(model, *grouped).diagnostics["exact"]


def test_of_pieces_words_are_groups() -> None:
    model = TOY_MODELS["linear"]
    tokens = model.encode("lovely film, really")
    assert hierarchy(tokens, units_of(tokens, "token")) == (((0, 1), 2, 3), (4, 5))


def test_it_stops_when_intervals_are_narrow() -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, TEXTS["plain"])
    coarse, fine, never = (
        ShapleyValues(budget=1500, precision=precision).attribute(model, *item) for precision in (0.2, 0.05, 0.0)
    )
    assert coarse.passes.forward < fine.passes.forward < never.passes.forward <= 1500
    assert coarse.diagnostics["converged"] and fine.diagnostics["converged"] and not never.diagnostics["converged"]
    assert coarse.diagnostics["pairs"] >= FEWEST
    assert fine.error.max() <= 0.05 * np.abs(fine.scores).max()


def test_intervals_hold_although_it_stops_when_they_are_narrow() -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, "so good, an odd film. No zebra, really")
    exact = ShapleyValues(budget=2048).attribute(model, *item).scores
    runs = [ShapleyValues(budget=1000, precision=0.15, seed=seed).attribute(model, *item) for seed in range(20)]
    assert all(one.diagnostics["converged"] for one in runs)
    assert np.mean([np.abs(one.scores - exact) <= one.error for one in runs]) > 0.9


def test_one_pair_has_no_interval() -> None:
    model = TOY_MODELS["curved"]
    one = ShapleyValues(budget=26, granularity="word").attribute(model, *default_item(model, TEXTS["plain"]))
    assert one.error is None and one.diagnostics["pairs"] == 1 and one.passes.forward == 26

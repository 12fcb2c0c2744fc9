"""Agreement with measured effects: equal to slow twins, shared by all methods, above every order without a model."""

from dataclasses import replace

import numpy as np
import pytest

from explain.core.errors import MetricError
from explain.core.meter import Meter
from explain.datatypes import FloatArray
from explain.methods.occlusion import Occlusion
from explain.methods.raw_attention import RawAttention
from explain.methods.shapley_values import ShapleyValues
from explain.metrics.base import Trial
from explain.metrics.effect_agreement import EffectAgreement, model_blind_orders
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.numerics.agreement import order_and_sign
from explain.testing import TOY_MODELS, NearModel, default_item

TEXT = "The plot is thin and the jokes are stale, yet the leads are charming."
METRIC = EffectAgreement(budget=200)


def unit(effects: FloatArray) -> FloatArray:
    return effects / np.linalg.norm(effects)


@pytest.fixture(scope="module")
def trial(sentiment: TextModel) -> Trial:
    return Trial(sentiment, *default_item(sentiment, TEXT))


def test_effects_are_shapley_values_and_single_removals(trial: Trial) -> None:
    model, item = trial.model, (trial.tokens, trial.target)
    averages = [
        ShapleyValues(granularity="word", operator=operator, budget=200).attribute(model, *item)
        for operator in ("mask", "attention_off")
    ]
    rows = [model.removed(trial.tokens, unit, "attention_off", trial.target) for unit in ((), *trial.units)]
    full, *without = model.scores(rows).values.tolist()
    alone = full - np.array(without)
    first, second = (trial.scores(average) for average in averages)
    measured = METRIC.word_effects(trial)
    assert measured.operators == ("mask", "attention_off")
    assert measured.effects == pytest.approx(unit(unit(first) + unit(second)) + unit(alone) / 2, abs=1e-6)
    agreed = (np.sign(first) == np.sign(second)) & (np.sign(second) == np.sign(alone))
    assert measured.signs.tolist() == np.where(agreed, np.sign(alone), 0).tolist()


def test_the_figure_and_its_controls(trial: Trial) -> None:
    occlusion = Occlusion().attribute(trial.model, trial.tokens, trial.target)
    found = METRIC.evaluate(trial, occlusion)
    effects = METRIC.word_effects(trial).effects
    scores = trial.scores(occlusion)
    assert found.value == pytest.approx(order_and_sign(scores, effects)) and found.value > 0.5
    draw = np.random.default_rng(METRIC.seed)
    shuffled = [order_and_sign(scores[draw.permutation(len(scores))], effects) for _ in range(len(found.controls))]
    assert found.controls == pytest.approx(shuffled)
    assert found.percentile == pytest.approx(100 * np.mean(np.array(shuffled) < found.value))
    for name, order in model_blind_orders(trial).items():
        expected = order_and_sign(order - order.mean(), effects)
        assert found.details["blind"][name] == pytest.approx(abs(expected))
    flipped = METRIC.evaluate(trial, replace(occlusion, scores=-occlusion.scores))
    assert flipped.value == pytest.approx(-found.value) and flipped.percentile < 5
    sizes = METRIC.evaluate(trial, replace(occlusion, scores=np.abs(occlusion.scores)))
    assert sizes.details["signs"] == 0.5 < found.details["signs"]


def test_blind_orders_read_the_text_alone(trial: Trial) -> None:
    orders = model_blind_orders(trial)
    words = [trial.tokens.unit_text(unit) for unit in trial.units]
    assert orders["length"].tolist() == [len(word) for word in words]
    assert (np.diff(orders["position"]) == -1).all()
    rarity = dict(zip(words, orders["rarity"]))
    assert rarity["the"] < rarity["plot"] < rarity["stale"] and rarity["the"] < rarity["jokes"]


def test_shares_are_compared_by_size(trial: Trial) -> None:
    found = METRIC.evaluate(trial, RawAttention().attribute(trial.model, trial.tokens, trial.target))
    assert found.details["signs"] is None and -1 <= found.value <= 1


def test_all_methods_share_the_answers_and_the_cost_is_kept(tiny_bert: EncoderModel) -> None:
    item, meter = default_item(tiny_bert, TEXT), Meter()
    trial = Trial(tiny_bert, *item, meter=meter)
    words = len(trial.units)
    METRIC.evaluate(trial, RawAttention().attribute(tiny_bert, *item))
    spent = meter.spent.forward
    assert 0 < spent <= METRIC.cost(words, 40)
    METRIC.evaluate(trial, Occlusion().attribute(tiny_bert, *item))
    assert meter.spent.forward == spent and METRIC.cost(words, 0) == 0


def test_scores_of_an_additive_model_are_right_and_flat_ones_have_no_order() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, "a b c d e f g")
    trial = Trial(model, *item)
    right = Occlusion().attribute(model, *item)
    assert METRIC.evaluate(trial, right).value > 0.98  # equal effects differ by rounding, and have no order
    flat = replace(right, scores=np.ones(len(right.units)))
    with pytest.raises(MetricError, match="no order to compare"):
        METRIC.evaluate(trial, flat)


def test_of_two_texts_each_is_emptied_in_turn() -> None:
    model = NearModel()
    item = default_item(model, "the cat sat on a mat", "a dog sat on the mat")
    trial = Trial(model, *item)
    mask = trial.operators[0]
    expected = ShapleyValues(granularity="word", operator=mask, budget=200).attribute(model, *item)
    assert expected.emptied_outputs
    assert METRIC._shapley_values(trial, mask) == pytest.approx(trial.scores(expected))

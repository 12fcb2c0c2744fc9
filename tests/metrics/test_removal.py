"""Removal metrics: equal to a case worked out by hand, to slow twins, and read against their control."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from explain.core.errors import MetricError
from explain.core.meter import Meter
from explain.datatypes import Attribution, Target, Tokens
from explain.methods.occlusion import Occlusion
from explain.methods.raw_attention import RawAttention
from explain.metrics.base import METRICS, RemovalMetric, Trial, order_of, percentile
from explain.metrics.comprehensiveness import Comprehensiveness
from explain.metrics.deletion import Deletion
from explain.metrics.infidelity import Infidelity
from explain.metrics.insertion import Insertion
from explain.metrics.monotonicity import Monotonicity
from explain.metrics.normalized_aopc import NormalizedAopc
from explain.metrics.sufficiency import Sufficiency
from explain.metrics.symmetric_relevance_gain import SymmetricRelevanceGain
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.transformer import EncoderModel
from explain.numerics.curves import eraser_counts, steps
from explain.testing import TOY_MODELS, ToyClassifier, check_metric, default_item

TEXT = "The film isn't good, but its top-notch cast saves it!"


class Weighed(ToyClassifier):
    """The logit is the sum of the words' weights: "best" 3, "good" 2, "fine" 1, "bad" -1; masks and others weigh 0."""

    WEIGHTS = {"best": 3.0, "good": 2.0, "fine": 1.0, "bad": -1.0}

    def __init__(self) -> None:
        super().__init__("weighed")
        self.embedding = torch.zeros_like(self.embedding)
        for word, weight in self.WEIGHTS.items():
            self.embedding[self.encode(word).ids[1], 0] = weight

    def logit(self, points: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        return (points[..., 0] * attended).sum(dim=1)


def scored(model: TextModel, item: tuple[Tokens, Target], scores: Sequence[float]) -> Attribution:
    """An attribution with scores of one's own, by word."""
    one = Occlusion(granularity="word", operator="mask").attribute(model, *item)
    return replace(one, scores=np.array(scores))


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


@pytest.fixture
def by_hand() -> tuple[Trial, Attribution]:
    model = Weighed()
    item = default_item(model, "best good fine bad")
    return Trial(model, *item), scored(model, item, [3, 2, 1, -1])


def test_worked_out_by_hand(by_hand: tuple[Trial, Attribution]) -> None:
    """Four words: ERASER's bins take 1, 1, 1, 1 and 2 of them."""
    full = sigmoid(5)
    comprehensiveness = Comprehensiveness().evaluate(*by_hand)
    assert comprehensiveness.value == pytest.approx(full - (4 * sigmoid(2) + sigmoid(0)) / 5)
    assert comprehensiveness.outputs == pytest.approx([sigmoid(2)] * 4 + [sigmoid(0)])
    assert comprehensiveness.scale == "probability" and comprehensiveness.higher_is_better
    sufficiency = Sufficiency().evaluate(*by_hand)
    assert sufficiency.value == pytest.approx(full - (4 * sigmoid(3) + sigmoid(5)) / 5)
    assert not sufficiency.higher_is_better
    # Removed from the top: 5, 2, 0, -1, 0. Come back from the top: 0, 3, 5, 6, 5.
    deletion = Deletion(scale="target").evaluate(*by_hand)
    assert deletion.value == pytest.approx((5 / 2 + 2 + 0 - 1 + 0 / 2) / 4) and deletion.scale == "log_odds"
    insertion = Insertion(scale="target").evaluate(*by_hand)
    assert insertion.value == pytest.approx((0 / 2 + 3 + 5 + 6 + 5 / 2) / 4)
    # Back from the bottom: "bad" lowers, the other three raise.
    assert Monotonicity().evaluate(*by_hand).value == pytest.approx(3 / 4)
    # No order is better than that of the true weights, and the reverse is the worst.
    best = NormalizedAopc(scale="target").evaluate(*by_hand)
    assert best.value == pytest.approx(1) and best.details["exact"]
    assert best.details["highest"] == pytest.approx(5 - (2 + 0 - 1 + 0) / 4)
    assert best.details["lowest"] == pytest.approx(5 - (6 + 5 + 3 + 0) / 4)
    trial, attribution = by_hand
    worst = NormalizedAopc(scale="target").evaluate(trial, replace(attribution, scores=-attribution.scores))
    assert worst.value == pytest.approx(0)
    assert Infidelity().evaluate(*by_hand).value == pytest.approx(0, abs=1e-9)


def twin(trial: Trial, attribution: Attribution, counts: Sequence[int], operator: str, *, keeps: bool) -> list[float]:
    """Probabilities along the order, one text at a time."""
    scores = []
    for unit in trial.units:
        score = 0.0
        for number, other in enumerate(attribution.units):
            if set(other) & set(unit):
                score += float(attribution.scores[number])
        scores.append(score)
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    outputs = []
    for count in counts:
        chosen = [token for place in order[:count] for token in trial.units[place]]
        rest = [token for place in order[count:] for token in trial.units[place]]
        row = trial.model.removed(
            trial.tokens, rest if keeps else chosen, operator, replace(trial.target, scale="probability")
        )
        outputs.append(float(trial.model.scores([row]).values[0]))
    return outputs


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("metric", [Comprehensiveness(), Sufficiency(), Deletion(), Insertion()])
def test_equal_to_a_slow_twin(metric: RemovalMetric, family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    item = default_item(model, TEXT)
    trial = Trial(model, *item)
    for method in (Occlusion(operator="mask"), RawAttention()):
        one = method.attribute(model, *item)
        found = metric.evaluate(trial, one)
        counts = metric.counts(len(trial.units))
        assert found.operator == ("attention_off" if method.name == "occlusion" else "mask")
        assert found.outputs == pytest.approx(twin(trial, one, counts, found.operator, keeps=metric.keeps), abs=1e-5)
        random = twin(
            trial, scored(model, item, -np.argsort(trial.random[3])), counts, found.operator, keeps=metric.keeps
        )
        full = twin(trial, one, [0], found.operator, keeps=False)[0]
        value = metric.summary(np.array([random]), full, found.fractions)[0]
        assert found.controls[3] == pytest.approx(value, abs=1e-5)


def test_the_band_is_median_and_quartiles_of_the_random_orders(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    trial = Trial(tiny_bert, *item)
    one = RawAttention().attribute(tiny_bert, *item)
    metric = Deletion()
    found = metric.evaluate(trial, one)
    curves = [
        twin(trial, scored(tiny_bert, item, -np.argsort(order)), metric.counts(len(trial.units)), "mask", keeps=False)
        for order in trial.random
    ]
    assert found.quantiles == (0.25, 0.5, 0.75) and found.band is not None
    assert found.band == pytest.approx(np.quantile(curves, found.quantiles, axis=0), abs=1e-5)
    gain = SymmetricRelevanceGain().evaluate(trial, one)
    assert gain.quantiles == found.quantiles and (np.diff(gain.band, axis=0) >= 0).all()


def test_the_control_is_shared_and_nothing_runs_twice(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    meter = Meter()
    trial = Trial(CachedModel(tiny_bert), *item, meter=meter)
    one = RawAttention().attribute(tiny_bert, *item)
    words = len(trial.units)
    first = Comprehensiveness().evaluate(trial, one)
    assert meter.spent.forward <= Comprehensiveness().cost(words, 20)
    spent = meter.spent.forward
    Comprehensiveness(scale="target").evaluate(trial, one)
    assert meter.spent.forward == spent  # the other scale is had of the same passes
    other = replace(one, scores=one.scores[::-1].copy(), method="other")
    second = Comprehensiveness().evaluate(trial, other)
    assert meter.spent.forward <= spent + len(set(eraser_counts(words)))
    assert np.array_equal(first.controls, second.controls)
    again = Comprehensiveness().evaluate(Trial(tiny_bert, *item), one)
    assert again.value == pytest.approx(first.value) and again.percentile == first.percentile


def test_ties_go_by_place() -> None:
    assert order_of(np.array([0.0, 1.0, 0.0, 1.0])).tolist() == [1, 3, 0, 2]


def test_percentiles_count_ties_half() -> None:
    controls = np.array([0.0, 1.0, 1.0, 2.0])
    assert percentile(1.0, controls, True) == 50
    assert percentile(3.0, controls, True) == 100 and percentile(3.0, controls, False) == 0


def test_a_method_is_not_tested_with_the_operator_it_uses(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    trial = Trial(tiny_bert, *item)
    for used, tested in (
        ("mask", "attention_off"),
        ("attention_off", "mask"),
        ("delete", "mask"),
        ("auto", "attention_off"),
    ):
        assert trial.operator_for(Occlusion(operator=used).attribute(tiny_bert, *item)) == tested


def test_what_the_target_reads_is_never_removed() -> None:
    model = TOY_MODELS["masked"]
    item = default_item(model, "so good [MASK] film")
    trial = Trial(model, *item)
    assert all(model.mask_id not in item[0].ids[list(unit)] for unit in trial.units)
    found = Comprehensiveness().evaluate(trial, Occlusion().attribute(model, *item))
    assert 0 <= found.percentile <= 100


def test_beam_search_finds_what_every_set_gives(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, "Not good, but its cast saves it")
    one = RawAttention().attribute(tiny_bert, *item)
    trial = Trial(tiny_bert, *item)
    exact = NormalizedAopc().evaluate(trial, one)
    beam = NormalizedAopc(exact_up_to=2, beam=50).evaluate(trial, one)
    assert exact.details["exact"] and not beam.details["exact"]
    for end in ("lowest", "highest"):
        assert beam.details[end] == pytest.approx(exact.details[end], abs=1e-3)


def test_what_can_not_be_tested_says_so() -> None:
    model = TOY_MODELS["linear"]
    short = default_item(model, "so")
    with pytest.raises(MetricError, match="fewer than two"):
        Comprehensiveness().evaluate(Trial(model, *short), Occlusion().attribute(model, *short))
    item = default_item(model, "so good an odd film")
    trial = Trial(model, *item)
    with pytest.raises(MetricError, match="overlap"):
        Comprehensiveness().evaluate(trial, Occlusion(granularity="window").attribute(model, *item))
    with pytest.raises(MetricError, match="longest"):
        NormalizedAopc(longest=2).evaluate(trial, Occlusion().attribute(model, *item))


def test_bins() -> None:
    assert eraser_counts(15) == [1, 1, 2, 3, 8]
    assert steps(4) == [0, 1, 2, 3, 4] and len(steps(400)) == 11 and steps(400)[-1] == 400


@pytest.mark.parametrize("name", METRICS)
def test_metrics_say_what_they_are(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name and metric.meaning and metric.limits and metric.__doc__


@pytest.mark.parametrize("toy", ["linear", "curved"])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_keep_their_promises(name: str, toy: str) -> None:
    check_metric(METRICS[name](), TOY_MODELS[toy])


@pytest.mark.parametrize("name", METRICS)
def test_metrics_keep_their_promises_on_a_bert(name: str, tiny_bert: TextModel) -> None:
    check_metric(METRICS[name](), tiny_bert)

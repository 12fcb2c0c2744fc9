"""The card of one word: its attention and its top neuron, against loops over the arrays and the neuron analysis."""

import numpy as np
import pytest

import explain
from explain.datatypes import AttentionMaps, NeuronActivity
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS
from explain.views.top_neurons import neuron_rows
from explain.views.word_details import MOST_PARTNERS

TEXT = "The film isn't good, but its top-notch cast saves the zebra!"
DETAILS = VIEWS["word_details"]


def sample() -> tuple[explain.Report, AttentionMaps, NeuronActivity]:
    """A report, with uneven attention and neurons of its text."""
    report = explain.explain(TEXT, TOY_MODELS["planted"], methods=["occlusion"], phrases=False)
    tokens, generator = report.prediction.tokens, np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(len(tokens)), size=(2, 3, len(tokens)))
    activations = generator.normal(size=(2, len(tokens), 5))
    maps = AttentionMaps(tokens, weights, ("0", "1", "2"))
    return report, maps, NeuronActivity(tokens, report.target, activations, activations, 0.0)


def test_attention_of_a_word_is_the_mean_over_all_heads_and_layers() -> None:
    report, maps, _ = sample()
    words = maps.tokens.word_units()
    mean = maps.weights.mean(axis=(0, 1))

    def share(word: int, other: int) -> float:
        return float(np.mean([sum(mean[token, source] for source in words[other]) for token in words[word]]))

    for number, shown in enumerate(DETAILS.data(report, maps=maps)["words"]):
        others = [other for other in range(len(words)) if other != number]
        for way, shares in (
            ("to", {other: share(number, other) for other in others}),
            ("from", {other: share(other, number) for other in others}),
        ):
            largest = sorted(others, key=lambda other: -shares[other])[:MOST_PARTNERS]
            assert [other for other, _ in shown["attention"][way]] == largest
            assert [told for _, told in shown["attention"][way]] == pytest.approx(
                [shares[n] for n in largest], abs=1e-5
            )


def test_the_top_neuron_of_a_word_is_that_of_the_neuron_analysis() -> None:
    report, _, activity = sample()
    words = activity.tokens.word_units()
    for unit, shown in zip(words, DETAILS.data(report, activity=activity)["words"]):
        (row,) = neuron_rows(activity, unit=unit, by="above_elsewhere", count=1)
        name, here, elsewhere = shown["neuron"]
        assert name == row["neuron"]
        assert (here, here - elsewhere) == pytest.approx((row["activation"], row["above_elsewhere"]), abs=2e-4)


def test_a_card_holds_what_is_there() -> None:
    report, maps, activity = sample()
    bare = DETAILS.data(report)
    assert not bare["awaited"] and all(not word["attention"] and word["neuron"] is None for word in bare["words"])
    assert DETAILS.data(report, awaited=True)["awaited"]
    assert not DETAILS.data(report, awaited=True, activity=activity)["awaited"]
    no_weight = np.broadcast_to(np.eye(len(maps.tokens)), maps.weights.shape)  # each token attends to itself alone
    alone = AttentionMaps(maps.tokens, no_weight, maps.groups)
    ways = [word["attention"] for word in DETAILS.data(report, maps=alone)["words"]]
    assert all(way == {"to": [], "from": []} for way in ways)

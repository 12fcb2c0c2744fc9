"""Of two texts that are compared, each is emptied in turn: what scores add up to then, by every method that does so."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import explain
from explain.analyses.parameter_randomization import known
from explain.core.meter import Meter
from explain.datatypes import Attribution, Target, Tokens
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS, Method
from explain.methods.coalitions import CoalitionMethod, merged
from explain.methods.deeplift import DeepLift
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.shapley_values import ShapleyValues
from explain.metrics.base import Trial
from explain.metrics.completeness_gap import CompletenessGap
from explain.models.base import TextModel
from explain.models.coalition_game import CoalitionGame
from explain.models.loading.catalogue import load_model
from explain.numerics.coalitions import every_coalition, shapley_values
from explain.numerics.quadrature import gauss_legendre
from explain.report.record import from_record, to_record
from explain.report.replay import replay
from explain.testing import TOY_MODELS, default_item
from explain.text.removal import emptied_together
from explain.text.units import units_of
from explain.views.base import VIEWS
from explain.views.references import sums_sentence

NEAR = TOY_MODELS["near"]
PAIR = ("The station is near.", "Where is a train stop?")
EMPTYING = [name for name in METHODS if "emptied" in METHODS[name].__dataclass_fields__]
ON_TOYS = [name for name in EMPTYING if METHODS[name].requires <= NEAR.capabilities]


def item_of(model: TextModel = NEAR) -> tuple[Tokens, Target]:
    return default_item(model, *PAIR)


def emptied_value(model: TextModel, item: tuple[Tokens, Target], text: int) -> float:
    """F with every word of one text masked, by ids; nothing of the methods' own."""
    tokens, target = item
    gone = [token for token in tokens.ordinary.tolist() if tokens.segment[token] == text]
    return float(model.scores([model.removed(tokens, gone, "mask", target)]).values[0])


def test_every_method_that_starts_from_an_empty_text_can() -> None:
    assert set(EMPTYING) == {
        "deeplift",
        "expected_gradients",
        "integrated_gradients",
        "kernel_shap",
        "lime",
        "owen_values",
        "shapley_values",
    }


@pytest.mark.parametrize("name", [name for name in ON_TOYS if METHODS[name].complete and name != "expected_gradients"])
def test_scores_of_each_text_add_up_by_themselves(name: str) -> None:
    item = item_of()
    one = METHODS[name]().attribute(NEAR, *item)
    segment = np.array([item[0].segment[unit[0]] for unit in one.units])
    for text in (0, 1):
        empty = emptied_value(NEAR, item, text)
        assert one.emptied_outputs[text] == pytest.approx(empty, abs=1e-5)
        assert one.scores[segment == text].sum() == pytest.approx(one.output - empty, abs=one.diagnostics["tolerance"])
    assert one.baseline_output == pytest.approx(np.mean(one.emptied_outputs))
    assert abs(one.completeness_gap) <= one.diagnostics["tolerance"]
    assert len(one.sums) == 2 and one.completeness_gap in [difference - total for total, difference in one.sums]
    together = METHODS[name](emptied="together").attribute(NEAR, *item)
    assert together.emptied_outputs == () and together.baseline_output > 0.95  # two empty texts are alike


def test_expected_gradients_average_over_the_kinds() -> None:
    item = item_of()
    both = METHODS["expected_gradients"](baselines="mask,zero").attribute(NEAR, *item)
    kinds = [IntegratedGradients(baseline=kind).attribute(NEAR, *item) for kind in ("mask", "zero")]
    assert np.allclose(both.scores, np.mean([one.scores for one in kinds], axis=0))
    assert np.allclose(both.emptied_outputs, np.mean([one.emptied_outputs for one in kinds], axis=0))
    assert both.diagnostics["baseline_outputs"] == pytest.approx(
        {kind: one.baseline_output for kind, one in zip(("mask", "zero"), kinds)}
    )


def test_gradients_are_integrated_while_the_other_text_stands_still() -> None:
    """An independent twin: one text's embeddings fade to the mask's, the other's are the text's own throughout."""
    tokens, target = item_of()
    text = NEAR.word_embeddings(tokens)
    expected = np.zeros(len(tokens))
    nodes, weights = gauss_legendre(200)
    for number in (0, 1):
        way = torch.zeros_like(text)
        for token in tokens.ordinary.tolist():
            if tokens.segment[token] == number:
                way[token] = text[token] - NEAR.token_embedding(NEAR.mask_id)
        for node, weight in zip(nodes, weights):
            _, gradient = NEAR.gradients(tokens, target, (text - (1 - node) * way)[None].float())
            expected += weight * (gradient[0].double() * way.double()).sum(dim=-1).numpy()
    assert np.allclose(IntegratedGradients().attribute(NEAR, tokens, target).scores, expected, atol=1e-3)


def test_shapley_values_are_those_of_two_games() -> None:
    item = item_of()
    one = ShapleyValues().attribute(NEAR, *item)
    words = NEAR.removable_units(*item, units_of(item[0], "word"))
    expected = []
    for text in (0, 1):
        players = tuple(word for word in words if item[0].segment[word[0]] == text)
        expected += shapley_values(
            CoalitionGame(NEAR, item, players, "mask").worth(every_coalition(len(players)))
        ).tolist()
    assert one.units == words and one.diagnostics["exact"]
    assert np.allclose(one.scores, expected)


@pytest.mark.parametrize("name", ON_TOYS)
def test_one_text_or_two_that_are_read_together_are_as_before(name: str) -> None:
    for model, texts in ((TOY_MODELS["linear"], PAIR[:1]), (TOY_MODELS["sequel"], PAIR)):
        item = default_item(model, *texts)
        auto, together = (METHODS[name](emptied=how).attribute(model, *item) for how in ("auto", "together"))
        assert np.array_equal(auto.scores, together.scores) and auto.emptied_outputs == ()
        assert METHODS[name]().cost(item[0]) == METHODS[name](emptied="together").cost(item[0])
        if len(texts) == 2:  # who wants to, may
            assert len(METHODS[name](emptied="in_turn").attribute(model, *item).units) == len(auto.units)


@pytest.mark.parametrize("name", ON_TOYS)
@pytest.mark.parametrize("emptied", ["auto", "together"])
def test_it_spends_what_it_says(name: str, emptied: str) -> None:
    tokens, target = default_item(NEAR, "It is so.", "one two three four five six seven eight nine ten eleven twelve")
    settings = {"budget": 160} if issubclass(METHODS[name], CoalitionMethod) else {}
    method, meter = METHODS[name](emptied=emptied, **settings), Meter()
    method.attribute(NEAR, tokens, target, meter)
    assert meter.spent.forward + meter.spent.backward <= method.cost(tokens)
    if settings and emptied == "auto":
        assert sum(one.budget for one, _ in method.rounds(tokens)) <= 160
        assert [len(units) for _, units in method.rounds(tokens)] == [4, 12]


def test_which_tokens_are_emptied_at_once() -> None:
    tokens = NEAR.encode(*PAIR)
    first, second = emptied_together(tokens, "auto")
    assert sorted((*first, *second)) == list(range(len(tokens))) and set(tokens.segment[list(second)]) == {1}
    assert emptied_together(tokens, "together") == (tuple(range(len(tokens))),)
    alone = TOY_MODELS["linear"].encode(PAIR[0])
    assert emptied_together(alone, "in_turn") == emptied_together(alone, "auto") == (tuple(range(len(alone))),)


def test_what_two_rounds_found_is_told_as_one() -> None:
    facts = merged(
        [
            {"exact": True, "evaluations": 8, "pairs": 3, "intercept": 0.1},
            {"exact": False, "evaluations": 4, "pairs": 5, "intercept": 0.2},
        ]
    )
    assert facts == {"exact": False, "evaluations": 12, "pairs": 3, "intercepts": [0.1, 0.2]}
    assert merged([{"intercept": 0.1}]) == {"intercept": 0.1} and merged([]) == {}


def test_while_it_draws_what_is_known_is_shown() -> None:
    parts: list[Attribution] = []

    class Keeping(Meter):
        def publish(self, name: object, part: Attribution) -> None:
            parts.append(part)

    words = " ".join("abcdefghijklmn")
    tokens, target = default_item(NEAR, words, words)
    whole = ShapleyValues(budget=400, precision=0.0).attribute(NEAR, tokens, target, Keeping())
    assert parts and all(part.diagnostics["partial"] for part in parts)
    assert {len(part.units) for part in parts} == {14, 28} and len(whole.units) == 28
    assert parts[0].baseline_output is None and parts[-1].emptied_outputs == pytest.approx(whole.emptied_outputs)
    for part in parts:
        VIEWS["token_heatmap"].data(part)


def test_the_gap_is_that_of_the_worse_text() -> None:
    item = item_of()
    one = IntegratedGradients().attribute(NEAR, *item)
    trial = Trial(NEAR, *item)
    assert CompletenessGap().evaluate(trial, one).value < 1e-2
    second = item[0].segment == 1
    wrong = replace(one, scores=np.where(second, one.scores / 2, one.scores))
    found = CompletenessGap().evaluate(trial, wrong)
    assert found.value == pytest.approx(0.5, abs=1e-2)
    assert found.details["difference"] == pytest.approx(one.output - one.emptied_outputs[1], abs=1e-4)
    assert verdict(wrong, []).facts.get("gap", found.value) == pytest.approx(0.5, abs=1e-2)
    # Errors that cancel out over both texts are found as well.
    shifted = replace(one, scores=one.scores + np.where(second, 0.01, -0.01 * second.sum() / (~second).sum()))
    assert abs(shifted.scores.sum() - one.scores.sum()) < 1e-9 and abs(shifted.completeness_gap) > 0.05


def test_the_note_says_what_each_text_adds_up_to() -> None:
    one = IntegratedGradients().attribute(NEAR, *item_of())
    note = sums_sentence(one)
    for (total, _), start, name in zip(one.sums, one.emptied_outputs, ("text", "other text")):
        assert (
            f"scores of the {name} add up to {total:+.3f}, from {start:+.3f} with it empty".replace("-", "\u2212")
            in note
        )
    assert note in VIEWS["token_heatmap"].data(one)["note"]


@pytest.mark.parametrize("name", ["integrated_gradients", "shapley_values", "lime"])
def test_words_that_match_speak_for_likeness(name: str) -> None:
    model = load_model("similarity")
    item = default_item(model, "How do I get to the nearest station?", "Where is the closest train stop?")
    settings = {"budget": 200} if name != "integrated_gradients" else {"max_points": 33}
    for emptied, expected in (("auto", True), ("together", False)):
        method: Method = METHODS[name](emptied=emptied, **settings)
        shown = method.attribute(model, *item)
        shown = shown.per_word() if shown.additive else shown
        scores = {shown.tokens.unit_text(unit): score for unit, score in zip(shown.units, shown.scores)}
        if expected:
            assert min(scores[word] for word in ("nearest", "station", "closest", "train")) > 0
        elif name == "integrated_gradients":  # two empty texts are all but equal, so every match lowers the likeness
            assert scores["station"] < 0 and shown.baseline_output > 0.9


def test_older_records_replay_as_they_were_computed() -> None:
    report = explain.explain(
        PAIR[0],
        NEAR,
        text_pair=PAIR[1],
        methods=["integrated_gradients", "shapley_values"],
        settings={name: {"emptied": "together"} for name in ("integrated_gradients", "shapley_values")},
        phrases=False,
    )
    record = json.loads(json.dumps(to_record(report)))
    for one in record["attributions"]:
        del one["params"]["emptied"], one["emptied_outputs"]
    del record["prediction"]["encodings"][0]["read_apart"]
    assert replay(from_record(record), NEAR).within(1e-5)


def test_what_was_measured_with_weights_drawn_anew_is_found_where_it_holds() -> None:
    entailment, similarity = load_model("entailment"), load_model("similarity")
    assert known(entailment, DeepLift()) is not None  # nothing changed there
    apart, together = IntegratedGradients(emptied="auto"), IntegratedGradients(emptied="together")
    assert known(entailment, apart) is not None and known(similarity, apart) is not None
    assert known(entailment, together) is not None and known(similarity, together) is None

"""What can be asked besides attributions: against cuts made by hand, plain heads on states, and counted passes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from transformers.modeling_outputs import BaseModelOutput

import explain
from explain.analyses.attention_knockout import AttentionKnockout
from explain.analyses.head_ablation import HeadAblation
from explain.analyses.head_statistics import HeadStatistics
from explain.analyses.layer_weights import LayerWeights
from explain.analyses.logit_lens import LogitLens
from explain.analyses.queries_and_keys import QueriesAndKeys
from explain.analyses.word_interactions import WordInteractions
from explain.core.errors import ModelError, SettingError
from explain.core.meter import Meter
from explain.datatypes import Cut
from explain.methods.alti import Alti
from explain.methods.base import METHODS
from explain.models.analysis import Analysis, ExplainedText
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.run import engine
from explain.run.jobs import Cache
from explain.run.plan import Plan
from explain.testing import TOY_MODELS, NoGradientModel, ToyClassifier, default_item
from tests.twins import interaction_index, worth_of_words

TEXT = "The film isn't good, but its top-notch cast saves it!"


def test_effects_of_heads(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    found = HeadAblation().run(tiny_bert, ExplainedText(*item))
    for layer, head in ((0, 0), (1, 3), (2, 2)):
        alone = tiny_bert.attention.scores_with_ablation(*item, [(Cut(layer, head),)]).values[0]
        assert found.effects[layer, head] == pytest.approx(found.output - alone, abs=1e-4)
    expected = spearmanr(np.abs(found.effects).ravel(), found.figures["entropy"].ravel()).statistic
    assert found.agreement["entropy"] == pytest.approx(expected)
    assert found.effects.shape == found.flips.shape == (3, 4)


def test_a_figure_that_is_the_same_of_all_heads_has_no_rank_correlation(
    tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"flat": np.full((3, 4), 0.2), "rising": np.arange(12.0).reshape(3, 4)}
    monkeypatch.setattr("explain.analyses.head_ablation.head_figures", lambda *arguments: figures)
    found = HeadAblation().run(tiny_bert, ExplainedText(*default_item(tiny_bert, TEXT)))
    assert found.agreement["flat"] is None and found.agreement["rising"] is not None


def test_effects_of_cuts(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    cuts = ((Cut(0, 1, 0, 3),), (Cut(2),), (Cut(source=4), Cut(1, 1)))
    found = AttentionKnockout(cuts).run(tiny_bert, ExplainedText(*item))
    assert np.allclose(found.values, tiny_bert.attention.scores_with_ablation(*item, cuts).values, atol=1e-4)
    assert found.output == pytest.approx(tiny_bert.value(tiny_bert.predict(item[0]), item[1]), abs=1e-4)


def test_how_it_forms(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    found = LogitLens().run(tiny_bert, ExplainedText(tokens, target))
    states = tiny_bert.attention.trace(tokens).states
    for layer in range(4):
        with torch.no_grad():
            logits = tiny_bert._module.classifier(tiny_bert._module.bert.pooler(states[layer][None].clone()))[0]
        assert np.allclose(found.probabilities[layer], logits.softmax(dim=-1), atol=1e-5)
        for token in (0, 3):
            own = torch.cosine_similarity(states[layer, token], states[0, token], dim=0)
            assert found.to_input[layer, token] == pytest.approx(float(own), abs=1e-5)
            rest = [other for other in range(len(tokens)) if other != token]
            near = torch.cosine_similarity(states[layer, token][None], states[layer, rest], dim=-1).mean()
            assert found.to_others[layer, token] == pytest.approx(float(near), abs=1e-5)
    served = tiny_bert.predict(tokens).output.probabilities[0]
    assert np.allclose(found.probabilities[-1], served, atol=1e-5)
    assert found.values[-1] == pytest.approx(tiny_bert.value(tiny_bert.predict(tokens), target), abs=1e-4)


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "albert", "electra"])
def test_the_logit_lens_is_the_plain_head_on_inner_states(
    family: str, tiny: Callable[..., EncoderModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(family, "ForMaskedLM")
    mask = model.head.vocabulary.mask
    tokens = model.encode(f"The {mask} isn't good, but its {mask} cast saves it!")
    prediction = model.predict(tokens)
    place = prediction.outputs[1].positions[0]
    unlikely = prediction.outputs[0].labels[-1]
    target = model.task.target(prediction, model.head, label=unlikely, position=place)
    found = LogitLens().run(model, ExplainedText(tokens, target))
    states = model.attention.trace(tokens).states.clone()
    body = model._module.base_model
    for layer, state in enumerate(states):
        with monkeypatch.context() as patch, torch.no_grad():
            patch.setattr(body, "forward", lambda *_, state=state, **__: BaseModelOutput(last_hidden_state=state[None]))
            logits = model._module(input_ids=torch.tensor(tokens.ids)[None]).logits[0, place].double()
        shares = logits.softmax(dim=-1)
        best = shares.clone()
        best[list(model.head.vocabulary.no_words)] = 0
        order = best.argsort(descending=True)[:5].tolist()
        assert found.words[layer] == tuple(map(model.head.vocabulary.word, order))
        assert np.allclose(found.shares[layer], best[order], atol=1e-6)
        assert found.probabilities[layer, 0] == pytest.approx(float(shares[target.index]), abs=1e-6)
        others = torch.cat([logits[: target.index], logits[target.index + 1 :]])
        assert found.values[layer] == pytest.approx(float(logits[target.index] - others.logsumexp(0)), abs=1e-4)
    assert found.labels[0] == unlikely and found.row == place
    assert found.words[-1] == prediction.outputs[1].labels[:5]
    assert found.values[-1] == pytest.approx(model.value(prediction, target), abs=1e-4)


def test_where_the_head_can_not_be_read_states_are_still_shown(
    tiny: Callable[..., EncoderModel],
) -> None:
    model = tiny("modernbert")
    found = LogitLens().run(model, ExplainedText(*default_item(model, TEXT)))
    assert found.values is None and found.probabilities is None and found.to_input.shape[0] == 4


def test_a_plan_with_analyses_counts_its_passes(sentiment: TextModel) -> None:
    analyses = (LayerWeights(Alti()), HeadStatistics(), HeadAblation(), AttentionKnockout(((Cut(0),),)), LogitLens())
    plan = Plan.for_text(TEXT, analyses=analyses)
    meter, cache = Meter(), Cache()
    results = engine.results(plan, sentiment, meter, cache)
    assert results.complete and results.has(analyses)
    # The prediction, one trace for ALTI and the layers, 72 heads and the clean run, one cut and its clean run.
    assert meter.spent.forward == 1 + 1 + 73 + 2
    assert meter.spent.forward <= engine.cost(plan, sentiment)
    again = Meter()
    assert engine.results(plan, sentiment, again, cache).complete
    assert again.spent.forward == 0
    weights = results.required(analyses[0])
    assert weights.maps.weights.shape[:2] == (6, 1) and weights.attribution.method == "alti"


def test_models_that_lack_something_say_so() -> None:
    model = NoGradientModel()
    subject = ExplainedText(*default_item(model, TEXT))
    for analysis in (LayerWeights(Alti()), HeadAblation(), AttentionKnockout(((Cut(0),),)), LogitLens()):
        with pytest.raises(ModelError, match="Use another method"):
            analysis.run(model, subject)


def test_attention_in_python(sentiment: TextModel) -> None:
    maps = explain.attention(TEXT, model="sentiment")
    count = len(sentiment.encode(TEXT))
    assert maps.weights.shape == (6, 12, count, count)
    assert np.allclose(maps.weights.sum(axis=-1), 1, atol=1e-5)
    pair = explain.attention("good film", text_pair="a bad one", model=sentiment)
    assert set(pair.tokens.segment.tolist()) == {0, 1}


ONE_TRACE = ("alti", "norm_based_attention", "attention_times_states")
ONE_BACKWARD = ("gradient_weighted_attention", "attention_times_gradient")


@pytest.mark.parametrize(
    "analysis, passes",
    [
        (None, (1, 0)),  # graph, matrix, BertViz's head view and model view
        (HeadStatistics(), (1, 0)),
        (QueriesAndKeys(), (2, 0)),
        (LogitLens(), (2, 0)),
        *((LayerWeights(METHODS[name]()), (1, 0)) for name in ("raw_attention", "attention_rollout")),
        *((LayerWeights(METHODS[name]()), (2, 0)) for name in ONE_TRACE),
        *((LayerWeights(METHODS[name]()), (2, 1)) for name in ONE_BACKWARD),
    ],
)
def test_a_view_takes_two_forward_passes_at_most(
    analysis: Analysis[Any, Any] | None, passes: tuple[int, int], sentiment: TextModel
) -> None:
    analyses = () if analysis is None else (analysis,)
    text = TEXT if isinstance(analysis, LayerWeights) else "A dull but charming film. " * 120  # 512 pieces
    meter = Meter()
    engine.results(Plan.for_text(text, analyses=analyses), sentiment, meter)
    assert (meter.spent.forward, meter.spent.backward) == passes


class Sayings(ToyClassifier):
    """Games in words: "not" and "good" together give 2 (neither alone), "fine" or "great" gives 3, "well" gives 1."""

    def __init__(self) -> None:
        super().__init__("sayings")
        self.embedding = torch.zeros_like(self.embedding)
        for place, word in enumerate(["not", "good", "fine", "grea", "well"]):
            self.embedding[self.encode(word).ids[1], place] = 1.0

    def logit(self, points: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        there = (points * attended[..., None]).amax(dim=1)
        either = torch.maximum(there[:, 2], there[:, 3])
        return 2 * there[:, 0] * there[:, 1] + 3 * either + there[:, 4]


def test_words_that_need_each_other_and_words_that_stand_in_for_each_other() -> None:
    """An AND game, an OR game, and a word of its own, by hand: I(and) = 2, I(or) = -3, all else 0."""
    model = Sayings()
    tokens, target = default_item(model, "not so good, fine great well")
    found = WordInteractions(granularity="word").run(model, ExplainedText(tokens, target))
    assert target.label == "positive" and found.names == ("not", "so", "good", ",", "fine", "great", "well")
    by_pair = {tuple(found.names[unit] for unit in pair): value for pair, value in zip(found.pairs, found.values)}
    assert by_pair.pop(("not", "good")) == pytest.approx(2) and by_pair.pop(("fine", "great")) == pytest.approx(-3)
    assert np.allclose(list(by_pair.values()), 0, atol=1e-6) and len(by_pair) == 19
    assert [tuple(found.pairs[best]) for best in found.strongest(2)] == [(4, 5), (0, 2)]
    assert found.diagnostics["exact"] and not found.error.any() and found.passes.forward == 128
    with pytest.raises(SettingError, match=r"7 parts .* at least 107 passes"):
        WordInteractions(granularity="word", budget=64).run(model, ExplainedText(tokens, target))


def test_interactions_are_those_of_the_definition(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, "Not good, sir")
    found = WordInteractions().run(tiny_bert, ExplainedText(*item))
    expected = interaction_index(len(found.units), worth_of_words(tiny_bert, *item))
    assert np.allclose(found.values, [expected[tuple(pair)] for pair in found.pairs], atol=1e-4)


def test_interactions_drawn_hold_the_exact_ones_and_keep_the_budget() -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, "so good, an odd film. No zebra")
    exact = WordInteractions(budget=1024).run(model, ExplainedText(*item))
    assert exact.diagnostics["exact"] and exact.granularity == "word"
    held = []
    for seed in range(25):
        meter = Meter()
        question = WordInteractions(budget=200, granularity="word", seed=seed)
        found = question.run(model, ExplainedText(*item), meter)
        assert meter.spent.forward == found.passes.forward <= question.passes(model, ExplainedText(*item)) == 200
        held.append(np.abs(found.values - exact.values) <= found.error + 1e-6)
    assert np.mean(held) > 0.9


def test_interactions_of_long_texts_and_of_single_words() -> None:
    model = TOY_MODELS["curved"]
    found = WordInteractions(budget=100).run(model, ExplainedText(*default_item(model, "A long, slow film. " * 8)))
    assert found.granularity == "sentence" and len(found.units) == 6 and len(found.values) == 15
    alone = WordInteractions().run(model, ExplainedText(*default_item(model, "zebra")))
    assert len(alone.units) == 1 and alone.pairs.shape == (0, 2) and alone.passes.forward == 2
    masked = TOY_MODELS["masked"]
    nothing = WordInteractions().run(masked, ExplainedText(*default_item(masked, "[MASK]")))
    assert nothing.units == () and nothing.output == nothing.baseline_output


def test_interactions_are_part_of_a_plan() -> None:
    analysis = WordInteractions()
    plan = Plan.for_text("not so good", analyses=[analysis])
    assert len(engine.results(plan, TOY_MODELS["curved"]).required(analysis).values) == 3

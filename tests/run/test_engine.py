"""The whole way from text to report, on toys, a tiny BERT and the shipped model."""

from typing import Any

import numpy as np
import pytest
import torch

import explain
from explain.analyses.key_phrases import empty_text
from explain.core.errors import ModelError, SettingError, TargetError, TextError, UnknownNameError
from explain.core.meter import Meter
from explain.datatypes import Report
from explain.methods.base import METHODS
from explain.models.analysis import ExplainedText
from explain.models.base import TextModel, check_same_score
from explain.models.cached_model import CachedModel
from explain.models.coalition_game import CoalitionGame
from explain.models.loading.catalogue import load_model
from explain.models.transformer import EncoderModel
from explain.report.as_python import as_python
from explain.run import engine
from explain.run.jobs import Cache
from explain.run.plan import DEFAULT_METHODS, Plan, methods_from
from explain.testing import TOY_MODELS, texts_for
from explain.text.phrases import PhraseSettings

TEXT = "The film isn't good, but its top-notch cast saves it!"


def count_encoder_calls(model: EncoderModel) -> tuple[list[int], object]:
    """Sequences that go through the first layer, counted where nobody can cheat."""
    seen: list[int] = []
    layer = model._module.bert.encoder.layer[0]
    return seen, layer.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))


def test_prediction_maps_and_rollout_are_one_forward(tiny_bert: EncoderModel) -> None:
    seen, handle = count_encoder_calls(tiny_bert)
    try:
        meter = Meter()
        report = explain.explain(TEXT, tiny_bert, methods=["attention_rollout"], phrases=False, meter=meter)
    finally:
        handle.remove()
    assert seen == [1] and meter.spent.forward == 1
    assert report.edges and report.attributions[0].scale == "share"


def test_what_the_meter_counts_is_what_was_run(tiny_bert: EncoderModel) -> None:
    seen, handle = count_encoder_calls(tiny_bert)
    try:
        meter = Meter()
        explain.explain(TEXT, tiny_bert, meter=meter)
    finally:
        handle.remove()
    assert sum(seen) == meter.spent.forward


def test_phrases_reuse_what_occlusion_ran(tiny_bert: EncoderModel) -> None:
    alone, both = Meter(), Meter()
    explain.explain(TEXT, tiny_bert, methods=[], meter=alone)
    explain.explain(TEXT, tiny_bert, methods=["occlusion"], meter=both)
    words = len(tiny_bert.encode(TEXT).words)
    assert alone.spent.forward <= 1 + 1 + 4 * words + 8  # the text, and none of its words
    assert both.spent.forward - alone.spent.forward <= 3  # the punctuation, which is no phrase


PREMISE, HYPOTHESIS = "Two dogs are running through the snow.", "Animals are outdoors."


def test_without_words_the_model_says_what_transformers_says() -> None:
    model = load_model("entailment")
    report = explain.explain(PREMISE, model, text_pair=HYPOTHESIS, methods=[])
    empty, tokens = report.empty_text, report.prediction.tokens
    ids = torch.tensor(np.where(tokens.special, tokens.ids, model.mask_id))[None]
    with torch.inference_mode():
        logits = model._module(input_ids=ids, token_type_ids=torch.tensor(tokens.token_types.copy())[None]).logits[0]
    shares = torch.softmax(logits / model.head.temperature, dim=-1)
    assert empty.label == model.head.labels[int(logits.argmax())] == "entailment" and empty.same_decision
    assert empty.confidence == pytest.approx(float(shares.max()), abs=1e-5)
    assert empty.operator == "mask"
    # What is decided without any word, no phrase is enough for; and what speaks against it is not needed.
    assert report.phrases and all(phrase.sufficient is None for phrase in report.phrases)
    assert not any(phrase.necessary for phrase in report.phrases if phrase.score <= 0)


def test_the_text_without_words_costs_one_pass(tiny_bert: EncoderModel) -> None:
    tokens, meter = tiny_bert.encode(TEXT), Meter()
    target = tiny_bert.task.target(tiny_bert.predict(tokens), tiny_bert.head)
    working = CachedModel(tiny_bert)
    working.scores([working.removed(tokens, (), "mask", target)])
    empty = empty_text(working, ExplainedText(tokens, target), "mask", meter)
    assert empty is not None and meter.spent.forward == 1
    game = CoalitionGame(working, (tokens, target), tokens.word_units(), "mask", meter)
    assert game.empty == empty.value and meter.spent.forward == 1  # nobody runs it again
    plain, with_phrases = (Plan.for_text(TEXT, phrases=phrases) for phrases in (None, PhraseSettings()))
    words = len(tokens.words)
    assert engine.cost(with_phrases, tiny_bert) - engine.cost(plain, tiny_bert) == 1 + 4 * words + 8


@pytest.mark.parametrize("toy", TOY_MODELS)
def test_every_task_says_what_it_decides_without_words(toy: str) -> None:
    model = TOY_MODELS[toy]
    text, *second = texts_for(model)["plain"]
    report = explain.explain(text, model, text_pair=next(iter(second), None), methods=[])
    empty = report.empty_text
    row = model.only(report.prediction.tokens, (), empty.operator, report.target)
    scores = model.scores([row, model.removed(report.prediction.tokens, (), "mask", report.target)])
    assert empty.value == pytest.approx(scores.values[0])
    if model.head.value:
        assert (empty.label, empty.confidence, empty.same_decision) == (None, None, None)
        assert {(phrase.sufficient, phrase.necessary) for phrase in report.phrases} == {(None, None)}
    else:
        assert empty.same_decision == bool(scores.decisions[0] == scores.decisions[1])
        assert 0 <= empty.confidence <= 1
    for phrase in report.phrases:
        if empty.same_decision or phrase.score <= 0:
            assert phrase.sufficient is None and not phrase.necessary


def test_where_no_word_may_be_removed_there_is_no_empty_text() -> None:
    assert explain.explain("[MASK]", TOY_MODELS["masked"], methods=[]).empty_text is None


def test_asked_about_the_other_label_words_speak_for_the_decision_by_falling(sentiment: TextModel) -> None:
    decided = explain.explain(TEXT, sentiment, methods=[])
    other = explain.explain(TEXT, sentiment, methods=[], label="negative")
    flags = {phrase.words: (phrase.sufficient, phrase.necessary) for phrase in decided.phrases}
    assert decided.prediction.label == "positive" and any(necessary for _, necessary in flags.values())
    assert {phrase.words: (phrase.sufficient, phrase.necessary) for phrase in other.phrases} == flags
    assert [phrase.score for phrase in other.phrases] == pytest.approx(
        [-phrase.score for phrase in decided.phrases], abs=1e-4
    )


def test_a_report_holds_what_was_asked(sentiment: TextModel) -> None:
    report = explain.explain(
        TEXT,
        settings={"integrated_gradients": {"baseline": "pad"}, "occlusion": {"operator": "delete"}},
        label="positive",
        scale="probability",
    )
    assert isinstance(report, Report) and report.target.label == "positive" and report.target.scale == "probability"
    assert [one.method for one in report.attributions] == list(DEFAULT_METHODS)
    assert report.attribution("integrated_gradients").params["baseline"] == "pad"
    assert report.attribution("occlusion").diagnostics["operator"] == "delete"
    assert report.model.weight_sha256 == sentiment.record.weight_sha256
    assert 0 < report.attribution("occlusion").output < 1
    assert report.versions["torch"].startswith("2.13")
    with pytest.raises(KeyError, match="it has: integrated_gradients"):
        report.attribution("lime")


def test_methods_may_be_instances(tiny_bert: EncoderModel) -> None:
    method = METHODS["occlusion"](granularity="sentence")
    report = explain.explain("One. Two. Three.", tiny_bert, methods=[method], phrases=PhraseSettings(top=2))
    assert len(report.attributions[0].scores) == 3 and len(report.phrases) <= 2


def test_one_method_with_two_settings_is_two_attributions(tiny_bert: EncoderModel) -> None:
    both = [METHODS["occlusion"](operator="mask"), METHODS["occlusion"](operator="delete")]
    report = explain.explain(TEXT, tiny_bert, methods=[*both, both[0]], phrases=False)
    assert [one.params["operator"] for one in report.attributions] == ["mask", "delete"]
    alone = explain.explain(TEXT, tiny_bert, methods=[both[1]], phrases=False)
    assert np.allclose(report.attributions[1].scores, alone.attributions[0].scores, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("", {}, TextError, "the text is empty"),
        (" \n\t ", {}, TextError, "the text is empty"),
        ("\u200b\u200d", {}, TextError, "the text is empty"),
        ("a\ud800b", {}, TextError, "Character 2 of the text is half of a character"),
        (None, {}, TextError, "A text is wanted"),
        ("ok", {"methods": ["magic"]}, UnknownNameError, "There is no method 'magic'"),
        ("ok", {"settings": {"magic": {}}}, UnknownNameError, "There is no method 'magic'"),
        ("ok", {"settings": {"occlusion": {"width": 3}}}, SettingError, "no setting of Occlusion 'width'"),
        ("ok", {"settings": {"occlusion": {"window": 99}}}, SettingError, "window is 99; expected 2 to 20"),
        (
            "ok",
            {"methods": ["occlusion"], "settings": {"integrated_gradients": {}}},
            SettingError,
            "not among",
        ),
        ("ok", {"label": "postive"}, TargetError, "Did you mean 'positive'"),
        ("ok", {"label": "positive", "against": "positive"}, TargetError, "given twice"),
        ("ok", {"scale": "percent"}, TargetError, "There is no scale 'percent'"),
        ("ok", {"against": "negative", "label": "positive", "scale": "logit"}, TargetError, "logit_difference"),
        ("x" * 1_000_001, {}, TextError, "at most 1,000,000"),
    ],
)
def test_bad_input_says_what_to_do(text: str, options: dict[str, object], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        explain.explain(text, TOY_MODELS["linear"], **options)


HOSTILE = {
    "one token": "good",
    "only unknown": "😀 😍 🤷",
    "100,000 characters": "good film " * 10_000,
    "control characters": "go\x00od\x07 fi\x1blm \x9f end",
    "right to left": "הסרט הזה לא טוב بل رائع",
    "override": "good \u202egnp.exe\u202c end",
    "combining marks": "g\u0300\u0301\u0302o\u0303\u0304od z\u0351\u0343a\u0315\u0335l\u0321go",
    "script": "<script>alert('x')</script> & <img src=x onerror=alert(1)>",
    "10,000 letters without a space": "a" * 10_000,
    "a mask and special tokens": "the [MASK] is [SEP] [CLS] [PAD] good",
    "line breaks": "good\r\n\r\nfilm\n",
    "punctuation": "?! ...",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_explained_like_any_other(name: str, sentiment: TextModel) -> None:
    long = len(HOSTILE[name]) > 1000  # a pass of 512 pieces is slow
    methods = [METHODS["attention_rollout"](), METHODS["occlusion"](granularity="sentence")]
    methods += [] if long else [METHODS["integrated_gradients"](steps=5)]
    phrases = None if long else PhraseSettings()
    report = explain.explain(HOSTILE[name], sentiment, methods=methods, phrases=phrases or False)
    assert report.prediction.label in ("negative", "positive")
    assert report.text == HOSTILE[name]
    assert all(np.isfinite(one.scores).all() for one in report.attributions)
    assert report.prediction.tokens.truncated == (name == "100,000 characters")


DEFAULT = Plan.for_text(TEXT, methods=methods_from(DEFAULT_METHODS), phrases=PhraseSettings())


def test_cached_parts_cost_nothing(tiny_bert: EncoderModel) -> None:
    cache, first, second = Cache(), Meter(), Meter()
    nothing, complete = engine.known(DEFAULT, tiny_bert, cache)
    assert not complete and not nothing.observed and nothing.target is None
    once = engine.results(DEFAULT, tiny_bert, first, cache)
    again = engine.results(DEFAULT, tiny_bert, second, cache)
    assert first.spent.forward > 0 and second.spent.forward == 0
    assert again.observation is once.observation
    assert all(again.answer(analysis) is once.answer(analysis) for analysis in DEFAULT.analyses)
    everything, complete = engine.known(DEFAULT, tiny_bert, cache)
    assert complete and everything.complete
    other = Plan.for_text(TEXT, methods=methods_from(["occlusion"], {"occlusion": {"operator": "unk"}}))
    partly, complete = engine.known(other, tiny_bert, cache)
    assert not complete and partly.observed and partly.target is not None and not partly.attributions


def test_a_plan_costs_at_most_what_it_says(tiny_bert: EncoderModel) -> None:
    meter = Meter()
    engine.results(DEFAULT, tiny_bert, meter)
    assert meter.spent.forward + meter.spent.backward <= engine.cost(DEFAULT, tiny_bert)


def test_a_score_that_is_not_served_is_not_explained() -> None:
    check_same_score(1.00001, 1.0, "m")
    with pytest.raises(ModelError, match="but it serves"):
        check_same_score(1.01, 1.0, "m")


@pytest.mark.parametrize(
    "plan",
    [
        Plan.for_text(TEXT, methods=methods_from(["occlusion"]), phrases=PhraseSettings()),
        Plan.for_text(
            'He said "no"\n',
            methods=methods_from(["integrated_gradients"], {"integrated_gradients": {"baseline": "pad", "steps": 8}}),
            label="positive",
            scale="logit",
            phrases=PhraseSettings(top=3),
        ),
        Plan.for_text("a", "b", methods=methods_from(["occlusion"])),
    ],
    ids=["plain", "settings", "pair"],
)
def test_the_python_shown_gives_the_same_report(plan: Plan, sentiment: TextModel) -> None:
    names: dict[str, Any] = {}
    exec(as_python(plan, sentiment), names)
    report = names["report"]
    expected = engine.results(plan, sentiment)
    for method in plan.methods:
        assert np.allclose(report.attribution(method.name).scores, expected.required(method).scores, atol=1e-6)
    assert report.phrases == (expected.phrases or ())
    assert report.target == expected.target

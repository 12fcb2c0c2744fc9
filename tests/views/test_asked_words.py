"""The asked word is marked in every output, and what it carries alone is said first, as plain forward passes say."""

import dataclasses

import numpy as np
import pytest

import explain
from explain.core.meter import Meter
from explain.datatypes import Report
from explain.models.loading.catalogue import load_model
from explain.report.record import from_json, to_json
from explain.report.replay import replay
from explain.run import engine
from explain.run.plan import Plan, methods_from
from explain.testing import TOY_MODELS, texts_for
from explain.views.asked_words import asked_label, context_sentence, is_asked
from explain.views.base import VIEWS, visible
from explain.views.document import document
from explain.views.scores_table import to_text

METHODS = ["integrated_gradients", "occlusion"]
READ_AT_WORDS = ("tagging", "masked", "answer")


def report_of(toy: str, **options: object) -> Report:
    model = TOY_MODELS[toy]
    text, *second = texts_for(model)["plain"]
    return explain.explain(text, model, text_pair=next(iter(second), None), methods=["occlusion"], **options)


@pytest.mark.parametrize("phrases", [True, False])
def test_the_sentence_is_what_plain_passes_say(phrases: bool) -> None:
    model = load_model("entities")
    report = explain.explain("Marie Curie was born in Paris.", model, methods=METHODS, phrases=phrases, position=1)
    target = report.target
    kept = {"[CLS]", "marie", "[SEP]"}
    tokens = report.prediction.tokens
    assert [tokens.pieces[token] for token in target.protected] == ["marie"]
    blanked = dataclasses.replace(
        tokens, ids=np.array([at if piece in kept else model.mask_id for piece, at in zip(tokens.pieces, tokens.ids)])
    )
    alone, whole = (model.value(model.predict(read), target) for read in (blanked, tokens))
    assert report.empty_text.value == pytest.approx(alone, abs=1e-4)
    assert report.attributions[0].output == pytest.approx(whole, abs=1e-4)
    assert report.attribution("integrated_gradients").baseline_output == pytest.approx(alone, abs=1e-4)
    sentence = context_sentence(report)
    assert sentence == (
        f"{alone:+.2f} of {whole:+.2f} log-odds are there with “Marie” alone; "
        f"the words around explain {whole - alone:+.2f}."
    )
    assert context_sentence(from_json(to_json(report))) == sentence


def test_it_comes_before_the_scores_in_every_output() -> None:
    report = report_of("tagging")
    sentence = context_sentence(report)
    assert sentence and sentence in to_text(report) and sentence in document(report, {})
    assert to_text(report).index(sentence) < to_text(report).index("occlusion")
    page = document(report, {"occlusion": ("Occlusion", "", "")})
    assert page.index(sentence) < page.index("<h2>Occlusion</h2>")


def test_a_smaller_or_opposite_score_is_no_part_of_the_whole() -> None:
    report = report_of("tagging")
    (attribution,) = report.attributions
    for alone, whole in ((-1.0, 4.0), (5.0, 4.0)):
        empty = dataclasses.replace(report.empty_text, value=alone)
        changed = dataclasses.replace(attribution, output=whole)
        sentence = context_sentence(dataclasses.replace(report, empty_text=empty, attributions=(changed,)))
        assert sentence.startswith("With “") and "of +4.00" not in sentence and "with the whole text +4.00" in sentence
        assert sentence.endswith(f"the words around explain {whole - alone:+.2f}.".replace("-", "−"))


@pytest.mark.parametrize("toy", READ_AT_WORDS)
def test_asked_words_are_marked(toy: str) -> None:
    report = report_of(toy)
    (attribution,) = report.attributions
    protected = [token for token in report.target.protected if not attribution.tokens.special[token]]
    data = VIEWS["token_heatmap"].data(attribution)
    marked = [token for text in data["texts"] for unit in text["units"] if unit["asked"] for token in unit["tokens"]]
    assert set(protected) <= set(marked) and protected
    assert data["asked"] == asked_label(report.target) == ("answer" if toy == "answer" else "asked")
    scored = {token for unit in attribution.units for token in unit}
    assert all(
        (unit["score"] is None) == scored.isdisjoint(unit["tokens"]) for text in data["texts"] for unit in text["units"]
    )
    for text, drawn in zip(attribution.tokens.texts, data["texts"]):  # nothing is drawn twice, nothing is lost
        assert "".join(unit["gap"] + unit["text"] for unit in drawn["units"]) + drawn["tail"] == visible(text)


def test_the_terminal_marks_an_asked_word_that_has_a_score() -> None:
    report = explain.explain("Marie was born.", TOY_MODELS["tagging"], methods=["attention_rollout"], position=1)
    assert "(asked)" in to_text(report) and to_text(report).count("(asked)") == 1


def test_where_no_word_is_asked_about_nothing_is_said() -> None:
    report = report_of("linear")
    tokens = report.prediction.tokens
    assert context_sentence(report) == "" and "(asked)" not in to_text(report)
    assert not any(is_asked(tokens, report.target, unit) for unit in tokens.word_units())
    assert report_of("linear", phrases=False).empty_text is None
    assert context_sentence(dataclasses.replace(report_of("tagging"), empty_text=None)) == ""


@pytest.mark.parametrize("toy", READ_AT_WORDS)
def test_it_costs_what_is_promised_and_older_reports_replay(toy: str) -> None:
    model = TOY_MODELS[toy]
    text, *second = texts_for(model)["plain"]
    plan = Plan.for_text(text, next(iter(second), None), methods=methods_from(["attention_rollout"]))
    meter = Meter()
    results = engine.results(plan, model, meter)
    assert results.empty_text and meter.spent.forward <= engine.cost(plan, model)
    report = report_of(toy, phrases=False)
    assert replay(report, model).within(1e-4)
    assert replay(dataclasses.replace(report, empty_text=None), model).within(1e-4)


def test_a_text_of_the_asked_word_alone_is_explained() -> None:
    report = explain.explain("[MASK]", TOY_MODELS["masked"], methods=["occlusion"], phrases=False)
    assert report.empty_text is None and context_sentence(report) == ""


@pytest.mark.parametrize("toy", READ_AT_WORDS)
def test_it_is_marked_above_the_key_phrases(toy: str) -> None:
    report = report_of(toy)
    tokens, target = report.prediction.tokens, report.target
    data = VIEWS["phrase_bars"].data(report)
    assert data["asked"] == asked_label(target)
    for number, text in enumerate(data["texts"]):
        read = "".join(part["text"] for part in text["parts"])
        assert f"{text['before']}{read}{text['unread']}" == visible(tokens.texts[number])
        marked = "".join(part["text"] for part in text["parts"] if part["asked"])
        words = [tokens.unit_text((t,)) for t in target.protected if is_asked(tokens, target, (t,))]
        own = [word for word, t in zip(words, target.protected) if int(tokens.segment[t]) == number]
        assert marked.replace(" ", "") == visible("".join(own)).replace(" ", "")

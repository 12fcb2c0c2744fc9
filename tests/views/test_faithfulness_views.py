"""Whiskers and pairs: what is drawn equals what was found."""

import dataclasses

import numpy as np
import pytest

from explain.analyses.word_interactions import WordInteractions
from explain.api import explain
from explain.models.analysis import ExplainedText
from explain.testing import TOY_MODELS, default_item
from explain.views.agreement_matrix import FIGURES
from explain.views.base import VIEWS
from explain.views.head_effects import correlation_text
from explain.views.pair_matrix import cross_values
from tests.golden import _whiskers


def test_whiskers_hold_every_reference() -> None:
    report = explain("a b c d", TOY_MODELS["linear"], methods=["occlusion"], phrases=False)
    report = dataclasses.replace(report, metrics=(_whiskers(4),))
    data = VIEWS["reference_whiskers"].data(report, method="occlusion", title="Occlusion")
    assert [word["text"] for word in data["words"]] == ["a", "b", "d", "c"]  # 2, 1, -1 and 0 from the own reference
    first, last = data["words"][0], data["words"][2]
    assert (first["score"], first["low"], first["high"], first["changes"]) == (2.0, 1.0, 2.0, False)
    assert (last["score"], last["low"], last["high"], last["changes"]) == (-1.0, -1.0, 0.5, True)
    assert "against it from another: 1 of 4" in data["note"] and "mask token" in data["note"]
    with pytest.raises(KeyError):
        VIEWS["reference_whiskers"].data(report, method="attention_rollout")


def test_pairs_are_the_strongest() -> None:
    model = TOY_MODELS["curved"]
    found = WordInteractions().run(model, ExplainedText(*default_item(model, "so good and yet so dull and slow")))
    data = VIEWS["pair_bars"].data(found)
    sizes = [abs(pair["value"]) for pair in data["pairs"]]
    assert len(sizes) == 12 and sizes == sorted(sizes, reverse=True) and sizes[0] == abs(found.values).max()
    assert "the 12 strongest" in data["note"]
    alone = VIEWS["pair_bars"].data(WordInteractions().run(model, ExplainedText(*default_item(model, "zebra"))))
    assert alone["pairs"] == []


def test_the_pair_matrix_holds_every_two_words_of_two_texts() -> None:
    model = TOY_MODELS["sequel"]
    found = WordInteractions().run(model, ExplainedText(*default_item(model, "Is it so?", "Now so good")))
    tokens, view = found.tokens, VIEWS["pair_matrix"]
    assert view.fits(found) and view in VIEWS.for_result(found)
    values = cross_values(found)
    data = view.data(found)
    names = [[unit["text"] for unit in data[side]] for side in ("rows", "columns")]
    assert [" ".join(side) for side in names] == ["Is it so ?", "Now so good"]
    seen = 0
    for (left, right), value in zip(found.pairs.tolist(), found.values.tolist()):
        one, other = found.units[left], found.units[right]
        if tokens.segment[one[0]] == 0 and tokens.segment[other[0]] == 1:
            row = [unit["tokens"] for unit in data["rows"]].index(list(one))
            column = [unit["tokens"] for unit in data["columns"]].index(list(other))
            assert values[row, column] == value
            seen += 1
    assert seen == values.size and data["largest"] == float(abs(values).max())
    curved = TOY_MODELS["curved"]
    one_text = WordInteractions().run(curved, ExplainedText(*default_item(curved, "so good")))
    assert not view.fits(one_text)


def test_a_method_that_scores_all_words_alike_agrees_with_none() -> None:
    report = explain("a b c d", TOY_MODELS["linear"], methods=["occlusion", "gradient_times_input"], phrases=False)
    first, other = report.attributions
    flat = dataclasses.replace(other, scores=np.ones(len(other.units)))
    for figure in FIGURES:
        whole = VIEWS["agreement_matrix"].data(report, figure=figure)
        assert "Undefined" not in whole["note"] and all(None not in row for row in whole["rows"])
        data = VIEWS["agreement_matrix"].data(dataclasses.replace(report, attributions=(first, flat)), figure=figure)
        assert data["rows"][0][1] is data["rows"][1][0] is data["rows"][1][1] is None
        assert data["rows"][0][0] == pytest.approx(1.0)
        assert data["undefined"] in data["note"] and "gives every word the same score" in data["undefined"]


def test_the_band_is_named_by_the_quantiles_it_holds() -> None:
    report = explain("a b c d", TOY_MODELS["linear"], methods=["occlusion"], phrases=False, tests=True)
    data = VIEWS["removal_curves"].data(report)
    assert "the median of 40 random orders" in data["note"] and "the middle 50% of them" in data["note"]
    (figure,) = [figure for figure in report.metrics if figure.metric == "deletion"]
    assert data["charts"][0]["lines"][0]["beats"] == f"beats {figure.percentile:.0f}%"
    first = [dataclasses.replace(each, quantiles=(0.05, 0.5, 0.95)) for each in report.metrics]  # as it was at first
    assert "the middle 90% of them" in VIEWS["removal_curves"].data(dataclasses.replace(report, metrics=first))["note"]


def test_undefined_references_are_named() -> None:
    report = explain("a b c d", TOY_MODELS["linear"], methods=["occlusion"], phrases=False)
    whiskers = _whiskers(4)
    details = {**whiskers.details, "undefined": ["delete"]}
    report = dataclasses.replace(report, metrics=(dataclasses.replace(whiskers, details=details),))
    note = VIEWS["reference_whiskers"].data(report, method="occlusion")["note"]
    assert "It is undefined, and left out, for deleted: all words have the same score." in note


def test_a_rank_correlation_in_words() -> None:
    assert (correlation_text(0.25), correlation_text(-0.5)) == ("+0.25", "\u22120.50")
    assert (correlation_text(0.0), correlation_text(None)) == ("+0.00", "undefined")

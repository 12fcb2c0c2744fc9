"""Weights drawn anew: what changes and what does not, what is measured, and that it is measured once."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explain.analyses.parameter_randomization import ParameterRandomization, cost, keep, known, measure
from explain.core.errors import ModelError
from explain.core.meter import Meter
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import Attribution, Tokens
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.gradient_norm import GradientNorm
from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.numerics.agreement import agreement
from explain.testing import TOY_MODELS, default_item
from explain.text.units import scores_of
from explain.views import randomization_table
from tests.tiny_models import FAMILY_NAMES


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def changed(one: EncoderModel, other: EncoderModel) -> set[str]:
    theirs = dict(other._module.named_parameters())
    return {name for name, tensor in one._module.named_parameters() if not torch.equal(tensor, theirs[name])}


def test_the_head_then_layers_from_the_last_one(tiny_bert: EncoderModel) -> None:
    before = {name: tensor.clone() for name, tensor in tiny_bert._module.named_parameters()}
    head = changed(tiny_bert, tiny_bert.randomized(0, 1))
    assert "classifier.weight" in head and "bert.pooler.dense.weight" in head
    assert not any("layer." in name or "embeddings" in name for name in head)
    last = tiny_bert.layers - 1
    top = changed(tiny_bert, tiny_bert.randomized(1, 1)) - head
    assert f"bert.encoder.layer.{last}.output.dense.weight" in top
    assert all(f"layer.{last}." in name for name in top)
    every = changed(tiny_bert, tiny_bert.randomized(tiny_bert.layers, 1))
    assert "bert.encoder.layer.0.attention.self.query.weight" in every
    assert not any("embeddings" in name for name in every)
    assert all(torch.equal(tensor, before[name]) for name, tensor in tiny_bert._module.named_parameters())


def test_a_seed_gives_the_same_weights(tiny_bert: EncoderModel) -> None:
    one = tiny_bert.randomized(1, 7)
    assert not changed(one, tiny_bert.randomized(1, 7)) and changed(one, tiny_bert.randomized(1, 8))
    assert one.record.weight_sha256 != tiny_bert.record.weight_sha256


@pytest.mark.parametrize("family", FAMILY_NAMES)
@pytest.mark.parametrize("head", ["ForSequenceClassification", "ForMaskedLM"])
def test_families(family: str, head: str, tiny: Callable[..., EncoderModel]) -> None:
    model = tiny(family, head)
    if family == "albert":  # its layers are one
        with pytest.raises(ModelError, match="share their weights"):
            model.randomized(0, 0)
        return
    embedded = set(model._module.get_input_embeddings().parameters())
    names = {name for name, one in model._module.named_parameters() if any(one is other for other in embedded)}
    drawn = model.randomized(model.layers, 0)
    touched = changed(model, drawn)
    assert touched and not touched & names, "embeddings stay, though the head may share them"
    item = default_item(model, f"so {model.head.vocabulary.mask} good" if model.head.vocabulary else "so good")
    assert np.isfinite(drawn.value(drawn.predict(item[0]), item[1]))


def test_what_is_measured_is_the_mean_of_what_is_seen_by_hand(tiny_bert: EncoderModel) -> None:
    method = GradientNorm()
    found = measure(tiny_bert, method, texts=3)
    assert found.layers[0] == 0 and found.layers[-1] == tiny_bert.layers and found.texts == 3
    for row, layers in enumerate(found.layers):
        by_hand = []
        for number in range(3):
            item = default_item(tiny_bert, REFERENCE_TEXTS[number])
            pair = [
                scores_of(method.attribute(model, *item), item[0].word_units())
                for model in (tiny_bert, tiny_bert.randomized(layers, number))
            ]
            by_hand.append(abs(agreement(*pair, signed=False)["spearman"]))
        assert found.correlations[row] == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_texts_without_a_correlation_are_left_out_and_counted(
    tiny_bert: EncoderModel, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three texts the second is scored flat by the model itself, the third by the models drawn anew."""
    own, plain = tiny_bert.record.weight_sha256, GradientNorm.attribute

    def partly_flat(method: GradientNorm, model: TextModel, tokens: Tokens, *rest: Any) -> Attribution:
        found = plain(method, model, tokens, *rest)
        number = REFERENCE_TEXTS.index(tokens.text)
        is_flat = number == 1 if model.record.weight_sha256 == own else number == 2
        return dataclasses.replace(found, scores=np.ones(len(found.units))) if is_flat else found

    defined = measure(tiny_bert, GradientNorm(), texts=1)
    monkeypatch.setattr(GradientNorm, "attribute", partly_flat)
    found = measure(tiny_bert, GradientNorm(), texts=3)
    assert found.texts == 3 and found.undefined == (2,) * len(found.layers)
    assert found.correlations == pytest.approx(defined.correlations) and np.isnan(found.error).all()
    keep(found)
    again = known(tiny_bert, GradientNorm())
    assert again is not None and again.undefined == found.undefined and np.isnan(again.error).all()
    assert again.correlations == pytest.approx(found.correlations, abs=1e-5)
    (row,) = randomization_table.rows([again], {"gradient_norm": "Gradient norm"})
    assert row["head"] == f"{found.correlations[0]:.2f} (2 left out)"
    assert "Left out: texts whose words all have the same score" in randomization_table.note([again])
    for path in own_cache.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=pytest.fail)  # NaN is no JSON


def test_where_no_text_has_a_correlation_there_is_no_mean(
    tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = GradientNorm.attribute

    def flat(*arguments: Any) -> Attribution:
        found = plain(*arguments)
        return dataclasses.replace(found, scores=np.ones(len(found.units)))

    monkeypatch.setattr(GradientNorm, "attribute", flat)
    keep(measure(tiny_bert, GradientNorm(), texts=2))
    found = known(tiny_bert, GradientNorm())
    assert found is not None and found.chance is None and np.isnan(found.correlations).all()
    (row,) = randomization_table.rows([found], {"gradient_norm": "Gradient norm"})
    assert set(row.values()) == {"Gradient norm", "undefined"}


def test_a_measurement_of_an_earlier_version_is_read(tiny_bert: EncoderModel) -> None:
    keep(measure(tiny_bert, GradientNorm(), texts=2))
    (path,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("*.json")
    record = json.loads(path.read_text())
    for entry in record.values():
        del entry["undefined"]
        entry["correlations"][-1] = 0.0
    path.write_text(json.dumps(record))
    found = known(tiny_bert, GradientNorm())
    assert found is not None and set(found.undefined) == {0} and found.correlations[-1] == 0.0


def test_rollout_does_not_see_the_head(tiny_bert: EncoderModel) -> None:
    found = measure(tiny_bert, AttentionRollout(), texts=2)
    assert found.correlations[0] == pytest.approx(1.0) and found.correlations[-1] < 0.999


def test_it_is_measured_once(tiny_bert: EncoderModel, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.analyses.parameter_randomization.REFERENCE_TEXTS", REFERENCE_TEXTS[:2])
    question, meter = ParameterRandomization(GradientNorm()), Meter()
    assert question.passes(tiny_bert) == cost(tiny_bert, GradientNorm()) > 0
    first = question.run(tiny_bert, None, meter)
    spent = meter.spent.forward + meter.spent.backward
    assert 0 < spent <= cost(tiny_bert, GradientNorm())
    assert question.passes(tiny_bert) == 0
    again = question.run(tiny_bert, None, meter)
    assert meter.spent.forward + meter.spent.backward == spent
    assert again.correlations == pytest.approx(first.correlations, abs=1e-5) and again.layers == first.layers
    assert known(tiny_bert, Occlusion()) is None and known(TOY_MODELS["linear"], GradientNorm()) is None
    for path in own_cache.rglob("*.json"):
        path.write_text("{broken")
    assert known(tiny_bert, GradientNorm()) is None
    keep(first)
    assert known(tiny_bert, GradientNorm()) is not None


def test_where_nothing_can_be_kept_nothing_breaks(tiny_bert: EncoderModel, own_cache: Path) -> None:
    (own_cache / "explain").write_text("a file where a folder should be")
    keep(measure(tiny_bert, GradientNorm(), texts=2))
    assert known(tiny_bert, GradientNorm()) is None


def test_a_model_without_layers_is_told(sentiment: TextModel) -> None:
    with pytest.raises(ModelError, match="drawn anew"):
        measure(TOY_MODELS["linear"], GradientNorm())

"""Causal models: the next word, read at the last token; nobody looks ahead, watched or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explain
from explain.core.errors import ModelError
from explain.datatypes import Neuron
from explain.methods.base import METHODS
from explain.models.base import Row
from explain.models.loading.catalogue import load_folder
from explain.models.transformer import EncoderModel
from explain.report.record import from_json, to_json
from explain.report.replay import replay
from explain.testing import check_task, default_item
from explain.text.removal import unchanged
from tests.tiny_models import tiny_gpt2

TEXT = "Two people walk along the"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def model(folder: Path) -> EncoderModel:
    return load_folder("causal", folder)


@pytest.fixture(scope="module")
def logits(folder: Path) -> np.ndarray:
    """The plain call's, at the last token."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        return module(**tokenizer(TEXT, return_tensors="pt")).logits[0, -1].double().numpy()


def test_the_next_word_is_that_of_the_plain_call(model: EncoderModel, logits: np.ndarray) -> None:
    tokens, target = default_item(model, TEXT)
    best = int(np.argmax(np.delete(logits, model.head.vocabulary.no_words)))
    assert target.positions == (len(tokens) - 1,) and not tokens.special.any()
    expected = logits[target.index] - np.log(np.exp(np.delete(logits, target.index)).sum())
    assert logits[target.index] == np.delete(logits, model.head.vocabulary.no_words)[best]
    for prediction in (
        model.predict(tokens),
        model.observe(tokens).prediction,
        model.attention.trace(tokens).prediction,
    ):
        assert model.value(prediction, target) == pytest.approx(expected, abs=1e-4)
    assert model.scores([Row(tokens, unchanged(tokens), target)]).values[0] == pytest.approx(expected, abs=1e-4)
    points = model.word_embeddings(tokens)[None]
    assert float(model.values(tokens, target, points)[0]) == pytest.approx(expected, abs=1e-4)


def test_nobody_looks_ahead(model: EncoderModel) -> None:
    weights = model.observe(model.encode(TEXT)).maps.weights
    assert not np.triu(weights, 1).any() and np.allclose(weights.sum(axis=-1), 1, atol=1e-5)


def test_the_task_keeps_its_promises(model: EncoderModel) -> None:
    check_task(model.task, model)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_works_or_says_why_not(name: str, model: EncoderModel) -> None:
    method = METHODS[name]()
    item = default_item(model, TEXT)
    if method.requires - model.capabilities:
        with pytest.raises(ModelError):
            method.attribute(model, *item)
        assert method.requires & {"post_norm", "activations", "one_row"}
        return
    one = method.attribute(model, *item)
    assert one.output == pytest.approx(model.value(model.predict(item[0]), item[1]), abs=1e-4)
    assert np.isfinite(one.scores).all() and one.scores.any()


def test_neurons_are_seen_and_silenced(model: EncoderModel, folder: Path) -> None:
    tokens, target = default_item(model, TEXT)
    found = model.neurons.inside(tokens, target)
    assert found.value == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    module = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    seen: list[torch.Tensor] = []
    for layer in module.transformer.h:
        layer.mlp.act.register_forward_hook(lambda module, inputs, output: seen.append(output[0]))
    ids = torch.tensor([tokens.ids.tolist()])
    with torch.no_grad():
        module(ids)
        assert torch.allclose(found.neurons, torch.stack(seen), atol=2e-5)
        module.transformer.h[1].mlp.c_proj.weight[9] = 0
        logits = module(ids).logits[0, -1].double()
    others = torch.cat([logits[: target.index], logits[target.index + 1 :]])
    silenced = model.neurons.scores_with_ablation(tokens, target, [(Neuron(1, 9),)]).values[0]
    assert silenced == pytest.approx(float(logits[target.index] - others.logsumexp(0)), abs=1e-4)


def test_why_this_word_and_not_that_one(model: EncoderModel, logits: np.ndarray) -> None:
    words = model.predict(model.encode(TEXT)).output.labels
    report = explain.explain(TEXT, model, label=words[0], against=words[1], phrases=False)
    columns = [model.head.vocabulary.find(word) for word in words[:2]]
    assert report.attributions[0].output == pytest.approx(logits[columns[0]] - logits[columns[1]], abs=1e-4)
    assert {one.method for one in report.attributions} == {"attention_rollout", "integrated_gradients", "occlusion"}
    assert replay(from_json(to_json(report)), model).within(1e-5)


def test_every_word_that_is_listed_can_be_asked_for(model: EncoderModel) -> None:
    vocabulary = model.head.vocabulary
    for index in range(model.record.vocabulary):
        if index not in vocabulary.no_words:
            word = vocabulary.word(index)
            assert vocabulary.word(vocabulary.find(word)) == word, word


def test_the_last_word_is_held_whole(model: EncoderModel) -> None:
    tokens, target = default_item(model, "The film is unforgettable")
    assert len(target.protected) > 1 and target.protected == tokens.word_around(len(tokens) - 1)

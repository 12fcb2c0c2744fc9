"""Masked words, every family: what is explained is the plain call of transformers, wherever the mask stands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explain.core.errors import TargetError, TextError
from explain.methods.base import METHODS
from explain.models.base import Row
from explain.models.loading.catalogue import load_folder
from explain.models.transformer import EncoderModel
from explain.testing import check_task
from explain.text.removal import unchanged
from tests.tiny_models import FAMILY_NAMES, tiny_folder

families = pytest.mark.parametrize("family", FAMILY_NAMES)
Folders = Callable[..., Path]


@pytest.fixture
def model(family: str, tiny: Callable[..., EncoderModel]) -> EncoderModel:
    return tiny(family, "ForMaskedLM")


@pytest.fixture
def plain(family: str, tiny_folder_of: Folders) -> Callable[..., np.ndarray]:
    """The plain call of transformers: logits (T, C)."""
    folder = tiny_folder_of(family, "ForMaskedLM")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()

    def run(*texts: str) -> np.ndarray:
        with torch.no_grad():
            return module(**tokenizer(*texts, return_tensors="pt")).logits[0].numpy()

    return run


def texts_of(model: EncoderModel) -> dict[str, tuple[str, ...]]:
    mask = model.head.vocabulary.mask
    return {
        "one": (f"The film isn't {mask} 😀, but its unbelievably top-notch cast saves it!",),
        "first": (f"{mask} film",),
        "three": (f"{mask} people {mask} along the {mask}.",),
        "pair": ("Two people walk along the beach.", f"Their dog {mask} in the sea."),
    }


@families
@pytest.mark.parametrize("kind", ["one", "first", "three", "pair"])
def test_prediction_equals_the_plain_call(kind: str, model: EncoderModel, plain: Callable[..., np.ndarray]) -> None:
    texts = texts_of(model)[kind]
    tokens = model.encode(*texts)
    expected = plain(*texts)
    masks = np.flatnonzero(tokens.ids == model.mask_id)
    for prediction in (model.predict(tokens), model.observe(tokens).prediction):
        assert [output.positions for output in prediction.outputs] == [(mask,) for mask in masks]
        for output, mask in zip(prediction.outputs, masks):
            assert np.allclose(output.every_logit[0], expected[mask], atol=1e-5)
            order = [
                index for index in np.argsort(-expected[mask]).tolist() if index not in model.head.vocabulary.no_words
            ]
            assert output.labels == tuple(model.head.vocabulary.word(index) for index in order[:20])
            probabilities = torch.tensor(expected[mask]).double().softmax(0).numpy()
            assert np.allclose(output.probabilities[0], probabilities[order[:20]], atol=1e-6)
            assert output.listed_of == len(expected[mask])
        first = prediction.outputs[0]
        assert prediction.label == first.labels[0] and prediction.confidence == first.probabilities[0, 0]


@families
def test_log_odds_are_the_closed_form(model: EncoderModel, plain: Callable[..., np.ndarray]) -> None:
    (text,) = texts_of(model)["three"]
    tokens = model.encode(text)
    prediction = model.predict(tokens)
    logits = plain(text)
    vocabulary = model.head.vocabulary
    for mask in model.task.positions(tokens, model.head):
        for index in (int(logits[mask].argmin()), 30):
            label = vocabulary.word(index)
            target = model.task.target(prediction, model.head, label=label, position=mask)
            others = torch.tensor(np.delete(logits[mask], index)).double()
            expected = float(logits[mask, index] - others.logsumexp(0))
            assert (target.index, target.label, target.positions) == (index, label, (mask,))
            assert model.value(prediction, target) == pytest.approx(expected, abs=1e-4)
            assert model.scores([Row(tokens, unchanged(tokens), target)]).values[0] == pytest.approx(expected, abs=1e-4)
            assert model.rows_read(tokens, target).tolist() == np.eye(len(tokens))[mask].tolist()


@families
def test_the_task_keeps_its_promises(model: EncoderModel) -> None:
    check_task(model.task, model)


@families
def test_the_head_is_computed_at_the_mask_alone(model: EncoderModel) -> None:
    seen: list[tuple[int, ...]] = []
    head = model._module.get_output_embeddings()
    handle = head.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape[:2])))
    try:
        (text,) = texts_of(model)["three"]
        tokens = model.encode(text)
        target = model.task.target(model.predict(tokens), model.head)
        model.scores([model.removed(tokens, unit, "mask", target) for unit in tokens.word_units()])
    finally:
        handle.remove()
    assert seen == [(1, 3), (len(tokens.words), 1)]


@families
def test_another_way_to_the_same_numbers(model: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a head is no chain of modules, the plain forward gives the rows."""
    (text,) = texts_of(model)["one"]
    tokens = model.encode(text)
    target = model.task.target(model.predict(tokens), model.head)
    rows = [model.removed(tokens, unit, "delete", target) for unit in tokens.word_units()]
    scores = model.scores(rows).values
    monkeypatch.setattr(model._network, "gathers", False)
    assert np.allclose(model.scores(rows).values, scores, atol=1e-4)


@families
def test_the_position_moves_along_when_words_are_deleted(model: EncoderModel) -> None:
    """A word deleted before the mask gives what the text without that word gives."""
    mask = model.head.vocabulary.mask
    tokens, shorter = model.encode(f"good film , {mask} good"), model.encode(f"good , {mask} good")
    target = model.task.target(model.predict(tokens), model.head)
    row = model.removed(tokens, tokens.word_units()[1], "delete", target)
    assert row.variant.ids.tolist() == shorter.ids.tolist()
    moved = model.task.target(model.predict(shorter), model.head, label=target.label)
    assert moved.positions < target.positions
    assert model.scores([row]).values[0] == pytest.approx(model.value(model.predict(shorter), moved), abs=1e-4)


@families
def test_padding_and_batching_change_nothing(model: EncoderModel) -> None:
    rows = []
    for texts in texts_of(model).values():
        tokens = model.encode(*texts)
        for position in model.task.positions(tokens, model.head):
            target = model.task.target(model.predict(tokens), model.head, position=position)
            rows += [model.removed(tokens, unit, "delete", target) for unit in [(), *tokens.word_units()]]
    together = model.scores(rows)
    alone = [model.scores([row]) for row in rows]
    assert np.allclose(together.values, [one.values[0] for one in alone], atol=1e-4)
    assert together.decisions.tolist() == [one.decisions[0] for one in alone]


@families
def test_integrated_gradients_add_up_and_hold_the_mask(model: EncoderModel) -> None:
    (text,) = texts_of(model)["three"]
    tokens = model.encode(text)
    target = model.task.target(model.predict(tokens), model.head, position=model.task.positions(tokens, model.head)[1])
    one = METHODS["integrated_gradients"](steps=200).attribute(model, tokens, target)
    assert abs(one.completeness_gap) <= 0.02 * max(1.0, abs(one.output - one.baseline_output))
    assert one.scores[list(target.positions)].tolist() == [0.0]
    empty = model.baseline(tokens, target, "pad")
    assert torch.equal(empty[target.positions[0]], model.token_embedding(model.mask_id))
    occlusion = METHODS["occlusion"]().attribute(model, tokens, target)
    assert all(target.positions[0] not in unit for unit in occlusion.units)


@families
def test_words_are_found_as_they_are_called(model: EncoderModel) -> None:
    vocabulary = model.head.vocabulary
    words = [index for index in range(model.record.vocabulary) if index not in vocabulary.no_words]
    assert [vocabulary.find(vocabulary.word(index)) for index in words] == words


@families
def test_a_text_without_a_mask_says_what_to_write(model: EncoderModel) -> None:
    mask = model.head.vocabulary.mask

    def said(text: str) -> str:
        with pytest.raises(TextError) as caught:
            model.predict(model.encode(text))
        return str(caught.value)

    assert said("A good film.") == f"Put {mask} where a word is to be guessed."
    assert f"This text says [Mask]; this model's mask is written {mask}, just so." in said("A [Mask] film.")
    assert "behind the 64 pieces that are read" in said("good film " * 60 + mask)
    assert "at most 32" in said(mask * 33)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_what_can_not_be_asked(model: EncoderModel) -> None:
    mask = model.head.vocabulary.mask
    prediction = model.predict(model.encode(f"good {mask} film {mask}"))
    first, second = (output.positions[0] for output in prediction.outputs)
    for options, message in (
        ({"label": "unforgettable"}, r"'unforgettable' is \d+ pieces"),
        ({"label": "😀" if family_is_wordpiece(model) else "beach beach"}, "no word|pieces"),
        ({"position": 0}, f"Nothing is read at token 0. This model is read at: {first}, {second}"),
        ({"against": prediction.label}, "given twice"),
        ({"scale": "value"}, "There is no scale 'value'"),
    ):
        with pytest.raises(TargetError, match=message):
            model.task.target(prediction, model.head, **options)


def family_is_wordpiece(model: EncoderModel) -> bool:
    return model._module.config.model_type == "bert"


@pytest.mark.parametrize("family", ["roberta"])
def test_robertas_mask_eats_the_space_before_it(model: EncoderModel) -> None:
    text = "The film is <mask>, good"
    tokens = model.encode(text)
    (mask,) = model.task.positions(tokens, model.head)
    start, stop = tokens.spans[mask]
    assert text[start:stop] == "<mask>" and "Ġ" not in tokens.pieces
    assert tokens.unit_text((mask,)) == "<mask>" and (mask,) in tokens.word_units()


def test_case_is_the_vocabularys(tiny: Callable[..., EncoderModel]) -> None:
    lower, cased = (tiny(family, "ForMaskedLM").head.vocabulary for family in ("bert", "roberta"))
    assert lower.word(lower.find("The")) == "the"
    assert cased.word(cased.find("##The")) == "##The"
    with pytest.raises(TargetError, match="pieces for this model"):
        cased.find("##the")


def test_a_word_after_a_space_is_meant_before_one_without(tiny: Callable[..., EncoderModel]) -> None:
    vocabulary = tiny("roberta", "ForMaskedLM").head.vocabulary
    tokenizer = tiny("roberta", "ForMaskedLM")._tokenizer
    found = [vocabulary.find(word) for word in ("a", " a", "##a")]
    assert tokenizer.convert_ids_to_tokens(found) == ["Ġa", "Ġa", "a"]
    assert vocabulary.word(tokenizer.convert_tokens_to_ids("Ã")) == "Ã"  # half a character


def test_a_checkpoint_with_both_pretraining_heads(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="ForPreTraining")
    model = load_folder("both", folder)
    tokens = model.encode("a [MASK] film")
    module = transformers.BertForPreTraining.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = module(torch.tensor(tokens.ids.tolist())[None]).prediction_logits[0, 2]
    assert model.record.architecture == "BertForMaskedLM"
    assert np.allclose(model.predict(tokens).output.every_logit[0], logits.numpy(), atol=1e-5)


def test_a_padded_vocabulary_has_no_words_behind_its_end(tmp_path: Path) -> None:
    model = load_folder("padded", tiny_folder("bert", tmp_path, head="ForMaskedLM", vocab_size=300))
    assert set(range(len(model._tokenizer), 300)) < set(model.head.vocabulary.no_words)
    prediction = model.predict(model.encode("a [MASK] film"))
    assert prediction.output.listed_of == 300 and "None" not in prediction.output.labels

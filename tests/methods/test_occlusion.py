import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation

from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import MASK, TOY_MODELS, default_item
from explain.text.removal import OPERATORS

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("granularity", ["token", "word"])
def test_equals_captums_feature_ablation(granularity: str, sentiment: EncoderModel, tiny_bert: EncoderModel) -> None:
    """captum replaces each feature by the mask id; features are tokens, or the tokens of a word together."""
    for model in (sentiment, tiny_bert):
        tokens, target = default_item(model, TEXT)
        ours = Occlusion(granularity=granularity, operator="mask").attribute(model, tokens, target)
        groups = torch.zeros(1, len(tokens), dtype=torch.long)
        for number, unit in enumerate(ours.units, 1):
            groups[0, list(unit)] = number

        def forward(ids: torch.Tensor, model: EncoderModel = model, target: object = target) -> torch.Tensor:
            logits = model._module(input_ids=ids).logits
            return model.task.scalar({"logits": logits}, target, torch.empty(len(ids), 0), model.head)

        ids = torch.tensor([tokens.ids.tolist()])
        theirs = FeatureAblation(forward).attribute(ids, baselines=model.mask_id, feature_mask=groups)[0]
        expected = [float(theirs[unit[0]]) for unit in ours.units]
        assert np.abs(ours.scores - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("operator", OPERATORS)
def test_on_a_linear_model_it_is_known(operator: str) -> None:
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, "one three two")
    one = Occlusion(operator=operator).attribute(model, tokens, target)
    sign = 1 if target.label == "positive" else -1
    own = model.word_embeddings(tokens) @ model.weight
    filler = {"mask": MASK, "unk": model.unk_id}.get(operator)
    instead = 0.0 if filler is None else float(model.embedding[filler] @ model.weight)
    expected = [sign * sum(float(own[token]) - instead for token in unit) for unit in tokens.word_units()]
    assert np.allclose(one.scores, expected, atol=1e-5)


def test_special_tokens_are_never_removed(sentiment: TextModel) -> None:
    one = Occlusion(granularity="token").attribute(sentiment, *default_item(sentiment, TEXT))
    assert not {token for unit in one.units for token in unit} & set(np.flatnonzero(one.tokens.special).tolist())


@pytest.mark.parametrize(("granularity", "count"), [("word", 4), ("sentence", 2), ("window", 2), ("token", 6)])
def test_units(granularity: str, count: int) -> None:
    model = TOY_MODELS["linear"]
    one = Occlusion(granularity=granularity).attribute(model, *default_item(model, "three. twoooo!"))
    assert len(one.units) == count and one.granularity == granularity
    assert one.passes.forward == count + 1


def test_long_texts_go_by_sentence_unless_words_are_asked_for() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, "one two. " * 4)
    automatic = Occlusion(granularity="auto", longest=5).attribute(model, *item)
    assert automatic.granularity == "sentence"
    assert Occlusion(granularity="auto").attribute(model, *item).granularity == "word"


def test_token_scores_do_not_add_up_to_word_scores() -> None:
    model = TOY_MODELS["curved"]
    one = Occlusion(granularity="token").attribute(model, *default_item(model, TEXT))
    with pytest.raises(ValueError, match="granularity 'word'"):
        one.per_word()

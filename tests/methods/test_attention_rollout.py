from collections.abc import Callable

import numpy as np
import pytest

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.methods.attention_rollout import AttentionRollout
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, default_item, uniform_rollout
from tests.twins import rollout_matrix

TEXT = "The film isn't good, but its top-notch cast saves it!"


def test_equals_the_product_of_matrices(sentiment: TextModel) -> None:
    tokens, target = default_item(sentiment, TEXT)
    weights = sentiment.observe(tokens).maps.weights.astype(float).mean(axis=1)
    one = AttentionRollout(special_tokens="keep").attribute(sentiment, tokens, target)
    assert np.allclose(one.scores, rollout_matrix(weights)[0], atol=1e-6)
    assert one.scores.sum() == pytest.approx(1)


def test_special_tokens_set_aside_and_said_so(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    kept = AttentionRollout(special_tokens="keep").attribute(sentiment, *item)
    aside = AttentionRollout().attribute(sentiment, *item)
    special = kept.tokens.special
    share = aside.diagnostics["share_on_special_tokens"]
    assert share == pytest.approx(kept.scores[special].sum())
    assert np.allclose(aside.scores, kept.scores[~special] / (1 - share), atol=1e-9)


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.9])
def test_uniform_attention(residual: float) -> None:
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, TEXT)
    one = AttentionRollout(residual=residual, special_tokens="keep").attribute(model, tokens, target)
    assert np.allclose(one.scores, uniform_rollout(len(tokens), 2, residual)[0])


def test_chosen_heads(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    weights = tiny_bert.observe(item[0]).maps.weights.astype(float)[:, [0, 2]].mean(axis=1)
    one = AttentionRollout(heads="2,0", special_tokens="keep").attribute(tiny_bert, *item)
    assert np.allclose(one.scores, rollout_matrix(weights)[0], atol=1e-6)
    for wrong in ("4", "-1", "x", ""):
        with pytest.raises(SettingError, match="numbers from 0 to 3"):
            AttentionRollout(heads=wrong).attribute(tiny_bert, *item)


def test_mean_pooled_heads_read_every_row(tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny("modernbert")
    tokens, target = default_item(model, TEXT)
    weights = model.observe(tokens).maps.weights.astype(float).mean(axis=1)
    one = AttentionRollout(special_tokens="keep").attribute(model, tokens, target)
    assert np.allclose(one.scores, rollout_matrix(weights).mean(axis=0), atol=1e-6)


def test_one_forward(sentiment: TextModel) -> None:
    item = default_item(sentiment, TEXT)
    meter = Meter()
    AttentionRollout().attribute(sentiment, *item, meter)
    assert (meter.spent.forward, meter.spent.backward) == (1, 0)

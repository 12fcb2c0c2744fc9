"""Predictions of several texts in one batch: those of each text by itself."""

import numpy as np
import pytest

from explain.core.meter import Meter
from explain.models.loading.catalogue import load_model
from explain.testing import TOY_MODELS

LONG = "Anna Berg of Oslo and the film that was not good, but its cast in Paris saved it. " * 3
TEXTS = ("Good.", LONG, "Bob lives in Rome.", "An odd, slow film.")
PAIRS = ("Who is in Rome?", "Bob lives in Rome, and Anna in Oslo.", "What?", "It is an odd film.")
MODELS = {"sentiment": TEXTS, "emotions": TEXTS, "entities": TEXTS, "base": tuple(f"[MASK] {text}" for text in TEXTS)}


@pytest.mark.parametrize("name", [*MODELS, "entailment", "answers", "similarity"])
def test_a_batch_predicts_what_each_text_gives_by_itself(name: str) -> None:
    model, meter = load_model(name), Meter()
    pairs = zip(TEXTS, PAIRS) if name not in MODELS else [(text, None) for text in MODELS[name]]
    texts = [model.encode(text, pair) for text, pair in pairs]
    together = model.predict_each(texts, meter)
    assert meter.spent.forward == (len(texts) if name != "similarity" else meter.spent.forward)
    for tokens, prediction in zip(texts, together, strict=True):
        alone = model.predict(tokens)
        assert (prediction.label, prediction.labels, prediction.tokens.key) == (alone.label, alone.labels, tokens.key)
        assert [span.label for span in prediction.spans] == [span.label for span in alone.spans]
        for mine, other in zip(prediction.outputs, alone.outputs, strict=True):
            assert (mine.positions, mine.labels) == (other.positions, other.labels)
            assert np.allclose(mine.logits, other.logits, atol=2e-4)


def test_a_model_without_batches_predicts_one_by_one() -> None:
    model, meter = TOY_MODELS["planted"], Meter()
    texts = [model.encode(text) for text in ("a good film", "so good")]
    assert [prediction.label for prediction in model.predict_each(texts, meter)] == [
        model.predict(tokens).label for tokens in texts
    ]
    assert meter.spent.forward == 2 and model.predict_each([]) == []

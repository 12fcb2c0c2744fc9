"""Vectors of texts equal those of plain calls, text by text: every pooling, every family."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_folder
from explain.models.pooling import Pooling, pooling_named
from explain.models.token_lstm import TokenLSTM
from explain.models.transformer import EncoderModel
from tests.tiny_models import FAMILY_NAMES, plain_bytes

TEXTS = (
    "Two people walk, unbelievably.",
    "dog",
    "Their dog swims in the sea far away, and nobody <pad> [PAD] knows why: isn't it good?",
    "一部电影 film",
    "people walk " * 60,
)
Plain = Callable[[str, str], np.ndarray]


def plain_calls(folder: Path) -> Plain:
    """A text's vector by a plain call of transformers on that text alone, written out for each pooling."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModel.from_pretrained(folder).eval()

    def vector(text: str, pooling: str) -> np.ndarray:
        with torch.no_grad():
            inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)
            output = module(**inputs, output_hidden_states=True)
        last, states = output.last_hidden_state[0], output.hidden_states
        if pooling == "cls":
            return last[0].numpy()
        if pooling == "max":
            return last.max(dim=0).values.numpy()
        if pooling == "last_four":  # three layers here: all of them
            return ((states[1] + states[2] + last) / 3)[0].mean(dim=0).numpy()
        if pooling == "layer:1":
            return states[2][0].mean(dim=0).numpy()
        return last.mean(dim=0).numpy()

    return vector


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_pooling_in_every_family(
    family: str, tiny: Callable[..., EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    model, plain = tiny(family), plain_calls(tiny_folder_of(family))
    assert model.vectors.poolings == ("mean", "cls", "max", "last_four", "layer")
    for pooling in ("mean", "cls", "max", "last_four", "layer:1", "layer:2"):
        meter = Meter()
        found = model.vectors.read(TEXTS, pooling, meter)
        assert found.vectors.dtype == np.float32 and meter.spent.forward == len(TEXTS)
        assert np.allclose(found.vectors, [plain(text, pooling) for text in TEXTS], atol=2e-5), pooling
    whole = np.array([len(model._tokenizer(text, verbose=False)["input_ids"]) for text in TEXTS])
    assert found.truncated.tolist() == (whole > 64).tolist() and whole[-1] > 64
    assert found.pieces.tolist() == np.minimum(whole, 64).tolist()


@pytest.mark.parametrize("head", ["", "ForMaskedLM", "ForQuestionAnswering"])
def test_whatever_stands_above_the_encoder(
    head: str, tiny: Callable[..., EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    """Without a head two texts are read apart, half of the length each; a vector's text has all of it."""
    model, plain = tiny("bert", head), plain_calls(tiny_folder_of("bert", head))
    assert np.allclose(model.vectors.read(TEXTS).vectors, [plain(text, "mean") for text in TEXTS], atol=2e-5)


def test_decoders_have_vectors_but_no_first_token_to_read(tmp_path: Path) -> None:
    tokenizer = plain_bytes()
    config = transformers.GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=3, n_head=4, n_positions=64)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model, plain = load_folder("gpt2", tmp_path), plain_calls(tmp_path)
    assert "cls" not in model.vectors.poolings
    for pooling in ("mean", "max", "layer:1"):
        expected = [plain(text, pooling) for text in TEXTS]
        assert np.allclose(model.vectors.read(TEXTS, pooling).vectors, expected, atol=2e-5)
    with pytest.raises(SettingError, match="no token looks ahead"):
        model.vectors.read(TEXTS, "cls")


def test_the_shipped_encoder_as_its_source_calls_it(sentiment: TextModel) -> None:
    """A classifier's vectors are those of its own, adapted encoder; unknown pieces are counted."""
    found = sentiment.vectors.read(["A good film.", "\u2603 film"])
    module = sentiment._module.bert
    with torch.no_grad():
        rows = module(**sentiment._tokenizer("A good film.", return_tensors="pt")).last_hidden_state[0]
    assert np.allclose(found.vectors[0], rows.mean(dim=0), atol=2e-5)
    assert found.unknown.tolist() == [0, 1] and found.pieces.tolist() == [6, 4]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("median", "expected mean, cls, max"),
        ("layer:3", "layer:0 to layer:2"),
        ("layer:x", "layer:0 to"),
        ("lstm", "pooling lstm"),
    ],
)
def test_poolings_that_are_not_there(name: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        pooling_named(name, layers=3)


def test_an_lstm_reads_what_is_kept_as_if_there_were_nothing_else() -> None:
    torch.manual_seed(0)
    lstm, rows = TokenLSTM(6).eval(), torch.randn(3, 5, 6)
    kept = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]]).bool()
    read = lstm(rows, kept)
    for row, mask, found in zip(rows, kept, read):
        alone = lstm.cells(row[mask][None])[0][0] if mask.any() else torch.zeros(0, 6)
        assert torch.allclose(found[mask], alone, atol=1e-6) and not found[~mask].any()
    pooled = Pooling(lstm=lstm).of(rows, kept)
    assert torch.allclose(pooled[1], read[1].sum(dim=0) / 3, atol=1e-6)

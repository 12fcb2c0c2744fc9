"""The shipped task shares the base's storage, and is what peft itself would make of the adapter."""

import peft
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from explain.installation import weights_folder
from explain.models import catalogue
from explain.models.adapters import with_adapter
from explain.models.encoder import EncoderModel

BASE, SENTIMENT = weights_folder() / "base", weights_folder() / "sentiment"
LABELS = ("negative", "positive")


def test_untouched_parameters_are_the_bases_own_storage(sentiment: EncoderModel) -> None:
    base = dict(catalogue._base(BASE)[0].named_parameters())
    own = dict(sentiment._module.named_parameters())
    shared = {name for name, parameter in own.items() if name in base and parameter.data_ptr() == base[name].data_ptr()}
    private = set(own) - shared
    assert "bert.embeddings.word_embeddings.weight" in shared
    assert len(private) == 6 * 6 + 4  # six linear maps a layer, pooler and classifier with their biases
    assert all(not name.startswith("bert.embeddings") and "LayerNorm" not in name for name in private)


def test_the_adapted_model_equals_pefts(sentiment: EncoderModel) -> None:
    plain = BertForSequenceClassification.from_pretrained(BASE, num_labels=2, dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(plain, SENTIMENT).eval()
    tokens = sentiment.encode("The film isn't good, but its top-notch cast saves it!")
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([tokens.ids.tolist()])).logits[0].numpy()
    assert abs(sentiment.predict(tokens).output.logits[0] - logits).max() < 1e-4


def test_adapting_does_not_change_the_base() -> None:
    base, _ = catalogue._base(BASE)
    before = {name: parameter.clone() for name, parameter in base.named_parameters()}
    with_adapter(base, SENTIMENT, "BertForSequenceClassification", LABELS)
    assert all(torch.equal(before[name], parameter) for name, parameter in base.named_parameters())
    assert {parameter.dtype for parameter in base.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in base.parameters())


def test_the_masked_word_model_is_the_bases_own_storage() -> None:
    base = {name: one.data_ptr() for name, one in catalogue._base(BASE)[0].named_parameters()}
    module = catalogue.load_model("base")._module
    own = {name: one.data_ptr() for name, one in module.named_parameters()}
    assert own == {name: base[name] for name in own}
    assert set(base) - set(own) == {
        f"{part}.{kind}" for part in ("bert.pooler.dense", "cls.seq_relationship") for kind in ("weight", "bias")
    }
    assert module.cls.predictions.decoder.weight is module.bert.embeddings.word_embeddings.weight
    buffers = {one.data_ptr() for one in catalogue._base(BASE)[0].buffers()}
    assert {one.data_ptr() for one in module.buffers()} <= buffers


def test_the_masked_word_model_is_what_transformers_would_load() -> None:
    model = catalogue.load_model("base")
    plain = BertForMaskedLM.from_pretrained(BASE, dtype=torch.float32).eval()
    tokens = model.encode("Paris is the capital of [MASK].")
    with torch.no_grad():
        logits = plain(input_ids=torch.tensor([tokens.ids.tolist()])).logits[0, 6].numpy()
    assert abs(model.predict(tokens).output.every_logit[0] - logits).max() < 1e-5


def test_the_decoder_is_tied_to_the_embeddings() -> None:
    base, _ = catalogue._base(BASE)
    assert base.cls.predictions.decoder.weight is base.bert.embeddings.word_embeddings.weight


def test_sizes_on_disk() -> None:
    assert (BASE / "model.safetensors").stat().st_size <= 46_000_000
    assert sum(path.stat().st_size for path in SENTIMENT.glob("*.safetensors")) <= 4_000_000

"""The shipped task shares the base's storage, and is what peft itself would make of the adapter."""

import re
import shutil
from pathlib import Path

import peft
import pytest
import torch
from safetensors import safe_open
from transformers import BertForMaskedLM, BertForSequenceClassification

from explain.core.installation import weights_folder
from explain.models.loading import catalogue, shared_encoder
from explain.models.loading.adapters import with_adapter
from explain.models.loading.files import ModelFiles
from explain.models.sentence_pair import SentencePair
from explain.models.transformer import EncoderModel

BASE, SENTIMENT = weights_folder() / "base", weights_folder() / "sentiment"
ADAPTERS = [entry for entry in catalogue.list_models() if entry.name != "base"]
LABELS = ("negative", "positive")


def places(module: torch.nn.Module) -> dict[str, int]:
    """Where each tensor lies, by the name it has in the encoder with its pretraining heads."""
    inside = module.encoder if isinstance(module, SentencePair) else module
    prefix = "bert." if isinstance(module, SentencePair) else ""  # there it has no head, and so no name of its own
    named = [*inside.named_parameters(remove_duplicate=False), *inside.named_buffers()]
    return {prefix + name: one.untyped_storage().data_ptr() for name, one in named}


def touched(folder: Path) -> set[str]:
    """The tensors that an adapter says something of: matrices it adds to, and what was trained whole."""
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as opened:
        names = {name.removeprefix("base_model.model.") for name in opened.keys()}  # noqa: SIM118
    names = {re.sub(r"\.lora_[AB]\.weight$", ".weight", name) for name in names}
    return {f"bert.{name}" if name.startswith("encoder.") else name for name in names}


@pytest.mark.parametrize("name, task", [(one.name, task) for one in ADAPTERS for task in one.tasks])
def test_what_an_adapter_does_not_touch_is_the_bases_own_storage(name: str, task: str) -> None:
    base = places(shared_encoder.shared_encoder(ModelFiles(BASE))[0])
    own = places(catalogue.load_model(name, task=task)._module)
    private = {tensor for tensor, place in own.items() if place not in base.values()}
    assert private == touched(weights_folder() / name)
    assert all(own[tensor] == base[tensor] for tensor in own.keys() - private)
    assert {"bert.embeddings.word_embeddings.weight", "bert.embeddings.position_ids"} <= own.keys() - private
    assert not any("LayerNorm" in tensor or "embeddings" in tensor for tensor in private)


def test_two_adapters_have_nothing_private_in_common() -> None:
    base = set(places(shared_encoder.shared_encoder(ModelFiles(BASE))[0]).values())
    modules = [catalogue.load_model(entry.name)._module for entry in ADAPTERS]  # a tensor that is gone leaves its place
    of_each = [set(places(module).values()) - base for module in modules]
    assert sum(map(len, of_each)) == len(set().union(*of_each))


def test_the_tasks_of_one_adapter_are_one_model() -> None:
    one, other = (
        catalogue.load_model("entailment", task=task) for task in ("text_classification", "zero_shot_classification")
    )
    assert one._module is other._module and one.task is not other.task


def test_a_trained_head_is_no_view_of_its_file(tmp_path: Path) -> None:
    """Else a file that is written anew would change the head while it is in use."""
    folder = shutil.copytree(SENTIMENT, tmp_path / "adapter")
    module = with_adapter(
        shared_encoder.shared_encoder(ModelFiles(BASE))[0], folder, "BertForSequenceClassification", LABELS
    )
    before = module.classifier.weight.clone()
    with (folder / "adapter_model.safetensors").open("r+b") as written:
        written.write(bytes((folder / "adapter_model.safetensors").stat().st_size))
    assert before.any() and torch.equal(module.classifier.weight, before)


def test_the_adapted_model_equals_pefts(sentiment: EncoderModel) -> None:
    plain = BertForSequenceClassification.from_pretrained(BASE, num_labels=2, dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(plain, SENTIMENT).eval()
    tokens = sentiment.encode("The film isn't good, but its top-notch cast saves it!")
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([tokens.ids.tolist()])).logits[0].numpy()
    assert abs(sentiment.predict(tokens).output.logits[0] - logits).max() < 1e-4


def test_adapting_does_not_change_the_base() -> None:
    base, _ = shared_encoder.shared_encoder(ModelFiles(BASE))
    before = {name: parameter.clone() for name, parameter in base.named_parameters()}
    with_adapter(base, SENTIMENT, "BertForSequenceClassification", LABELS)
    assert all(torch.equal(before[name], parameter) for name, parameter in base.named_parameters())
    assert {parameter.dtype for parameter in base.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in base.parameters())


def test_the_masked_word_model_is_the_bases_own_storage() -> None:
    base = {name: one.data_ptr() for name, one in shared_encoder.shared_encoder(ModelFiles(BASE))[0].named_parameters()}
    module = catalogue.load_model("base")._module
    own = {name: one.data_ptr() for name, one in module.named_parameters()}
    assert own == {name: base[name] for name in own}
    assert set(base) - set(own) == {
        f"{part}.{kind}" for part in ("bert.pooler.dense", "cls.seq_relationship") for kind in ("weight", "bias")
    }
    assert module.cls.predictions.decoder.weight is module.bert.embeddings.word_embeddings.weight
    buffers = {one.data_ptr() for one in shared_encoder.shared_encoder(ModelFiles(BASE))[0].buffers()}
    assert {one.data_ptr() for one in module.buffers()} <= buffers


def test_the_masked_word_model_is_what_transformers_would_load() -> None:
    model = catalogue.load_model("base")
    plain = BertForMaskedLM.from_pretrained(BASE, dtype=torch.float32).eval()
    tokens = model.encode("Paris is the capital of [MASK].")
    with torch.no_grad():
        logits = plain(input_ids=torch.tensor([tokens.ids.tolist()])).logits[0, 6].numpy()
    assert abs(model.predict(tokens).output.every_logit[0] - logits).max() < 1e-5


def test_the_decoder_is_tied_to_the_embeddings() -> None:
    base, _ = shared_encoder.shared_encoder(ModelFiles(BASE))
    assert base.cls.predictions.decoder.weight is base.bert.embeddings.word_embeddings.weight


def test_sizes_on_disk() -> None:
    assert (BASE / "model.safetensors").stat().st_size <= 46_000_000
    assert sum(path.stat().st_size for path in SENTIMENT.glob("*.safetensors")) <= 4_000_000

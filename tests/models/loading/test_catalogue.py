"""Loading: what is there, what is refused, and what the refusal says."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from explain.core.errors import ModelError, TextError
from explain.models.base import Row
from explain.models.loading import catalogue
from explain.models.loading.catalogue import explainable, list_models, load_folder, load_model
from explain.models.loading.files import weight_hash
from explain.text.removal import unchanged
from tests.tiny_models import change_config, tiny_folder, tiny_gpt2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_folder("bert", tmp_path / "model")


def test_a_local_folder_loads_and_its_record_tells_which_weights(folder: Path) -> None:
    model = load_model(str(folder))
    assert model.record.architecture == "BertForSequenceClassification"
    assert (model.record.layers, model.record.heads, model.record.hidden) == (3, 4, 32)
    assert model.record.weight_sha256 == weight_hash(folder)
    assert load_model(str(folder)) is model
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"] += 1
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert weight_hash(folder) != model.record.weight_sha256


def test_unknown_model_says_what_there_is() -> None:
    with pytest.raises(ModelError, match="Did you mean 'sentiment'"):
        load_model("sentimant")
    with pytest.raises(ModelError, match="There is no model or folder '/no/such/folder'"):
        load_model("/no/such/folder")


def test_a_hub_name_without_a_network_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="without a network, fetch the model elsewhere"):
        load_model("someone/some-model")


def hub_with(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> dict[str, object]:
    """A hub that has one model of so many bytes; gives what it was asked."""
    asked: dict[str, object] = {}

    def snapshot_download(name: str, **options: object) -> str:
        asked.update(options, name=name)
        return str(folder)

    files = [SimpleNamespace(rfilename=name, size=size) for name in ("model.safetensors", "pytorch_model.bin")]
    information = SimpleNamespace(siblings=files)
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *arguments, **options: information)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return asked


def test_a_hub_name_fetches_no_pickle_and_no_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hub_with(folder, monkeypatch, size=4_000_000_000)
    assert load_model("someone/tiny-bert", revision="abc").record.revision == "abc"
    assert asked["name"] == "someone/tiny-bert" and asked["revision"] == "abc"
    assert not any(pattern.endswith((".bin", ".py", ".pt", "*")) for pattern in asked["allow_patterns"])


def test_a_giant_on_the_hub_is_not_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hub_with(folder, monkeypatch, size=6_000_000_000)
    with pytest.raises(ModelError, match=r"6\.0 GB; at most 5 GB are fetched"):
        load_model("someone/giant-bert")
    assert asked == {}


def test_no_tokenizer(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(ModelError, match="has no tokenizer: save one beside the weights"):
        load_folder("m", folder)


def test_broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="tokenizer can't be loaded"):
        load_folder("m", folder)


def test_pickled_weights_are_never_opened(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/pwned'\ntR.")
    with pytest.raises(ModelError, match=r"pickled weights \(pytorch_model.bin\), which can run code"):
        load_folder("m", folder)


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        load_folder("m", folder)


@pytest.mark.parametrize("content", [b"", b"not a safetensors file at all", b"\xff" * 64])
def test_broken_weights(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors is broken"):
        load_folder("m", folder)


def test_cut_off_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="broken"):
        load_folder("m", folder)


def test_a_foreign_head_is_told_by_name(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="ForMultipleChoice")
    with pytest.raises(ModelError, match="was saved as BertForMultipleChoice"):
        load_folder("m", folder)


def test_a_head_that_is_not_in_the_file_is_never_made_up(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its tensors \(classifier.weight"):
        load_folder("m", folder)


def test_a_masked_word_head_that_is_not_in_the_file_is_never_made_up(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="ForMaskedLM")
    tensors = load_file(folder / "model.safetensors")
    assert "cls.predictions.decoder.weight" not in tensors  # tied: it is the embeddings', and not missing
    del tensors["cls.predictions.transform.dense.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its tensors .* a checkpoint saved for fill-mask"):
        load_folder("m", folder)


def test_masked_words_need_a_mask_token(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="ForMaskedLM")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).is_file():
            settings = json.loads((folder / name).read_text())
            settings.pop("mask_token", None)
            (folder / name).write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="its tokenizer has no mask token"):
        load_folder("m", folder)


def test_an_electra_that_tells_real_words_from_replaced_ones_is_no_masked_word_model(tmp_path: Path) -> None:
    folder = tiny_folder("electra", tmp_path, head="ForMaskedLM")
    change_config(folder, architectures=["ElectraForPreTraining"])
    with pytest.raises(ModelError, match="was saved as ElectraForPreTraining"):
        load_folder("m", folder)


def test_wrong_shapes(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.weight"] = torch.zeros(7, 32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"classifier\.weight is \(7, 32\) in the files, and \(3, 32\) .*\(id2label\)"):
        load_folder("m", folder)


def test_no_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load_folder("m", tmp_path)


def test_an_unsupported_family_is_told_by_name(folder: Path) -> None:
    change_config(folder, model_type="nystromformer", architectures=["NystromformerForSequenceClassification"])
    with pytest.raises(ModelError, match="family 'nystromformer', which is not supported"):
        load_folder("m", folder)


def test_a_causal_model_writes_and_nothing_else(folder: Path) -> None:
    change_config(folder, model_type="gpt2", architectures=["GPT2ForSequenceClassification"])
    with pytest.raises(ModelError, match="of the causal family 'gpt2', which is explained for text-generation only"):
        load_folder("m", folder)


def test_a_models_own_code_is_never_run(folder: Path, tmp_path: Path) -> None:
    change_config(
        folder,
        model_type="evil",
        auto_map={"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.Model"},
    )
    witness = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass Config: pass\nclass Model: pass\n")
    with pytest.raises(ModelError, match="can't use without running the model's own code"):
        load_folder("m", folder)
    assert not witness.exists()


def test_one_label_is_a_value_and_several_may_be_right(tmp_path: Path) -> None:
    value = load_folder("v", tiny_folder("bert", tmp_path / "value", num_labels=1))
    prediction = value.predict(value.encode("good"))
    assert value.head.value and prediction.label is None and prediction.output.probabilities is None
    several = load_folder("s", tiny_folder("bert", tmp_path / "several", problem_type="multi_label_classification"))
    prediction = several.predict(several.encode("good"))
    assert not several.head.exclusive and prediction.label is None
    assert prediction.output.probabilities is not None and prediction.output.probabilities.sum() != pytest.approx(1)


def test_names_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS", f"mine={folder}, {folder}")
    names = [entry.name for entry in list_models()]
    assert names[-2:] == ["mine", "model"]
    assert load_model("mine").record.id == "mine"


def test_the_list_says_what_each_model_is_for_as_far_as_it_can(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked = tiny_folder("roberta", tmp_path / "masked", head="ForMaskedLM")
    monkeypatch.setenv("EXPLAIN_MODELS", f"{folder},{masked},org/name")
    tasks = {entry.name: entry.tasks for entry in explainable()}
    assert tasks == {
        "answers": ("question_answering",),
        "emotions": ("text_classification",),
        "topics": ("text_classification",),
        "base": ("fill_mask", "next_sentence_prediction"),
        "entailment": ("text_classification", "zero_shot_classification"),
        "entities": ("token_classification",),
        "sentiment": ("text_classification",),
        "similarity": ("sentence_similarity",),
        "model": ("text_classification",),
        "masked": ("fill_mask",),
        "name": (),
    }


def test_one_name_for_two_models_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS", f"mine={folder},mine=/elsewhere")
    with pytest.raises(ModelError, match="the name 'mine' to two models"):
        list_models()


def test_numbers_that_are_none_and_labels_without_order_are_refused(folder: Path) -> None:
    change_config(folder, id2label={"0": "a", "2": "b", "7": "c"}, label2id={"a": 0, "b": 2, "c": 7})
    with pytest.raises(ModelError, match=r"0, 1, 2 \.\.\. is needed"):
        load_folder("m", folder)


def test_a_tokenizer_larger_than_its_model_is_refused(folder: Path) -> None:
    change_config(folder, vocab_size=50)
    tensors = load_file(folder / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    tensors[name] = tensors[name][:50].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="do not belong together"):
        load_folder("m", folder)


def test_of_pieces_that_were_added_to_the_tokenizer_alone_only_texts_that_hold_one_are_refused(tmp_path: Path) -> None:
    folder = tiny_gpt2(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"pad_token": "[PAD]", "additional_special_tokens": ["<site>"]})
    tokenizer.save_pretrained(folder)
    model = load_folder("m", folder)
    rows = []
    for tokens in map(model.encode, ("The film is", "The")):
        rows.append(Row(tokens, unchanged(tokens), model.task.target(model.predict(tokens), model.head)))
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    for row, score in zip(rows, model.scores(rows).values):  # in one batch, though the padding has no entry
        with torch.no_grad():
            logits = plain(torch.tensor([row.tokens.ids.tolist()])).logits[0, -1].double()
        others = torch.cat([logits[: row.target.index], logits[row.target.index + 1 :]])
        assert row.target.index == int(logits.argmax())
        assert score == pytest.approx(float(logits[row.target.index] - others.logsumexp(dim=0)), abs=1e-5)
    for text in ("The <site> film", "[PAD] film"):
        with pytest.raises(TextError, match="was added to the tokenizer as piece"):
            model.encode(text)


def test_the_token_limit_can_be_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_MAX_TOKENS", "16")
    assert load_folder("short", folder).max_tokens == 16


def test_models_in_memory_are_bounded(tmp_path: Path, tiny_folder_of: Callable[..., Path]) -> None:
    source = tiny_folder_of("bert")
    for number in range(catalogue.KEPT_MODELS + 2):
        load_model(str(source) + "/." * (number + 1))
    assert len(catalogue._LOADED._models) <= catalogue.KEPT_MODELS


def test_names_that_no_folder_can_have() -> None:
    for place in ("~nosuchuser", "x" * 5000, "a\0b"):
        with pytest.raises(ModelError, match="There is no model or folder"):
            load_model(place)


def test_a_folders_name_may_hold_an_equals_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_folder("bert", tmp_path / "lr=1" / "model")
    monkeypatch.setenv("EXPLAIN_MODELS", f"mine={folder},{folder}")
    found = {entry.name: entry.folder for entry in list_models()}
    assert found["mine"] == found["model"] == str(folder)


def test_heads_that_decide_nothing_or_look_ahead_are_refused(tmp_path: Path) -> None:
    alone = tiny_folder("bert", tmp_path / "alone", head="ForTokenClassification", num_labels=1)
    with pytest.raises(ModelError, match="has a single label"):
        load_folder("alone", alone)
    several = tiny_folder("bert", tmp_path / "several", head="ForTokenClassification")
    change_config(several, problem_type="multi_label_classification")
    assert load_folder("several", several).head.exclusive  # that is for texts; of words a softmax is served
    both_ways = tiny_folder("roberta", tmp_path / "both", head="ForCausalLM")
    with pytest.raises(ModelError, match="was saved as RobertaForCausalLM"):
        load_folder("both", both_ways)


def test_a_configuration_that_does_not_name_its_family_is_told_when_it_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    monkeypatch.setenv("EXPLAIN_MODELS", f"odd={folder}")
    assert "odd" in {entry.name for entry in list_models()}
    with pytest.raises(ModelError, match=r"config\.json that transformers can't use"):
        load_model("odd")

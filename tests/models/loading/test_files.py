"""A record's hashes are of the bytes that the model was read from, whatever happens to its files before and after."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from explain.core.errors import ModelError
from explain.core.installation import weights_folder
from explain.models.base import TextModel
from explain.models.loading import catalogue, checkpoint, files, shared_encoder
from explain.models.loading.catalogue import load_folder, load_model
from explain.models.loading.files import ModelFiles, weight_hash
from tests.tiny_models import tiny_folder

TEXT = "The film isn't good."
DECISIVE = (  # the file that is changed, and what the model is
    *[("bert", "", name) for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "modules.json")],
    *[("bert", "", name) for name in ("special_tokens_map.json", "added_tokens.json", "sentence_bert_config.json")],
    *[("bert", "", name) for name in ("1_Pooling/config.json", "tokenizer.4.0.0.json")],
    *[("roberta", "ForSequenceClassification", name) for name in ("vocab.json", "merges.txt")],
)


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process."""
    monkeypatch.setattr(catalogue, "_LOADED", catalogue._Loaded())
    monkeypatch.setattr(shared_encoder, "_ADAPTED", type(shared_encoder._ADAPTED)())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An encoder and two adapters over it, none of them the shipped ones."""
    for name, copy in (("base", "base"), ("sentiment", "sentiment2"), ("topics", "topics2")):
        shutil.copytree(weights_folder() / name, tmp_path / copy)
    return tmp_path


def zero_a_matrix(folder: Path) -> None:
    """In a checkpoint's weights, one that no adapter adds to; other files stay as they are, to their time stamps."""
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if name.endswith("position_embeddings.weight"))
    tensors[name] = torch.zeros_like(tensors[name])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def as_two_files(folder: Path) -> None:
    """A byte-level tokenizer as RoBERTa's was first written: vocab.json and merges.txt."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in model["merges"]))
    (folder / "tokenizer.json").unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"tokenizer_class": "RobertaTokenizer"}))


def logits(model: TextModel) -> np.ndarray:
    return model.predict(model.encode(TEXT)).output.logits


def test_a_base_changed_on_disk_is_read_again(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_model(str(models / "sentiment2"))
    before, hashed = logits(first), first.record.weight_sha256
    assert hashed == weight_hash(models / "base", models / "sentiment2")
    zero_a_matrix(models / "base")
    assert "base_sha256" not in json.loads((models / "topics2" / "explain.json").read_text())  # else it is refused
    second = load_model(str(models / "topics2"))
    assert second.record.weight_sha256 == weight_hash(models / "base", models / "topics2")
    assert not second._module.bert.embeddings.position_embeddings.weight.any()
    assert first.record.weight_sha256 == hashed and np.array_equal(logits(first), before)
    monkeypatch.setattr(catalogue, "_LOADED", catalogue._Loaded())
    monkeypatch.setattr(shared_encoder, "_BASES", type(shared_encoder._BASES)())
    again = load_model(str(models / "topics2"))
    assert again._module is not second._module and again.record == second.record
    assert np.array_equal(logits(again), logits(second))


def test_the_same_base_is_shared_wherever_it_lies(models: Path) -> None:
    one, other = load_model(str(models / "sentiment2")), load_model(str(models / "topics2"))
    shipped = load_model("sentiment")
    places = {model._module.get_input_embeddings().weight.data_ptr() for model in (one, other, shipped)}
    assert len(places) == 1


@pytest.mark.parametrize(("family", "head", "name"), DECISIVE, ids=lambda part: part)
def test_every_file_that_decides_is_part_of_the_record(family: str, head: str, name: str, tmp_path: Path) -> None:
    folder = tiny_folder(family, tmp_path, head=head)
    if family == "roberta":
        as_two_files(folder)
    before = ModelFiles(folder).hashes[-1]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(path.read_bytes() + b" \n" if path.is_file() else b"{}")
    after = ModelFiles(folder).hashes[-1]
    assert after.files_sha256 != before.files_sha256 and after.weight_sha256 == before.weight_sha256


def test_merges_decide_and_older_hashes_did_not_tell(tmp_path: Path) -> None:
    folder = tiny_folder("roberta", tmp_path)
    as_two_files(folder)
    first = load_folder("m", folder)
    merges = (folder / "merges.txt").read_text().splitlines()
    (folder / "merges.txt").write_text("\n".join(merges[:5]))
    second = load_folder("m", folder)
    assert first.encode(TEXT).pieces != second.encode(TEXT).pieces
    assert first.record.settings_sha256 == second.record.settings_sha256
    assert first.record.files_sha256 != second.record.files_sha256


def test_a_pooling_that_lies_elsewhere_is_part_of_the_record(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="")
    parts = [("Transformer", ""), ("Pooling", "my pooling")]
    listed = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in parts]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "my pooling").mkdir()
    hashes = set()
    for mode in ("mean", "cls"):
        (folder / "my pooling" / "config.json").write_text(json.dumps({"pooling_mode": mode}))
        hashes.add(load_folder("m", folder).record.files_sha256)
    assert len(hashes) == 2


@pytest.mark.parametrize("name", ["README.md", "training.json", "randomization.json", "pytorch_model.bin"])
def test_files_that_decide_nothing_are_no_part_of_it(name: str, tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path)
    before = ModelFiles(folder).hashes
    (folder / name).write_text("{}")
    assert ModelFiles(folder).hashes == before


def test_the_first_hash_of_settings_is_what_it_was(tmp_path: Path) -> None:
    """Reports of earlier versions hold it alone: the contents of some files, one after the other."""
    folder = tiny_folder("bert", tmp_path)
    (folder / "vocab.txt").write_text("so")
    contents = [(folder / name).read_bytes() for name in ("config.json", "tokenizer.json", "vocab.txt")]
    assert load_folder("m", folder).record.settings_sha256 == hashlib.sha256(b"".join(contents)).hexdigest()


def test_a_loaded_model_is_no_view_of_its_file(tmp_path: Path) -> None:
    """A file that is overwritten in place would change a mapped model while it is in use."""
    folder = tiny_folder("bert", tmp_path, head="ForMaskedLM")
    model = load_folder("m", folder)
    before = {name: tensor.clone() for name, tensor in model._module.state_dict().items()}
    path = folder / "model.safetensors"
    with path.open("r+b") as written:
        written.write(bytes(path.stat().st_size))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model._module.state_dict().items())
    assert model._module.get_output_embeddings().weight is model._module.get_input_embeddings().weight


@pytest.fixture
def on_loading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], None]], None]:
    """Let something happen once, before or after a function of loading reads its files."""

    def patch(module: Any, function: str, happen: Callable[[], None]) -> None:
        plain, waiting = getattr(module, function), [happen]

        def read(*arguments: Any, **options: Any) -> Any:
            loaded = plain(*arguments, **options)
            if waiting:
                waiting.pop()()
            return loaded

        monkeypatch.setattr(module, function, read)

    return patch


def test_a_checkpoint_that_changes_while_it_is_read_is_refused(tmp_path: Path, on_loading: Any) -> None:
    folder = tiny_folder("bert", tmp_path)
    on_loading(checkpoint, "open_checkpoint", lambda: zero_a_matrix(folder))
    with pytest.raises(ModelError, match=r"m changed on disk while it was read \(model.safetensors\). Load it again"):
        load_folder("m", folder)
    assert load_folder("m", folder).record.weight_sha256 == weight_hash(folder)
    on_loading(checkpoint, "load_tokenizer", lambda: (folder / "merges.txt").write_text("new"))
    with pytest.raises(ModelError, match=r"\(merges.txt\)"):
        load_folder("m", folder)


def test_a_base_that_changes_while_it_is_read_is_not_kept(models: Path, on_loading: Any) -> None:
    base = models / "base"
    (base / "explain.json").write_text((base / "explain.json").read_text() + "\n")  # so that it is read at all
    on_loading(shared_encoder, "_opened", lambda: zero_a_matrix(base))
    with pytest.raises(ModelError, match="base changed on disk while it was read"):
        load_model(str(models / "topics2"))
    model = load_model(str(models / "topics2"))
    assert model.record.weight_sha256 == weight_hash(base, models / "topics2")
    assert not model._module.bert.embeddings.position_embeddings.weight.any()


@pytest.mark.parametrize("name", ["adapter_config.json", "explain.json", "adapter_model.safetensors"])
def test_an_adapter_that_changes_while_it_is_read_is_not_kept(name: str, models: Path, on_loading: Any) -> None:
    path = models / "topics2" / name

    def change() -> None:
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(whole)

    on_loading(shared_encoder, "with_adapter", change)
    with pytest.raises(ModelError, match=r"topics2 changed on disk while it was read"):
        load_model(str(models / "topics2"))
    assert not shared_encoder._ADAPTED
    assert load_model(str(models / "topics2")).record.weight_sha256 == weight_hash(models / "base", models / "topics2")


def test_a_change_that_no_time_stamp_tells_is_found_in_fresh_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_folder("bert", tmp_path)
    stamps = list(files._stamps([folder]))
    monkeypatch.setattr(files, "_stamps", lambda folders: stamps)
    seen = ModelFiles(folder)
    assert seen.hashes
    seen.check_unchanged("m")
    zero_a_matrix(folder)
    with pytest.raises(ModelError, match="changed on disk"):
        seen.check_unchanged("m")


def test_a_file_that_can_t_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_folder("bert", tmp_path)
    seen = ModelFiles(folder)

    def refuse(path: Path, *arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"config.json can't be read: Permission denied|model.safetensors can't be"):
        _ = seen.hashes

"""Broken and hostile model folders: a `ModelError` that says where, or the answer that transformers gives; soon."""

import contextlib
import inspect
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from explain.analyses.parameter_randomization import known
from explain.core.errors import ExplainError, ModelError, TextError
from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.loading import catalogue, checkpoint, shared_encoder
from explain.models.loading.catalogue import entry_of, load_folder, load_model
from explain.models.loading.folder_checks import CONFIG, Range, check_files
from tests.models.loading.mutilations import Mutilation, mutilations, sample, special_files
from tests.tiny_models import tiny_folder

TEXT = "good film"
FAMILIES = {
    "bert": "ForSequenceClassification",
    "albert": "ForSequenceClassification",
    "mpnet": "",
    "roberta": "ForMaskedLM",
}
COUNTS = {"bert": 80, "albert": 40, "mpnet": 40, "roberta": 40}  # of some 2,400 ways for each family


@contextlib.contextmanager
def no_endless_wait() -> Iterator[None]:
    """What stands still fails, instead of keeping all tests waiting."""

    def fail(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the process stood still")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(300)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutilated(source: Path, place: Path, mutilate: Mutilation) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place)
    mutilate(place)
    return place


def survives(folder: Path) -> str:
    """What comes of a folder: "refused" in words, or "loaded" with the right answer."""
    with no_endless_wait():
        try:
            entry_of(str(folder))
            model = catalogue._load("m", folder, None, None)
        except ExplainError as error:
            said = str(error)
            assert isinstance(error, ModelError) and len(said) < 2000
            said.encode("utf-8")
            return "refused"
        with contextlib.suppress(TextError):
            known(model, Occlusion())
            check_answer(folder, model)
    return "loaded"


def check_answer(folder: Path, model: TextModel) -> None:
    """The labels' logits are those of transformers alone; other heads are read and give finite numbers."""
    second = "the sea" if model.pair == "always" else None
    prediction = model.predict(model.encode(TEXT, second))
    assert np.isfinite(prediction.output.logits).all()
    if model.task.name != "text_classification" or (folder / "adapter_config.json").exists():
        return
    plain = getattr(transformers, model.record.architecture).from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    encoded = AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")
    accepted = inspect.signature(plain.forward).parameters
    with torch.inference_mode():
        logits = plain.eval()(**{name: ids for name, ids in encoded.items() if name in accepted}).logits[0]
    assert encoded["input_ids"][0].tolist() == prediction.tokens.ids.tolist()
    assert np.allclose(logits.numpy(), prediction.output.logits[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("family", "part"), [(family, part) for family in FAMILIES for part in range(COUNTS[family] // 40)]
)
def test_broken_folders_are_told_or_give_the_right_answer(
    family: str, part: int, tmp_path: Path, tiny_folder_of: Callable[..., Path]
) -> None:
    source = tiny_folder_of(family, FAMILIES[family])
    ends: dict[str, int] = {}
    for name, mutilate in sample(source, COUNTS[family], seed=1)[part * 40 : (part + 1) * 40]:
        try:
            end = survives(mutilated(source, tmp_path / "copy", mutilate))
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
        ends[end] = ends.get(end, 0) + 1
    assert set(ends) == {"refused", "loaded"}  # neither check is idle


def test_there_are_many_ways_and_each_has_a_name(tiny_folder_of: Callable[..., Path]) -> None:
    ways = [name for name, _ in mutilations(tiny_folder_of("bert"))]
    assert len(ways) > 2000 and len(set(ways)) == len(ways)


@pytest.fixture
def folder(tmp_path: Path, tiny_folder_of: Callable[..., Path]) -> Path:
    return Path(shutil.copytree(tiny_folder_of("bert"), tmp_path / "model"))


def change(path: Path, **values: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    held = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(held | values))


WRONG: list[tuple[str, Any, str]] = [
    ("architectures", [1], "architectures is a list; expected a list of names of classes"),
    ("architectures", "BertModel", "architectures is 'BertModel'; expected a list"),
    ("num_hidden_layers", 1_000_000, "num_hidden_layers is 1000000; expected a whole number from 1 to 1,000"),
    ("num_hidden_layers", 900, r"asks for 900 layers \(num_hidden_layers\), and the weights hold 3"),
    ("num_hidden_layers", 10**400, "num_hidden_layers is a number of very many digits"),
    ("num_hidden_layers", -1, "num_hidden_layers is -1; expected"),
    ("num_hidden_layers", True, "num_hidden_layers is True; expected"),
    ("num_hidden_layers", "3", "num_hidden_layers is '3'; expected"),
    ("vocab_size", 9_000_000, r"word_embeddings\.weight is \(\d+, 32\) in the files, and .* \(vocab_size\)"),
    ("hidden_size", 65_536, r"config\.json does not fit the weights: .* \(hidden_size\)"),
    ("intermediate_size", 1_000_000, r"config\.json does not fit the weights: .* \(intermediate_size\)"),
    ("max_position_embeddings", 1, "max_position_embeddings is 1; expected a whole number from 8"),
    ("type_vocab_size", 1, r"its tokenizer numbers texts up to 1 \(type_id|does not fit the weights"),
    ("num_attention_heads", 5, "heads"),
    ("layer_norm_eps", float("nan"), "layer_norm_eps is nan; expected a number above 0 and at most 1"),
    ("layer_norm_eps", -1.0, "layer_norm_eps is -1.0; expected"),
    ("hidden_act", "nothing", "hidden_act is 'nothing'; expected the name of an activation"),
    ("hidden_dropout_prob", 7, "hidden_dropout_prob is 7; expected a number from 0 to 1"),
    ("pad_token_id", -7, "pad_token_id is -7; expected"),
    ("problem_type", "guesswork", "problem_type is 'guesswork'; expected one of"),
    ("num_labels", 10**9, "num_labels is 1000000000; expected"),
    ("chunk_size_feed_forward", -3, "chunk_size_feed_forward is -3; expected"),
    ("return_dict", False, "return_dict is False; expected true"),
    ("quantization_config", {"quant_method": "gptq"}, "quantization_config is an object; expected nothing"),
    ("id2label", ["a", "b", "c"], "id2label is a list; expected an object"),
    ("id2label", {"0": "a", "1": ["b"], "2": "c"}, r"id2label\['1'\] is a list; expected a label's name"),
    ("id2label", {"0": "a", "1": "\ud800", "2": "c"}, r"id2label\['1'\] is '\\\\ud800'; expected text without halves"),
    ("id2label", {"first": "a"}, r"id2label\['first'\] is 'a'; expected labels numbered"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_key_of_the_configuration_is_named(key: str, value: Any, message: str, folder: Path) -> None:
    change(folder / "config.json", **{key: value})
    with pytest.raises(ModelError, match=message.replace("\\\\\\\\", "\\\\")):
        load_folder("m", folder)


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("tokenizer_config.json", {"model_max_length": -1}, "model_max_length is -1; expected a number of at least 8"),
        ("tokenizer_config.json", {"model_max_length": "64"}, "model_max_length is '64'; expected|can't be loaded"),
        (
            "tokenizer_config.json",
            {"cls_token": 7},
            "in tokenizer_config.json, cls_token is 7; expected a token's text",
        ),
        ("tokenizer_config.json", {"init_inputs": ["/dev/zero"]}, "init_inputs is a list; expected nothing"),
        ("tokenizer.json", {"model": 7}, "its tokenizer can't be loaded"),
        ("model.safetensors.index.json", {"weight_map": {"a": "../x.safetensors"}}, "weight_map is '../x.safetensors'"),
        ("model.safetensors.index.json", {"weight_map": 7}, "weight_map is 7; expected an object"),
    ],
)
def test_a_key_of_another_file_is_named(file: str, values: dict[str, Any], message: str, folder: Path) -> None:
    change(folder / file, **values)
    with pytest.raises(ModelError, match=message):
        load_folder("m", folder)


def test_nothing_large_is_built_of_a_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*arguments: object, **options: object) -> None:
        raise AssertionError("something was built")

    for room in (checkpoint, shared_encoder):
        monkeypatch.setattr(room, "open_checkpoint", build)
    for values in (
        {"num_hidden_layers": 10**6},
        {"num_hidden_layers": 999},
        {"vocab_size": 10**7},
        {"num_labels": 10**9},
    ):
        shutil.copy(folder / "config.json", folder / "before")
        change(folder / "config.json", **values)
        with pytest.raises(ModelError):
            load_folder("m", folder)
        shutil.move(folder / "before", folder / "config.json")


@pytest.mark.parametrize("what", ["is a pipe", "is a socket", "is a device"])
@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "tokenizer.json", "generation_config.json", "1_Pooling/config.json", "x"],
)
def test_only_regular_files_are_opened(name: str, what: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    special_files()[what](folder / name)
    with no_endless_wait(), pytest.raises(ModelError, match=r"is a (named pipe|socket|device), not a file"):
        load_model(str(folder))
    with no_endless_wait():
        assert entry_of(str(folder)).tasks == ()


def test_links_into_another_folder_are_followed(folder: Path, tmp_path: Path) -> None:
    """As the hub's own cache lies on disk."""
    held = tmp_path / "blobs"
    shutil.move(folder, held)
    folder.mkdir()
    for path in held.iterdir():
        (folder / path.name).symlink_to(path)
    assert survives(folder) == "loaded"


def test_far_too_many_files_are_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.models.loading.folder_checks.MOST_FILES", 10)
    for number in range(12):
        (tmp_path / str(number)).touch()
    with pytest.raises(ModelError, match="more than 10 files, so it is no model's folder"):
        check_files("m", tmp_path)


@pytest.mark.parametrize("path", ["../../../../etc", "/etc", "1_Pooling/../../x", "away", "\0"])
def test_a_pooling_outside_the_folder_is_refused(
    path: str, tmp_path: Path, tiny_folder_of: Callable[..., Path]
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("bert", ""), tmp_path / "model"))
    (folder / "away").symlink_to("/etc")
    parts = [{"path": "", "type": "a.Transformer"}, {"path": path, "type": "a.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(parts))
    with pytest.raises(ModelError, match=r"in modules\.json, path is .*; expected a folder inside the model's own"):
        load_folder("m", folder)


def test_a_label_of_half_a_character_is_in_no_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder / "config.json", id2label={"0": "a", "1": "\ud800", "2": "c"})
    monkeypatch.setenv("EXPLAIN_MODELS", f"odd={folder}")
    assert {entry.name: entry.tasks for entry in catalogue.list_models()}["odd"] == ()
    with pytest.raises(ModelError, match="halves of characters"):
        load_model("odd")


def test_ranges() -> None:
    assert Range(1, 3).holds(3) and not Range(1, 3).holds(3.0) and not Range(1, 3).holds(None)
    assert Range(0, 1, whole=False).holds(0) and not Range(0, 1, whole=False, above=True).holds(0)
    assert not any(Range(-9, 9, whole=False).holds(value) for value in (float("nan"), float("inf"), True, "1", [1]))
    assert all(str(bounds).startswith("a ") for bounds in CONFIG.values())


# Adapters


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter over a tiny encoder beside it."""
    room = tmp_path_factory.mktemp("adapters")
    base = tiny_folder("bert", room / "base", head="ForPreTraining")
    change(base / "explain.json", title="Words", task="fill_mask")
    folder = room / "mine"
    folder.mkdir()
    draw = torch.Generator().manual_seed(3)
    start = "base_model.model."
    tensors = {
        f"{start}classifier.{part}": torch.randn(*size, generator=draw)
        for part, size in (("weight", (2, 32)), ("bias", (2,)))
    }
    for part, size in (("lora_A", (2, 32)), ("lora_B", (32, 2))):
        name = f"{start}bert.encoder.layer.1.attention.self.query.{part}.weight"
        tensors[name] = torch.randn(*size, generator=draw)
    save_file(tensors, folder / "adapter_model.safetensors")
    change(folder / "adapter_config.json", peft_type="LORA", r=2, lora_alpha=4, bias="none")
    change(
        folder / "explain.json", title="Good or bad?", task="text_classification", base="base", labels=["bad", "good"],
        exclusive=True, temperature=1.5, thresholds=None, texts=[], examples={"one": ["a film"]}, scripts=["Latin"],
        figures={"accuracy": 0.5, "shown": [{"name": "accuracy", "value": 0.5, "data": "dev"}]},
    )  # fmt: skip
    return folder


@pytest.fixture
def room(adapter: Path, tmp_path: Path) -> Path:
    """A copy of the adapter, with its encoder beside it."""
    shutil.copytree(adapter.parent, tmp_path / "room")
    return tmp_path / "room" / "mine"


def test_an_adapter_that_nobody_broke(room: Path) -> None:
    model = load_model(str(room))
    assert model.head.labels == ("bad", "good") and survives(room) == "loaded"


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("explain.json", {"labels": "good"}, "labels is 'good'; expected a list of labels"),
        ("explain.json", {"labels": ["a", "\ud800"]}, r"labels\[1\] is .*; expected text without halves of characters"),
        ("explain.json", {"labels": [["a"], "b"]}, r"labels\[0\] is a list; expected a label's name"),
        ("explain.json", {"labels": ["a", "b", "c"]}, r"classifier\.weight is missing or of another shape"),
        ("explain.json", {"temperature": -1}, "temperature is -1; expected a number above zero"),
        ("explain.json", {"temperature": float("nan")}, "temperature is nan; expected a number above zero"),
        ("explain.json", {"thresholds": [0.5]}, "thresholds is a list; expected one for each label"),
        ("explain.json", {"thresholds": [0.5, 7]}, "thresholds is a list; expected shares"),
        ("explain.json", {"exclusive": "yes"}, "exclusive is 'yes'; expected true or false"),
        ("explain.json", {"task": "guesswork"}, "There is no task 'guesswork'"),
        ("explain.json", {"task": 7}, "task is 7; expected the name of a task"),
        ("explain.json", {"base": "../../../../etc"}, "base is '../../../../etc'; expected a folder beside this one"),
        ("explain.json", {"base": "mine"}, r"has no config\.json"),
        ("explain.json", {"base_sha256": "0"}, "was trained on another encoder"),
        ("explain.json", {"examples": {"one": "a film"}}, "examples is an object; expected lists of texts"),
        ("explain.json", {"figures": {"shown": [1]}}, "figures is an object; expected figures by name"),
        ("explain.json", {"figures": {"accuracy": "high"}}, "figures is an object; expected figures by name"),
        ("explain.json", {"pooling": "luck"}, "pooling is 'luck'; expected cls, mean or lstm"),
        ("explain.json", {"pooling": "lstm"}, "missing or of another shape"),
        ("adapter_config.json", {"r": 0}, "r is 0; expected a whole number from 1"),
        ("adapter_config.json", {"r": True}, "r is True; expected a whole number"),
        ("adapter_config.json", {"r": 3}, r"lora_A\.weight has shape \(2, 32\) for r=3|lora_B"),
        ("adapter_config.json", {"lora_alpha": float("nan")}, "lora_alpha is nan; expected a number"),
        ("adapter_config.json", {"lora_alpha": 10**400}, "lora_alpha is a number of very many digits"),
        ("adapter_config.json", {"use_dora": True}, "uses use_dora, which is not supported"),
        ("../base/config.json", {"model_type": "roberta"}, "model_type is 'roberta'; expected bert"),
        ("../base/config.json", {"vocab_size": 9_000_000}, r"does not fit the weights: .* \(vocab_size\)"),
        ("../base/config.json", {"num_hidden_layers": 900}, "asks for 900 layers"),
    ],
)
def test_a_broken_adapter_is_told(file: str, values: dict[str, Any], message: str, room: Path) -> None:
    change(room / file, **values)
    with pytest.raises(ModelError, match=message):
        catalogue._load("m", room, None, None)


def without(key: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if key not in name}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (without("lora_B"), "without its other half"),
        (without("classifier.weight"), r"classifier\.weight is missing or of another shape"),
        (lambda held: {name: tensor[:1].contiguous() for name, tensor in held.items()}, "is broken|another shape"),
        (lambda held: {name.replace("layer.1", "layer.9"): one for name, one in held.items()}, "has no place for"),
        (lambda held: {name: torch.full_like(one, torch.nan) for name, one in held.items()}, "different outputs"),
        (lambda held: held | {"surplus": torch.zeros(1)}, r"has no place for \(surplus \.\.\.\)"),
        (lambda held: {name: one.flatten() for name, one in held.items()}, "is broken|another shape"),
    ],
)
def test_tensors_of_an_adapter_that_do_not_fit(changed: Callable[..., Any], message: str, room: Path) -> None:
    path = room / "adapter_model.safetensors"
    save_file(changed(load_file(path)), path)
    with pytest.raises(ModelError, match=message):
        catalogue._load("m", room, None, None)


@pytest.mark.parametrize("what", special_files())
@pytest.mark.parametrize(
    "name", ["explain.json", "adapter_config.json", "adapter_model.safetensors", "../base/config.json"]
)
def test_files_of_an_adapter_that_are_none(name: str, what: str, room: Path) -> None:
    (room / name).unlink()
    special_files()[what](room / name)
    with no_endless_wait(), pytest.raises(ModelError):
        catalogue._load("m", room, None, None)


def test_what_is_broken_is_in_no_list_of_models_trained_here(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS_DIR", str(room.parent))
    assert {entry.name for entry in catalogue.trained_here()} == {"mine"}  # the encoder has the name of a shipped one
    for values in ({"figures": {"shown": [1]}}, {"labels": 7}, {"title": None}, {"examples": 7}):
        before = (room / "explain.json").read_text()
        change(room / "explain.json", **values)
        assert catalogue.trained_here() == []
        (room / "explain.json").write_text(before)
    (room / "explain.json").unlink()
    os.mkfifo(room / "explain.json")
    with no_endless_wait():
        assert catalogue.trained_here() == []


def test_measurements_beside_a_strangers_weights_are_read_with_care(room: Path) -> None:
    model = load_model(str(room))
    for content in ("[1]", '{"a": 1}', "9" * 5000, "[" * 100_000, "{"):
        (room / "randomization.json").write_text(content)
        assert known(model, Occlusion()) is None
    (room / "randomization.json").unlink()
    os.mkfifo(room / "randomization.json")
    with no_endless_wait():
        assert known(model, Occlusion()) is None

"""Ways to break the folder of a model, each by a name; see `mutilations`."""

import json
import os
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Mutilation = Callable[[Path], None]

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7, 10**6, 10**12, 10**400, 0.5, -0.5, 1e400, float("nan")),
    *("", "x", "\ud800", "../../../../etc", [], [1], ["x"], {}, {"a": 1}, {"0": "a", "1": "b", "2": "c"}),
)
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
SETTINGS = {  # files that a folder may hold besides, with what is right in them
    "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}],
    "1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
    "sentence_bert_config.json": {"max_seq_length": 32, "do_lower_case": False},
    "generation_config.json": {"max_length": 20},
    "special_tokens_map.json": {"unk_token": "[UNK]"},
    "model.safetensors.index.json": {"weight_map": {"a": "model.safetensors"}},
}


def mutilations(folder: Path) -> Iterator[tuple[str, Mutilation]]:
    """Every way to break copies of a folder, with its name."""
    yield from _files(folder)
    yield from _config(folder)
    yield from _tensors(folder)
    yield from _tokenizer(folder)
    yield from _settings()


def sample(folder: Path, count: int, seed: int) -> list[tuple[str, Mutilation]]:
    """Some of the ways, the same for one seed."""
    return random.Random(seed).sample(list(mutilations(folder)), count)


# Files that are none


def special_files() -> dict[str, Callable[[Path], None]]:
    return {
        "is a pipe": os.mkfifo,
        "is a socket": _socket,
        "is a folder": Path.mkdir,
        "is a device": lambda path: path.symlink_to("/dev/zero"),
        "is a link to nowhere": lambda path: path.symlink_to("nowhere"),
        "is a link to itself": lambda path: path.symlink_to(path.name),
        "is empty": Path.touch,
        "is garbage": lambda path: path.write_bytes(bytes(range(256)) * 8),
        "is an array": lambda path: path.write_text("[1, 2]"),
        "is a number": lambda path: path.write_text("9" * 5000),
        "is deep": lambda path: path.write_text("[" * 100_000),
        "is half there": lambda path: path.write_text('{"a": 1, "b'),
    }


def _socket(path: Path) -> None:
    here = Path.cwd()
    try:  # a socket's path may be a hundred characters long, and no longer
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def _files(folder: Path) -> Iterator[tuple[str, Mutilation]]:
    names = sorted(path.name for path in folder.iterdir())
    for name in (*names, *SETTINGS, "adapter_config.json", "explain.json"):
        for what, make in special_files().items():
            yield f"{name} {what}", _replaced(name, make)
        if name in names:
            yield f"{name} is gone", lambda copy, name=name: (copy / name).unlink()  # type: ignore[misc]


def _replaced(name: str, make: Callable[[Path], None]) -> Mutilation:
    def mutilate(copy: Path) -> None:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).unlink(missing_ok=True)
        make(copy / name)

    return mutilate


# Keys of JSON files


def _config(folder: Path) -> Iterator[tuple[str, Mutilation]]:
    config = json.loads((folder / "config.json").read_text())
    extra = ("chunk_size_feed_forward", "quantization_config", "auto_map", "num_labels", "return_dict", "torch_dtype")
    for key in (*config, *extra, "output_attentions", "output_hidden_states", "is_encoder_decoder"):
        yield from _keys("config.json", key)
    labels: list[Any] = [{"0": 1, "1": None}, {"0": "a"}, {"0": "a", "2": "b"}, {"x": "a"}, {"0": "\ud800", "1": "b"}]
    labels += [{"0": {"a": 1}, "1": ["b"]}, {str(number): "a" for number in range(3)}, {"0": "a" * 10**5, "1": "b"}]
    labels += [{"-1": "a"}, {"0" * 5000: "a"}, dict.fromkeys(map(str, range(5000)), "a")]
    for number, value in enumerate(labels):
        yield f"config.json id2label {number}", _changed("config.json", lambda c, v=value: c | {"id2label": v})  # type: ignore[misc]


def _keys(name: str, key: str) -> Iterator[tuple[str, Mutilation]]:
    yield f"{name} {key} is gone", _changed(name, lambda values: {k: v for k, v in values.items() if k != key})
    for number, value in enumerate(VALUES):
        yield f"{name} {key} value {number}", _changed(name, lambda values, value=value: values | {key: value})  # type: ignore[misc]


def _changed(name: str, change: Callable[[dict[str, Any]], Any]) -> Mutilation:
    def mutilate(copy: Path) -> None:
        (copy / name).write_text(json.dumps(change(json.loads((copy / name).read_text()))))

    return mutilate


def _settings() -> Iterator[tuple[str, Mutilation]]:
    paths = ("../../../../etc", "/etc", "1_Pooling/../../x", "\0", "a" * 5000, 7, None, "nowhere", "", ".")
    for number, path in enumerate(paths):
        parts = [{"path": "", "type": "a.Transformer"}, {"path": path, "type": "a.Pooling"}]
        yield f"modules.json path {number}", _written("modules.json", parts)
    for number, part in enumerate(
        (7, {}, {"type": "a.Pooling"}, {"type": 1, "path": ""}, {"type": "a.Dense", "path": ""})
    ):
        yield f"modules.json part {number}", _written("modules.json", [part])
    for name, key in (
        ("1_Pooling/config.json", "pooling_mode"),
        ("1_Pooling/config.json", "pooling_mode_max_tokens"),
        ("sentence_bert_config.json", "max_seq_length"),
        ("model.safetensors.index.json", "weight_map"),
        ("generation_config.json", "max_length"),
        ("special_tokens_map.json", "unk_token"),
    ):
        for number, value in enumerate(VALUES):
            right: Any = SETTINGS[name]
            yield f"{name} {key} value {number}", _written(name, right | {key: value})
    elsewhere = {"weight_map": {"a": "../model.safetensors", "b": "/dev/zero"}}
    yield "model.safetensors.index.json leaves the folder", _written("model.safetensors.index.json", elsewhere)


def _written(name: str, values: Any) -> Mutilation:
    def mutilate(copy: Path) -> None:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(json.dumps(values))

    return mutilate


# Tensors


def _tensors(folder: Path) -> Iterator[tuple[str, Mutilation]]:
    changes: dict[str, Callable[[torch.Tensor], torch.Tensor | None]] = {
        "is gone": lambda tensor: None,
        "is longer": lambda tensor: torch.cat([tensor, tensor[:1]]),
        "is shorter": lambda tensor: tensor[:-1].contiguous(),
        "is flat": lambda tensor: tensor.flatten()[:1].contiguous(),
        "has another axis": lambda tensor: tensor[None].contiguous(),
        "is empty": lambda tensor: tensor[:0].contiguous(),
        "is of whole numbers": lambda tensor: (tensor * 100).to(torch.int64),
        "is of bits": lambda tensor: tensor > 0,
        "is in half precision": lambda tensor: tensor.half(),
        "is in double precision": lambda tensor: tensor.double(),
        "is no number": lambda tensor: torch.full_like(tensor, torch.nan),
        "is infinite": lambda tensor: torch.full_like(tensor, torch.inf),
    }
    for key in sorted(load_file(folder / "model.safetensors")):
        for what, change in changes.items():
            yield f"{key} {what}", _tensor(key, key, change)
        yield f"{key} is renamed", _tensor(key, f"{key}x", lambda tensor: tensor)
    for cut in (0, 7, 8, 100, -1):
        yield f"model.safetensors ends at {cut}", _bytes(lambda held, cut=cut: held[:cut])  # type: ignore[misc]
    for size in (0, 2**20, 2**40, 2**63):
        yield f"model.safetensors header {size}", _bytes(lambda held, size=size: size.to_bytes(8, "little") + held[8:])  # type: ignore[misc]


def _tensor(key: str, name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> Mutilation:
    def mutilate(copy: Path) -> None:
        tensors = load_file(copy / "model.safetensors")
        changed = change(tensors.pop(key))
        held = tensors if changed is None else tensors | {name: changed}
        save_file(held, copy / "model.safetensors", metadata={"format": "pt"})

    return mutilate


def _bytes(change: Callable[[bytes], bytes]) -> Mutilation:
    def mutilate(copy: Path) -> None:
        (copy / "model.safetensors").write_bytes(change((copy / "model.safetensors").read_bytes()))

    return mutilate


# Tokenizers


def _tokenizer(folder: Path) -> Iterator[tuple[str, Mutilation]]:
    for key in json.loads((folder / "tokenizer.json").read_text()):
        yield from _keys("tokenizer.json", key)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    for key in (
        *settings,
        "init_inputs",
        "vocab_file",
        "tokenizer_file",
        "auto_map",
        "added_tokens_decoder",
        "x_token",
    ):
        yield from _keys("tokenizer_config.json", key)
    far = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 9}}], "pair": []}
    for number, template in enumerate(
        (
            far | {"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [10**6], "tokens": ["[CLS]"]}}},
            far | {"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
        )
    ):
        yield (
            f"tokenizer.json template {number}",
            _changed("tokenizer.json", lambda values, template=template: values | {"post_processor": template}),  # type: ignore[misc]
        )

    def far_away(values: dict[str, Any]) -> dict[str, Any]:
        vocabulary = values["model"]["vocab"]
        if isinstance(vocabulary, dict):
            vocabulary["zebra"] = 10**7
        return values

    yield "tokenizer.json a piece of a number far away", _changed("tokenizer.json", far_away)

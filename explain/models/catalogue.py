"""Which models there are, and loading them: by shipped name, from a local folder, or by hub name.

Weights are read from safetensors only; no code that comes with a model is ever run, and nothing is unpickled.
"""

import copy
import functools
import hashlib
import json
import os
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoTokenizer, BertForPreTraining, PreTrainedModel, PreTrainedTokenizerBase

from explain.datatypes import ModelRecord
from explain.errors import ModelError
from explain.installation import environment_number, weights_folder
from explain.models.adapters import is_adapter, with_adapter
from explain.models.base import TextModel
from explain.models.encoder import MAX_TOKENS, EncoderModel
from explain.models.families import FAMILIES
from explain.models.probe import ATTENTION
from explain.registry import unknown
from explain.tasks.base import TASKS, Head, Task

DEFAULT_MODEL = "sentiment"
KEPT_MODELS = 4  # loaded at once, by last use
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model")
transformers.logging.set_verbosity_error()  # what is wrong with a model is told in our words
transformers.logging.disable_progress_bar()

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass(frozen=True)
class Entry:
    """One model that can be asked for by name.

    Attributes:
        name, folder: where it is; folder is a hub name where it is on the hub.
        task: the task's registry name, or None for an encoder that no page explains by itself.
        title: what it does, in one line.
        size: bytes of its own weights.
        figures: its measured figures, as its card has them.
    """

    name: str
    folder: str
    task: str | None
    title: str
    size: int
    figures: dict[str, Any]


def list_models() -> tuple[Entry, ...]:
    """The shipped models and those in `EXPLAIN_MODELS`: paths or hub names, with commas; "name=path" names one."""
    found = [_shipped(folder) for folder in sorted(weights_folder().glob("*")) if (folder / "explain.json").is_file()]
    names = [part.strip() for part in os.environ.get("EXPLAIN_MODELS", "").split(",") if part.strip()]
    for part in names:
        name, _, place = part.rpartition("=")
        found.append(
            Entry(name.strip() or Path(place).name or place, place.strip(), "text_classification", place, 0, {})
        )
    return tuple(found)


def _shipped(folder: Path) -> Entry:
    about = json.loads((folder / "explain.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return Entry(folder.name, str(folder), about["task"], about["title"], size, about.get("figures", {}))


def load_model(name: str = DEFAULT_MODEL, revision: str | None = None) -> TextModel:
    """Load a model, or hand out the one already loaded.

    Args:
        name: a shipped name, a name from `EXPLAIN_MODELS`, a local folder, or a hub name ("org/model").
        revision: a hub revision.

    Raises:
        ModelError: there is no such model, or it must not or can't be loaded; the message says what to do.
    """
    return _LOADED.get(name, revision)


class _Loaded:
    """The models in memory, the least recently used given up first. One is loaded at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # transformers' lazy imports do not bear two threads either
        self._models: OrderedDict[tuple[str, str | None], TextModel] = OrderedDict()

    def get(self, name: str, revision: str | None) -> TextModel:
        with self._lock:
            key = (name, revision)
            if key not in self._models:
                self._models[key] = _load(name, revision)
                while len(self._models) > KEPT_MODELS:
                    self._models.popitem(last=False)
            self._models.move_to_end(key)
            return self._models[key]


_LOADED = _Loaded()


def _load(name: str, revision: str | None) -> TextModel:
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", torch.get_num_threads()))
    by_name = {entry.name: entry.folder for entry in list_models()}
    place = by_name.get(name, name)
    folder = Path(place).expanduser()
    if not folder.is_dir():
        folder = _from_hub(place, revision, sorted(by_name))
    if is_adapter(folder):
        return _load_adapter(name, folder)
    if (folder / "explain.json").is_file():
        raise ModelError(
            f"{name} is an encoder with its pretraining heads; no page explains these yet. Use 'sentiment'."
        )
    return load_folder(name, folder, revision)


def _from_hub(place: str, revision: str | None, known: list[str]) -> Path:
    if not _HUB_NAME.fullmatch(place) or place.count("/") != 1:
        raise ModelError(unknown("model or folder", place, known))
    from huggingface_hub import snapshot_download

    try:
        # Only these files are fetched: pickled weights and code never reach this machine.
        patterns = ["*.json", "*.txt", "*.model", "model*.safetensors"]
        return Path(snapshot_download(place, revision=revision, allow_patterns=patterns))
    except Exception as error:  # the hub's client raises many kinds; all mean that we have no files
        raise ModelError(
            f"{place} is no folder here, and the Hugging Face hub did not give it ({type(error).__name__}). "
            "Check the name; without a network, fetch the model elsewhere and give its folder."
        ) from error


def load_folder(name: str, folder: Path, revision: str | None = None) -> TextModel:
    """Load a checkpoint of transformers from a folder.

    Raises:
        ModelError: see `load_model`.
    """
    config = _config(name, folder)
    _check_weights(name, folder)
    task = _task_of(name, config)
    tokenizer = _tokenizer(name, folder)
    config._attn_implementation = ATTENTION if FAMILIES[config.model_type].probed else "eager"
    try:
        module, told = getattr(transformers, task.auto_class).from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # shapes that differ, truncated shards: one of many kinds
        raise ModelError(f"{name} can't be loaded: {_first_line(error)}") from error
    missing = sorted(told["missing_keys"])
    if missing:
        raise ModelError(
            f"{name} lacks {len(missing)} of its tensors ({', '.join(missing[:3])} ...): they would be random. "
            "It was saved for another task, or saved in part; use a checkpoint fine-tuned for classification."
        )
    return EncoderModel(
        name,
        module,
        tokenizer,
        task,
        _head(config),
        _record(name, module, task, weight_hash(folder), revision or getattr(config, "_commit_hash", None) or "local"),
        _token_limit(),
    )


def _config(name: str, folder: Path) -> transformers.PretrainedConfig:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no model folder: it has no config.json.")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # not JSON, an unknown family, or one that needs code of its own
        raise ModelError(
            f"{name} has a config.json that transformers can't use without running the model's own code, or at all: "
            f"{_first_line(error)}"
        ) from error
    if config.model_type not in FAMILIES:
        raise ModelError(
            f"{name} is of the family {config.model_type!r}, which is not supported. "
            f"Supported: {', '.join(sorted(FAMILIES))}."
        )
    return copy.deepcopy(config)


def _check_weights(name: str, folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickles:
            raise ModelError(
                f"{name} holds pickled weights ({', '.join(pickles[:3])}), which can run code when they are read; "
                "they are never opened here. Convert them on a machine you trust: load the model there with "
                "transformers and call save_pretrained(folder), which writes model.safetensors."
            )
        raise ModelError(f"{name} has no weights: {folder} holds no .safetensors file.")
    for path in files:
        try:
            with safe_open(path, framework="pt") as opened:
                opened.keys()
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{name}: {path.name} is broken ({_first_line(error)}); copy or download it again."
            ) from error


def _task_of(name: str, config: transformers.PretrainedConfig) -> Task:
    architectures = config.architectures or []
    for task in TASKS.values():
        suffix = task.auto_class.removeprefix("AutoModel")
        if any(architecture.endswith(suffix) for architecture in architectures):
            return task
    raise ModelError(
        f"{name} was saved as {', '.join(architectures) or 'a model without a head'}. Explained so far: "
        f"{', '.join(task.hub_name for task in TASKS.values())}; use a checkpoint fine-tuned for one of these."
    )


def _tokenizer(name: str, folder: Path) -> PreTrainedTokenizerBase:
    if not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        raise ModelError(
            f"{name} has no tokenizer: save one beside the weights (tokenizer.save_pretrained({str(folder)!r}))."
        )
    try:
        return AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # broken JSON, a missing vocabulary, a class that does not exist
        raise ModelError(f"{name}: its tokenizer can't be loaded: {_first_line(error)}") from error


def _head(config: transformers.PretrainedConfig, temperature: float | None = None) -> Head:
    labels = tuple(str(config.id2label[number]) for number in range(config.num_labels))
    if len(set(labels)) < len(labels):
        labels = tuple(f"{label} ({number})" for number, label in enumerate(labels))
    value = config.num_labels == 1 or config.problem_type == "regression"
    exclusive = not value and config.problem_type != "multi_label_classification"
    return Head(labels, exclusive, value, temperature)


@functools.lru_cache(maxsize=1)
def _base(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The shared encoder, once, in float32 whatever its file holds."""
    config = _config("base", folder)
    config._attn_implementation = ATTENTION
    module = BertForPreTraining.from_pretrained(
        folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    return module.eval().requires_grad_(False), _tokenizer("base", folder)


def _load_adapter(name: str, folder: Path) -> TextModel:
    about = json.loads((folder / "explain.json").read_text(encoding="utf-8"))
    base_folder = folder.parent / about["base"]
    _check_weights(about["base"], base_folder)
    _check_weights(name, folder)
    base, tokenizer = _base(base_folder)
    task = TASKS[about["task"]]
    labels = tuple(about["labels"])
    module = with_adapter(base, folder, about["architecture"], labels)
    digest = weight_hash(base_folder, folder)
    head = Head(labels, about.get("exclusive", True), temperature=about.get("temperature"))
    record = _record(name, module, task, digest, "shipped")
    scripts = tuple(about["scripts"]) if "scripts" in about else None
    return EncoderModel(name, module, tokenizer, task, head, record, _token_limit(), scripts)


def weight_hash(*folders: Path) -> str:
    """The sha256 of all safetensors files, in order of folder and name: which weights these are."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as opened:
                for block in iter(lambda: opened.read(1 << 20), b""):
                    digest.update(block)
    return digest.hexdigest()


def _record(name: str, module: PreTrainedModel, task: Task, digest: str, revision: str) -> ModelRecord:
    config = module.config
    return ModelRecord(
        id=name,
        revision=revision,
        weight_sha256=digest,
        architecture=type(module).__name__,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
        task=task.name,
    )


def _token_limit() -> int:
    return max(3, environment_number("EXPLAIN_MAX_TOKENS", MAX_TOKENS))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def explainable() -> tuple[Entry, ...]:
    """The models that a page can explain."""
    return tuple(entry for entry in list_models() if entry.task in TASKS)

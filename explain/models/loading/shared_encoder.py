"""Models that share one encoder: adapters that were trained with this package, and the encoder's own heads.

Their folders hold an `explain.json`. The encoder is loaded once, and every model on it uses its tensors, see
`explain.models.loading.adapters`.
"""

import weakref
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from explain.core.errors import ModelError
from explain.core.installation import weights_folder
from explain.models.base import TextModel
from explain.models.loading.adapters import own_lstm, with_adapter, with_own_head
from explain.models.loading.checkpoint import head_of, load_tokenizer, record_of, token_limit
from explain.models.loading.configuration import check_weight_files, load_config
from explain.models.loading.files import Hashes, ModelFiles, in_memory
from explain.models.loading.folder_checks import check_files, check_shapes, read_about, read_config, wrong_value
from explain.models.loading.listing import HEADLESS, tasks_served
from explain.models.loading.task_inference import mismatched, open_checkpoint, requested_task
from explain.models.probe import ATTENTION
from explain.models.sentence_pair import Pooling, SentencePair
from explain.models.transformer import EncoderModel
from explain.tasks.base import TASKS, Head, Task

KEPT_BASES = 2  # the shipped one, and one that was trained here


def load_own_head(name: str, folder: Path, task_name: str | None) -> TextModel:
    """Load the shared encoder with one of its own heads; all its tensors are those that adapted models share.

    Raises:
        ModelError: see `explain.models.loading.catalogue.load_model`.
    """
    about = read_about(folder)
    files = ModelFiles(folder)
    _check_base(name, folder)
    base, tokenizer = shared_encoder(files)
    task = requested_task(name, [TASKS[task] for task in tasks_served(folder, about)], task_name)
    module = with_own_head(base, _bert_for(task))
    record = record_of(name, module, task, files.hashes[-1], "shipped")
    head, scripts = head_of(name, task, module.config, tokenizer), _scripts(folder)
    files.check_unchanged(name)
    return EncoderModel(name, module, tokenizer, task, head, record, token_limit(), scripts)


def load_adapter(name: str, folder: Path, task_name: str | None = None) -> TextModel:
    """Load the model that an adapter makes of its encoder.

    Raises:
        ModelError: see `explain.models.loading.catalogue.load_model`.
    """
    files = ModelFiles(folder)
    about = read_about(folder, ("title", "task", "labels", "base"))
    try:
        task = requested_task(name, [TASKS[task] for task in tasks_served(folder, about)], task_name)
        base_name = about["base"]
        head = Head(
            labels=tuple(str(label) for label in about["labels"]),
            exclusive=bool(about.get("exclusive", True)),
            temperature=None if about.get("temperature") is None else float(about["temperature"]),
            thresholds=tuple(float(threshold) for threshold in about.get("thresholds") or ()),
            texts=tuple(str(text) for text in about.get("texts") or ()) if task.name == about["task"] else (),
            no_answer=bool(about.get("no_answer")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The adapter in {folder} has an explain.json that lacks or garbles {error}.") from error
    base_folder = _base_folder(folder, base_name)
    files = files.on(base_folder)
    _check_base(base_name, base_folder)
    check_weight_files(name, folder)
    if about.get("base_sha256") not in (None, files.hashes[0].weight_sha256):
        raise ModelError(
            f"{name} was trained on another encoder than the {base_name} that is here, so it would answer at random. "
            "Train it again, or put its own encoder's folder beside it."
        )
    base, tokenizer = shared_encoder(files)
    pooling = str(about.get("pooling", ""))
    module = _adapted(name, base, files, _bert_for(task, pooling), head.labels)
    record = record_of(name, module, task, files.hashes[-1], "shipped")
    if task is HEADLESS:
        lstm = own_lstm(folder, module.config.hidden_size) if pooling == "lstm" else None
        module, head = SentencePair(module, Pooling(lstm=lstm)), replace(head, labels=task.columns, value=True)
    scripts = _scripts(folder)
    files.check_unchanged(name)
    return EncoderModel(name, module, tokenizer, task, head, record, token_limit(), scripts)


def shared_encoder(files: ModelFiles) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return the shared encoder of the first folder, one for each content of its files, in float32."""
    hashes = files.hashes[0]
    if hashes not in _BASES:
        base = _opened(files.folders[0])
        files.check_unchanged("base")  # or it would be taken for what its files were before
        _BASES[hashes] = base
        while len(_BASES) > KEPT_BASES:
            _BASES.popitem(last=False)
    _BASES.move_to_end(hashes)
    return _BASES[hashes]


_BASES: OrderedDict[Hashes, tuple[PreTrainedModel, PreTrainedTokenizerBase]] = OrderedDict()


def _opened(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    config = load_config("base", folder)
    config._attn_implementation = ATTENTION
    check_shapes("base", mismatched(folder, config, "BertForPreTraining"), config.to_dict())
    module, loading_info = open_checkpoint(folder, config, "BertForPreTraining", dtype=torch.float32)
    if loading_info["missing_keys"]:
        raise ModelError(f"The encoder in {folder} lacks {', '.join(sorted(loading_info['missing_keys'])[:3])} ...")
    in_memory(module)
    return module.eval().requires_grad_(False), load_tokenizer("base", folder, config)


def _check_base(name: str, folder: Path) -> None:
    """Check the folder of an encoder with its pretraining heads.

    Raises:
        ModelError: it is none, or one that adapters can't be laid over.
    """
    check_files(name, folder)
    family = read_config(name, folder).get("model_type")
    if family != "bert":
        raise wrong_value(name, "config.json", "model_type", family, "bert: it stands beside an explain.json")
    check_weight_files(name, folder)


def _base_folder(folder: Path, base_name: str) -> Path:
    """Return the folder of the encoder that an adapter was trained on: beside it, or shipped."""
    beside = folder.parent / base_name
    return beside if beside.is_dir() else weights_folder() / base_name


def _adapted(
    name: str, base: PreTrainedModel, files: ModelFiles, architecture: str, labels: tuple[str, ...]
) -> PreTrainedModel:
    """Return the adapted model, the same as long as it is in use: an adapter's tasks share its head and matrices."""
    key = (base, files.hashes[-1], architecture, labels)
    module = _ADAPTED.get(key)
    if module is None:
        module = with_adapter(base, files.folders[-1], architecture, labels)
        files.check_unchanged(name)
        _ADAPTED[key] = module
    return module


_ADAPTED: weakref.WeakValueDictionary[Any, PreTrainedModel] = weakref.WeakValueDictionary()


def _bert_for(task: Task, pooling: str = "") -> str:
    """Return BERT's class for a task: of transformers, or ours where the head reads the mean of all tokens."""
    ours = {"mean": "BertForMeanClassification", "lstm": "BertForLSTMClassification"}
    if task.auto_class == "AutoModelForSequenceClassification" and pooling in ours:
        return ours[pooling]
    return "Bert" + (task.auto_class.removeprefix("AutoModel") or "Model")


def _scripts(folder: Path) -> tuple[str, ...] | None:
    return tuple(read_about(folder).get("scripts") or ()) or None

"""Opening a checkpoint: a folder that transformers' `save_pretrained` wrote.

Weights are read from safetensors only; no code that comes with a model is ever run, and nothing is unpickled.
"""

import contextlib
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from explain.core.errors import ModelError, TextError
from explain.core.installation import environment_number
from explain.datatypes import ModelRecord
from explain.models.base import TextModel
from explain.models.families import FAMILIES
from explain.models.loading.configuration import as_model_errors, check_weight_files, first_line, load_config
from explain.models.loading.files import Hashes, ModelFiles, in_memory
from explain.models.loading.folder_checks import (
    FEWEST_TOKENS,
    check_files,
    check_shapes,
    check_tokenizer_settings,
    wrong_value,
)
from explain.models.loading.sentence_transformers import longest_text, pooling_of
from explain.models.loading.task_inference import (
    HEADLESS,
    lacking,
    mismatched,
    open_checkpoint,
    task_of,
)
from explain.models.probe import ATTENTION
from explain.models.sentence_pair import SentencePair
from explain.models.tokenizing import with_entry
from explain.models.transformer import MAX_TOKENS, EncoderModel
from explain.models.vocabulary import TokenizerVocabulary
from explain.tasks.base import TASKS, Head, Task, VocabularyTask

_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model")


def load_folder(name: str, folder: Path, revision: str | None = None, task: str | None = None) -> TextModel:
    """Load a checkpoint of transformers from a folder.

    Args:
        task: one of its tasks; by default the first it was saved for.

    Raises:
        ModelError: see `load_model`.
    """
    with as_model_errors(name):
        return _load_folder(name, folder, revision, task)


def _load_folder(name: str, folder: Path, revision: str | None, task_name: str | None) -> TextModel:
    check_files(name, folder)
    files = ModelFiles(folder)
    config = load_config(name, folder)
    check_weight_files(name, folder)
    task = task_of(name, folder, config, task_name)
    hashes = files.hashes[-1]
    tokenizer = load_tokenizer(name, folder, config)
    config._attn_implementation = ATTENTION if FAMILIES[config.model_type].probed else "eager"
    try:
        check_shapes(name, mismatched(folder, config, task.auto_class), config.to_dict())
        module, loading_info = open_checkpoint(folder, config, task.auto_class, dtype=torch.float32)
    except ModelError:
        raise
    except Exception as error:  # shapes that differ, truncated shards: one of many kinds
        raise ModelError(f"{name} can't be loaded: {first_line(error)}") from error
    if missing := lacking(task, loading_info):
        raise ModelError(
            f"{name} lacks {len(missing)} of its tensors ({', '.join(missing[:3])} ...): they would be random. "
            f"It was saved for another task, or saved in part; use a checkpoint saved for {task.hub_name}."
        )
    in_memory(module)
    record = record_of(name, module, task, hashes, revision or getattr(config, "_commit_hash", None) or "local")
    if task is HEADLESS:
        module = SentencePair(module, pooling_of(name, folder))
    head = head_of(name, task, config, tokenizer)
    longest = longest_text(name, folder) if task is HEADLESS else None
    files.check_unchanged(name)
    return _tried(EncoderModel(name, module, tokenizer, task, head, record, token_limit(), longest_text=longest))


def _tried(model: EncoderModel) -> EncoderModel:
    """Return a model once it has read a text, so that what is wrong with it is reported on loading, not to a visitor.

    Raises:
        ModelError: it reads too few tokens, or can't be run.
    """
    if model.max_tokens < FEWEST_TOKENS and token_limit() >= FEWEST_TOKENS:
        raise ModelError(
            f"{model.name} reads {model.max_tokens} pieces at most (model_max_length in tokenizer_config.json, "
            f"max_position_embeddings in config.json); at least {FEWEST_TOKENS} are needed."
        )
    with contextlib.suppress(TextError):  # a mask is missing; it was read all the same
        model.predict(model.encode("a b", "c d" if model.pair == "always" else None))
    return model


def load_tokenizer(name: str, folder: Path, config: transformers.PretrainedConfig) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a folder, and try it out beside its model's configuration.

    Raises:
        ModelError: there is none, it can't be used, or it belongs to another model.
    """
    if not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        raise ModelError(
            f"{name} has no tokenizer: save one beside the weights (tokenizer.save_pretrained({str(folder)!r}))."
        )
    check_tokenizer_settings(name, folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
        encodings = [tokenizer(*texts) for texts in (("a b",), ("a b", "c"))]
        read = {token_id for encoding in encodings for token_id in encoding["input_ids"]}
        ids = [*(set(tokenizer.get_vocab().values()) - set(tokenizer.get_added_vocab().values())), *read]
        types = [number for encoding in encodings for number in encoding.get("token_type_ids", ())]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # broken JSON, a missing vocabulary, a class that does not exist; a panic in Rust
        raise ModelError(f"{name}: its tokenizer can't be loaded: {first_line(error)}") from error
    if max(ids) >= config.vocab_size:  # of pieces that were added to it, a text that holds one is refused
        raise ModelError(
            f"{name}: its tokenizer knows {max(ids) + 1:,} pieces, the model {config.vocab_size:,}; they do not belong "
            "together."
        )
    types_known = getattr(config, "type_vocab_size", 0)
    if types_known and max(types, default=0) >= types_known:
        raise ModelError(
            f"{name}: its tokenizer numbers texts up to {max(types)} (type_id in tokenizer.json), and "
            f"token_type_embeddings has {types_known} rows, from 0 (type_vocab_size in config.json). If the model is "
            "used without token types, leave token_type_ids out of model_input_names in tokenizer_config.json."
        )
    limit = tokenizer.model_max_length
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= FEWEST_TOKENS:
        expected = f"a number of at least {FEWEST_TOKENS}"
        raise wrong_value(name, "tokenizer_config.json", "model_max_length", limit, expected)
    return tokenizer


def head_of(name: str, task: Task, config: transformers.PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> Head:
    """Return the head of a checkpoint, as its configuration describes it.

    Raises:
        ModelError: its labels, or its tokenizer's mask, do not fit the task.
    """
    if task.place == "mask" and with_entry(tokenizer.mask_token_id, config.vocab_size) is None:
        raise ModelError(f"{name} guesses masked words, but its tokenizer has no mask token that the model knows.")
    if isinstance(task, VocabularyTask):
        return Head((), vocabulary=TokenizerVocabulary(tokenizer, config.vocab_size))
    if task.columns:
        return Head(task.columns, value=task is HEADLESS)
    named = config.id2label or {}
    if sorted(named) != list(range(len(named))) or not named:
        raise ModelError(
            f"{name}: the labels in its config.json are numbered {sorted(named)[:5]}; 0, 1, 2 ... is needed."
        )
    labels = tuple(str(named[number]) for number in range(len(named)))
    if len(set(labels)) < len(labels):
        labels = tuple(f"{label} ({number})" for number, label in enumerate(labels))
    if task is not TASKS["text_classification"]:  # of rows of tokens a softmax is all that is served
        if len(labels) < 2:
            raise ModelError(f"{name} has a single label ({labels[0]}): it has nothing to decide.")
        return Head(labels)
    several = config.problem_type == "multi_label_classification"
    value = not several and (len(labels) == 1 or config.problem_type == "regression")
    return Head(labels, exclusive=not value and not several, value=value)


def record_of(name: str, module: PreTrainedModel, task: Task, hashes: Hashes, revision: str) -> ModelRecord:
    """Return the record of a module that was read from files with these hashes."""
    config = module.config
    return ModelRecord(
        id=name,
        revision=revision,
        weight_sha256=hashes.weight_sha256,
        settings_sha256=hashes.settings_sha256,
        files_sha256=hashes.files_sha256,
        architecture=type(module).__name__,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
        task=task.name,
    )


def token_limit() -> int:
    """Return the longest input that is read, in tokens, whatever a model could read."""
    return max(3, environment_number("EXPLAIN_MAX_TOKENS", MAX_TOKENS))

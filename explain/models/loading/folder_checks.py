"""Checks of a model folder before anything is built from it: a folder may come from anyone, or be broken.

Only regular files are opened, so nothing waits at a pipe. Every number of `config.json` that decides sizes is within
sane bounds, so nothing is built that fills the memory or takes minutes. Paths that files name stay inside the folder.
Each error names the file and the key.
"""

import json
import math
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from explain.core.errors import ModelError

MOST_JSON = 100_000_000  # bytes of a JSON file; the largest vocabularies have some 30 million
MOST_FILES = 10_000  # in a folder and those inside it
FEWEST_TOKENS = 8  # that a model must read, special tokens included
MOST_LAYERS = 1000
_LAYER = re.compile(r"(?:^|\.)(?:layers?|h)\.(\d{1,9})\.")
_ENCODER = re.compile(r"embeddings|(?:^|\.)(?:layers?|h)\.\d")  # of a tensor's name: it belongs to no head
_KINDS = (  # of what is no file to be read
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class Range:
    """The values that a key of a JSON file may have: a number from `low` to `high`.

    Attributes:
        whole: no fractions.
        optional: null is right, too.
        above: `low` itself is too small.
    """

    low: float
    high: float
    whole: bool = True
    optional: bool = False
    above: bool = False

    def holds(self, value: Any) -> bool:
        if value is None:
            return self.optional
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        bounds = (
            f"above {self.low:g} and at most {self.high:g}" if self.above else f"from {self.low:,} to {self.high:,}"
        )
        return f"{kind} {bounds}{', or null' if self.optional else ''}"


def _each(names: str, range_: Range) -> dict[str, Range]:
    return dict.fromkeys(names.split(), range_)


# Every key of the supported families that decides a size, a count, or a division.
CONFIG: dict[str, Range] = {
    **_each("hidden_size dim n_embd d_model embedding_size", Range(1, 65_536)),
    **_each("intermediate_size hidden_dim", Range(1, 1_000_000)),
    **_each("n_inner", Range(1, 1_000_000, optional=True)),
    **_each("num_hidden_layers n_layers n_layer num_hidden_groups inner_group_num", Range(1, MOST_LAYERS)),
    **_each("num_attention_heads n_heads n_head", Range(1, 1024)),
    **_each("vocab_size", Range(1, 10_000_000)),
    **_each("max_position_embeddings n_positions n_ctx", Range(FEWEST_TOKENS, 1_000_000)),
    **_each("type_vocab_size", Range(0, 1000)),
    **_each("num_labels", Range(1, 100_000)),
    **_each("relative_attention_num_buckets", Range(2, 100_000)),
    **_each("max_relative_positions position_buckets", Range(-1, 1_000_000)),
    **_each("local_attention", Range(1, 1_000_000)),
    **_each("global_attn_every_n_layers", Range(1, MOST_LAYERS)),
    **_each("chunk_size_feed_forward", Range(0, 1_000_000)),
    **_each("pad_token_id", Range(0, 10_000_000, optional=True)),
    **_each("layer_norm_eps layer_norm_epsilon norm_eps", Range(0, 1, whole=False, above=True)),
    **_each("rope_theta global_rope_theta local_rope_theta", Range(0, 1e12, whole=False, above=True)),
    **_each("initializer_range initializer_cutoff_factor", Range(0, 1e6, whole=False)),
    **_each("hidden_dropout_prob attention_probs_dropout_prob dropout attention_dropout", Range(0, 1, whole=False)),
    **_each("qa_dropout seq_classif_dropout embedding_dropout mlp_dropout pooler_dropout", Range(0, 1, whole=False)),
    **_each("resid_pdrop embd_pdrop attn_pdrop summary_first_dropout", Range(0, 1, whole=False)),
    **_each("classifier_dropout_prob summary_last_dropout", Range(0, 1, whole=False)),
    **_each("classifier_dropout", Range(0, 1, whole=False, optional=True)),
}
_SIZES = (
    *("vocab_size", "hidden_size", "dim", "n_embd", "d_model", "embedding_size", "intermediate_size", "hidden_dim"),
    *("n_inner", "max_position_embeddings", "n_positions", "type_vocab_size", "relative_attention_num_buckets"),
)
_FLAGS: dict[str, tuple[bool, ...]] = {
    "return_dict": (True,),
    "output_attentions": (False, True),
    "output_hidden_states": (False, True),
}
_COMMON_ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu", "tanh")
_ACTIVATIONS = (
    *("hidden_act", "activation", "hidden_activation", "activation_function", "pooler_hidden_act"),
    *("classifier_activation", "summary_activation"),
)
_PROBLEMS = (None, "regression", "single_label_classification", "multi_label_classification")


def check_files(name: str, folder: Path) -> None:
    """Check that a folder holds regular files only, so that opening one never waits.

    Raises:
        ModelError: it holds a pipe, a socket or a device, or far too many files.
    """
    for number, path in enumerate(_files(folder)):
        if number > MOST_FILES:
            raise ModelError(f"{name}: {folder} holds more than {MOST_FILES:,} files, so it is no model's folder.")
        _check_regular(name, path)


def _files(folder: Path) -> Iterator[Path]:
    """Return the files of a folder, and of the folders in it."""
    try:
        entries = sorted(folder.iterdir())
        yield from entries
        for entry in entries:
            if entry.is_dir():
                yield from entry.iterdir()
    except OSError as error:
        raise ModelError(f"{folder} can't be read: {error.strerror}.") from error


def _check_regular(name: str, path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:  # a link to nowhere: whoever needs it tells
        return
    for is_kind, what in _KINDS:
        if is_kind(mode):
            raise ModelError(f"{name}: {path.name} is {what}, not a file. Remove it, or copy the model again.")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        ModelError: no such file, or something else in it.
    """
    values = read_json_values(path)
    if not isinstance(values, dict):
        raise ModelError(f"{path} should hold a JSON object, not {_kind(values)}. Copy the model again.")
    return values


def read_json_values(path: Path) -> Any:
    """Read JSON values from a regular file of bounded size.

    Raises:
        ModelError: it can't be read.
    """
    try:
        _check_regular(path.parent.name, path)
        if (size := path.stat().st_size) > MOST_JSON:
            raise ModelError(f"{path} has {size / 1e6:,.0f} MB, too many for a file of settings.")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise ModelError(f"{path} can't be read ({reason}). Copy the model again.") from error


def read_config(name: str, folder: Path) -> dict[str, Any]:
    """Return the values of `config.json`, as far as they decide what is built.

    Raises:
        ModelError: there is none, or a key of it holds what no model can have.
    """
    path = folder / "config.json"
    if not path.is_file():
        _check_regular(name, path)
        raise ModelError(f"{folder} is no model folder: it has no config.json.")
    config = read_json(path)
    for key in config.keys() & CONFIG.keys():
        if not CONFIG[key].holds(config[key]):
            raise wrong_value(name, "config.json", key, config[key], str(CONFIG[key]))
    architectures = config.get("architectures")
    if not (architectures is None or _is_texts(architectures)):
        raise wrong_value(name, "config.json", "architectures", architectures, "a list of names of classes")
    if config.get("problem_type") not in _PROBLEMS:
        raise wrong_value(
            name, "config.json", "problem_type", config["problem_type"], f"one of {_PROBLEMS[1:]}, or null"
        )
    for key in config.keys() & _FLAGS.keys():
        if type(config[key]) is not bool or config[key] not in _FLAGS[key]:
            expected = " or ".join(str(value).lower() for value in _FLAGS[key])
            raise wrong_value(name, "config.json", key, config[key], expected)
    for key in config.keys() & set(_ACTIVATIONS):
        if not (config[key] is None or (isinstance(config[key], str) and _is_activation(config[key]))):
            raise wrong_value(name, "config.json", key, config[key], "the name of an activation, such as gelu")
    for key in ("quantization_config", "configuration_files"):
        if config.get(key):
            raise wrong_value(name, "config.json", key, config[key], "nothing: it is not supported")
    _check_labels(name, config.get("id2label"))
    return config


def _is_activation(name: str) -> bool:
    if name in _COMMON_ACTIVATIONS:
        return True
    from transformers.activations import ACT2FN  # imports torch

    return name in ACT2FN


def _check_labels(name: str, labels: Any) -> None:
    if labels is None:
        return
    if not isinstance(labels, dict):
        raise wrong_value(name, "config.json", "id2label", labels, 'an object, {"0": "negative", "1": "positive"}')
    for number, label in labels.items():
        place = f"id2label[{number[:40]!r}]"
        if not re.fullmatch(r"\d{1,9}", number, re.ASCII):
            raise wrong_value(name, "config.json", place, label, "labels numbered 0, 1, 2 ...")
        if not isinstance(label, str | int | float):
            raise wrong_value(name, "config.json", place, label, "a label's name")
        check_label(name, "config.json", place, label)


def check_label(name: str, file: str, place: str, label: object) -> None:
    """Check that a label can be written down.

    Raises:
        ModelError: it holds half a character, or is endless.
    """
    text = str(label)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise wrong_value(name, file, place, label, "text without halves of characters") from None
    if len(text) > 1000:
        raise wrong_value(name, file, place, label, "a name of at most 1,000 characters")


def check_weights(name: str, folder: Path) -> None:
    """Check that every safetensors file of a folder is a file that opens, and that an index names these only.

    Raises:
        ModelError: one is broken, or the index names another.
    """
    for path in sorted(folder.glob("*.safetensors")):
        _check_regular(name, path)
        try:
            with safe_open(path, framework="numpy") as opened:
                opened.keys()
        except (SafetensorError, OSError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise ModelError(f"{name}: {path.name} is broken ({reason}); copy or download it again.") from error
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
        raise wrong_value(name, index.name, "weight_map", weight_map, "an object that names each tensor's file")
    for file in sorted(set(weight_map.values())):
        if Path(file).name != file or not (folder / file).is_file():
            raise wrong_value(
                name, index.name, "weight_map", file, "files of this folder; one is missing, or elsewhere"
            )


def tensor_names(folder: Path) -> Iterator[str]:
    """Yield the names of the tensors in a folder's safetensors files.

    Raises:
        ModelError: a file is broken.
    """
    check_weights(folder.name, folder)
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as opened:
            yield from opened.keys()


def check_layers(name: str, folder: Path, layers: int) -> None:
    """Check that the weights hold as many layers as the configuration asks for, before any is built.

    Raises:
        ModelError: they hold fewer.
    """
    numbers = (int(match[1]) for key in tensor_names(folder) for match in _LAYER.finditer(key))
    highest = max(numbers, default=-1)
    if 0 <= highest < layers - 1:
        raise ModelError(
            f"{name}: config.json asks for {layers:,} layers (num_hidden_layers), and the weights hold {highest + 1}. "
            "Give the number that was trained, or copy the model again."
        )


def check_shapes(name: str, mismatched: Any, config: Mapping[str, Any]) -> None:
    """Check that no tensor's shape differs from the one the configuration gives.

    Args:
        mismatched: each with its shape in the files, and by the configuration.

    Raises:
        ModelError: there are any; it names the first, and the keys that decide its shape.
    """
    for tensor, in_files, by_config in sorted(mismatched, key=lambda row: str(row[0])):
        same_rank = len(in_files) == len(by_config)
        odd = {size for size, other in zip(by_config, in_files) if size != other} if same_rank else set(by_config)
        of_labels = len(config.get("id2label") or {}) in odd and not _ENCODER.search(str(tensor))
        keys = ["id2label"] if of_labels else [key for key in _SIZES if config.get(key) in odd]
        blamed = f" ({', '.join(keys)})" if keys else ""
        raise ModelError(
            f"{name}: config.json does not fit the weights: {tensor} is {tuple(in_files)} in the files, and "
            f"{tuple(by_config)} by config.json{blamed}. Give the sizes that were trained, or save both again with "
            "save_pretrained(folder)."
        )


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds what was trained over another model's weights, not a model."""
    return (folder / "adapter_config.json").is_file()


def check_tokenizer_settings(name: str, folder: Path) -> None:
    """Check the files that say what a tokenizer's special tokens are.

    Raises:
        ModelError: a token is no text, or a file asks for what is not supported.
    """
    for path in (folder / "tokenizer_config.json", folder / "special_tokens_map.json"):
        settings = read_json(path) if path.exists() or path.is_symlink() else {}
        if settings.get("init_inputs"):
            raise wrong_value(name, path.name, "init_inputs", settings["init_inputs"], "nothing: it is not supported")
        for key, value in settings.items():
            token = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and not (value is None or isinstance(value, bool) or (_is_text(token) and token)):
                raise wrong_value(name, path.name, key, value, "a token's text, or null")


def inside(name: str, file: str, folder: Path, place: Any) -> Path:
    """Return a path that a file of a folder names, which must lie in the folder.

    Raises:
        ModelError: it leaves the folder.
    """
    wrong = wrong_value(name, file, "path", place, "a folder inside the model's own")
    if not isinstance(place, str) or "\0" in place or Path(place).is_absolute() or ".." in Path(place).parts:
        raise wrong
    try:
        path = folder / place
        if not path.resolve().is_relative_to(folder.resolve()):
            raise wrong
    except (OSError, RuntimeError, ValueError) as error:
        raise wrong from error
    return path


def _is_text(entry: Any) -> bool:
    return isinstance(entry, str)


def _is_flag(entry: Any) -> bool:
    return isinstance(entry, bool)


def _is_texts(entry: Any) -> bool:
    return isinstance(entry, list) and all(map(_is_text, entry))


def _is_share(entry: Any) -> bool:
    return Range(0, 1, whole=False).holds(entry)


def _is_examples(entry: Any) -> bool:
    return isinstance(entry, dict) and all(_is_texts(texts) and texts for texts in entry.values())


def _is_figures(entry: Any) -> bool:
    """Whether figures can be listed: those shown with name, value and data, others as they are."""
    if not isinstance(entry, dict):
        return False
    number = Range(-1e100, 1e100, whole=False)
    shown = entry.get("shown", [])
    rows = isinstance(shown, list) and all(isinstance(row, dict) for row in shown)
    return (
        rows
        and all(
            _is_text(row.get("name")) and _is_text(row.get("data")) and number.holds(row.get("value")) for row in shown
        )
        and ("accuracy" not in entry or number.holds(entry["accuracy"]))
    )


# The keys of an `explain.json`: a check of each entry, and the expected values in words.
ABOUT: dict[str, tuple[Callable[[Any], bool], str]] = {
    "title": (_is_text, "text"),
    "task": (_is_text, "the name of a task"),
    "base": (lambda entry: _is_text(entry) and bool(re.fullmatch(r"[\w-]+", entry)), "a folder beside this one"),
    "base_sha256": (lambda entry: entry is None or _is_text(entry), "a sha256"),
    "labels": (lambda entry: isinstance(entry, list), "a list of labels"),
    "pooling": (lambda entry: entry in ("", "cls", "mean", "lstm"), "cls, mean or lstm"),
    "exclusive": (_is_flag, "true or false"),
    "no_answer": (_is_flag, "true or false"),
    "temperature": (lambda entry: Range(0, 1e6, False, True, True).holds(entry), "a number above zero, or null"),
    "thresholds": (lambda entry: entry is None or (isinstance(entry, list) and all(map(_is_share, entry))), "shares"),
    "texts": (lambda entry: entry is None or (_is_texts(entry) and len(entry) in (0, 2)), "the names of two texts"),
    "scripts": (lambda entry: entry is None or _is_texts(entry), "a list of names of scripts"),
    "examples": (lambda entry: entry is None or _is_examples(entry), "lists of texts by name"),
    "figures": (_is_figures, "figures by name, those shown with name, value and data"),
}


def read_about(folder: Path, needed: Sequence[str] = ("title", "task")) -> dict[str, Any]:
    """Return the values of `explain.json`, which describes a model that was trained with this package.

    Raises:
        ModelError: there is none, or a key of it is missing or holds something else.
    """
    about = read_json(folder / "explain.json")
    for key in needed:
        if key not in about:
            raise ModelError(f"{folder.name}: explain.json lacks {key}. Train the model again, or copy it again.")
    for key in about.keys() & ABOUT.keys():
        fits, expected = ABOUT[key]
        if not fits(about[key]):
            raise wrong_value(folder.name, "explain.json", key, about[key], expected)
    for number, label in enumerate(about.get("labels") or ()):
        if not isinstance(label, str | int | float):
            raise wrong_value(folder.name, "explain.json", f"labels[{number}]", label, "a label's name")
        check_label(folder.name, "explain.json", f"labels[{number}]", label)
    thresholds = about.get("thresholds")
    if thresholds and len(thresholds) != len(about.get("labels") or ()):
        raise wrong_value(folder.name, "explain.json", "thresholds", thresholds, "one for each label")
    return about


def wrong_value(name: str, file: str, key: str, value: Any, expected: str) -> ModelError:
    """Return the error of a key that holds something else than it may."""
    return ModelError(
        f"{name}: in {file}, {key} is {_kind(value)}; expected {expected}. Mend it, or copy the model again."
    )


def _kind(value: Any) -> str:
    """Return a value for a message: short, whatever it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number of very many digits"
    return ascii(value[:60]) if isinstance(value, str) else str(value)

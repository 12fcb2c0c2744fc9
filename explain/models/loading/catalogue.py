"""Which models there are, and loading them: shipped, trained here, from a local folder, or by hub name.

Weights are read from safetensors only; no code that comes with a model is ever run, and nothing is unpickled.
"""

import contextlib
import copy
import os
import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from explain.core.errors import ExplainError, ModelError, TextError
from explain.core.installation import MOST_THREADS, environment_number, models_folder, weights_folder
from explain.core.registry import unknown
from explain.datatypes import ModelRecord
from explain.models.base import TextModel
from explain.models.families import FAMILIES
from explain.models.loading.adapters import is_adapter, own_lstm, with_adapter, with_own_head
from explain.models.loading.files import Hashes, ModelFiles, in_memory
from explain.models.loading.folder_checks import (
    FEWEST_TOKENS,
    check_files,
    check_layers,
    check_shapes,
    check_tokenizer_settings,
    check_weights,
    read_about,
    read_config,
    wrong_value,
)
from explain.models.loading.sentence_transformers import longest_text, pooling_of
from explain.models.loading.task_inference import (
    HEADLESS,
    lacking,
    mismatched,
    open_checkpoint,
    suits,
    tasks_by_weights,
)
from explain.models.probe import ATTENTION
from explain.models.sentence_pair import Pooling, SentencePair
from explain.models.transformer import MAX_TOKENS, EncoderModel
from explain.models.vocabulary import TokenizerVocabulary
from explain.tasks.base import TASKS, Head, Task, VocabularyTask

DEFAULT_MODEL = "sentiment"
ENCODER = "base"  # what the shipped adapters are laid over
SIMILARITY = HEADLESS
NEXT_WORD = TASKS["text_generation"]
KEPT_MODELS = 4  # loaded at once, by last use
KEPT_BASES = 2  # the shipped one, and one that was trained here
MOST_FETCHED = 5_000_000_000  # bytes from the hub at once
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# Only these files are fetched: pickled weights and code never reach this machine.
_FETCHED = ["*.json", "*.txt", "*.model", "model*.safetensors"]
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model")
transformers.logging.set_verbosity_error()  # what is wrong with a model is told in our words
transformers.logging.disable_progress_bar()

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass(frozen=True)
class Entry:
    """One model that can be asked for by name.

    Attributes:
        name, folder: where it is; folder is a hub name where it is on the hub.
        tasks: the registry names of what it can do, the default first; empty where only loading the model tells.
        title: what it does, in one line.
        size: bytes of its own weights.
        figures: its measured figures, as its card has them.
        examples: texts to start from, by a name for each; empty: the task's own.
        told: whether the first of its tasks is known to be meant; else its weights fit all of them alike, nothing says
            which they were saved for, and whoever loads it has to.
    """

    name: str
    folder: str
    tasks: tuple[str, ...]
    title: str
    size: int
    figures: dict[str, Any]
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: bool = True

    @property
    def main_figure(self) -> tuple[str, float, str] | None:
        """What its card measures it by: the figure's name, its value, and what it was measured on."""
        for one in self.figures.get("shown", ()):
            return one["name"], one["value"], one["data"]
        return ("accuracy", self.figures["accuracy"], "its dev set") if "accuracy" in self.figures else None


def list_models() -> tuple[Entry, ...]:
    """The shipped models, those trained here, and those in `EXPLAIN_MODELS`: paths or hub names, with commas;
    "name=path" names one."""
    found = [_shipped(folder) for folder in _described(weights_folder())]
    found += trained_here()
    for part in os.environ.get("EXPLAIN_MODELS", "").split(","):
        given, named, place = (text.strip() for text in part.partition("="))
        if not named or "/" in given:  # a folder's name may hold the sign, too
            given, place = "", part.strip()
        if place:
            found.append(entry_of(place, given or Path(place).name))
    names = [entry.name for entry in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(
            f"EXPLAIN_MODELS gives the name {twice[0]!r} to two models; name them apart: {twice[0]}-2=/its/folder."
        )
    return tuple(found)


def trained_here() -> list[Entry]:
    """The models that were trained with this app; what is half there, or broken, is none."""
    shipped = {folder.name for folder in _described(weights_folder())}
    found = []
    for folder in _described(models_folder()):
        with contextlib.suppress(ModelError, KeyError, TypeError, AttributeError, OSError):
            if folder.name not in shipped:
                found.append(_shipped(folder))
    return found


def _described(folder: Path) -> list[Path]:
    """The folders in a folder that say what they are."""
    return sorted(path.parent for path in folder.glob("*/explain.json") if not path.parent.name.startswith("."))


def _shipped(folder: Path) -> Entry:
    about = read_about(folder)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    examples = {name: tuple(texts) for name, texts in (about.get("examples") or {}).items()}
    tasks = _shipped_tasks(folder, about)
    return Entry(folder.name, str(folder), tasks, about["title"], size, about.get("figures", {}), examples)


def _shipped_tasks(folder: Path, about: Mapping[str, Any]) -> tuple[str, ...]:
    """What a shipped model can do: its task first, then the others that its heads serve."""
    if not is_adapter(folder):
        return tuple(dict.fromkeys((about["task"], *_tasks_in(folder)[0])))
    auto_class = TASKS[about["task"]].auto_class if about["task"] in TASKS else None
    labels = [str(label) for label in about.get("labels", ())]
    same = (name for name, task in TASKS.items() if task.auto_class == auto_class and task.fits(labels))
    return tuple(dict.fromkeys((about["task"], *same)))


def entry_of(place: str, name: str | None = None) -> Entry:
    """What is known of a model in a folder, or on the hub once it was fetched, without loading it."""
    folder = _here(place, None)
    tasks, told = ((), True) if folder is None else _tasks_in(folder)
    return Entry(name or place, place, tasks, place, 0, {}, told=told)


def fetched(entry: Entry) -> Entry:
    """The same, fetched from the hub first where only that tells what the model can do.

    Raises:
        ModelError: there is no such model.
    """
    if entry.tasks:
        return entry
    locate(entry.folder)
    return entry_of(entry.folder, entry.name)


def _tasks_in(folder: Path) -> tuple[tuple[str, ...], bool]:
    """What a folder's model was saved for, or could have been, as far as files tell; and whether the first is meant."""
    try:
        check_files(folder.name, folder)
        config = read_config(folder.name, folder)
        if not config.get("architectures"):
            tasks = _by_weights(folder)
            return tuple(task.name for task in tasks), len(tasks) < 2
        labels = [str(label) for label in (config.get("id2label") or {}).values()]
        return tuple(
            task.name for task in _tasks_for(config["architectures"], labels, str(config.get("model_type")))
        ), True
    except ModelError:  # what is wrong is told on loading it
        return (), True


def _by_weights(folder: Path) -> tuple[Task, ...]:
    """The tasks whose head is among a folder's weights; found again only where its files have changed.

    Raises:
        ModelError: a file that can't be used.
    """
    try:
        files = [(path, path.stat()) for path in (folder / "config.json", *sorted(folder.glob("*.safetensors")))]
    except OSError as error:
        raise ModelError(f"{folder.name}: {Path(error.filename).name} can't be read: {error.strerror}.") from error
    stamp = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in files)
    if _FITTING.get(folder, ((), ()))[0] != stamp:
        with _LOADING:
            _check_weights(folder.name, folder)
            _FITTING[folder] = stamp, tasks_by_weights(folder, _config(folder.name, folder))
    return _FITTING[folder][1]


_FITTING: dict[Path, tuple[tuple[Any, ...], tuple[Task, ...]]] = {}  # with which files that was found
_LOADING = threading.RLock()  # one at a time: transformers' lazy imports do not bear two threads


def load_model(name: str = DEFAULT_MODEL, revision: str | None = None, task: str | None = None) -> TextModel:
    """Load a model, or hand out the one already loaded.

    Args:
        name: a shipped name, a name from `EXPLAIN_MODELS`, a local folder, or a hub name ("org/model").
        revision: a hub revision.
        task: which of the things that it can do ("fill-mask"), by default the first; see `Entry.tasks`.

    Raises:
        ModelError: there is no such model, it must not or can't be loaded, or nothing says which task it was saved for;
            the message says what to do.
    """
    return _LOADED.get(name, revision, None if task is None else task_named(task).name)


def default_task(model: TextModel) -> str | None:
    """Return the task that a model's name alone gives, by the registry's name; None where a task has to be named."""
    entry = next((entry for entry in list_models() if entry.name == model.name), None) or entry_of(model.name)
    if not entry.tasks:
        return model.task.name
    return entry.tasks[0] if entry.told else None


def default_encoder() -> str:
    """Return the name of the shipped model whose vectors were made to be compared; else the shared encoder's."""
    names = (entry.name for entry in list_models() if entry.tasks[:1] == (SIMILARITY.name,))
    return next(names, ENCODER)


def is_default(model: TextModel) -> bool:
    """Whether a model's name alone gives it: it does one thing, or this is the first of those it does."""
    return default_task(model) == model.task.name


def task_named(name: str) -> Task:
    """A task by Hugging Face's name or the registry's.

    Raises:
        ModelError: there is no such task.
    """
    if name.replace("-", "_") not in TASKS:
        raise ModelError(unknown("task", name, [task.hub_name for task in TASKS.values()]))
    return TASKS[name.replace("-", "_")]


class _Loaded:
    """The models in memory, the least recently used given up first. What is there is handed out at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: OrderedDict[_Key, TextModel] = OrderedDict()

    def get(self, name: str, revision: str | None, task: str | None) -> TextModel:
        key = (name, revision, task, _trained_at(name))
        found = self._recall(key)
        if found is not None:
            return found
        folder = locate(name, revision)  # may fetch from the hub, and take long
        with _LOADING:
            found = self._recall(key)
            if found is None:
                found = _load(name, folder, revision, task)
                with self._lock:
                    self._models[key] = found
                    while len(self._models) > KEPT_MODELS:
                        self._models.popitem(last=False)
            return found

    def _recall(self, key: "_Key") -> TextModel | None:
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)


_Key = tuple[str, str | None, str | None, int]  # name, revision, task, when it was trained here
_LOADED = _Loaded()


def _trained_at(name: str) -> int:
    """When a model was trained here: a name may be given again, once its model is deleted; 0 for all others."""
    try:
        return (models_folder() / name / "explain.json").stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def would_be_fetched(name: str) -> bool:
    """Whether loading a name would ask the hub: it is no folder here, and could be a name there."""
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    return bool(_HUB_NAME.fullmatch(place)) and _folder(place) is None


def locate(name: str, revision: str | None = None) -> Path:
    """The folder of a model, fetched from the hub if it is not here.

    Raises:
        ModelError: there is no such model.
    """
    places = {entry.name: entry.folder for entry in list_models()}
    place = places.get(name, name)
    folder = _here(place, revision)
    if folder is None:
        folder = _FROM_HUB[place, revision] = _from_hub(place, revision, sorted(places))
    return folder


def _here(place: str, revision: str | None) -> Path | None:
    """The folder of a model that is on this machine, as far as is known without asking the hub."""
    return _folder(place) or _FROM_HUB.get((place, revision))


def _folder(place: str) -> Path | None:
    """The folder of that name, if there is one."""
    try:
        folder = Path(place).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # nobody's home, a name too long for any folder, a zero byte
        return None


_FROM_HUB: dict[tuple[str, str | None], Path] = {}  # what was fetched by this process


def _load(name: str, folder: Path, revision: str | None, task: str | None) -> TextModel:
    torch.set_num_threads(environment_number("EXPLAIN_THREADS", torch.get_num_threads(), MOST_THREADS))
    with _as_model_errors(name):
        check_files(name, folder)
        if is_adapter(folder):
            return _load_adapter(name, folder, task)
        if (folder / "explain.json").is_file():
            return _load_base(name, folder, task)
    return load_folder(name, folder, revision, task)


@contextlib.contextmanager
def _as_model_errors(name: str) -> Iterator[None]:
    """A folder may be broken in more ways than are looked for: whatever a library says of it becomes a `ModelError`."""
    try:
        yield
    except ExplainError:
        raise
    except Exception as error:
        raise ModelError(
            f"{name} can't be used: {_first_line(error)} ({type(error).__name__}). Copy the model again, or save it "
            "again with save_pretrained(folder)."
        ) from error


def _from_hub(place: str, revision: str | None, known: list[str]) -> Path:
    if not _HUB_NAME.fullmatch(place):
        raise ModelError(unknown("model or folder", place, known))
    import huggingface_hub

    try:
        info = huggingface_hub.HfApi().model_info(place, revision=revision, files_metadata=True)
        wanted = list(
            huggingface_hub.utils.filter_repo_objects(info.siblings or [], allow_patterns=_FETCHED, key=_name)
        )
        size = sum(file.size or 0 for file in wanted)
        if size > MOST_FETCHED:
            raise ModelError(
                f"{place} is {size / 1e9:.1f} GB; at most {MOST_FETCHED / 1e9:.0f} GB are fetched. "
                "Fetch it yourself and give its folder."
            )
        return Path(huggingface_hub.snapshot_download(place, revision=revision, allow_patterns=_FETCHED))
    except ModelError:
        raise
    except Exception as error:  # the hub's client raises many kinds; all mean that we have no files
        raise ModelError(
            f"{place} is no folder here, and the Hugging Face hub did not give it ({type(error).__name__}). "
            "Check the name; without a network, fetch the model elsewhere and give its folder."
        ) from error


def _name(file: Any) -> str:
    return str(file.rfilename)


def load_folder(name: str, folder: Path, revision: str | None = None, asked: str | None = None) -> TextModel:
    """Load a checkpoint of transformers from a folder, for the task asked for, by default the first it was saved for.

    Raises:
        ModelError: see `load_model`.
    """
    with _as_model_errors(name):
        return _load_folder(name, folder, revision, asked)


def _load_folder(name: str, folder: Path, revision: str | None, asked: str | None) -> TextModel:
    check_files(name, folder)
    files = ModelFiles(folder)
    config = _config(name, folder)
    _check_weights(name, folder)
    task = _task_of(name, config, asked) if config.architectures else _task_that_fits(name, folder, config, asked)
    hashes = files.hashes[-1]
    tokenizer = _tokenizer(name, folder, config)
    config._attn_implementation = ATTENTION if FAMILIES[config.model_type].probed else "eager"
    try:
        check_shapes(name, mismatched(folder, config, task.auto_class), config.to_dict())
        module, told = open_checkpoint(folder, config, task.auto_class, dtype=torch.float32)
    except ModelError:
        raise
    except Exception as error:  # shapes that differ, truncated shards: one of many kinds
        raise ModelError(f"{name} can't be loaded: {_first_line(error)}") from error
    if missing := lacking(task, told):
        raise ModelError(
            f"{name} lacks {len(missing)} of its tensors ({', '.join(missing[:3])} ...): they would be random. "
            f"It was saved for another task, or saved in part; use a checkpoint saved for {task.hub_name}."
        )
    in_memory(module)
    record = _record(name, module, task, hashes, revision or getattr(config, "_commit_hash", None) or "local")
    if task is SIMILARITY:
        module = SentencePair(module, pooling_of(name, folder))
    head = _head(name, task, config, tokenizer)
    longest = longest_text(name, folder) if task is SIMILARITY else None
    files.check_unchanged(name)
    return _tried(EncoderModel(name, module, tokenizer, task, head, record, _token_limit(), longest_text=longest))


def _tried(model: EncoderModel) -> EncoderModel:
    """The model, once it has read a text: what is wrong with it is told on loading, not to the first visitor."""
    if model.max_tokens < FEWEST_TOKENS and _token_limit() >= FEWEST_TOKENS:
        raise ModelError(
            f"{model.name} reads {model.max_tokens} pieces at most (model_max_length in tokenizer_config.json, "
            f"max_position_embeddings in config.json); at least {FEWEST_TOKENS} are needed."
        )
    with contextlib.suppress(TextError):  # a mask is missing; it was read all the same
        model.predict(model.encode("a b", "c d" if model.pair == "always" else None))
    return model


def _config(name: str, folder: Path) -> transformers.PretrainedConfig:
    read_config(name, folder)
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
    config.chunk_size_feed_forward = 0  # it saves memory, changes no number, and takes only the lengths it divides
    check_weights(name, folder)
    check_layers(name, folder, config.num_hidden_layers if config.model_type != "albert" else 0)
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
    check_weights(name, folder)


def _task_of(name: str, config: transformers.PretrainedConfig, asked: str | None) -> Task:
    architectures = config.architectures
    labels = [str(label) for label in (config.id2label or {}).values()]
    tasks = _tasks_for(architectures, labels, config.model_type)
    if not tasks:
        raise ModelError(
            f"{name} was saved as {', '.join(architectures)}. Explained so far: {_named(TASKS.values())}; "
            "use a checkpoint fine-tuned for one of these."
        )
    if FAMILIES[config.model_type].causal and NEXT_WORD not in tasks:
        raise ModelError(
            f"{name} is of the causal family {config.model_type!r}, which is explained for text-generation only."
        )
    return _one_of(name, tasks, asked)


def _task_that_fits(name: str, folder: Path, config: transformers.PretrainedConfig, asked: str | None) -> Task:
    """The task of a model whose configuration does not say what it was saved for.

    Raises:
        ModelError: its weights fit none, or several and none is asked for. Where the one asked for lacks some of its
            weights, loading tells.
    """
    tasks = _by_weights(folder)
    unsaid = f"{name} does not say what it was saved for (no architectures in its config.json)"
    if asked is not None:
        task = task_named(asked)
        if task not in tasks and not suits(task, folder, config):
            raise ModelError(
                f"{name} can't do {task.hub_name}: it takes another family of models than {config.model_type!r}, or "
                f"other labels. By its weights it could do: {_named(tasks) or 'nothing that is explained so far'}."
            )
        return task
    if not tasks:
        raise ModelError(
            f"{unsaid}, and its weights hold no head that is known, or one of another shape than its config.json says. "
            f"Explained so far: {_named(TASKS.values())}; use a checkpoint fine-tuned for one of these."
        )
    if len(tasks) > 1:
        raise ModelError(
            f"{unsaid}. By its weights it could do: {_named(tasks)}. Say which: task={tasks[0].hub_name!r} in Python, "
            f"--task {tasks[0].hub_name} on the command line."
        )
    return tasks[0]


def _named(tasks: Iterable[Task]) -> str:
    return ", ".join(task.hub_name for task in tasks)


def _one_of(name: str, tasks: Sequence[Task], asked: str | None) -> Task:
    """The task asked for, or the first."""
    if asked is None:
        return tasks[0]
    task = task_named(asked)
    if task not in tasks:
        raise ModelError(f"{name} was not trained for {task.hub_name}; it does {_named(tasks)}.")
    return task


def _tasks_for(architectures: Sequence[str], labels: Sequence[str], family: str) -> list[Task]:
    """The tasks whose head a checkpoint was saved with; next words only where nobody looks ahead."""
    causal = family in FAMILIES and FAMILIES[family].causal
    return [
        task
        for task in TASKS.values()
        if any(map(task.is_in, architectures)) and task.fits(labels) and (causal or task is not NEXT_WORD)
    ]


def _tokenizer(name: str, folder: Path, config: transformers.PretrainedConfig) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder, tried out beside its model's configuration.

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
        tried = [tokenizer(*texts) for texts in (("a b",), ("a b", "c"))]
        ids = [
            len(tokenizer) - 1,
            *tokenizer.get_vocab().values(),
            *(one for read in tried for one in read["input_ids"]),
        ]
        types = [one for read in tried for one in read.get("token_type_ids", ())]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # broken JSON, a missing vocabulary, a class that does not exist; a panic in Rust
        raise ModelError(f"{name}: its tokenizer can't be loaded: {_first_line(error)}") from error
    if max(ids) >= config.vocab_size:
        raise ModelError(
            f"{name}: its tokenizer knows {max(ids) + 1:,} pieces, the model {config.vocab_size:,}; they do not belong "
            "together."
        )
    told_apart = getattr(config, "type_vocab_size", 0)
    if told_apart and max(types, default=0) >= told_apart:
        raise ModelError(
            f"{name}: its tokenizer numbers texts up to {max(types)} (type_id in tokenizer.json), the model knows "
            f"{told_apart} (type_vocab_size in config.json); they do not belong together."
        )
    limit = tokenizer.model_max_length
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= FEWEST_TOKENS:
        expected = f"a number of at least {FEWEST_TOKENS}"
        raise wrong_value(name, "tokenizer_config.json", "model_max_length", limit, expected)
    return tokenizer


def _head(name: str, task: Task, config: transformers.PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> Head:
    if task.place == "mask" and tokenizer.mask_token_id is None:
        raise ModelError(f"{name} guesses masked words, but its tokenizer has no mask token.")
    if isinstance(task, VocabularyTask):
        return Head((), vocabulary=TokenizerVocabulary(tokenizer, config.vocab_size))
    if task.columns:
        return Head(task.columns, value=task is SIMILARITY)
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


def _base(files: ModelFiles) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The shared encoder of the first folder, once for each content of its files, in float32 whatever they hold."""
    hashes = files.hashes[0]
    if hashes not in _BASES:
        base = _base_in(files.folders[0])
        files.check_unchanged("base")  # or it would be taken for what its files were before
        _BASES[hashes] = base
        while len(_BASES) > KEPT_BASES:
            _BASES.popitem(last=False)
    _BASES.move_to_end(hashes)
    return _BASES[hashes]


_BASES: OrderedDict[Hashes, tuple[PreTrainedModel, PreTrainedTokenizerBase]] = OrderedDict()


def _base_in(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    config = _config("base", folder)
    config._attn_implementation = ATTENTION
    check_shapes("base", mismatched(folder, config, "BertForPreTraining"), config.to_dict())
    module, told = open_checkpoint(folder, config, "BertForPreTraining", dtype=torch.float32)
    if told["missing_keys"]:
        raise ModelError(f"The encoder in {folder} lacks {', '.join(sorted(told['missing_keys'])[:3])} ...")
    in_memory(module)
    return module.eval().requires_grad_(False), _tokenizer("base", folder, config)


def _load_base(name: str, folder: Path, asked: str | None) -> TextModel:
    """The shared encoder with one of its own heads; all its tensors are those that adapted models share."""
    about = read_about(folder)
    files = ModelFiles(folder)
    _check_base(name, folder)
    base, tokenizer = _base(files)
    task = _one_of(name, [TASKS[one] for one in _shipped_tasks(folder, about)], asked)
    module = with_own_head(base, _bert_for(task))
    record = _record(name, module, task, files.hashes[-1], "shipped")
    head, scripts = _head(name, task, module.config, tokenizer), _scripts(folder)
    files.check_unchanged(name)
    return EncoderModel(name, module, tokenizer, task, head, record, _token_limit(), scripts)


def _load_adapter(name: str, folder: Path, asked: str | None = None) -> TextModel:
    files = ModelFiles(folder)
    about = read_about(folder, ("title", "task", "labels", "base"))
    try:
        task = _one_of(name, [TASKS[one] for one in _shipped_tasks(folder, about)], asked)
        base_name = about["base"]
        head = Head(
            labels=tuple(str(label) for label in about["labels"]),
            exclusive=bool(about.get("exclusive", True)),
            temperature=None if about.get("temperature") is None else float(about["temperature"]),
            thresholds=tuple(float(one) for one in about.get("thresholds") or ()),
            texts=tuple(str(one) for one in about.get("texts") or ()) if task.name == about["task"] else (),
            no_answer=bool(about.get("no_answer")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The adapter in {folder} has an explain.json that lacks or garbles {error}.") from error
    base_folder = _base_folder(folder, base_name)
    files = files.on(base_folder)
    _check_base(base_name, base_folder)
    _check_weights(name, folder)
    if about.get("base_sha256") not in (None, files.hashes[0].weight_sha256):
        raise ModelError(
            f"{name} was trained on another encoder than the {base_name} that is here, so it would answer at random. "
            "Train it again, or put its own encoder's folder beside it."
        )
    base, tokenizer = _base(files)
    pooling = str(about.get("pooling", ""))
    module = _adapted(name, base, files, _bert_for(task, pooling), head.labels)
    record = _record(name, module, task, files.hashes[-1], "shipped")
    if task is SIMILARITY:
        lstm = own_lstm(folder, module.config.hidden_size) if pooling == "lstm" else None
        module, head = SentencePair(module, Pooling(lstm=lstm)), replace(head, labels=task.columns, value=True)
    scripts = _scripts(folder)
    files.check_unchanged(name)
    return EncoderModel(name, module, tokenizer, task, head, record, _token_limit(), scripts)


def _check_base(name: str, folder: Path) -> None:
    """Check the folder of an encoder with its pretraining heads.

    Raises:
        ModelError: it is none, or one that adapters can't be laid over.
    """
    check_files(name, folder)
    family = read_config(name, folder).get("model_type")
    if family != "bert":
        raise wrong_value(name, "config.json", "model_type", family, "bert: it stands beside an explain.json")
    _check_weights(name, folder)


def _base_folder(folder: Path, base_name: str) -> Path:
    """The encoder that an adapter was trained on: beside it, or shipped."""
    beside = folder.parent / base_name
    return beside if beside.is_dir() else weights_folder() / base_name


def _adapted(
    name: str, base: PreTrainedModel, files: ModelFiles, architecture: str, labels: tuple[str, ...]
) -> PreTrainedModel:
    """The adapted model, as long as someone has it the same one: an adapter's tasks share its head and its matrices."""
    key = (base, files.hashes[-1], architecture, labels)
    module = _ADAPTED.get(key)
    if module is None:
        module = with_adapter(base, files.folders[-1], architecture, labels)
        files.check_unchanged(name)
        _ADAPTED[key] = module
    return module


_ADAPTED: weakref.WeakValueDictionary[Any, PreTrainedModel] = weakref.WeakValueDictionary()


def _bert_for(task: Task, pooling: str = "") -> str:
    """BERT's class for a task: of transformers, or ours where the head reads the mean of all tokens."""
    ours = {"mean": "BertForMeanClassification", "lstm": "BertForLSTMClassification"}
    if task.auto_class == "AutoModelForSequenceClassification" and pooling in ours:
        return ours[pooling]
    return "Bert" + (task.auto_class.removeprefix("AutoModel") or "Model")


def _scripts(folder: Path) -> tuple[str, ...] | None:
    return tuple(read_about(folder).get("scripts") or ()) or None


def _record(name: str, module: PreTrainedModel, task: Task, hashes: Hashes, revision: str) -> ModelRecord:
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


def _token_limit() -> int:
    return max(3, environment_number("EXPLAIN_MAX_TOKENS", MAX_TOKENS))


def _first_line(error: BaseException) -> str:
    """What an error says first; where that ends with a colon, what follows too."""
    said = str(error).encode("utf-8", "backslashreplace").decode("utf-8")  # it may quote a file's halves of characters
    lines = said.strip().splitlines() or [type(error).__name__]
    return " ".join(lines[: 2 if lines[0].rstrip().endswith(":") else 1])[:300]


def explainable() -> tuple[Entry, ...]:
    """The models that a page can explain."""
    return tuple(entry for entry in list_models() if not entry.tasks or set(entry.tasks) & set(TASKS))

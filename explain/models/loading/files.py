"""The files that decide what a model computes: hashed, read, and checked not to have changed in between.

A record's hashes are of the bytes that were read. So a model's files are looked at before anything of them is read, and
again when all is in memory; nothing that is kept is a view of a file, since that would change with the file.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from explain.core.errors import ModelError

# `settings_sha256` is of these, in this order, by content alone: reports of earlier versions hold nothing else.
_FIRST_SETTINGS = (
    *("config.json", "explain.json", "adapter_config.json"),
    *("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model"),
    *("modules.json", "sentence_bert_config.json", "1_Pooling/config.json"),
)
# `files_sha256` is of these besides: which shards are read, and how a tokenizer is put together.
_FURTHER_SETTINGS = (
    "model.safetensors.index.json",
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", "tokenizer.model"),
)
_VERSIONED_TOKENIZERS = "tokenizer.*.json"  # "tokenizer.4.0.0.json", which tokenizer_config.json may name
_RACY_NANOSECONDS = 2_000_000_000  # a file changed so lately may change again without its time stamp telling

Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Hashes:
    """Hashes of the files that a model was read from.

    Attributes:
        weight_sha256: of all safetensors files, in order of folder and name.
        settings_sha256: of the settings and vocabularies that the first records know of, by content.
        files_sha256: of every file that decides besides the weights, by name and content.
    """

    weight_sha256: str
    settings_sha256: str
    files_sha256: str


class ModelFiles:
    """The files of a model in one folder, or in several that build on one another, as they are on disk now.

    Args:
        folders: of an adapter, its encoder's first.
    """

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self._began = time.time_ns()
        self._stamps = dict(_stamps(folders))

    @cached_property
    def hashes(self) -> tuple[Hashes, ...]:
        """Hashes of the first folder, of the first two together, and so on; all files are read once.

        Raises:
            ModelError: a file that can't be read.
        """
        weights, settings, files = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        cumulative = []
        for folder in self.folders:
            for path in _weights(folder):
                for block in _blocks(path):
                    weights.update(block)
            for name in _settings(folder):
                content = b"".join(_blocks(folder / name))
                if name in _FIRST_SETTINGS:
                    settings.update(content)
                files.update(f"{name} {len(content)}\n".encode())
                files.update(content)
            files.update(b"\n")
            cumulative.append(Hashes(weights.hexdigest(), settings.hexdigest(), files.hexdigest()))
        return tuple(cumulative)

    def on(self, encoder: Path) -> "ModelFiles":
        """Return the same files, seen when they were seen first, behind those of the encoder they build on."""
        both = ModelFiles(encoder, *self.folders)
        both._began, both._stamps = self._began, both._stamps | self._stamps
        return both

    def check_unchanged(self, name: str) -> None:
        """Make sure that the files still are what was hashed, so that what was read in between is that, too.

        Raises:
            ModelError: a file of the model `name` has changed.
        """
        stamps = dict(_stamps(self.folders))
        every = stamps.keys() | self._stamps.keys()
        changed = sorted(path for path in every if stamps.get(path) != self._stamps.get(path))
        latest = max((stamp[-1] for stamp in stamps.values()), default=0)
        if not changed and latest > self._began - _RACY_NANOSECONDS and ModelFiles(*self.folders).hashes != self.hashes:
            changed = sorted(stamps)
        if changed:
            raise ModelError(f"{name} changed on disk while it was read ({changed[0].name}). Load it again.")


def weight_hash(*folders: Path) -> str:
    """Return the sha256 of all safetensors files, in order of folder and name: which weights these are."""
    digest = hashlib.sha256()
    for path in (path for folder in folders for path in _weights(folder)):
        for block in _blocks(path):
            digest.update(block)
    return digest.hexdigest()


def in_memory(module: nn.Module) -> nn.Module:
    """Copy a model's tensors, which may be views of a mapped file; tied ones stay tied."""
    copies: dict[Any, Tensor] = {}
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            key = tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype
            if key not in copies:
                copies[key] = tensor.data.clone()
            tensor.data = copies[key]
    return module


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _settings(folder: Path) -> list[str]:
    """Return the names of the files that decide besides the weights, as far as they exist."""
    pooling = _pooling_config(folder)
    names = [*_FIRST_SETTINGS, *([] if pooling in _FIRST_SETTINGS else [pooling]), *_FURTHER_SETTINGS]
    names += sorted(path.name for path in folder.glob(_VERSIONED_TOKENIZERS))
    return [name for name in names if _is_file(folder / name)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for any file
        return False


def _pooling_config(folder: Path) -> str:
    """Return the place of sentence-transformers' settings of pooling, which modules.json may put anywhere."""
    try:
        parts = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        paths = [str(part["path"]) for part in parts if str(part["type"]).endswith(".Pooling")]
    except (OSError, ValueError, TypeError, KeyError):  # what is wrong with it is told on loading
        paths = []
    return f"{paths[-1] if paths and paths[-1] else '1_Pooling'}/config.json"


def _stamps(folders: Iterable[Path]) -> Iterator[tuple[Path, Stamp]]:
    """Return the identity, size and times of every file; the last is when it was changed last."""
    for folder in folders:
        for path in (*_weights(folder), *(folder / name for name in _settings(folder))):
            try:
                stat = path.stat()
            except OSError:  # gone since it was listed
                continue
            times = stat.st_mtime_ns, max(stat.st_mtime_ns, stat.st_ctime_ns)
            yield path, (stat.st_dev, stat.st_ino, stat.st_size, *times)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as opened:
            yield from iter(lambda: opened.read(1 << 20), b"")
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}.") from error

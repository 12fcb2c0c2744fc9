"""Rows of a data set: JSON lines in a local folder, or a public data set by its hub name."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from explain.core.errors import DataError
from explain.core.installation import own_path
from explain.text.tables import json_lines

Item = TypeVar("Item")

CALIBRATION_SHARE = 0.05  # of the texts that are no part of a longer one
SHARED_WORDS = 4  # texts that share fewer are not taken for parts of each other


def read_rows(source: str, split: str, columns: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Read one split, from `SOURCE/SPLIT.jsonl` or `.jsonl.gz` where SOURCE is a folder, else from the hub.

    Args:
        source: a folder, or the name of a data set on the Hugging Face hub (needs the network).
        split: "train", "dev", "test", "all"; the hub's name for "dev" is "validation".
        columns: columns every row must have.

    Raises:
        DataError: no such folder or file, a line that is no JSON object, or a column that is missing.
    """
    folder = own_path(source)
    rows = list(_local_rows(folder, split)) if folder.is_dir() else _hub_rows(source, split)
    if not rows:
        raise DataError(f"{source} has no rows in its split {split!r}.")
    for number, row in enumerate(rows, 1):
        if missing := [column for column in columns if column not in row]:
            where = f"{source} ({split})" if number == 1 else f"Row {number:,} of {source} ({split})"
            raise DataError(f"{where} has no column {', '.join(missing)}; it has {', '.join(row)}.")
    return rows


def fingerprint(source: str, split: str) -> str:
    """The sha256 of a local split's bytes, for a model card; "hub" for a data set read by name."""
    folder = own_path(source)
    if not folder.is_dir():
        return "hub"
    return hashlib.sha256(_local_file(folder, split).read_bytes()).hexdigest()


def license_of(source: str) -> str:
    """What `SOURCE/meta.json` says of the data's license, or that it says nothing."""
    meta = own_path(source) / "meta.json"
    if not meta.is_file():
        return "see the data set's own page"
    about = json.loads(meta.read_text(encoding="utf-8"))
    return str(about.get("license", about.get("licence", "not stated")))


def longest_only(texts: Iterable[str]) -> list[str]:
    """Texts of at least four words that are no part of a longer one, found through runs of four words they share."""
    kept: list[str] = []
    seen: dict[tuple[str, ...], list[int]] = {}
    for text in sorted(set(texts), key=lambda text: (-len(text), text)):
        words = text.split()
        if len(words) < SHARED_WORDS:
            continue
        runs = list(_runs(words, SHARED_WORDS))
        if any(text.strip() in kept[number] for number in seen.get(runs[0], ())):
            continue
        for run in runs:
            seen.setdefault(run, []).append(len(kept))
        kept.append(text)
    return kept


def part_of(texts: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text is one of these, or a part of one of at least four words."""
    whole = set(texts)
    parts: set[tuple[str, ...]] = set()
    for text in whole:
        words = text.split()
        for length in range(SHARED_WORDS, len(words) + 1):
            parts.update(_runs(words, length))
    return lambda text: text in whole or tuple(text.split()) in parts


def hold_out(items: Sequence[Item], text_of: Callable[[Item], str], seed: int) -> tuple[list[Item], list[Item]]:
    """Split items into those to train on, and those to calibrate on, of whose texts training sees no part.

    Held out are all items of a twentieth of the texts that are no part of a longer one. Parts of them of four words and
    more are in neither half; a word or two says nothing of where it was taken from.

    Args:
        text_of: the text an item is told by; of a pair, the one that several pairs share.

    Raises:
        DataError: nothing is left to train on.
    """
    texts = [text_of(item) for item in items]
    candidates = sorted(longest_only(texts)) or sorted(set(texts))
    count = max(1, round(CALIBRATION_SHARE * len(candidates)))
    chosen = {candidates[number] for number in np.random.default_rng(seed).permutation(len(candidates))[:count]}
    is_part = part_of(chosen)
    kept = [item for item, text in zip(items, texts) if not is_part(text)]
    held = [item for item, text in zip(items, texts) if text in chosen]
    if not kept:
        raise DataError("There are too few different texts to hold some out and train on the others.")
    return kept, held


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def _local_file(folder: Path, split: str) -> Path:
    for name in (f"{split}.jsonl.gz", f"{split}.jsonl"):
        if (folder / name).is_file():
            return folder / name
    found = sorted(path.name for path in folder.glob("*.jsonl*"))
    raise DataError(
        f"{folder} has no {split}.jsonl or {split}.jsonl.gz; it has: {', '.join(found) or 'no JSON lines'}."
    )


def _local_rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    path = _local_file(folder, split)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (row for _, row in json_lines(lines, path))


def _hub_rows(name: str, split: str) -> list[dict[str, Any]]:
    import datasets  # heavy, and of use only with a network

    try:
        table = datasets.load_dataset(name, split={"dev": "validation", "all": "train"}.get(split, split))
    except Exception as error:  # the library raises a dozen kinds; all mean that this name gave no rows
        raise DataError(f"{name} is neither a folder here nor a data set the hub gave us: {error}") from error
    rows = [dict(row) for row in table]
    for row in rows:  # GLUE calls its text "sentence"
        if "text" not in row and "sentence" in row:
            row["text"] = row.pop("sentence")
    return rows

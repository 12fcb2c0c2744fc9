"""Measuring all texts: several processes, and a record on disk that a later run continues."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from explain.core.errors import DataError, ExplainError, FileError
from explain.core.files import append_text, create_folder, is_missing_or_empty, write_file
from explain.core.versions import versions
from explain.data.dataset import Dataset
from explain.datatypes import Tokens
from explain.evaluation.measure import RANDOM, EvaluationSettings, Row, label_of, measure
from explain.evaluation.samples import Sample
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.models.loading.catalogue import default_task
from explain.models.loading.spec import ModelSpec
from explain.run.backends import backend_of
from explain.run.shards import ModelWork, ShardProgress, run_shards, shards_of

SCHEMA = "explain-evaluation-1"
CHEAP = 50  # passes on the median text; methods that take more are measured on a part of the texts


@dataclass(frozen=True)
class TextWork:
    """The measurements that a text still needs.

    Attributes:
        control: whether random scores are measured, too.
    """

    sample: Sample
    methods: tuple[Method, ...]
    control: bool


class Record:
    """Measured rows, and the settings they were measured with; in memory, and in a file where one is named.

    A file holds one JSON object a line; the first says what was measured.

    Args:
        path: an existing file is continued; None: rows are kept in memory only.
        about: model, data and settings, see `about`.
        implied: what older files, which lack these names, were measured with.

    Raises:
        DataError: the file is of another model, other data or other settings, or is no record.
        FileError: it can't be begun.
    """

    def __init__(self, path: Path | None, about: dict[str, Any], implied: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.about, self.rows = about, list[Row]()
        if path is not None:
            if is_missing_or_empty(path):
                create_folder(path.parent)
                write_file(path, json.dumps(about) + "\n")
            recorded, self.rows = read_record(path)
            self.about = {**(implied or {}), **recorded}
            for name, setting in about.items():
                if self.about.get(name) != setting:
                    raise DataError(
                        f"{path} was written with {name} {self.about.get(name)!r}, not {setting!r}: "
                        "name another file with --record."
                    )
        self.done = {(row["text"], row["method"]) for row in self.rows}

    def add(self, rows: Sequence[Row]) -> None:
        """Keep rows, and write them to the file at once, so that a stopped run loses nothing.

        Raises:
            FileError: they can't be written; the rows before them are kept.
        """
        if self.path is not None:
            try:
                append_text(self.path, "".join(json.dumps(row) + "\n" for row in rows))
            except FileError as error:
                texts = len({row["text"] for row in self.rows})
                raise FileError(f"{error} It holds {texts} texts; the same command goes on from there.") from error
        self.rows += rows
        self.done |= {(row["text"], row["method"]) for row in rows}


def read_record(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read a record's first line and its rows; half a line at the end, as a killed run may leave it, is dropped.

    Raises:
        DataError: no record.
    """
    try:
        whole, _, half = path.read_text(encoding="utf-8").rpartition("\n")
        about, *rows = [json.loads(line) for line in whole.splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no record of an evaluation; name another file with --record.") from error
    whose = ("text", "method")
    told_apart = all(isinstance(row, dict) and all(isinstance(row.get(name), str) for name in whose) for row in rows)
    if not isinstance(about, dict) or about.get("schema") != SCHEMA or not told_apart:
        raise DataError(f"{path} is no record of an evaluation; name another file with --record.")
    if half:
        write_file(path, whole + "\n")
    return about, rows


def about(model: TextModel, source: str, split: str, settings: EvaluationSettings, left_out: int) -> dict[str, Any]:
    """Return the first line of a record: what has to be the same for its rows to stand in one table."""
    return {
        "schema": SCHEMA,
        "model": model.name,
        "task": model.task.name,
        "weight_sha256": model.record.weight_sha256,
        "settings_sha256": model.record.settings_sha256,
        "files_sha256": model.record.files_sha256,
        "data": Path(source).name,
        "split": split,
        "data_sha256": Dataset.open(source, split=split).sha256(),
        "left_out": left_out,
        "orders": settings.orders,
        "seed": settings.seed,
        "operators": list(settings.operators),
        "versions": versions(),
    }


def implied(model: TextModel) -> dict[str, Any]:
    """Return what records of earlier versions leave out: the task that the model's name alone gives; its files."""
    return {"task": default_task(model), "files_sha256": model.record.files_sha256}


def plan(
    model: TextModel, samples: Sequence[Sample], methods: Sequence[Method], part: int, seed: int
) -> tuple[list[Sample], tuple[Method, ...]]:
    """Order the texts, those that every method is measured on first; and pick the methods that are measured on all.

    Args:
        part: how many texts every method is measured on, drawn by `seed`; the others are measured with cheap methods.

    Raises:
        DataError: the model can read none of the texts.
    """
    order = np.random.default_rng(seed).permutation(len(samples)).tolist()
    median = _median(model, samples)
    cheap = tuple(method for method in methods if method.cost(median) <= CHEAP)
    return [samples[number] for number in (*sorted(order[:part]), *sorted(order[part:]))], cheap


def _median(model: TextModel, samples: Sequence[Sample]) -> Tokens:
    """Encode the text of median length, or the one nearest to it that the model can read."""
    by_length = sorted(samples, key=lambda sample: len(sample.text) + len(sample.text_pair or ""))
    middle = len(by_length) // 2
    reason = "There is none."
    for place in sorted(range(len(by_length)), key=lambda place: abs(place - middle)):
        try:
            return model.encode(by_length[place].text, by_length[place].text_pair)
        except ExplainError as error:
            reason = str(error)
    raise DataError(f"{model.name} can read no text of this data. {reason}")


def evaluate(
    model: TextModel | ModelSpec,
    samples: Sequence[Sample],
    methods: Sequence[Method],
    record: Record,
    settings: EvaluationSettings,
    *,
    part: int = 300,
    workers: int = 1,
    on_progress: Callable[[str], None] = lambda line: None,
) -> None:
    """Measure every method on a fixed part of the texts, and cheap ones on the others; recorded rows are kept.

    Args:
        model: a spec; or a loaded model, which several workers load again by its name and task.
        part: how many texts methods of more than `CHEAP` passes are measured on.
        workers: processes, of one thread each.
        on_progress: called with one line of text at a time.

    Raises:
        DataError: the model can read none of the texts.
        ModelError: a worker can't load the model, or finds other weights than those of the record.
    """
    loaded = model.load() if isinstance(model, ModelSpec) else model
    ordered, cheap = plan(loaded, samples, methods, part, settings.seed)
    texts = []
    for number, sample in enumerate(ordered):
        wanted = methods if number < part else cheap
        missing = tuple(method for method in wanted if (sample.id, label_of(method)) not in record.done)
        control = (sample.id, RANDOM) not in record.done
        if missing or control:
            texts.append(TextWork(sample, missing, control))
    on_progress(f"{len(ordered)} texts, {len(methods)} methods, {len(cheap)} of them on all; {len(texts)} texts to do.")

    def tell(progress: ShardProgress) -> None:
        if progress.done and (progress.done % 10 == 0 or progress.done == progress.total):
            minutes = (progress.seconds_left or 0.0) / 60
            on_progress(f"{progress.done} of {progress.total} texts; {minutes:.0f} minutes to go.")

    work = ModelWork.of(loaded, partial(measure_text, settings=settings))
    run_shards(work, list(shards_of(texts, 1)), _RecordStore(record), backend_of(workers), tell)


def measure_text(model: TextModel, text: TextWork, settings: EvaluationSettings) -> list[Row]:
    """Measure one text; see `explain.evaluation.measure.measure`."""
    return list(measure(model, text.sample, text.methods, settings, control=text.control))


@dataclass(frozen=True)
class _RecordStore:
    """A record as a store. A text is continued by method, so no shard counts as finished beforehand."""

    record: Record
    finished: frozenset[int] = frozenset()

    def write(self, shard: int, rows: Sequence[Row]) -> None:
        self.record.add(rows)

    def rows(self) -> Iterator[Row]:
        yield from self.record.rows

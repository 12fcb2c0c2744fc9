"""Measuring all texts: several processes, and a record on disk that a later run goes on from."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explain.errors import DataError, FileError
from explain.evaluation.measure import RANDOM, EvaluationSettings, Row, label_of, measure
from explain.evaluation.samples import Sample
from explain.files import append_text, create_folder, is_missing_or_empty, write_file
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.models.catalogue import load_model
from explain.pipeline import versions
from explain.training.rows import fingerprint

SCHEMA = "explain-evaluation-1"
CHEAP = 50  # passes on the median text; methods that take more are measured on a part of the texts

Work = tuple[Sample, tuple[Method, ...], bool]  # with the control, or without


class Record:
    """What was measured, one JSON object a line; the first says of what.

    Args:
        path: a file that is there is gone on with.
        about: model, data and settings.

    Raises:
        DataError: the file is of another model, other data or other settings, or is no record.
        FileError: it can't be begun.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        if is_missing_or_empty(path):
            create_folder(path.parent)
            write_file(path, json.dumps(about) + "\n")
        self.about, self.rows = read_record(path)
        for name, value in about.items():
            if self.about.get(name) != value:
                raise DataError(
                    f"{path} was written with {name} {self.about.get(name)!r}, not {value!r}: "
                    "name another file with --record."
                )
        self.done = {(row["text"], row["method"]) for row in self.rows}

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows down at once: what is measured is not lost.

        Raises:
            FileError: they can't be written; the rows before them are kept.
        """
        try:
            append_text(self.path, "".join(json.dumps(row) + "\n" for row in rows))
        except FileError as error:
            texts = len({row["text"] for row in self.rows})
            raise FileError(f"{error} It holds {texts} texts; the same command goes on from there.") from error
        self.rows += rows
        self.done |= {(row["text"], row["method"]) for row in rows}


def read_record(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """The first line of a record, and its rows; half a line at the end, as a killed run may leave it, is dropped.

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
    """The first line of a record: what has to be the same for its rows to stand in one table."""
    return {
        "schema": SCHEMA,
        "model": model.name,
        "weight_sha256": model.record.weight_sha256,
        "settings_sha256": model.record.settings_sha256,
        "data": Path(source).name,
        "split": split,
        "data_sha256": fingerprint(source, split),
        "left_out": left_out,
        "orders": settings.orders,
        "seed": settings.seed,
        "operators": list(settings.operators),
        "versions": versions(),
    }


def plan(
    model: TextModel, samples: Sequence[Sample], methods: Sequence[Method], part: int, seed: int
) -> tuple[list[Sample], tuple[Method, ...]]:
    """The texts with those that every method is measured on first, and the methods that are measured on all.

    Args:
        part: how many texts every method is measured on, drawn by `seed`; the rest see cheap methods alone.
    """
    order = np.random.default_rng(seed).permutation(len(samples)).tolist()
    drawn = sorted(samples, key=lambda sample: len(sample.text))
    median = model.encode(drawn[len(drawn) // 2].text)
    cheap = tuple(method for method in methods if method.cost(median) <= CHEAP)
    return [samples[number] for number in (*sorted(order[:part]), *sorted(order[part:]))], cheap


def evaluate(
    model: str | TextModel,
    samples: Sequence[Sample],
    methods: Sequence[Method],
    record: Record,
    settings: EvaluationSettings,
    *,
    part: int = 300,
    workers: int = 1,
    told: Callable[[str], None] = lambda line: None,
) -> None:
    """Measure every method on a fixed part of the texts, and cheap ones on the others; what is on record is not redone.

    Args:
        model: a name, or with one worker a loaded model.
        part: how many texts methods of more than `CHEAP` passes are measured on.
        workers: processes, of one thread each.
        told: is told of progress, a line at a time.
    """
    loaded = load_model(model) if isinstance(model, str) else model
    ordered, cheap = plan(loaded, samples, methods, part, settings.seed)
    work = []
    for number, sample in enumerate(ordered):
        wanted = methods if number < part else cheap
        missing = tuple(method for method in wanted if (sample.id, label_of(method)) not in record.done)
        control = (sample.id, RANDOM) not in record.done
        if missing or control:
            work.append((sample, missing, control))
    told(f"{len(ordered)} texts, {len(methods)} methods, {len(cheap)} of them on all; {len(work)} texts to do.")
    began = time.monotonic()
    for count, rows in enumerate(_measured(loaded, work, settings, workers), 1):
        record.add(rows)
        if count % 10 == 0 or count == len(work):
            left = (time.monotonic() - began) / count * (len(work) - count)
            told(f"{count} of {len(work)} texts; {left / 60:.0f} minutes to go.")


def _measured(
    model: TextModel, work: Sequence[Work], settings: EvaluationSettings, workers: int
) -> Iterator[list[Row]]:
    if workers <= 1:
        for sample, methods, control in work:
            yield list(measure(model, sample, methods, settings, control=control))
        return
    context = get_context("spawn")  # torch's threads don't survive a fork
    one = partial(_one, model.name, settings)
    with ProcessPoolExecutor(workers, context, torch.set_num_threads, (1,)) as pool:
        waiting = iter(work)
        # Few at a time are handed out, so that a stop does not wait for hundreds.
        running = {pool.submit(one, task) for task in islice(waiting, 2 * workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(one, task) for task in islice(waiting, len(done))}
            for future in done:
                yield future.result()


def _one(model: str, settings: EvaluationSettings, task: Work) -> list[Row]:
    sample, methods, control = task
    return list(measure(load_model(model), sample, methods, settings, control=control))  # loaded once a process

"""Rows per second of runs over a data set, beside plain transformers: ratios of CPU seconds in one process.

    python -m benchmarks.runs --data DIR [--rows N]    DIR/dev.jsonl.gz with a column text

    floor       the same rows, sorted by length, in batches of 2048 positions: tokenizer and model of transformers,
                without gradients, one thread
    explain.run predictions, kept in a folder
    pipeline    `transformers.pipeline` at its default: one row at a time

and of each method the rows per second, with predictions, words and the folder. The three take turns on parts of the
rows, so that a drift of the machine's speed concerns all of them.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, pipeline

import explain
from benchmarks.speed import plain_twin
from explain.core.installation import weights_folder
from explain.data.dataset import Dataset
from explain.models.chunks import chunks_by_length
from explain.models.loading.catalogue import load_model

METHODS = ("decompx", "gradient_times_input", "integrated_gradients", "occlusion", "shapley_values")
TURNS = 5


def main() -> None:
    """Print ratios of predictions, and rows per second of methods."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=872)
    parser.add_argument("--method-rows", type=int, default=40, help="rows of each method")
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = [row.text for row in Dataset.open(options.data, split="dev", most=options.rows, keep_going=True)]
    print_predictions(texts)
    print_methods(texts[: options.method_rows])


def print_predictions(texts: Sequence[str]) -> None:
    """Print CPU seconds of predictions over those of the floor, the median of some turns."""
    model = load_model()
    twin = plain_twin(model)
    tokenizer = AutoTokenizer.from_pretrained(weights_folder() / "base")
    piped = pipeline("text-classification", model=twin, tokenizer=tokenizer)
    ways: dict[str, Callable[[Sequence[str]], object]] = {
        "floor": lambda part: floor(twin, tokenizer, part),
        "explain.run": lambda part: run(part, ()),
        "pipeline": lambda part: [piped(text) for text in part],
    }
    size = -(-len(texts) // TURNS)
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS):
        part = texts[turn * size : (turn + 1) * size]
        seconds = {name: _seconds(partial(way, part)) for name, way in ways.items()}
        for name in ways:
            ratios[name].append(seconds[name] / seconds["floor"])
    print(f"predictions of {len(texts):,} rows, CPU seconds over the floor's")
    for name, measured in ratios.items():
        print(f"  {name:14}{statistics.median(measured):6.2f}")


def print_methods(texts: Sequence[str]) -> None:
    """Print rows per CPU second of each method."""
    print(f"methods, {len(texts):,} rows: rows per CPU second")
    for name in METHODS:
        print(f"  {name:24}{len(texts) / _seconds(partial(run, texts, (name,))):8.2f}")


def floor(module: torch.nn.Module, tokenizer: Any, texts: Sequence[str]) -> None:
    """Run texts as plainly as transformers can: sorted, padded, 2048 positions at once."""
    encodings = [tokenizer(text, truncation=True)["input_ids"] for text in texts]
    for chunk in chunks_by_length([len(ids) for ids in encodings]):
        batch = tokenizer.pad({"input_ids": [encodings[number] for number in chunk]}, return_tensors="pt")
        with torch.inference_mode():
            module(**batch).logits.softmax(dim=-1)


def run(texts: Sequence[str], methods: Sequence[str]) -> None:
    """Run texts into a folder that is removed."""
    folder = Path(tempfile.mkdtemp())
    try:
        explain.run(Dataset.of_rows([{"text": text} for text in texts]), out=folder / "RUN", methods=methods)
    finally:
        shutil.rmtree(folder)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()

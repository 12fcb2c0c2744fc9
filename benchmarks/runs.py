"""Rows per second of runs over a data set, beside plain transformers: ratios of CPU seconds in one process.

    python -m benchmarks.runs --data DIR [--rows N]    DIR/dev.jsonl.gz with a column text
    python -m benchmarks.runs --data DIR --workers     two workers over one, instead; see benchmarks/workers.py

    floor       the same rows, sorted by length, in batches of 2048 positions: tokenizer and model of transformers,
                one thread; of predictions without gradients, of raw attention with attention maps, of gradient x input
                with one backward pass of the log-odds of the decided label
    explain.run the same, kept in a folder: predictions, and the scores of the words
    pipeline    `transformers.pipeline` at its default: one row at a time
    alone       predicted and explained with explain, text by text: occlusion and integrated gradients

and of each method the rows per second, with predictions, words and the folder. What is compared takes turns on parts of
the rows, so that a drift of the machine's speed concerns all of it.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, pipeline

import explain
from benchmarks import workers
from benchmarks.speed import plain_twin
from explain.core.installation import weights_folder
from explain.data.dataset import Dataset
from explain.methods.base import METHODS, Method
from explain.models.chunks import chunks_by_length
from explain.models.loading.catalogue import load_model

TIMED = ("decompx", "gradient_times_input", "integrated_gradients", "occlusion", "shapley_values")
TURNS = 5


def main() -> None:
    """Print ratios of predictions, and rows per second of methods."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=872)
    parser.add_argument("--method-rows", type=int, default=40, help="rows of each method")
    parser.add_argument("--workers", action="store_true", help="two workers over one, in processes and over Ray")
    parser.add_argument("--method", action="append", default=[], help="of --workers; repeatable (default: predictions)")
    parser.add_argument("--turns", type=int, default=3, help="of --workers")
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = [row.text for row in Dataset.open(options.data, split="dev", most=options.rows, keep_going=True)]
    if options.workers:
        workers.print_ratios(texts, options.method, options.turns)
        return
    print_predictions(texts)
    print_passes(texts)
    print_alone(texts[: options.method_rows])
    print_methods(texts[: options.method_rows])


def print_predictions(texts: Sequence[str]) -> None:
    """Print CPU seconds of predictions over those of the floor."""
    model = load_model()
    twin = plain_twin(model)
    tokenizer = AutoTokenizer.from_pretrained(weights_folder() / "base")
    piped = pipeline("text-classification", model=twin, tokenizer=tokenizer)
    print(f"predictions of {len(texts):,} rows, CPU seconds over the floor's")
    print_ratios(
        texts,
        {
            "floor": lambda part: floor(twin, tokenizer, part),
            "explain.run": lambda part: run(part, ()),
            "pipeline": lambda part: [piped(text) for text in part],
        },
    )


def print_passes(texts: Sequence[str]) -> None:
    """Print CPU seconds of a method of one pass, and of one of two, over those of their floors."""
    twin, eager = plain_twin(load_model()), plain_twin(load_model())
    eager.set_attn_implementation("eager")  # the way in which transformers returns attention
    tokenizer = AutoTokenizer.from_pretrained(weights_folder() / "base")
    floors: dict[str, Callable[[Sequence[str]], object]] = {
        "raw_attention": lambda part: floor_attention(eager, tokenizer, part),
        "gradient_times_input": lambda part: floor_gradients(twin, tokenizer, part),
    }
    for name, plain in floors.items():
        print(f"{name} of {len(texts):,} rows with predictions, CPU seconds over the floor's")
        print_ratios(texts, {"floor": plain, "explain.run": partial(run, methods=(name,))})


def print_alone(texts: Sequence[str]) -> None:
    """Print CPU seconds of methods in a run over those of the same texts explained one by one."""
    model = load_model()

    def explain_alone(part: Sequence[str], method: Method) -> None:
        for text in part:
            tokens = model.encode(text)
            method.attribute(model, tokens, model.task.target(model.predict(tokens), model.head))

    for name in ("occlusion", "integrated_gradients"):
        print(f"{name} of {len(texts):,} rows with predictions, CPU seconds over those of texts alone")
        print_ratios(
            texts,
            {"alone": partial(explain_alone, method=METHODS[name]()), "explain.run": partial(run, methods=(name,))},
        )


def print_ratios(texts: Sequence[str], ways: Mapping[str, Callable[[Sequence[str]], object]]) -> None:
    """Print CPU seconds of each way over those of the first, the median of some turns."""
    size = -(-len(texts) // TURNS)
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    first = next(iter(ways))
    for turn in range(TURNS):
        part = texts[turn * size : (turn + 1) * size]
        seconds = {name: _seconds(partial(way, part)) for name, way in ways.items()}
        for name in ways:
            ratios[name].append(seconds[name] / seconds[first])
    for name, measured in ratios.items():
        print(f"  {name:14}{statistics.median(measured):6.2f}")


def print_methods(texts: Sequence[str]) -> None:
    """Print rows per CPU second of each method."""
    print(f"methods, {len(texts):,} rows: rows per CPU second")
    for name in TIMED:
        print(f"  {name:24}{len(texts) / _seconds(partial(run, texts, (name,))):8.2f}")


def floor(module: Any, tokenizer: Any, texts: Sequence[str]) -> None:
    """Run texts as plainly as transformers can: sorted, padded, 2048 positions at once."""
    for batch in _batches(tokenizer, texts):
        with torch.inference_mode():
            module(**batch).logits.softmax(dim=-1)


def floor_attention(module: Any, tokenizer: Any, texts: Sequence[str]) -> None:
    """Predict, and take the last layer's attention of the first token."""
    for batch in _batches(tokenizer, texts):
        with torch.inference_mode():
            output = module(**batch, output_attentions=True)
            output.logits.softmax(dim=-1)
            output.attentions[-1].mean(dim=1)[:, 0]


def floor_gradients(module: Any, tokenizer: Any, texts: Sequence[str]) -> None:
    """Predict, and take the gradient of the decided label's log-odds times the word embeddings."""
    for batch in _batches(tokenizer, texts):
        points = module.get_input_embeddings()(batch.pop("input_ids")).detach().requires_grad_(True)
        logits = module(inputs_embeds=points, **batch).logits
        decided = logits.argmax(dim=-1, keepdim=True)
        log_odds = logits.gather(1, decided) - logits.gather(1, 1 - decided)
        (torch.autograd.grad(log_odds.sum(), points)[0] * points).sum(dim=-1)


def _batches(tokenizer: Any, texts: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    encodings = [tokenizer(text, truncation=True)["input_ids"] for text in texts]
    for chunk in chunks_by_length([len(ids) for ids in encodings]):
        yield dict(tokenizer.pad({"input_ids": [encodings[number] for number in chunk]}, return_tensors="pt"))


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

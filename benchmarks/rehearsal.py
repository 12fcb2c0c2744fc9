"""A run over very many rows with a tiny model: memory, parts, bytes, the time of a resume, and of the table's queries.

    python -m benchmarks.rehearsal --rows 10000 --rows 1000000 [--folder DIR] [--megabytes 10000]

Each number of rows is computed in a process of its own, whose peak memory is printed. Texts are made up, of 4 to 30
words, with a label and a group. The model is a BERT of one layer with random weights: what is rehearsed is all else.
`--megabytes` makes the rows of one more run so long that the file has that size; it is written as a stream.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explain.core.installation import weights_folder

if TYPE_CHECKING:
    from explain.report.dataset_run import Run

TEXT = "the film was good bad dull fine a plot cast and of in it not very but with much little story end"
WORDS = tuple(TEXT.split())
TURNS = 5


def main() -> None:
    """Print a line of each number of rows, and the query times of the largest."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rehearsal", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, action="append", default=[])
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--method", action="append", default=[], help="scores of words, too, and tables of them")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        compute(options.folder, options.one, options.method)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        write_model(folder / "model")
        print(
            "rows, MB of the file: seconds, rows a second, peak MB, parts, bytes a row, seconds of a resume", flush=True
        )
        for rows in options.rows:
            rehearse(folder, rows, 0, options.method)
        if options.megabytes:
            rehearse(folder, 20_000, options.megabytes * 1_000_000 // 20_000, options.method)


def rehearse(folder: Path, rows: int, characters: int, methods: list[str]) -> None:
    """Write the rows, and compute them in a process of its own."""
    write_rows(folder / f"{rows}.csv", rows, characters)
    command = [sys.executable, "-m", "benchmarks.rehearsal", "--folder", str(folder), "--one", str(rows)]
    subprocess.run([*command, *(f"--method={name}" for name in methods)], check=True)


def write_model(folder: Path) -> None:
    """Write a classifier with random weights and the tokenizer of the shipped encoder."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, set_seed

    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(weights_folder() / "base")
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_rows(path: Path, rows: int, characters: int) -> None:
    """Write rows as a stream; those with `characters` repeat their text until it is so long."""
    from explain.core.files import atomic_file

    draw = random.Random(0)
    with atomic_file(path) as file:
        file.write(b"text,label,site\n")
        for number in range(rows):
            text = " ".join(draw.choices(WORDS, k=draw.randint(4, 30))) + f" {number}"
            text = (text + " ") * max(1, characters // len(text))
            file.write(f"{text},{draw.choice(('good', 'bad'))},{draw.randint(1, 9)}\n".encode())


def compute(folder: Path, rows: int, methods: list[str]) -> None:
    """Compute a run, resume it, and print what both take; then the times of the table's queries."""
    import torch

    import explain
    from explain.data.columns import Columns

    torch.set_num_threads(1)
    data, out = folder / f"{rows}.csv", folder / f"RUN{rows}"
    columns = Columns(text="text", label="label", groups=("site",))

    def run(resume: bool) -> float:
        began = time.perf_counter()
        explain.run(data, str(folder / "model"), out=out, columns=columns, methods=methods, resume=resume)
        return time.perf_counter() - began

    seconds = run(False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    parts = list((out / "parts").iterdir())
    size = sum(part.stat().st_size for part in parts)
    print(
        f"{rows:,}, {data.stat().st_size / 1e6:,.0f} MB: {seconds:,.0f} s, {rows / seconds:,.0f} a second, "
        f"{peak:,.0f} MB, {len(parts):,} parts, {size / rows:,.0f} bytes, {run(True):,.1f} s",
        flush=True,
    )
    query(explain.Run(out))


def query(run: "Run") -> None:
    """Print the seconds of opening a run's table, and of filters, sorts and pages: the median and the worst."""
    from explain.run.run_figures import RunFigures
    from explain.run.run_table import RowFilter, RunTable

    def figures_of(table: RunTable) -> object:
        figures = RunFigures.of(table)
        assert figures is not None, "the rows have labels of the model"
        return figures.by_label

    began = time.perf_counter()
    table = RunTable(run)
    opened = time.perf_counter() - began
    labels, numbers = cycle(("good", "bad")), count(500)  # so that no table of words is asked for twice in a row
    page: dict[str, Any] = {"columns": ["id", "text", "prediction", "confidence"], "most": 50}
    queries: dict[str, Callable[[], object]] = {
        "count": table.count,
        "a page in the middle": lambda: table.rows(**page, after=table.count() // 2),
        "confident errors": lambda: table.rows(RowFilter(correct="wrong"), by="confidence", falling=True, **page),
        "a label and a group": lambda: table.rows(RowFilter(label="good", groups=(("site", "3"),)), **page),
        "text contains": lambda: table.rows(RowFilter(contains="dull end"), **page),
        "longest": lambda: table.rows(by="length", falling=True, **page),
        "confusion": table.confusion,
        "groups": lambda: table.shares("correct", True, by="group_site"),
        "figures by label": lambda: figures_of(table),
    }
    if run.methods:
        words = partial(table.words, run.methods[0], least=5, most=500)
        queries |= {
            "words, the first time": words,
            "words of a label": lambda: words(RowFilter(label=next(labels))),
            "words of sure rows": lambda: words(RowFilter(confidence=(next(numbers) / 1000, 1.0))),
        }
    print(f"  the table opens in {opened:,.1f} s")
    for name, ask in queries.items():
        seconds = []
        for _ in range(TURNS):
            began = time.perf_counter()
            ask()
            seconds.append(time.perf_counter() - began)
        print(f"  {name:22}{statistics.median(seconds):7.3f} s, worst {max(seconds):.3f} s", flush=True)


if __name__ == "__main__":
    main()

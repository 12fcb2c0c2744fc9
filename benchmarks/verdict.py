"""Verdicts on explanations that are known to be wrong, and on default explanations: how often they are right.

    python -m benchmarks.verdict --data DIR --workers 2      DIR/dev.jsonl.gz with a column text

For every text of six words or more, beside integrated gradients, occlusion and gradient x input:

    integrated gradients     the default
    occlusion                the default
    random                   a normal deviate for each word
    flipped                  integrated gradients with every sign reversed
    zeroed positions         integrated gradients from a start whose tokens are all at position 0, a common mistake

Printed: the share of texts with each verdict. `--csv FILE` writes the facts of each verdict, to set the limits by.
`--record DIR` keeps each text's verdicts at once; the same command with the same folder continues a stopped run.
"""

import argparse
import csv
import io
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from explain.core.files import write_file
from explain.data.dataset import Dataset
from explain.datatypes import Attribution, Target, Tokens, Verdict
from explain.evaluation.verdict import FEWEST_WORDS, verdict
from explain.methods.gradient_times_input import GradientTimesInput
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial, TrialSettings
from explain.metrics.completeness_gap import CompletenessGap
from explain.metrics.symmetric_relevance_gain import SymmetricRelevanceGain
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.loading.catalogue import load_model
from explain.models.straight_path import StraightPath
from explain.numerics.quadrature import refined
from explain.run.backends import backend_of
from explain.run.folder_store import FolderStore
from explain.run.shards import MemoryStore, ModelWork, Row, ShardProgress, Store, run_shards, shards_of

COLORS = ("green", "amber", "red", "grey")
FACTS = ("gap", "agreement", "percentile")

Judged = tuple[str, dict[str, float]]  # the color, and the facts by name


def main() -> None:
    """Print shares of verdicts by explanation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of the drawn texts")
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--csv")
    parser.add_argument("--record", metavar="DIR")
    options = parser.parse_args()
    model = load_model()
    texts = [row["text"] for _, row in Dataset.open(options.data, split=options.split).cells(("text",))]
    np.random.default_rng(0).shuffle(texts)
    encodings = [tokens for text in texts if len((tokens := model.encode(text)).words) >= FEWEST_WORDS]
    encodings = encodings[options.skip : options.skip + options.texts]
    store = MemoryStore() if options.record is None else _record(Path(options.record), model, options)
    work = ModelWork.of(model, partial(judged_text, orders=options.orders))
    numbered = [(tokens.text, seed) for seed, tokens in enumerate(encodings)]
    run_shards(work, list(shards_of(numbered, 1)), store, backend_of(options.workers), _report_progress)
    by_explanation: dict[str, list[Judged]] = defaultdict(list)
    for row in store.rows():
        by_explanation[row["explanation"]].append((row["color"], row["facts"]))
    median = np.median([len(tokens.words) for tokens in encodings])
    print(f"{len(encodings)} texts, {median:.0f} words in the median, {options.orders} random orders")
    print("explanation             " + "".join(f"{color:>8}" for color in COLORS))
    for name, all_judged in by_explanation.items():
        counts = Counter(color for color, _ in all_judged)
        print(f"{name:24}" + "".join(f"{counts[color] / len(all_judged):8.1%}" for color in COLORS))
    if options.csv:
        _write(Path(options.csv), by_explanation)


def _record(folder: Path, model: TextModel, options: argparse.Namespace) -> Store:
    """Return a store in a folder, which refuses another model, data or settings."""
    manifest = {
        "model": model.name,
        "weight_sha256": model.record.weight_sha256,
        "data_sha256": Dataset.open(options.data, split=options.split).sha256(),
        **{name: getattr(options, name) for name in ("split", "texts", "skip", "orders")},
    }
    return FolderStore(folder, manifest, {"explanation": str, "color": str, "facts": dict})


def _report_progress(progress: ShardProgress) -> None:
    if progress.done and progress.done % 10 == 0:
        print(f"{progress.done} of {progress.total} texts", file=sys.stderr, flush=True)


def judged_text(model: TextModel, text_and_seed: tuple[str, int], orders: int) -> list[Row]:
    """Return color and facts of each explanation of a text."""
    text, seed = text_and_seed
    tests = TrialSettings((CompletenessGap(), SymmetricRelevanceGain()), orders)
    judged = verdicts(model, model.encode(text), tests, seed)
    return [
        {"explanation": name, "color": verdict.color, "facts": dict(verdict.facts)} for name, verdict in judged.items()
    ]


def verdicts(model: TextModel, tokens: Tokens, tests: TrialSettings, seed: int) -> dict[str, Verdict]:
    """Return the verdict on each explanation of a text."""
    working = CachedModel(model)
    target = model.task.target(working.predict(tokens), model.head)
    default = IntegratedGradients().attribute(working, tokens, target)
    occlusion = Occlusion().attribute(working, tokens, target)
    others = [default, occlusion, GradientTimesInput().attribute(working, tokens, target)]
    draw = np.random.default_rng(seed)
    explanations = {
        "integrated gradients": default,
        "occlusion": occlusion,
        "random": replace(occlusion, scores=draw.normal(size=len(occlusion.units)), method="random"),
        "flipped": replace(default, scores=-default.scores),
        "zeroed positions": zeroed_positions(working, tokens, target, default),
    }
    trial = Trial(working, tokens, target, orders=tests.orders, seed=tests.seed)
    return {
        name: verdict(explanation, others, tests.run(trial, explanation)) for name, explanation in explanations.items()
    }


def zeroed_positions(model: TextModel, tokens: Tokens, target: Target, default: Attribution) -> Attribution:
    """Return integrated gradients on a path along which positions move too, from 0 for every token to their own."""
    inner: Any = model
    while hasattr(inner, "_model"):
        inner = inner._model
    places = inner._module.bert.embeddings.position_embeddings.weight[: len(tokens)]
    start = model.baseline(tokens, target, "mask") + (places[:1] - places)
    integral = refined(StraightPath(model, tokens, target, start).gradients, 1e-3, 129)
    return replace(default, scores=integral.parts, baseline_output=integral.start)


def _write(path: Path, by_explanation: dict[str, list[Judged]]) -> None:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["explanation", "text", "color", *FACTS])
    for name, all_judged in by_explanation.items():
        for number, (color, facts) in enumerate(all_judged):
            table.writerow([name, number, color, *(facts.get(fact, "") for fact in FACTS)])
    write_file(path, file.getvalue())


if __name__ == "__main__":
    main()

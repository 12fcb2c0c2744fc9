"""How often the verdict is right about explanations that are known to be wrong, and about those used by default.

    python -m benchmarks.verdict --data DIR --workers 2      DIR/dev.jsonl.gz with a column text

For every text of six words or more, in the company of integrated gradients, occlusion and gradient x input:

    integrated gradients     the default
    occlusion                the default
    random                   a normal deviate for each word
    flipped                  integrated gradients with every sign turned
    zeroed positions         integrated gradients from a start whose tokens all stand at position 0, a common mistake

Printed: the share of texts with each verdict. `--csv FILE` writes what each verdict rests on, to set the limits by.
"""

import argparse
import csv
import io
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

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

COLORS = ("green", "amber", "red", "grey")
FACTS = ("gap", "agreement", "percentile")

Judged = tuple[str, dict[str, float]]  # the color, and the facts by name


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many texts of those drawn")
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--csv")
    options = parser.parse_args()
    model = load_model()
    texts = [row["text"] for _, row in Dataset.open(options.data, split=options.split).cells(("text",))]
    np.random.default_rng(0).shuffle(texts)
    items = [tokens for text in texts if len((tokens := model.encode(text)).words) >= FEWEST_WORDS]
    items = items[options.skip : options.skip + options.texts]
    found: dict[str, list[Judged]] = defaultdict(list)
    context = get_context("spawn")  # torch's threads don't survive a fork
    with ProcessPoolExecutor(options.workers, context, torch.set_num_threads, (1,)) as pool:
        one = partial(judged_text, options.orders)
        for number, judged in enumerate(pool.map(one, (tokens.text for tokens in items), range(len(items))), 1):
            for name, color_and_facts in judged.items():
                found[name].append(color_and_facts)
            if number % 10 == 0:
                print(f"{number} of {len(items)} texts", file=sys.stderr, flush=True)
    middle = np.median([len(tokens.words) for tokens in items])
    print(f"{len(items)} texts, {middle:.0f} words in the middle, {options.orders} random orders")
    print("explanation             " + "".join(f"{color:>8}" for color in COLORS))
    for name, all_judged in found.items():
        counts = Counter(color for color, _ in all_judged)
        print(f"{name:24}" + "".join(f"{counts[color] / len(all_judged):8.1%}" for color in COLORS))
    if options.csv:
        _write(Path(options.csv), found)


def judged_text(orders: int, text: str, seed: int) -> dict[str, Judged]:
    """The color of each explanation of one text, and what it rests on; in a process of its own."""
    model = load_model()  # once a process
    tests = TrialSettings((CompletenessGap(), SymmetricRelevanceGain()), orders)
    found = verdicts(model, model.encode(text), tests, seed)
    return {name: (judged.color, dict(judged.facts)) for name, judged in found.items()}


def verdicts(model: TextModel, tokens: Tokens, tests: TrialSettings, seed: int) -> dict[str, Verdict]:
    """The verdict on each explanation of one text."""
    working = CachedModel(model)
    target = model.task.target(working.predict(tokens), model.head)
    default = IntegratedGradients().attribute(working, tokens, target)
    company = [default, Occlusion().attribute(working, tokens, target)]
    company.append(GradientTimesInput().attribute(working, tokens, target))
    draw = np.random.default_rng(seed)
    judged = {
        "integrated gradients": default,
        "occlusion": company[1],
        "random": replace(company[1], scores=draw.normal(size=len(company[1].units)), method="random"),
        "flipped": replace(default, scores=-default.scores),
        "zeroed positions": zeroed_positions(working, tokens, target, default),
    }
    trial = Trial(working, tokens, target, orders=tests.orders, seed=tests.seed)
    return {name: verdict(one, company, tests.run(trial, one)) for name, one in judged.items()}


def zeroed_positions(model: TextModel, tokens: Tokens, target: Target, default: Attribution) -> Attribution:
    """Integrated gradients on a path along which positions move too, from 0 for every token to their own."""
    inner: Any = model
    while hasattr(inner, "_model"):
        inner = inner._model
    places = inner._module.bert.embeddings.position_embeddings.weight[: len(tokens)]
    start = model.baseline(tokens, target, "mask") + (places[:1] - places)
    found = refined(StraightPath(model, tokens, target, start).gradients, 1e-3, 129)
    return replace(default, scores=found.parts, baseline_output=found.start)


def _write(path: Path, found: dict[str, list[Judged]]) -> None:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["explanation", "text", "color", *FACTS])
    for name, all_judged in found.items():
        for number, (color, facts) in enumerate(all_judged):
            table.writerow([name, number, color, *(facts.get(fact, "") for fact in FACTS)])
    write_file(path, file.getvalue())


if __name__ == "__main__":
    main()

"""How often the verdict is right about explanations that are known to be wrong, and about those used by default.

    python -m benchmarks.verdict --data DIR      DIR/dev.jsonl.gz with a column text

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
import gzip
import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explain.datatypes import Attribution, Target, Tokens, Verdict
from explain.methods.gradient_times_input import GradientTimesInput
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Trial, TrialSettings
from explain.metrics.completeness_gap import CompletenessGap
from explain.metrics.symmetric_relevance_gain import SymmetricRelevanceGain
from explain.models.base import TextModel
from explain.models.catalogue import load_model
from explain.models.path import StraightPath
from explain.models.remembering import Remembering
from explain.numerics.quadrature import refined
from explain.verdict import FEWEST_WORDS, verdict

COLORS = ("green", "amber", "red", "grey")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--csv")
    options = parser.parse_args()
    with gzip.open(Path(options.data) / f"{options.split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    np.random.default_rng(0).shuffle(texts)
    model = load_model()
    tests = TrialSettings((CompletenessGap(), SymmetricRelevanceGain()), options.orders)
    found: dict[str, list[Verdict]] = defaultdict(list)
    words = []
    for text in texts:
        tokens = model.encode(text)
        if len(tokens.words) < FEWEST_WORDS or len(words) == options.texts:
            continue
        words.append(len(tokens.words))
        for name, judged in verdicts(model, tokens, tests, seed=len(words)).items():
            found[name].append(judged)
    print(f"{len(words)} texts, {np.median(words):.0f} words in the middle, {options.orders} random orders")
    print("explanation             " + "".join(f"{color:>8}" for color in COLORS))
    for name, all_judged in found.items():
        counts = Counter(judged.color for judged in all_judged)
        print(f"{name:24}" + "".join(f"{counts[color] / len(all_judged):8.1%}" for color in COLORS))
    if options.csv:
        _write(Path(options.csv), found)


def verdicts(model: TextModel, tokens: Tokens, tests: TrialSettings, seed: int) -> dict[str, Verdict]:
    """The verdict on each explanation of one text."""
    working = Remembering(model)
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


def _write(path: Path, found: dict[str, list[Verdict]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["explanation", "text", "color", "gap", "agreement", "percentile"])
        for name, all_judged in found.items():
            for number, one in enumerate(all_judged):
                facts = [one.facts.get(fact, "") for fact in ("gap", "agreement", "percentile")]
                table.writerow([name, number, one.color, *facts])


if __name__ == "__main__":
    main()

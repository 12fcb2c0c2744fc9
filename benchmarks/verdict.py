"""Verdicts on explanations that are known to be wrong, and on default explanations: how often they are right.

    python -m benchmarks.verdict --model sentiment --data DIR --workers 2    DIR/dev.jsonl.gz with a column text

For every text of six words or more:

    integrated gradients     the default
    occlusion                the default
    random                   a normal deviate for each word
    shuffled                 integrated gradients with its scores in a random order
    flipped                  integrated gradients with every sign reversed
    absolute                 the sizes of integrated gradients, shown as if all spoke for the label
    length, rarity, position the number of letters; of the pieces in the vocabulary; the place, the first word highest
    another label            integrated gradients of the next likely label
    zeroed positions         integrated gradients from a start whose tokens are all at position 0, a common mistake

and three that no limit was set by:

    another text             integrated gradients of the text before, word for word
    bag of words             each word's weight in a logistic regression, learned from --bag DIR (text and label)
    alphabet                 the place of the word in the alphabet

`--train FILE --label COLUMN` trains the model first, on rows that no limit was set by.

Some of these are right by chance on some texts: where their rank correlation with Shapley values of 400 passes is over
0.7, the text is left out and counted. Printed: the share of texts with each verdict, with the 95 % interval of green.
`--facts FILE` writes the facts of each verdict, to set the limits by. `--record DIR` keeps each text's verdicts at
once; the same command with the same folder continues a stopped run.
"""

import argparse
import csv
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.core.files import write_file
from explain.core.settings import make
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.datatypes import Attribution, Target, Tokens
from explain.evaluation.verdict import FEWEST_WORDS, verdict
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.methods.shapley_values import ShapleyValues
from explain.metrics.base import Trial, TrialSettings
from explain.metrics.completeness_gap import CompletenessGap
from explain.metrics.effect_agreement import EffectAgreement, model_blind_orders
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.loading.catalogue import load_model
from explain.models.straight_path import StraightPath
from explain.numerics.quadrature import refined
from explain.numerics.statistics import spearman, wilson
from explain.run.backends import backend_of
from explain.run.background import FINISHED
from explain.run.folder_store import FolderStore
from explain.run.shards import MemoryStore, ModelWork, Row, ShardProgress, Store, run_shards, shards_of
from explain.training.labeled_rows import open_rows
from explain.training.recipes.classifier_settings import TableSettings
from explain.training.run.foreground import train_here
from explain.training.run.runs import RECIPE, look_at

COLORS = ("green", "amber", "red", "grey")
FACTS = ("gap", "agreement", "effects", "percentile", "blind", "signs")
RIGHT = ("integrated gradients", "occlusion")
RIGHT_BY_CHANCE = 0.7  # rank correlation with Shapley values: a wrong explanation is left out above it
WRONG = 0.5  # up to this one, a default explanation is not borne out
REFERENCE = ShapleyValues(granularity="word", budget=400, seed=1)  # other draws than those of the verdict

_Floats = npt.NDArray[np.float64]
Words = Mapping[str, float]  # a weight for each word, learned from other data


def main() -> None:
    """Print shares of verdicts by explanation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--data", required=True)
    parser.add_argument("--train", metavar="FILE", help="train --model, a new folder, on these rows before")
    parser.add_argument("--label", default="label", help="the column of --train that is learned")
    parser.add_argument("--minutes", type=int, default=10, help="minutes of training at most")
    parser.add_argument("--bag", metavar="DIR", help="other data, from which a bag of words is learned")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of the drawn texts")
    parser.add_argument("--longest", type=int, default=128, help="leave out texts of more tokens")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--facts", metavar="FILE")
    parser.add_argument("--record", metavar="DIR")
    options = parser.parse_args()
    if options.train:
        train_if_new(Path(options.model), options.train, options.label, options.minutes)
    model = load_model(options.model)
    texts = _texts(model, options)
    store = MemoryStore() if options.record is None else _record(Path(options.record), model, options)
    words = learned_words(options.bag) if options.bag else {}
    work = ModelWork.of(model, partial(judged_text, words=words))
    numbered = [(*text, before, seed) for seed, (text, before) in enumerate(zip(texts, [texts[-1], *texts[:-1]]))]
    run_shards(work, list(shards_of(numbered, 1)), store, backend_of(options.workers), _report_progress)
    by_explanation: dict[str, list[Row]] = defaultdict(list)
    for row in store.rows():
        by_explanation[row["explanation"]].append(row)
    print(f"{model.name}: {len(texts)} texts")
    print("explanation             left out       n" + "".join(f"{color:>8}" for color in COLORS) + "   green, 95 %")
    for name, rows in by_explanation.items():
        print(_line(name, rows))
    print("\ngreen, of default explanations by their rank correlation with Shapley values")
    for name in RIGHT:
        print(_by_correlation(name, by_explanation[name]))
    if options.facts:
        _write(Path(options.facts), by_explanation)


def train_if_new(folder: Path, file: str, label: str, minutes: int) -> None:
    """Train a model that no limit was set by; a folder that is trained already is left as it is."""
    if (folder / RECIPE).is_file() and look_at(folder).state == FINISHED:
        return
    settings = make(TableSettings, {"minutes": minutes})
    print(train_here(folder.resolve(), open_rows(file), Columns(label=label), settings, _to_standard_error))


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _line(name: str, rows: list[Row]) -> str:
    """Return the line of an explanation: texts left out, texts, the share of each color, the interval of green."""
    counted = [row for row in rows if name in RIGHT or (row["correlation"] or 0) <= RIGHT_BY_CHANCE]
    colors = Counter(row["color"] for row in counted)
    shares = "".join(f"{colors[color] / max(1, len(counted)):8.1%}" for color in COLORS)
    low, high = wilson(colors["green"], len(counted)) if counted else (0.0, 1.0)
    return f"{name:24}{len(rows) - len(counted):8}{len(counted):8}{shares}   {low:.1%} to {high:.1%}"


def _by_correlation(name: str, rows: list[Row]) -> str:
    """Return how many explanations are green of those that Shapley values bear out, and of those they do not."""
    shares = []
    for title, low, high in ((f"above {RIGHT_BY_CHANCE}", RIGHT_BY_CHANCE, 1.0), (f"up to {WRONG}", -1.1, WRONG)):
        mine = [row for row in rows if row["correlation"] is not None and low < row["correlation"] <= high]
        shares.append(f"{title}: {sum(row['color'] == 'green' for row in mine)} of {len(mine)}")
    return f"{name:24}{'   '.join(shares)}"


def _texts(model: TextModel, options: argparse.Namespace) -> list[tuple[str, str | None]]:
    """Return the drawn texts, each with its second one where the model reads two."""
    columns = ("text", "text_b") if model.pair == "always" else ("text",)
    rows = [row for _, row in Dataset.open(options.data, split=options.split).cells(columns)]
    np.random.default_rng(0).shuffle(rows)
    drawn: list[tuple[str, str | None]] = []
    for row in rows:
        tokens = model.encode(row["text"], row.get("text_b") if len(columns) > 1 else None)
        if len(tokens.words) >= FEWEST_WORDS and len(tokens) <= options.longest:
            drawn.append((row["text"], row["text_b"] if len(columns) > 1 else None))
        if len(drawn) == options.skip + options.texts:
            break
    return drawn[options.skip :]


def learned_words(place: str) -> dict[str, float]:
    """Return each word's weight in a logistic regression of the label of other data on its words."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = [row for _, row in Dataset.open(place, split="train").cells(("text", "label"))]
    counts = CountVectorizer(binary=True, min_df=3)
    seen = counts.fit_transform([row["text"] for row in rows])
    fitted = LogisticRegression(max_iter=1000).fit(seen, [str(row["label"]) for row in rows])
    return dict(zip(counts.get_feature_names_out().tolist(), fitted.coef_[-1].tolist()))


def _record(folder: Path, model: TextModel, options: argparse.Namespace) -> Store:
    """Return a store in a folder, which refuses another model, data or settings."""
    manifest = {
        "model": model.name,
        "weight_sha256": model.record.weight_sha256,
        "data_sha256": Dataset.open(options.data, split=options.split).sha256(),
        **{name: getattr(options, name) for name in ("split", "texts", "skip", "longest")},
    }
    return FolderStore(folder, manifest, {"explanation": str, "color": str, "correlation": float, "facts": dict})


def _report_progress(progress: ShardProgress) -> None:
    if progress.done and progress.done % 10 == 0:
        print(f"{progress.done} of {progress.total} texts", file=sys.stderr, flush=True)


def judged_text(
    model: TextModel, drawn: tuple[str, str | None, tuple[str, str | None], int], words: Words
) -> list[Row]:
    """Return color, facts, and the rank correlation with Shapley values, of each explanation of a text."""
    text, pair, before, seed = drawn
    working = CachedModel(model)
    tokens = model.encode(text, pair)
    target = model.task.target(working.predict(tokens), model.head)
    trial = Trial(working, tokens, target)
    if len(trial.units) < FEWEST_WORDS:
        return []
    tests = TrialSettings((CompletenessGap(), EffectAgreement()))
    default = IntegratedGradients().attribute(working, tokens, target)
    occlusion = Occlusion().attribute(working, tokens, target)
    explanations = {"integrated gradients": default, "occlusion": occlusion}
    explanations |= wrong_explanations(working, trial, default, before, words, seed)
    reference = trial.scores(REFERENCE.attribute(working, tokens, target))
    rows = []
    for name, explanation in explanations.items():
        judged = verdict(explanation, [default, occlusion], tests.run(trial, explanation))
        correlation = spearman(trial.scores(explanation), reference)
        rows.append(
            {"explanation": name, "color": judged.color, "correlation": correlation, "facts": dict(judged.facts)}
        )
    return rows


def wrong_explanations(
    model: TextModel, trial: Trial, default: Attribution, before: tuple[str, str | None], words: Words, seed: int
) -> dict[str, Attribution]:
    """Return explanations that are wrong, by name."""
    draw = np.random.default_rng(seed)
    tokens, target, scores = trial.tokens, trial.target, trial.scores(default)

    def of(word_scores: _Floats) -> Attribution:
        return replace(
            default, units=tuple(trial.units), scores=word_scores, granularity="word", method="wrong", **UNSUMMED
        )

    names = [tokens.unit_text(unit).lower() for unit in trial.units]
    other = IntegratedGradients().attribute(model, tokens, _next_label(model, tokens, target))
    wrong = {
        "random": of(draw.normal(size=len(scores))),
        "shuffled": of(draw.permutation(scores)),
        "flipped": of(-scores),
        "absolute": of(np.abs(scores)),
        **{name: of(order - order.min()) for name, order in model_blind_orders(trial).items()},
        "another label": of(trial.scores(other)),
        "zeroed positions": zeroed_positions(model, tokens, target, default),  # it claims to add up
        "another text": of(np.resize(_scores_of_text(model, before), len(scores))),
        "alphabet": of(np.argsort(np.argsort(names)).astype(np.float64)),
    }
    if words:
        sign = 1 if target.index == len(model.head.labels) - 1 else -1
        wrong["bag of words"] = of(np.array([sign * words.get(name, 0.0) for name in names]))
    return wrong


# What is no integral claims no sum: else its gap would tell it apart, and nothing else were tested.
UNSUMMED: dict[str, Any] = {"baseline_output": None, "emptied_outputs": (), "error": None}


def _next_label(model: TextModel, tokens: Tokens, target: Target) -> Target:
    prediction = model.predict(tokens)
    logits = prediction.output.logits[0]
    index = next(int(place) for place in np.argsort(-logits) if place != target.index)
    return model.task.target(prediction, model.head, label=prediction.output.labels[index])


def _scores_of_text(model: TextModel, text: tuple[str, str | None]) -> _Floats:
    tokens = model.encode(*text)
    target = model.task.target(model.predict(tokens), model.head)
    return Trial(model, tokens, target).scores(IntegratedGradients().attribute(model, tokens, target))


def zeroed_positions(model: TextModel, tokens: Tokens, target: Target, default: Attribution) -> Attribution:
    """Return integrated gradients on a path along which positions move too, from 0 for every token to their own."""
    inner: Any = model
    while hasattr(inner, "_model"):
        inner = inner._model
    places = inner._module.bert.embeddings.position_embeddings.weight[: len(tokens)]
    start = model.baseline(tokens, target, "mask") + (places[:1] - places)
    integral = refined(StraightPath(model, tokens, target, start).gradients, 1e-3, 129)
    return replace(default, scores=integral.parts, error=None, baseline_output=integral.start)


def _write(path: Path, by_explanation: Mapping[str, list[Row]]) -> None:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["explanation", "text", "color", "correlation", *FACTS])
    for name, rows in by_explanation.items():
        for number, row in enumerate(rows):
            facts = [row["facts"].get(fact, "") for fact in FACTS]
            table.writerow([name, number, row["color"], row["correlation"], *facts])
    write_file(path, file.getvalue())


if __name__ == "__main__":
    main()

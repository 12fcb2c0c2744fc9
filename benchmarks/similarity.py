"""References of two compared texts: with which do scores agree with the effects of words on the similarity.

    python -m benchmarks.similarity --data DIR      DIR/dev.jsonl.gz with text and text_b, or question and context

A context is cut after its first sentence. For every pair of 4 to 24 words each, integrated gradients and Shapley values
start from both texts empty ("together") or from each emptied in turn while the other stays whole ("in turn");
integrated gradients also from one text of mask tokens and one of padding, averaged over both assignments. Printed:

    occlusion     mean rank correlation with occlusion by the mask token, and by deleting
    sign          of the three words that deleting moves most, those with the same sign
    removal       mean share of random orders of the words of both texts that the order beats (symmetric relevance gain,
                  deleting), and the share for the words of each text alone, the other left whole
    drop          fall of the similarity without the three words scored highest
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from explain.data.dataset import Dataset
from explain.datatypes import FloatArray, Target, Tokens
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.methods.shapley_values import ShapleyValues
from explain.metrics.base import order_of, percentile
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.coalition_game import CoalitionGame
from explain.models.loading.catalogue import load_model
from explain.models.straight_path import StraightPath
from explain.numerics.curves import area
from explain.numerics.quadrature import refined
from explain.text.units import Units, scores_of, units_of

ORDERS = 20  # random orders, in pairs of an order and its reverse
MOST_POINTS = 33  # of an integral: an order of words needs no more
POINTS = 6  # of a removal curve, besides the first
FIGURES = ("occlusion mask", "delete", "sign", "removal both", "each", "drop")


def main() -> None:
    """Print figures by method and reference."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.similarity", description=about)
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--model", default="similarity")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model)
    figures: dict[str, list[list[float]]] = defaultdict(list)
    references: list[list[float]] = []
    rows = [row for _, row in Dataset.open(options.data, split=options.split).cells()]
    for number, texts in enumerate(pairs(rows, options.pairs), 1):
        working = CachedModel(model)
        tokens = working.encode(*texts)
        target = working.task.target(working.predict(tokens), working.head)
        references.append(values_of_references(working, tokens, target))
        for name, row in judged(working, tokens, target, number).items():
            figures[name].append(row)
        if number % 10 == 0:
            print(f"{number} pairs", file=sys.stderr, flush=True)
    text, both, first, second = np.mean(references, axis=0)
    higher = np.mean([row[1] > row[0] for row in references])
    print(
        f"{len(references)} pairs. Mean similarity {text:+.3f}; both empty {both:+.3f}, above it in {higher:.1%}; ",
        end="",
    )
    print(f"the first empty {first:+.3f}, the second {second:+.3f}")
    print(f"{'':36}" + "".join(f"{name:>16}" for name in FIGURES))
    for name, measured in figures.items():
        print(f"{name:36}" + "".join(f"{mean:16.3f}" for mean in np.nanmean(measured, axis=0)))


def pairs(rows: Sequence[dict[str, Any]], most: int) -> list[tuple[str, str]]:
    """Return pairs of texts, drawn with the seed 0."""
    drawn = []
    for number in np.random.default_rng(0).permutation(len(rows)).tolist():
        row = rows[number]
        if "question" in row:
            texts = row["question"], row["context"].split(". ")[0].rstrip(".") + "."
        else:
            texts = row["text"], row["text_b"]
        if all(4 <= len(text.split()) <= 24 for text in texts):
            drawn.append(texts)
    return drawn[:most]


def values_of_references(model: TextModel, tokens: Tokens, target: Target) -> list[float]:
    """Return the similarity of the texts, of two empty texts, and with the first or the second text empty."""
    halves = [np.flatnonzero(tokens.segment == text).tolist() for text in (0, 1)]
    points = [model.baseline(tokens, target, "mask", within) for within in ([], None, *halves)]
    similarities: list[float] = model.values(tokens, target, torch.stack(points)).tolist()
    return similarities


def judged(model: TextModel, tokens: Tokens, target: Target, seed: int) -> dict[str, list[float]]:
    """Return `FIGURES` of each candidate."""
    words = model.removable_units(tokens, target, units_of(tokens, "word"))
    occlusion = {
        operator: scores_of(Occlusion(operator=operator).attribute(model, tokens, target), words)
        for operator in ("mask", "delete")
    }
    candidates = {"integrated gradients, two kinds": two_kinds(model, tokens, target, words)}
    for emptied in ("together", "in_turn"):
        name = emptied.replace("_", " ")
        gradients = IntegratedGradients(emptied=emptied, max_points=MOST_POINTS).attribute(model, tokens, target)
        shapley = ShapleyValues(emptied=emptied, budget=200).attribute(model, tokens, target)
        candidates[f"integrated gradients, {name}"] = scores_of(gradients, words)
        candidates[f"Shapley values, {name}"] = scores_of(shapley, words)
    candidates["occlusion, mask"] = occlusion["mask"]
    candidates["random"] = np.random.default_rng(seed).normal(size=len(words))
    ordered = dict(sorted(candidates.items()))
    removal = removal_shares(model, (tokens, target), words, list(ordered.values()))
    moved_most = np.argsort(-np.abs(occlusion["delete"]))[:3]
    game = CoalitionGame(model, (tokens, target), words, "delete")
    rows = {}
    for (name, scores), (both, each) in zip(ordered.items(), removal):
        kept = np.ones((1, len(words)), dtype=bool)
        kept[0, order_of(scores)[:3]] = False
        rows[name] = [
            float(spearmanr(scores, occlusion["mask"]).statistic),
            float(spearmanr(scores, occlusion["delete"]).statistic),
            float((np.sign(scores) == np.sign(occlusion["delete"]))[moved_most].mean()),
            both,
            each,
            game.full - float(game.worth(kept)[0]),
        ]
    return rows


def two_kinds(model: TextModel, tokens: Tokens, target: Target, words: Units) -> FloatArray:
    """Return integrated gradients from a text of mask tokens and a text of padding, averaged over both assignments."""
    first = torch.from_numpy(tokens.segment == 0)[:, None]
    masked, padded = (model.baseline(tokens, target, kind) for kind in ("mask", "pad"))
    starts = [torch.where(first, masked, padded), torch.where(first, padded, masked)]
    parts = [refined(StraightPath(model, tokens, target, start).gradients, 1e-3, MOST_POINTS).parts for start in starts]
    scores = np.mean(parts, axis=0)
    return np.array([scores[list(word)].sum() for word in words])


def removal_shares(
    model: TextModel, subject: tuple[Tokens, Target], words: Units, candidates: Sequence[FloatArray]
) -> list[tuple[float, float]]:
    """Return the shares of random orders that each candidate beats: for words of both texts, and of each text."""
    text_of = np.array([subject[0].segment[word[0]] for word in words])
    both = beaten(CoalitionGame(model, subject, words, "delete"), candidates)
    each = []
    for text in (0, 1):
        own = np.flatnonzero(text_of == text)
        game = CoalitionGame(model, subject, tuple(words[number] for number in own), "delete")
        each.append(beaten(game, [scores[own] for scores in candidates]))
    return [(together, float(np.mean(apart))) for together, *apart in zip(both, *each)]


def beaten(game: CoalitionGame, candidates: Sequence[FloatArray]) -> list[float]:
    """Return the share of random orders whose symmetric relevance gain each candidate's order beats."""
    count = len(game)
    draw = np.random.default_rng(0)
    forth = np.stack([draw.permutation(count) for _ in range(ORDERS // 2)])
    orders = np.concatenate([np.stack([order_of(scores) for scores in candidates]), forth, forth[:, ::-1]])
    steps = np.unique(np.round(np.linspace(0, count, POINTS + 1)).astype(int))
    first = np.argsort(orders, axis=1)[:, None, :] < steps[None, :, None]
    kept, removed = (game.worth(present.reshape(-1, count)).reshape(first.shape[:2]) for present in (first, ~first))
    gains = area(kept - removed, steps / count)
    own, random = gains[: len(candidates)].tolist(), gains[len(candidates) :]
    return [percentile(gain, random, True) for gain in own]


if __name__ == "__main__":
    main()

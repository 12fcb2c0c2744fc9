"""Rules for the integral of integrated gradients: points, errors, and whether the stated errors hold.

    python -m benchmarks.integrals --data DIR                  80 texts of 16 to 512 pieces; an hour on one thread
    python -m benchmarks.integrals --data DIR --keep FOLDER    gradients are kept there, and used again

DIR holds folders with dev.jsonl.gz: sst and cad_imdb (sentiment), go_emotions, dbpedia14 (topics), and snli, with
`text_b` (entailment). Each is explained by its shipped model. The gradient is taken at many Gauss-Legendre points of
each path, which give the true integral; every rule is computed from the polynomial through them. The factors of
`explain.numerics.gauss` were set on the texts called *calibration*, and are judged on the others.

Errors are of words, in per cent of their text's largest score. *Cost* is in points; the floor is 50.
"""

import argparse
import functools
import gzip
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.texts import cut
from explain.datatypes import Tokens
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.models.straight_path import StraightPath
from explain.numerics.gauss import integrated
from explain.numerics.quadrature import Floats, PathIntegral, Sample, fixed, gauss_legendre, refined

MODELS = ("sentiment", "emotions", "topics", "entailment")
SOURCES = {"emotions": "go_emotions", "topics": "dbpedia14", "entailment": "snli", "sentiment": "cad_imdb"}
SHORT_SENTIMENT = "sst"
TEXTS = {16: 5, 64: 5, 128: 5, 512: 1, 256: 4}  # of each model, by pieces
POINTS = {16: 256, 64: 224, 128: 192, 512: 144, 256: 160}  # of the true integral
DRAWN = max(TEXTS.values())
LONGEST = 512
SMALLEST = 1e-6  # of the largest score: float32 knows no smaller error

Rows = list[dict[str, Any]]
Rule = Callable[[Sample, tuple[float, float]], PathIntegral]
_METHOD, _NESTED = IntegratedGradients(), IntegratedGradients(rule="nested", max_points=129)
RULES: dict[str, Rule] = {
    "the default": lambda sample, ends: integrated(sample, ends, _METHOD.word_tolerance, _METHOD.max_points),
    "32 points, never more": lambda sample, ends: integrated(sample, ends, _METHOD.word_tolerance, 33),
    "65 points, always": lambda sample, ends: integrated(sample, ends, 0.0, 65),
    "Gauss-Legendre, 40": lambda sample, ends: fixed(sample, ends, _METHOD.tolerance, 40),
    "Gauss-Legendre, 50": lambda sample, ends: fixed(sample, ends, _METHOD.tolerance, 50),
    "nested, to 129": lambda sample, ends: refined(sample, _NESTED.tolerance, _NESTED.max_points),
}


@dataclass(frozen=True, eq=False)
class SampledPath:
    """A text's path: values (K,) and slopes (K, T) at Gauss-Legendre points, F at both ends, words (T,) or -1."""

    name: str
    values: Floats
    slopes: Floats
    ends: tuple[float, float]
    words: Floats

    @property
    def calibrates(self) -> bool:
        """Whether the factors were set on it."""
        pieces, model, number = self.name.split("_")
        if TEXTS[int(pieces)] % 2:  # an odd number of each model: one more of two of them
            return int(number) + (model in ("emotions", "entailment")) <= TEXTS[int(pieces)] // 2
        return int(number) < TEXTS[int(pieces)] // 2

    def sample(self, nodes: Floats) -> tuple[Floats, Floats]:
        """Return values and slopes at nodes, from the polynomial through all points."""
        at_nodes = _interpolation(len(self.slopes), nodes.tobytes())
        values, slopes = at_nodes @ self.values, at_nodes @ self.slopes
        if nodes[0] == 0.0:
            values[[0, -1]] = self.ends
        return values, slopes

    def by_word(self, parts: Floats) -> Floats:
        """Return sums (W,) of the parts (T,) of each word."""
        return np.bincount(self.words[self.words >= 0], parts[self.words >= 0]).astype(np.float64)


@functools.lru_cache(maxsize=256)
def _interpolation(points: int, nodes: bytes) -> Floats:
    """Return the matrix (N, K) from K Gauss-Legendre points to nodes."""
    known, weights = gauss_legendre(points)
    degrees = np.arange(points)
    legendre = np.polynomial.legendre.legvander(2 * known - 1, points - 1) * weights[:, None] * (2 * degrees + 1)
    at_nodes: Floats = np.polynomial.legendre.legvander(2 * np.frombuffer(nodes) - 1, points - 1) @ legendre.T
    return at_nodes


def main() -> None:
    """Take the gradients, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.integrals", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets' folders")
    parser.add_argument("--keep", type=Path, help="folder that gradients are kept in")
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = [path_of(*case, options.keep) for case in cases(options.data)]
    for title, half in (("calibration", True), ("other texts", False)):
        print(f"\n{title}")
        print_table([path for path in paths if path.calibrates == half], RULES)
    print("\nthe default, all texts and by length and model")
    default = {"": RULES["the default"]}
    for name in ("", *(f"{pieces}_" for pieces in sorted(TEXTS)), *(f"_{model}_" for model in MODELS)):
        print_table([path for path in paths if name in path.name], default, name.strip("_") or "all", head=not name)


def cases(data: Path) -> Iterator[tuple[str, str, Tokens, int]]:
    """Yield a name, a model's name, tokens, and the points of the true integral."""
    rows = {}
    draw = random.Random(1)
    for source in (
        SOURCES["emotions"],
        SOURCES["topics"],
        SOURCES["entailment"],
        SOURCES["sentiment"],
        SHORT_SENTIMENT,
    ):
        with gzip.open(data / source / "dev.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows[source] = [json.loads(line) for line in lines]
        draw.shuffle(rows[source])
    for pieces, count in TEXTS.items():
        for name in MODELS:
            source = SHORT_SENTIMENT if name == "sentiment" and pieces == min(TEXTS) else SOURCES[name]
            model = load_model(name)
            if name == "entailment":
                drawn = _pairs(model, rows[source], pieces, draw)
            else:
                begin = draw.randrange(len(rows[source]) // 2)
                drawn = cut(model, [row["text"] for row in rows[source][begin:]], pieces, DRAWN)
            for number, tokens in enumerate(drawn[:count]):
                yield f"{pieces}_{name}_{number}", name, tokens, POINTS[pieces]


def _pairs(model: TextModel, rows: Rows, pieces: int, draw: random.Random) -> list[Tokens]:
    """Return pairs of about as many pieces: further premises are joined to the first."""
    pairs: list[Tokens] = []
    while len(pairs) < DRAWN:
        row = rows[draw.randrange(len(rows))]
        premise, hypothesis = row["text"], row["text_b"]
        tokens = model.encode(premise, hypothesis)
        while len(tokens) < pieces - 10:
            longer = f"{premise} {rows[draw.randrange(len(rows))]['text']}"
            joined = model.encode(longer, hypothesis)
            if len(joined) > min(pieces + 6, LONGEST):
                break
            premise, tokens = longer, joined
        if pieces > min(TEXTS) or len(tokens) <= 24:
            pairs.append(tokens)
    return pairs


def path_of(name: str, model_name: str, tokens: Tokens, points: int, folder: Path | None) -> SampledPath:
    """Return a text's path, from a folder if it is there."""
    stored = folder and folder / f"{name}.npz"
    if stored is None or not stored.exists():
        model = load_model(model_name)
        target = model.task.target(model.predict(tokens), model.head)
        path = StraightPath(model, tokens, target, model.baseline(tokens, target, model.default_baseline()))
        values, slopes = path.gradients(gauss_legendre(points)[0])
        words = np.full(len(tokens), -1)
        for number, unit in enumerate(tokens.word_units()):
            words[list(unit)] = number
        arrays: dict[str, Any] = {"v": values, "s": slopes, "ends": np.array(path.ends()), "words": words}
        if stored is not None:
            np.savez(stored, **arrays)
    else:
        arrays = dict(np.load(stored))
    start, end = arrays["ends"].tolist()
    return SampledPath(name, arrays["v"], arrays["s"], (start, end), arrays["words"])


def print_table(paths: Sequence[SampledPath], rules: dict[str, Rule], title: str = "", *, head: bool = True) -> None:
    """Print a line for each rule: cost, errors of the texts' worst words, and how the stated errors compare."""
    if head:
        print(
            f"  {'':24}texts  points  more than 32   worst word: median     p90    worst   within the stated   "
            "stated/true  stated: median  at most 0.5 %"
        )
    for name, rule in rules.items():
        print(f"  {title or name:24}{len(paths):5}  {_line([_compared(path, rule) for path in paths])}", flush=True)


@dataclass(frozen=True, eq=False)
class _Compared:
    points: int
    errors: Floats  # (W,), of the largest score
    stated: Floats | None  # (W,), likewise


def _compared(path: SampledPath, rule: Rule) -> _Compared:
    points = 0

    def sample(nodes: Floats) -> tuple[Floats, Floats]:
        nonlocal points
        points += len(nodes)
        return path.sample(nodes)

    integral = rule(sample, path.ends)
    true = path.by_word(gauss_legendre(len(path.slopes))[1] @ path.slopes)
    largest = np.abs(true).max()
    stated = None if integral.error is None else np.sqrt(path.by_word(integral.error**2)) / largest
    return _Compared(points, np.abs(path.by_word(integral.parts) - true) / largest, stated)


def _line(compared: Sequence[_Compared]) -> str:
    points = np.array([text.points for text in compared])
    worst = np.array([text.errors.max() for text in compared])
    line = (
        f"{points.mean():6.1f}  {np.mean(points > 32):12.0%}   {np.median(worst):18.3%} {np.quantile(worst, 0.9):7.2%} "
        f"{worst.max():8.2%}"
    )
    stated = [text.stated for text in compared if text.stated is not None]
    if not stated:
        return line
    width, errors = np.concatenate(stated), np.concatenate([text.errors for text in compared])
    return (
        f"{line}   {np.mean(errors <= width + SMALLEST):17.1%}   {np.median(width / (errors + 1e-9)):11.1f}  "
        f"{np.median(width):14.3%}  {np.mean(width <= 0.005):13.1%}"
    )


if __name__ == "__main__":
    main()

"""Ground truth: precision of every method on each shortcut of `explain.testing.planted_models`.

    python -m benchmarks.planted             prints three tables in Markdown
    python -m benchmarks.planted --write     puts them into docs/ground_truth.md

Every method runs at its defaults, on five models of each shortcut. The tables: precision@k over all texts; precision
of the model with the lowest and with the highest; the share of texts with the decoy among the k. The same on every
machine, except for rounding.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from explain.core.files import write_file
from explain.evaluation.ground_truth import Precision, precision
from explain.methods.base import METHODS
from explain.numerics.statistics import wilson
from explain.testing.planted_models import SHORTCUTS, planted

PAGE = Path(__file__).parent.parent / "docs" / "ground_truth.md"
BEGIN, END = "<!-- written by benchmarks.planted -->\n", "<!-- until here -->\n"

Measured = dict[tuple[str, str], list[Precision]]  # by method and shortcut: an entry for each model


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--models", type=int, default=5, help="models of each shortcut")
    parser.add_argument("--texts", type=int, default=40, help="texts of each model")
    parser.add_argument("--method", action="append", choices=list(METHODS), help="only this method; may be repeated")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    options = parser.parse_args(arguments)
    if options.write and options.method:
        parser.error("--write needs every method.")
    torch.set_num_threads(1)
    tables = as_markdown(measured(options.method or METHODS, options.models, options.texts))
    print(tables)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        write_file(PAGE, f"{before}{BEGIN}{tables}{END}{rest.partition(END)[2]}")


def measured(methods: Iterable[str], models: int, texts: int) -> Measured:
    """Measure every method on every model of every shortcut."""
    return {
        (name, shortcut): [precision(METHODS[name](), planted(shortcut, seed), texts, seed) for seed in range(models)]
        for name in methods
        for shortcut in SHORTCUTS
    }


def as_markdown(precisions: Measured) -> str:
    """Return three tables, with methods in the order of their mean precision."""
    whole = {place: pooled(by_model) for place, by_model in precisions.items()}
    names = list(dict.fromkeys(name for name, _ in precisions))
    names.sort(key=lambda name: -sum(whole[name, shortcut].mean for shortcut in SHORTCUTS))

    def table(figure: str, cell: Callable[[tuple[str, str]], str]) -> list[str]:
        titles = [shortcut.title for shortcut in SHORTCUTS.values()]
        rows = [
            [METHODS[name].title, "yes" if METHODS[name].signed else "no"]
            + [cell((name, shortcut)) for shortcut in SHORTCUTS]
            for name in names
        ]
        lines = [[figure, "signed", *titles], ["---"] * (len(titles) + 2), *rows]
        return [f"| {' | '.join(line)} |\n" for line in lines]

    chance = [f"{whole[names[0], shortcut].chance:.2f}" for shortcut in SHORTCUTS]
    means = table("precision@k", lambda place: _share(whole[place]))
    means.append(f"| *chance* |  | {' | '.join(chance)} |\n")
    ranges = table("lowest and highest model", lambda place: _range([of_model.mean for of_model in precisions[place]]))
    decoys = table("decoy among the k", lambda place: f"{whole[place].decoy:.2f}")
    return "\n".join("".join(lines) for lines in (means, ranges, decoys))


def pooled(by_model: Sequence[Precision]) -> Precision:
    """Return the precision of a method on a shortcut over the texts of several models, as many of each."""
    count, models = sum(of_model.texts for of_model in by_model), len(by_model)
    mean = sum(of_model.mean for of_model in by_model) / models
    low, high = wilson(mean * count, count)
    decoy = sum(of_model.decoy for of_model in by_model) / models
    chance = sum(of_model.chance for of_model in by_model) / models
    return replace(by_model[0], texts=count, mean=mean, low=low, high=high, decoy=decoy, chance=chance)


def _share(figures: Precision) -> str:
    return f"{figures.mean:.2f} ({figures.low:.2f} to {figures.high:.2f})"


def _range(means: Sequence[float]) -> str:
    low, high = f"{min(means):.2f}", f"{max(means):.2f}"
    return low if low == high else f"{low} to {high}"


if __name__ == "__main__":
    main()

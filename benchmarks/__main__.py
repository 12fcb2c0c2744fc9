"""All benchmarks, printed as tables. `make bench`, or

python -m benchmarks --data DIR      DIR/dev.jsonl.gz with a column "text"; by default a few paragraphs
python -m benchmarks --only points   one part: "speed", "points", "memory" or "browser" (in Chromium)
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence

import torch

from benchmarks import memory, speed
from benchmarks.texts import LENGTHS, cut, load
from explain.models.loading.catalogue import load_model

PARTS = ("speed", "points", "memory", "browser")
Cases = Mapping[int, Sequence[speed.Case]]


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", help="folder with dev.jsonl.gz")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS))
    parser.add_argument("--texts", type=int, default=20, help="texts of each length (512: a tenth of them)")
    parser.add_argument("--others", type=int, default=4, help="texts of each length that other libraries run on")
    parser.add_argument("--only", choices=PARTS, help="one part, instead of all but the browser")
    options = parser.parse_args()
    parts = (options.only,) if options.only else PARTS[:-1]
    if "browser" in parts:
        from benchmarks import browser

        browser.main()
    if "speed" in parts or "points" in parts:
        torch.set_num_threads(1)
        cases = cases_of(options)
        if "speed" in parts:
            print_speed(cases, options.others)
        if "points" in parts:
            print_points(cases)
    if "memory" in parts:
        print_memory()


def cases_of(options: argparse.Namespace) -> Cases:
    """Return texts of each length, with their targets."""
    model = load_model()
    twin = speed.plain_twin(model)
    texts = load(options.data)
    return {
        pieces: [
            speed.Case(model, twin, tokens, model.task.target(model.predict(tokens), model.head))
            for tokens in cut(model, texts, pieces, options.texts if pieces < 512 else max(1, options.texts // 10))
        ]
        for pieces in options.lengths
    }


def print_speed(cases: Cases, others: int) -> None:
    """Print ratios of CPU seconds."""
    model = next(iter(cases.values()))[0].model
    print(f"{model.name}: {model.record.parameters / 1e6:.1f} M parameters, one thread; ratios of CPU seconds, medians")
    for title, contenders in speed.CONTENDERS.items():
        ratios = {}
        for pieces, of_length in cases.items():
            if pieces < 512 or "occlusion" not in title:  # the floor alone takes minutes there
                ratios[pieces] = speed.measure(of_length, contenders, others)
        print(f"\n{title}")
        print(f"  {'pieces (texts)':34}" + "".join(f"{f'{pieces} ({len(cases[pieces])})':>10}" for pieces in ratios))
        for name, _ in contenders:
            line = "".join(f"{ratios[pieces].get(name, float('nan')):10.2f}" for pieces in ratios)
            print(f"  {name:34}{line}", flush=True)


def print_points(cases: Cases) -> None:
    """Print the points that integrated gradients takes, and its errors."""
    torch.set_num_threads(2)  # no seconds are measured here
    print("\nintegrated gradients at its default, against 400 Gauss-Legendre points")
    print("  pieces   texts   points (median, most)   error of the largest score (median, worst)   worst gap")
    for pieces, of_length in cases.items():
        points, errors, gaps = zip(*speed.points_used(of_length))
        print(
            f"  {pieces:6}  {len(points):6}   {statistics.median(points):8.0f} {max(points):8}   "
            f"{statistics.median(errors):22.2%} {max(errors):14.2%}   {max(gaps):18.1e}",
            flush=True,
        )


def print_memory() -> None:
    """Print peaks of memory."""
    print("\npeak memory over the start, MiB")
    for contender in ("explain", "captum tuned", "captum default"):
        sizes = [pieces for pieces in (128, 512) if not (contender == "captum default" and pieces == 512)]
        peaks = {pieces: memory.in_fresh_process(contender, pieces) for pieces in sizes}
        print(f"  {contender:34}" + "".join(f"{pieces:>6}: {mib:6.0f}" for pieces, mib in peaks.items()))


if __name__ == "__main__":
    main()

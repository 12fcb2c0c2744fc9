"""All benchmarks, printed as tables. `make bench`, or

python -m benchmarks --data DIR      DIR/dev.jsonl.gz with a column "text"; without it, paragraphs of our own
python -m benchmarks --browser       what a visitor waits for, in Chromium
"""

import argparse
import statistics

import torch

from benchmarks import memory, speed
from benchmarks.texts import LENGTHS, cut, load
from explain.models.catalogue import load_model


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder with dev.jsonl.gz")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS))
    parser.add_argument("--texts", type=int, default=20, help="texts of each length (512: a tenth of them)")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    if options.browser:
        from benchmarks import browser

        browser.main()
        return
    torch.set_num_threads(1)
    model = load_model()
    twin = speed.plain_twin(model)
    texts = load(options.data)
    cases = {
        pieces: [
            speed.Case(model, twin, tokens, model.task.target(model.predict(tokens), model.head))
            for tokens in cut(model, texts, pieces, options.texts if pieces < 512 else max(1, options.texts // 10))
        ]
        for pieces in options.lengths
    }
    print(
        f"{model.name}: {model.record.parameters / 1e6:.1f} M parameters, one thread; ratios of CPU seconds, medians\n"
    )
    for title, contenders in speed.CONTENDERS.items():
        results = {}
        for pieces, of_length in cases.items():
            if pieces == 512 and "occlusion" in title:
                continue  # the floor alone takes minutes
            results[pieces] = speed.measure(of_length, contenders, options.repeats)
        print(title)
        print(f"  {'':34}" + "".join(f"{pieces:>8}" for pieces in results))
        for name, _ in contenders:
            line = "".join(f"{results[pieces].get(name, float('nan')):8.2f}" for pieces in results)
            print(f"  {name:34}{line}")
        print()
    print("integrated gradients at its default, against 400 Gauss-Legendre points")
    print("  pieces   texts   points (median, most)   error of the largest score (median, worst)   worst gap")
    for pieces, of_length in cases.items():
        if pieces == 512:
            of_length = of_length[:1]
        found = speed.points_used(of_length)
        points, errors = [one[0] for one in found], [one[1] for one in found]
        print(
            f"  {pieces:6}  {len(found):6}   {statistics.median(points):8.0f} {max(points):8}   "
            f"{statistics.median(errors):22.2%} {max(errors):14.2%}   {max(one[2] for one in found):18.1e}"
        )
    if not options.no_memory:
        print("\npeak memory over the start, MiB")
        for contender in ("explain", "captum tuned", "captum default"):
            sizes = [pieces for pieces in (128, 512) if not (contender == "captum default" and pieces == 512)]
            found_at = {pieces: memory.in_fresh_process(contender, pieces) for pieces in sizes}
            print(f"  {contender:34}" + "".join(f"{pieces:>6}: {mib:6.0f}" for pieces, mib in found_at.items()))


if __name__ == "__main__":
    main()

"""Parameter randomization of methods on a shipped model; the verdict cites the figures.

    python -m benchmarks.randomization --model sentiment --method occlusion      all methods by default
    python -m benchmarks.randomization --model sentiment --write                 kept in weights/sentiment

Printed by method: the mean size of the rank correlation with the scores for the trained model, first with a random
head, then with more and more random layers from the last one on, and that of random scores. Earlier measurements are
used again.
"""

import argparse

from explain.analyses.parameter_randomization import FILE, keep, known, measure
from explain.core.installation import weights_folder
from explain.methods.base import METHODS
from explain.models.loading.catalogue import load_model


def main() -> None:
    """Print correlations by method."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.randomization", description=about)
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--method", action="append")
    parser.add_argument("--write", action="store_true", help="keep it beside the model's weights")
    options = parser.parse_args()
    model = load_model(options.model)
    for name in options.method or [name for name in METHODS if METHODS[name].requires <= model.capabilities]:
        method = METHODS[name]()
        randomization = known(model, method) or measure(model, method)
        if options.write:
            keep(randomization, weights_folder() / model.name / FILE)
        figures = " ".join(
            f"{layers}: {correlation:.2f} ± {error:.2f}"
            for layers, correlation, error in zip(randomization.layers, randomization.correlations, randomization.error)
        )
        print(f"{name:32} {figures}   random {randomization.chance:.2f}", flush=True)


if __name__ == "__main__":
    main()

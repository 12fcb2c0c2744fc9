"""What methods say of a shipped model with its weights drawn anew; the verdict cites it.

    python -m benchmarks.randomization --model sentiment --method occlusion      all methods, if none is named
    python -m benchmarks.randomization --model sentiment --write                 kept in weights/sentiment

Printed, by method: the mean size of the rank correlation with the scores for the trained model, the head drawn anew,
then more and more layers from the last one on, and that of random scores. What was measured before is not done again.
"""

import argparse

from explain.analyses.parameter_randomization import FILE, keep, known, measure
from explain.core.installation import weights_folder
from explain.methods.base import METHODS
from explain.models.loading.catalogue import load_model


def main() -> None:
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.randomization", description=about)
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--method", action="append")
    parser.add_argument("--write", action="store_true", help="keep it beside the model's weights")
    options = parser.parse_args()
    model = load_model(options.model)
    for name in options.method or [name for name in METHODS if METHODS[name].requires <= model.capabilities]:
        method = METHODS[name]()
        found = known(model, method) or measure(model, method)
        if options.write:
            keep(found, weights_folder() / model.name / FILE)
        figures = " ".join(
            f"{layers}: {value:.2f} ± {error:.2f}"
            for layers, value, error in zip(found.layers, found.correlations, found.error)
        )
        print(f"{name:32} {figures}   random {found.chance:.2f}", flush=True)


if __name__ == "__main__":
    main()

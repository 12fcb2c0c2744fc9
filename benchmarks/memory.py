"""Peak memory over the start, each case in a fresh process.

python -m benchmarks.memory explain 512
"""

import resource
import subprocess
import sys

import torch


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(contender: str, pieces: int) -> float:
    """MiB over the start in this process: after the model is loaded and has run once on a short text."""
    torch.set_num_threads(1)
    from benchmarks.speed import Case, captum_gradients, floor_forward, plain_twin
    from benchmarks.texts import cut, load
    from explain import pipeline
    from explain.models.catalogue import load_model
    from explain.testing import default_item

    model = load_model()
    tokens, target = default_item(model, cut(model, load(None), pieces, count=1)[0].text)
    short, short_target = default_item(model, "A good film.")
    if contender == "explain":
        dict(pipeline.parts(pipeline.Request("A good film.", pipeline.methods_from(pipeline.DEFAULT_METHODS)), model))
        start = peak_mib()
        dict(pipeline.parts(pipeline.Request(tokens.text, pipeline.methods_from(pipeline.DEFAULT_METHODS)), model))
    else:
        plain = plain_twin(model)
        floor_forward(Case(model, plain, short, short_target))
        start = peak_mib()
        captum_gradients(Case(model, plain, tokens, target), tuned=contender == "captum tuned")
    return peak_mib() - start


def in_fresh_process(contender: str, pieces: int) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", contender, str(pieces)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2])))

"""Memory of models, and the peak of an explanation over the start, each case in a fresh process.

python -m benchmarks.memory                the shipped models, loaded one after the other
python -m benchmarks.memory explain 512    one explanation of so many pieces
"""

import gc
import resource
import subprocess
import sys
from pathlib import Path

import torch

from explain.core.installation import weights_folder


def peak_mib() -> float:
    """Return the most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(contender: str, pieces: int) -> float:
    """Return the peak in MiB over the start, after the model is loaded and has run once on a short text."""
    torch.set_num_threads(1)
    from benchmarks.speed import Case, captum_gradients, floor_forward, plain_twin
    from benchmarks.texts import cut, load
    from explain import api
    from explain.models.loading.catalogue import load_model
    from explain.testing import default_item

    model = load_model()
    tokens, target = default_item(model, cut(model, load(None), pieces, count=1)[0].text)
    short, short_target = default_item(model, "A good film.")
    if contender == "explain":
        api.explain("A good film.", model)
        start = peak_mib()
        api.explain(tokens.text, model)
    else:
        plain = plain_twin(model)
        floor_forward(Case(model, plain, short, short_target))
        start = peak_mib()
        captum_gradients(Case(model, plain, tokens, target), tuned=contender == "captum tuned")
    return peak_mib() - start


def in_fresh_process(contender: str, pieces: int) -> float:
    """Return the peak of `run` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", contender, str(pieces)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def resident_mib() -> float:
    """Return the memory of this process; without /proc, its peak."""
    gc.collect()
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return peak_mib()
    return int(statistics.read_text().split()[1]) * resource.getpagesize() / 2**20


def storages(module: torch.nn.Module) -> dict[int, int]:
    """Return the addresses of a model's parameters and buffers with their bytes; tied tensors once."""
    tensors = [*module.parameters(), *module.buffers()]
    stored = (tensor.untyped_storage() for tensor in tensors)
    return {storage.data_ptr(): storage.nbytes() for storage in stored}


def print_models() -> None:
    """Load the shipped models one after the other, the encoder first, and keep them all."""
    from benchmarks.speed import served_module
    from explain.models.loading import catalogue, shared_encoder
    from explain.models.loading.files import ModelFiles

    start, kept = resident_mib(), []
    encoder = storages(shared_encoder.shared_encoder(ModelFiles(weights_folder() / "base"))[0])
    print(f"{start:.0f} MiB before any model; then, in MiB")
    print(f"  {'model':14}{'task':28}{'resident':>10}{'shared':>9}{'private':>9}")
    for entry in sorted(catalogue.list_models(), key=lambda entry: entry.name != "base"):
        for task in entry.tasks:
            model = catalogue.load_model(entry.name, task=task)
            kept.append(model)
            own = storages(served_module(model))
            shared = sum(size for place, size in own.items() if place in encoder) / 2**20
            private = sum(own.values()) / 2**20 - shared
            resident = resident_mib() - start
            print(
                f"  {entry.name:14}{task.replace('_', '-'):28}{resident:10.1f}{shared:9.1f}{private:9.1f}", flush=True
            )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print_models()
    else:
        print(run(sys.argv[1], int(sys.argv[2])))

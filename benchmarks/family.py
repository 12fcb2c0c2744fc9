"""Seconds of the attention methods on a text, and of removing every head: the second of two runs.

python -m benchmarks.family
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from explain.analyses.head_ablation import HeadAblation
from explain.core.errors import SettingError
from explain.methods.base import METHODS, AttentionMethod
from explain.models.analysis import ExplainedText
from explain.models.loading.catalogue import load_model

SENTENCE = "A dull but charming film. "
REPEATS = (11, 22, 120)  # 68, 134 and 512 pieces


def main() -> None:
    """Print seconds by method and length."""
    model = load_model()
    names = [name for name in METHODS if issubclass(METHODS[name], AttentionMethod) or name == "decompx"]
    for repeats in REPEATS:
        tokens = model.encode(SENTENCE * repeats)
        target = model.task.target(model.predict(tokens), model.head)
        print(f"{len(tokens)} pieces")
        for name in names:
            method = METHODS[name]()
            try:
                print(f"  {name:28} {_second(partial(method.attribute, model, tokens, target)):.2f} s")
            except SettingError:
                print(f"  {name:28} refused")
        heads = _second(partial(HeadAblation().run, model, ExplainedText(tokens, target)))
        print(f"  {'every head removed':28} {heads:.2f} s")


def _second(work: Callable[[], Any]) -> float:
    work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

"""Parameter randomization as rows of a table: how much of each method's scores remains, stage by stage."""

import math
from collections.abc import Mapping, Sequence

from explain.datatypes import Randomization


def rows(measured: Sequence[Randomization], titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each method; `titles`: of methods, by name."""
    return [
        {
            "method": titles[method.method],
            **dict(zip(stages(method), map(_cell, method.correlations, method.error, method.undefined), strict=True)),
            "random scores": "undefined" if method.chance is None else f"{method.chance:.2f}",
        }
        for method in measured
    ]


def stages(measured: Randomization) -> list[str]:
    """Return the name of each stage: which layers were reinitialized."""
    partly = [f"head and last {count} layers" for count in measured.layers[1:-1]]
    return ["head", *partly, f"head and all {measured.layers[-1]} layers"]


def _cell(mean: float, half_width: float, undefined: int) -> str:
    """Return a mean with its interval, and the number of texts left out of it."""
    if math.isnan(mean):
        return "undefined"
    interval = "" if math.isnan(half_width) else f" ± {half_width:.2f}"
    return f"{mean:.2f}{interval}" + (f" ({undefined} left out)" if undefined else "")


def note(measured: Sequence[Randomization]) -> str:
    """Return a caption that explains the numbers."""
    left_out = any(count for method in measured for count in method.undefined)
    return (
        f"Rank correlation, in size, with the scores for the trained model: mean of {measured[0].texts} texts of ours, "
        f"{measured[0].seeds} seeds, 95 % interval. A method that shows what the model learned falls to what random "
        "scores have. Rollout and its like read no head, so drawing that anew changes nothing: by design."
        + (" Left out: texts whose words all have the same score, which has no rank correlation." if left_out else "")
    )

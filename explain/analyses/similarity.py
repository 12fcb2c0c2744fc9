"""Similarity: the contribution of every two words, one of each text, to the texts' similarity.

    values_uv = A_u . B_v,    A_u = integral over t in [0, 1] of df/dt at r + t (a - r), word u alone moving

with f a text's vector at length 1, a its word embeddings and r those of the empty text; B_v likewise of the other text.
Moeller, Nikolaev and Pado (2023), https://arxiv.org/abs/2310.05703, equations 4 to 6. The derivative along a direction
is taken forward, so a pass moves one word of each text, whatever the length of the vectors.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting, setting_values
from explain.datatypes import SimilarityMatrix, Tokens
from explain.methods.base import Stopwatch
from explain.models.base import BASELINES, TextModel
from explain.models.straight_path import StraightPath
from explain.numerics.quadrature import agree, allowed_gap, nested, two_levels
from explain.text.units import Units, few_units, units_of

MOST_WORDS = 64  # of two texts together, that are compared word by word


@ANALYSES.register("similarity")
@dataclass(frozen=True, kw_only=True)
class SimilarityAttribution(TextAnalysis[SimilarityMatrix]):
    """The similarity of two texts as a sum over pairs of words, and three reference terms."""

    name: ClassVar[str] = "similarity"
    title: ClassVar[str] = "What makes them alike"
    meaning: ClassVar[str] = "How much each word of one text with each word of the other adds to their similarity."
    limits: ClassVar[str] = (
        "The values add up with three terms of the empty texts, and depend on what stands for empty."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"jvp"})
    returns: ClassVar[type] = SimilarityMatrix

    granularity: str = setting(
        "auto",
        choices=("auto", "token", "word", "phrase", "sentence"),
        help="The parts: words (auto), and phrases between punctuation marks in texts of more than 64 words.",
    )
    baseline: str = setting(
        "auto", choices=("auto", *BASELINES), help="What the empty texts are made of, as for integrated gradients."
    )
    tolerance: float = setting(
        0.001, low=1e-5, high=0.1, help="The largest gap allowed, as a share of what the values sum to."
    )
    max_points: int = setting(129, choices=(33, 65, 129, 257), help="Stop refining at this many points, and report it.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 2 * self.max_points * max(map(len, self._sides(subject.tokens)[1]))

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> SimilarityMatrix:
        model.require(self.requires)
        tokens, target = subject.tokens, subject.target
        watch = Stopwatch(meter)
        granularity, (left, right) = self._sides(tokens)
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        path = StraightPath(model, tokens, target, model.baseline(tokens, target, kind), watch.meter)
        for vectors, slopes in nested(partial(path.vectors, left=left, right=right), self.max_points):
            values, coarser = (parts[: len(left)] @ parts[len(left) :].T for parts in two_levels(slopes))
            (left_empty, right_empty), (left_whole, right_whole) = vectors[0], vectors[-1]
            expected = float((left_whole - left_empty) @ (right_whole - right_empty))
            allowed = allowed_gap(self.tolerance, expected)
            agreed, change = agree(values, coarser)
            converged = bool(abs(expected - values.sum()) <= allowed and agreed)
            if converged:
                break
        return SimilarityMatrix(
            tokens=tokens,
            target=target,
            left=left,
            right=right,
            values=values,
            output=float(left_whole @ right_whole),
            left_empty=float(left_empty @ right_whole),
            right_empty=float(left_whole @ right_empty),
            both_empty=float(left_empty @ right_empty),
            granularity=granularity,
            params=setting_values(self),
            passes=watch.meter.spent,
            diagnostics={
                "baseline": kind,
                "rule": "clenshaw_curtis",
                "points": len(slopes),
                "converged": converged,
                "tolerance": allowed,
                "change_from_half_the_points": change,
            },
        )

    def _sides(self, tokens: Tokens) -> tuple[str, tuple[Units, Units]]:
        """Return the granularity, and the parts of the first text and of the second."""
        granularity, units = self.granularity, None
        if granularity == "auto":
            granularity, units = few_units(tokens, MOST_WORDS)
        units = units or units_of(tokens, granularity)
        first = sum(int(tokens.segment[unit[0]]) == 0 for unit in units)
        return granularity, (units[:first], units[first:])

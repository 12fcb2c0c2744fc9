"""Attention knockout: the effect of cutting some attention weights on the target.

Geva, Bastings, Filippova and Globerson (2023), https://arxiv.org/abs/2304.14767, section 4.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, CUTS, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Cut, CutEffects
from explain.models.base import TextModel


@ANALYSES.register("attention_knockout")
@dataclass(frozen=True)
class AttentionKnockout(TextAnalysis[CutEffects]):
    """The target without some attention weights: one forward pass for each set of cuts, and one."""

    name: ClassVar[str] = "attention_knockout"
    title: ClassVar[str] = "Does it matter?"
    meaning: ClassVar[str] = "How far the target falls when attention weights are set to zero."
    limits: ClassVar[str] = "The other weights are not rescaled, so the rows no longer sum to 1."
    requires: ClassVar[frozenset[str]] = frozenset({"cuts"})
    returns: ClassVar[type] = CutEffects

    cuts: tuple[tuple[Cut, ...], ...] = setting(codec=CUTS, help="Sets of attention weights, each cut at once.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return len(self.cuts) + 1

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> CutEffects:
        scores = model.attention.scores_with_ablation(subject.tokens, subject.target, [(), *self.cuts], meter)
        return CutEffects(
            target=subject.target,
            cuts=self.cuts,
            values=scores.values[1:],
            flips=scores.decisions[1:] != scores.decisions[0],
            output=float(scores.values[0]),
        )

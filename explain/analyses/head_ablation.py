"""Head ablation: the effect of removing each attention head on the target.

Michel, Levy and Neubig (2019), https://arxiv.org/abs/1905.10650, section 3.2.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import Cut, HeadEffects
from explain.models.base import TextModel
from explain.numerics.heads import head_figures
from explain.numerics.statistics import spearman


@ANALYSES.register("head_ablation")
@dataclass(frozen=True)
class HeadAblation(TextAnalysis[HeadEffects]):
    """The target's fall without each head: one forward pass for each head, and two."""

    name: ClassVar[str] = "head_ablation"
    title: ClassVar[str] = "Which heads matter"
    meaning: ClassVar[str] = "How far the target falls when one head is removed."
    limits: ClassVar[str] = "One head at a time: heads that do the same work hide each other."
    requires: ClassVar[frozenset[str]] = frozenset({"cuts"})
    returns: ClassVar[type] = HeadEffects

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return model.layers * model.heads + 1

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> HeadEffects:
        tokens, target = subject.tokens, subject.target
        figures = head_figures(model.observe(tokens, meter).maps.weights, tokens.special, tokens.word_of)
        cuts = [(Cut(layer, head),) for layer in range(model.layers) for head in range(model.heads)]
        scores = model.attention.scores_with_ablation(tokens, target, [(), *cuts], meter)
        shape = (model.layers, model.heads)
        effects = (scores.values[0] - scores.values[1:]).reshape(shape)
        return HeadEffects(
            tokens=tokens,
            target=target,
            effects=effects,
            flips=(scores.decisions[1:] != scores.decisions[0]).reshape(shape),
            figures=figures,
            agreement={name: spearman(np.abs(effects), values) for name, values in figures.items()},
            output=float(scores.values[0]),
        )

"""Head statistics: figures that tell attention heads apart. They take no pass beyond the prediction's."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import HeadFigures
from explain.models.base import TextModel
from explain.numerics.heads import head_figures


@ANALYSES.register("head_statistics")
@dataclass(frozen=True)
class HeadStatistics(TextAnalysis[HeadFigures]):
    """Entropy, distance and other figures of every head, see `explain.numerics.heads`."""

    name: ClassVar[str] = "head_statistics"
    title: ClassVar[str] = "Figures of heads"
    meaning: ClassVar[str] = "How spread out, how far and on which tokens each head's attention is."
    limits: ClassVar[str] = "They describe attention weights, not their effect on the decision."
    requires: ClassVar[frozenset[str]] = frozenset({"attention"})
    returns: ClassVar[type] = HeadFigures

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 0

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> HeadFigures:
        tokens = subject.tokens
        weights = model.observe(tokens, meter).maps.weights
        return HeadFigures(tokens, head_figures(weights, tokens.special, tokens.word_of))

"""Decision margin: how far the target is from the value where the decision changes."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import Displayed
from explain.models.base import TextModel


@dataclass(frozen=True)
class Margin(Displayed):
    """The target's value on the whole text, in the target's unit."""

    value: float


@ANALYSES.register("decision_margin")
@dataclass(frozen=True)
class DecisionMargin(TextAnalysis[Margin]):
    """The target's value: of log-odds the distance from an even chance."""

    name: ClassVar[str] = "decision_margin"
    title: ClassVar[str] = "Decision margin"
    meaning: ClassVar[str] = "How far the target is from the value where the decision changes."
    limits: ClassVar[str] = "It says nothing about how likely the decision is to be right."
    returns: ClassVar[type] = Margin

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 1

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> Margin:
        return Margin(model.value(model.predict(subject.tokens, meter), subject.target))

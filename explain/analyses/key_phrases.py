"""Key phrases: words that act together when they are removed; see `explain.text.phrases`."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting_values
from explain.datatypes import EmptyText, KeyPhraseList, Target, Tokens
from explain.models.base import TextModel
from explain.text.phrases import Effect, PhraseSettings, Variants, budget, find_phrases
from explain.text.units import units_of


@ANALYSES.register("key_phrases")
@dataclass(frozen=True)
class KeyPhrases(PhraseSettings, TextAnalysis[KeyPhraseList]):
    """The phrases whose removal moves the target most."""

    name: ClassVar[str] = "key_phrases"
    title: ClassVar[str] = "Key phrases"
    meaning: ClassVar[str] = "How far the target falls when a phrase is removed whole."
    limits: ClassVar[str] = (
        "They are about the model's decision: no phrase is shown to cause anything outside the model."
    )
    returns: ClassVar[type] = KeyPhraseList

    @classmethod
    def of(cls, settings: PhraseSettings) -> "KeyPhrases":
        """Return the search with these settings."""
        return cls(**setting_values(settings))

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 1 + budget(len(units_of(subject.tokens, "word")), self)  # 1: the text without its words

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> KeyPhraseList:
        tokens, target = subject.tokens, subject.target
        words = tokens.word_units()
        removable = set(model.removable(tokens, target).tolist())
        empty = empty_text(model, subject, model.operator(self.operator), meter)
        phrases = find_phrases(
            tokens,
            lambda variants: _effects(model, tokens, target, self.operator, variants, meter),
            self,
            lambda word: removable.issuperset(words[word]),
            direction=model.task.direction(model.predict(tokens, meter), target, model.head),
            empty_differs=empty is not None and empty.same_decision is False,
        )
        return KeyPhraseList(phrases, empty)


def empty_text(model: TextModel, subject: ExplainedText, operator: str, meter: Meter | None = None) -> EmptyText | None:
    """Return the model's answer to a text without its words; None where no word can be removed."""
    tokens, target = subject.tokens, subject.target
    if not len(model.removable(tokens, target)):
        return None
    decision = model.decide(model.only(tokens, (), operator, target), meter)
    full = int(model.scores([model.removed(tokens, (), operator, target)], meter).decisions[0])
    same = None if model.head.value else decision.number == full
    return EmptyText(operator, decision.value, decision.label, decision.confidence, same)


def _effects(
    model: TextModel, tokens: Tokens, target: Target, operator: str, variants: Variants, meter: Meter | None
) -> tuple[list[Effect], list[Effect]]:
    """Run the text without some phrases, and with others alone."""
    words = tokens.word_units()
    operator = model.operator(operator)

    def unit(phrase: tuple[int, int]) -> list[int]:
        return [token for word in words[phrase[0] : phrase[1]] for token in word]

    rows = [model.removed(tokens, unit(phrase), operator, target) for phrase in variants.without]
    rows += [model.only(tokens, unit(phrase), operator, target) for phrase in variants.only]
    scores = model.scores(rows, meter)
    effects = [Effect(*pair) for pair in zip(scores.values.tolist(), scores.decisions.tolist())]
    return effects[: len(variants.without)], effects[len(variants.without) :]

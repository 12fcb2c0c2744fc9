"""Counterfactuals: the smallest fluent edits after which the model decides otherwise.

Places come from the gradient, new words from a model of masked words. Every edited text is rendered, tokenized afresh
and decided by the model itself. See `explain.models.counterfactuals.search`.

Related: HotFlip (Ebrahimi et al. 2018, https://arxiv.org/abs/1712.06751), MiCE (Ross et al. 2021,
https://arxiv.org/abs/2012.13985), CLOSS (Fern and Pope 2021, https://arxiv.org/abs/2111.09250).
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.errors import SettingError, TargetError, TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import CounterfactualList, Prediction, Target, Tokens
from explain.models.base import TextModel
from explain.models.counterfactuals.edited_texts import BudgetMeter, EditedTexts
from explain.models.counterfactuals.masked_words import masked_words
from explain.models.counterfactuals.results import three_results, words_in
from explain.models.counterfactuals.search import Limits, Search
from explain.tasks.base import find_label
from explain.text.edits import editable_places

LONG = 60  # words above which more single edits are tried


@ANALYSES.register("counterfactuals")
@dataclass(frozen=True, kw_only=True)
class Counterfactuals(TextAnalysis[CounterfactualList]):
    """Edits of a text that change the model's decision."""

    name: ClassVar[str] = "counterfactuals"
    title: ClassVar[str] = "Counterfactuals"
    meaning: ClassVar[str] = "The smallest fluent edits after which the model decides otherwise."
    limits: ClassVar[str] = (
        "The new label is the model's: a reader may disagree with it. Edits marked as artefacts exploit the model."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"gradients", "label"})
    returns: ClassVar[type] = CounterfactualList
    version: ClassVar[int] = 3

    to: str | None = setting(None, help="The label to be decided; by default the likeliest other one.")
    budget: int = setting(300, low=60, high=20_000, help="The most passes to spend.")
    margin: float = setting(
        1.0,
        low=0.0,
        high=10.0,
        help="The least log-odds of the new answer, divided by the temperature if there is one.",
    )
    edited: str = setting(
        "auto", choices=("auto", "first", "second", "both"), help="The text to edit; auto is the second of a pair."
    )
    share: float = setting(0.34, low=0.01, high=1.0, help="The largest share of the words to edit.")
    deletions: bool = setting(False, help="Whether words may be deleted.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return self.budget

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> CounterfactualList:
        model.require(self.requires)
        tokens = subject.tokens
        segments = self._segments(tokens)
        own_meter = BudgetMeter(meter)
        before = model.predict(tokens, own_meter)
        target, wanted = wanted_answer(model, before, subject.target, self.to)
        texts = EditedTexts(model, tokens, target, wanted, own_meter, self.budget)
        places = editable_places(tokens, segments)
        words = words_in(tokens, segments)
        most_edits = max(min(3, words), int(self.share * words))
        limits = Limits(
            margin=self.margin,
            most_edits=most_edits,
            robust_edits=max(1, int(min(self.share, 0.15) * words)),
            deletions=self.deletions and len(places) > most_edits,  # else nothing may be left
            long=len(places) > LONG,
        )
        fluency = masked_words()
        search = Search(texts, places, fluency, limits)
        counterfactuals = three_results(search, *search.run())
        return CounterfactualList(
            tokens.texts,
            before.label,
            before.confidence,
            search.before,
            target.label,
            wanted,
            counterfactuals,
            self.margin,
            own_meter.spent,
            self.budget,
        )

    def _segments(self, tokens: Tokens) -> tuple[int, ...]:
        """Return the numbers of the texts that may be edited.

        Raises:
            SettingError: the second text, where there is one only.
        """
        paired = tokens.text_pair is not None
        if self.edited in ("second", "both") and not paired:
            raise SettingError(f"{self.title}: there is no second text to edit. Use edited=first.")
        if self.edited == "auto":
            return (1,) if paired else (0,)
        return {"first": (0,), "second": (1,), "both": (0, 1)}[self.edited]


def wanted_answer(model: TextModel, before: Prediction, explained: Target, to: str | None) -> tuple[Target, bool]:
    """Return the label whose log-odds are to change, and whether it is to be decided or to go.

    Of labels of which one is right: the named one, else the likeliest that is not decided. Of labels that are decided
    each alone: the named one, else the explained one; it goes if it is there.

    Raises:
        TargetError: there is no such label, or it is decided already.
    """
    head = model.head
    logits = before.output.logits[0]
    if not head.exclusive:
        index = explained.index if to is None else find_label(to, head.labels)
        return Target(model.task.name, head.labels[index], index), head.labels[index] not in before.labels
    decided = int(logits.argmax())
    if len(head.labels) < 2:
        raise TextError(f"{model.name} knows one label only, so nothing can change its decision. Use another model.")
    index = int(logits.argsort()[-2]) if to is None else find_label(to, head.labels)
    if index == decided:
        others = ", ".join(label for label in head.labels if label != head.labels[decided])
        raise TargetError(f"The model decides {head.labels[index]!r} already. Name another label: {others}.")
    return Target(model.task.name, head.labels[index], index), True

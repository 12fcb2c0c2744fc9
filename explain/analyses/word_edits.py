"""Word edits: what the model decides without a word, with it negated or masked, and with words that fit its place.

Several neighbouring words are removed, negated or masked together.

Other words come from a model of masked words. Every edited text is rendered and tokenized afresh.
"""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, METHOD, ExplainedText, TextAnalysis
from explain.core.errors import SettingError, TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, TextEdit, WordEdit, WordEditList
from explain.methods.base import Method
from explain.models.base import Row, TextModel
from explain.models.counterfactuals.masked_words import UNKNOWN, masked_words
from explain.text.edits import (
    Place,
    deletion,
    edited_with_spans,
    insertion,
    masking,
    place_between,
    replacement,
    words_between,
)
from explain.text.removal import unchanged

NEGATION = "not"


@ANALYSES.register("word_edits")
@dataclass(frozen=True, kw_only=True)
class WordEdits(TextAnalysis[WordEditList]):
    """Small edits of one word, or of neighbouring words together."""

    name: ClassVar[str] = "word_edits"
    title: ClassVar[str] = "Edits of a word"
    meaning: ClassVar[str] = "What the model decides when one word is removed, negated, masked or replaced."
    limits: ClassVar[str] = "Words that fit the place come from a model of masked words; they may not make sense."
    requires: ClassVar[frozenset[str]] = frozenset({"label"})
    returns: ClassVar[type] = WordEditList
    version: ClassVar[int] = 3

    token: int = setting(0, low=0, high=100_000, help="Any token of the word.")
    count: int = setting(5, low=0, high=50, help="How many other words to try in the place of one word.")
    last: int = setting(0, low=0, high=100_000, help="Any token of the last word, of several that are edited together.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 2 * (self.count + 4) + 1  # one for words that fit; value and decision of each edit, and of the text

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> WordEditList:
        model.require(self.requires)
        tokens, target = subject.tokens, subject.target
        unit = words_between(tokens, self.token, self.last) if self.token < len(tokens) else ()
        places = place_between(tokens, self.token, self.last) if unit else None
        if places is None:
            raise SettingError(f"{self.title}: token {self.token} is in no word that can be edited. Name another one.")
        place, words = places
        edits = [deletion(place), insertion(place, NEGATION)]
        edits += [masking(place, words, model.mask_text)] if model.mask_text else []
        if len(words) == 1 and words[0].span == place.span:
            edits += [replacement(place, word) for word in self._words(tokens.texts[place.segment], place, meter)]
        texts = [_edited(tokens.texts, edit) for edit in edits]
        kept = [(edit, edited) for edit, edited in zip(edits, texts) if edited[place.segment].strip()]
        rows = [tokens, *(model.encode(*edited) for _, edited in kept)]
        values = model.scores([Row(row, unchanged(row), target) for row in rows], meter).values.tolist()
        decided = [model.predict(row, meter) for row in rows]
        return WordEditList(
            unit,
            place.text,
            values[0],
            decided[0].label,
            decided[0].confidence,
            tuple(
                WordEdit(edit, edited, value, prediction.label, prediction.confidence, prediction.labels)
                for (edit, edited), value, prediction in zip(kept, values[1:], decided[1:])
            ),
            decided[0].labels,
        )

    def _words(self, text: str, place: Place, meter: Meter | None) -> list[str]:
        """Return the likeliest words for a place, but the one that stands there."""
        if not self.count:
            return []
        fluency = masked_words()
        try:
            (likely,) = fluency.fillers(text, [place.span], meter)
        except TextError:
            return []  # the text is full of masks
        order = [number for number in likely.argsort()[::-1].tolist() if likely[number] > UNKNOWN]
        words = [fluency.words[number] for number in order[: self.count + 1]]
        return [word for word in words if word.casefold() != place.text.casefold()][: self.count]


@dataclass(frozen=True)
class StrongestWordEdits(TextAnalysis[WordEditList]):
    """The edits of the word that a method scores highest in size, for a page on which no word is picked.

    It is in no record: who picks the word gets `WordEdits`, which is stored under the same key.
    """

    name: ClassVar[str] = "strongest_word_edits"
    title: ClassVar[str] = "Edits of the strongest word"
    meaning: ClassVar[str] = WordEdits.meaning
    limits: ClassVar[str] = WordEdits.limits
    requires: ClassVar[frozenset[str]] = WordEdits.requires
    returns: ClassVar[type] = WordEditList

    method: Method = setting(codec=METHOD, help="The method whose scores are compared.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return WordEdits().passes(model, subject)

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> WordEditList:
        attribution = self.method.run(model, subject, meter)
        edits = self.of(attribution)
        return no_edits(attribution) if edits is None else edits.run(model, subject, meter)

    def of(self, attribution: Attribution) -> WordEdits | None:
        """Return the edits of the strongest word of an attribution; None where it is in no word that can be edited."""
        word = attribution.strongest_word()
        if not word or place_between(attribution.tokens, word[0], word[-1]) is None:
            return None
        return WordEdits(token=word[0], last=word[0])


def no_edits(attribution: Attribution) -> WordEditList:
    """Return the empty list of a text whose strongest word can't be edited, such as a mark of punctuation."""
    return WordEditList((), "", attribution.output, None, None, ())


def _edited(texts: tuple[str, ...], edit: TextEdit) -> tuple[str, ...]:
    return tuple(
        edited_with_spans(text, [edit])[0] if number == edit.segment else text for number, text in enumerate(texts)
    )

"""Small edits of one word, or of neighbouring words together, and what a model decides after each."""

from dataclasses import dataclass

from explain.core.display import Displayed
from explain.datatypes.arrays import check_finite
from explain.datatypes.counterfactuals import TextEdit


@dataclass(frozen=True)
class WordEdit:
    """One edit of a word.

    Attributes:
        edit: what is done; texts: the edited texts, as they were decided.
        value: the target's value now, in the unit of its scale, not divided by a temperature.
        label: the label decided now, or None; confidence: its probability, after the temperature.
        labels: the labels decided now, where each is decided alone.
    """

    edit: TextEdit
    texts: tuple[str, ...]
    value: float
    label: str | None
    confidence: float | None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "labels", tuple(self.labels))
        check_finite(self, "value", "confidence")


@dataclass(frozen=True)
class WordEditList(Displayed):
    """The edits of one word, or of neighbouring words together, that were tried.

    Attributes:
        tokens: of the words; text: their characters.
        value: the target's value for the text as it is.
        label, confidence, labels: what the model decides for the text as it is.
        edits: removal first, then a negation, masks, and words that fit the place, the likeliest first.
    """

    tokens: tuple[int, ...]
    text: str
    value: float
    label: str | None
    confidence: float | None
    edits: tuple[WordEdit, ...]
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", tuple(self.tokens))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "edits", tuple(self.edits))
        check_finite(self, "value", "confidence")

"""The history of explanations: an entry for each explanation, with a small heatmap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explain.core.display import Displayed
from explain.datatypes.arrays import check_finite, freeze_mapping


@dataclass(frozen=True)
class HistoryEntry:
    """One explanation of a history: what it was about, what the model decided, and the words it rests on.

    Attributes:
        id: its name in a link; empty until a history has it.
        time: when it was last shown, in seconds since 1970.
        title: a name that the visitor gave; empty: none.
        starred: it is the last to be left out.
        model, weights, task: the model's name, the hash of its weights, and its task.
        target: what is explained in words; scale and position: its unit, and where the model is read, or None.
        method: whose scores are shown.
        label, confidence: what the model decided: a label, or those decided each alone (no confidence); None: a value.
        words: the text before each word, the word, and its share of the largest score: a stretch of the text.
        signed: shares below zero mean "against".
        settings: what the address bar held, with every value as text.
    """

    id: str
    time: float
    text: str
    text_pair: str | None
    model: str
    weights: str
    task: str
    target: str
    scale: str
    position: int | None
    method: str
    label: str | None
    confidence: float | None
    words: tuple[tuple[str, str, float], ...]
    signed: bool
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    title: str = ""
    starred: bool = False

    def __post_init__(self) -> None:
        check_finite(self, "time", "confidence")
        object.__setattr__(self, "words", tuple(self.words))
        freeze_mapping(self, "settings")

    @property
    def about(self) -> tuple[Any, ...]:
        """The key that two entries of the same explanation share."""
        target = (self.target, self.scale, self.position)
        return (self.text, self.text_pair, self.model, self.weights, self.task, *target, self.method)


@dataclass(frozen=True)
class HistoryList(Displayed):
    """The entries of a history, starred ones first, then the latest.

    Attributes:
        place: the folder where it is kept; empty: it ends with the visit.
        unread: files of the folder that could not be read.
        paused: nothing is kept.
        problem: why it is not kept in a folder though it should be; empty: no reason.
    """

    entries: tuple[HistoryEntry, ...] = ()
    place: str = ""
    unread: int = 0
    paused: bool = False
    problem: str = ""

    def __post_init__(self) -> None:
        ordered = sorted(self.entries, key=lambda entry: (not entry.starred, -entry.time))
        object.__setattr__(self, "entries", tuple(ordered))

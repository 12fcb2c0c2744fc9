"""Edits of a text, and the edited texts that a model decides otherwise."""

from dataclasses import dataclass

from explain.core.display import Displayed
from explain.core.meter import Passes
from explain.datatypes.arrays import check_finite

EDITS = ("replace", "insert", "delete")
KINDS = ("fewest_edits", "most_fluent", "most_robust")


@dataclass(frozen=True)
class TextEdit:
    """One edit of a text.

    Attributes:
        operation: "replace", "insert" or "delete".
        segment: the number of its text; span: the half-open characters of the original that it replaces, empty where a
            word is inserted before them.
        before, after: the words there, before and after; empty where there is none.
    """

    operation: str
    segment: int
    span: tuple[int, int]
    before: str
    after: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "span", tuple(self.span))
        if self.operation not in EDITS:
            raise ValueError(f"TextEdit.operation is {self.operation!r}; expected one of {', '.join(EDITS)}.")
        if not 0 <= self.span[0] <= self.span[1] or self.segment < 0:
            raise ValueError("TextEdit.span is a half-open range of characters.")


@dataclass(frozen=True)
class Counterfactual:
    """An edited text that the model decides otherwise.

    Margins are log-odds of the wanted answer, in nats, divided by the model's temperature.

    Attributes:
        kinds: what it is the best at, of `KINDS`.
        edits: in reading order; texts: the edited texts, as they were decided.
        label: the label decided now, or None; probability: its probability, after the temperature.
        margin: of the wanted answer now.
        path: margins as the edits are made one after the other, from the text as it was; only the first and the last
            where there are more than five.
        certified: no smaller set of these edits is accepted: all of them were run. Else only single edits were left
            out, or none, see `untried`. Accepted means the margin; of the most robust, the evidence that its words
            were searched for, too.
        least_margin: the largest margin of a smaller set that was run; of one edit, that of the text as it was.
        evidence: what the new words say for the wanted answer, each being all of the text, less what the old ones do.
        alone: the margin of the edited words with every other word masked, less that of the old words.
        artefact: the edited words alone do not speak for the new answer, so the model may be exploited.
        perplexity_ratio: how much less likely the model of masked words finds the text now; below 1 more likely.
        words_changed: the edits as a share of the words.
        untried: the budget ended before it was tried whether edits can be left out; then it isn't certified.
    """

    kinds: tuple[str, ...]
    edits: tuple[TextEdit, ...]
    texts: tuple[str, ...]
    label: str | None
    probability: float | None
    margin: float
    path: tuple[float, ...]
    certified: bool
    least_margin: float
    evidence: float
    alone: float
    artefact: bool
    perplexity_ratio: float
    words_changed: float
    untried: bool = False

    def __post_init__(self) -> None:
        for name in ("kinds", "edits", "texts", "path"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not set(self.kinds) <= set(KINDS):
            raise ValueError(f"Counterfactual.kinds is {self.kinds}; expected some of {', '.join(KINDS)}.")
        if self.certified and self.untried:
            raise ValueError("Counterfactual.certified and untried exclude each other.")
        check_finite(self, "probability", "margin", "path", "least_margin", "evidence", "alone")
        check_finite(self, "perplexity_ratio", "words_changed")

    @property
    def text(self) -> str:
        """The edited text; of two, the one that was edited."""
        return self.texts[self.edits[0].segment if self.edits else 0]


@dataclass(frozen=True)
class CounterfactualList(Displayed):
    """The edits that change a decision, as far as they were found.

    Attributes:
        texts: the texts as they were.
        label, probability: the decision on them; margin: of the wanted answer there, as in `Counterfactual`.
        to: the label that is to be decided, or to go; wanted: whether it is to be there.
        counterfactuals: fewest edits, most fluent, most robust, each text once; empty: none found within the budget.
        least: the margin that a text needs to be accepted.
        passes: the cost; budget: the passes that might be spent.
    """

    texts: tuple[str, ...]
    label: str | None
    probability: float | None
    margin: float
    to: str
    wanted: bool
    counterfactuals: tuple[Counterfactual, ...]
    least: float
    passes: Passes
    budget: int

    def __post_init__(self) -> None:
        for name in ("texts", "counterfactuals"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_finite(self, "probability", "margin", "least")
        for part in self.counterfactuals:
            if len(part.texts) != len(self.texts):
                raise ValueError("Counterfactual.texts are as many as the texts that were edited.")
            for edit in part.edits:
                if not (edit.segment < len(self.texts) and edit.span[1] <= len(self.texts[edit.segment])):
                    raise ValueError("Counterfactual.edits name characters that the texts do not have.")

    def best(self, kind: str) -> Counterfactual | None:
        """Return the result of one of `KINDS`, or None where there is none."""
        return next((part for part in self.counterfactuals if kind in part.kinds), None)

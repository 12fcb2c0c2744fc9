"""The search: single edits, sets of them, what is left when every needless edit is dropped, and the three results."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from explain.datatypes import TextEdit
from explain.models.counterfactuals.candidates import CLIMB, WIDE, Candidate, Candidates, passes_of_candidates
from explain.models.counterfactuals.edited_texts import EditedTexts, Edits
from explain.models.counterfactuals.masked_words import MaskedWords
from explain.text.edits import Place

CERTIFIED = 5  # edits up to which every smaller set is run
WEIGHED = 22  # single edits whose words are read by themselves
WIDER_PASSES = 100  # that must be left to try more words
CLIMBED = 10  # sets of which the best is gone on from
RUN_AT_ONCE = 6  # sets of one size
LARGE = (4, 6, 8, 12, 16, 24, 32)  # sizes that are tried where no three edits do
FINALISTS = 4


@dataclass(frozen=True)
class Limits:
    """The limits of a search.

    Attributes:
        margin: the least margin of an accepted text, in nats.
        evidence: the least evidence of a robust set of edits, in nats a word of the text.
        most_edits: edits, at most; robust_edits: edits of a robust set, at most.
        deletions: whether words may be taken out.
        long: the text is long: single edits are not run, their effects are those of the gradient.
    """

    margin: float = 1.0
    evidence: float = 0.4
    most_edits: int = 6
    robust_edits: int = 3
    deletions: bool = False
    long: bool = False

    @property
    def pool(self) -> int:
        """Replacements that are tried one by one."""
        return 60 if self.long else 26


@dataclass(frozen=True)
class Single:
    """A single edit that was run.

    Attributes:
        effect: its effect on the margin of the text.
        evidence: the margin of the new word by itself less that of the old one; in the second round its forecast.
    """

    candidate: Candidate
    effect: float
    evidence: float

    @property
    def edits(self) -> Edits:
        return (self.candidate.edit,)

    @property
    def fluency(self) -> float:
        return self.candidate.fluency


@dataclass(frozen=True)
class Outcome:
    """An accepted set of edits.

    Attributes:
        edits: in reading order.
        certified: every smaller set of them was run; else single edits were left out one at a time.
        untried: the budget ended before it was tried whether edits can be left out.
        evidence: the sum of the edits' evidence; fluency: of their log-probabilities less the old words'.
    """

    edits: Edits
    certified: bool
    evidence: float
    fluency: float
    untried: bool = False


Accepts = Callable[[Edits], bool]


class Search:
    """One search for edits that change an answer.

    Args:
        texts: the text, with the budget.
        places: the words that may be edited.
        words: a model of masked words, for fillers.
    """

    def __init__(self, texts: EditedTexts, places: Sequence[Place], words: MaskedWords, limits: Limits) -> None:
        self.texts, self.places, self.words, self.limits = texts, places, words, limits
        self.before = float(texts.margins([()])[0])
        self.singles: list[Single] = []
        self._single_of: dict[Edits, Single] = {}
        self._evidence_wanted = limits.evidence * len(places)

    def run(self) -> tuple[list[Outcome], list[Outcome]]:
        """Return sets of edits that flip, and those that are robust, each minimal; possibly none."""
        if not self.places or self.texts.free < passes_of_candidates(self.texts, self.places, self.words):
            return [], []
        made = Candidates(self.texts, self.places, self.words, deletions=self.limits.deletions)
        self._run_singles(made.best(self.limits.pool), WEIGHED)
        if not (flipping := self._flipping()):
            if self.texts.free > WIDER_PASSES:
                self._run_singles(made.best(self.limits.pool, WIDE), 0)
                flipping = self._flipping()
            flipping = flipping or self._climbed(made)
        return flipping, self._robust()

    # Conditions

    def flips(self, edits: Edits) -> bool:
        """Return whether the served model gives the wanted answer, by at least the margin."""
        return bool(self.texts.margins([edits])[0] >= self.limits.margin)

    def evidence(self, edits: Edits) -> float:
        """Return the sum of what the edits' words say by themselves, less the words they replace."""
        return sum(self._evidence_of([self._single_of[(edit,)].candidate for edit in edits]))

    def is_robust(self, edits: Edits) -> bool:
        """Return whether edits reach the margin, and the evidence that a robust set needs."""
        return self.evidence(edits) >= self._evidence_wanted and self.flips(edits)

    # Steps

    def _run_singles(self, pool: Sequence[Candidate], weighed: int) -> None:
        """Run edits one by one, and the words of the best of them by themselves."""
        self.singles = self._weighed(pool, weighed)
        self._single_of |= {single.edits: single for single in self.singles}

    def _weighed(self, pool: Sequence[Candidate], most: int) -> list[Single]:
        """Return edits with their effects, and the evidence of `most` of them; with none, what gradients forecast."""
        free = self.texts.free
        if not most:
            pool = pool[: free // 2]
            effects = self._effects(pool)
            return [Single(candidate, effect, candidate.meaning) for candidate, effect in zip(pool, effects)]
        if self.limits.long:
            pool = pool[: free // 3]
            effects = [candidate.forecast for candidate in pool]
            return [Single(*row) for row in zip(pool, effects, self._evidence_of(pool))]
        pool = pool[: free // 2]
        most = min(most, (free - len(pool)) // 2)
        order = sorted(zip(pool, self._effects(pool)), key=lambda row: row[0].meaning + row[1], reverse=True)[:most]
        evidence = self._evidence_of([candidate for candidate, _ in order])
        return [Single(candidate, effect, weight) for (candidate, effect), weight in zip(order, evidence)]

    def _effects(self, pool: Sequence[Candidate]) -> list[float]:
        """Return the effects of single edits on the margin."""
        return (self.texts.margins([(candidate.edit,) for candidate in pool]) - self.before).tolist()

    def _evidence_of(self, pool: Sequence[Candidate]) -> list[float]:
        """Return the evidence of single edits."""
        keys = [key for candidate in pool for key in _words_of(candidate.edit)]
        flat = self.texts.by_itself(keys).reshape(-1, 2)
        return (flat[:, 0] - flat[:, 1]).tolist()

    def _flipping(self) -> list[Outcome]:
        """Return minimal sets that flip, of the fewest edits that do."""
        limit = self.limits.margin
        hopeful = [single for single in self.singles if self.before + single.effect >= limit]
        hopeful.sort(key=lambda single: 0.5 * single.fluency + single.evidence, reverse=True)
        flipped = [edits for edits in self._affordable([single.edits for single in hopeful]) if self.flips(edits)]
        if flipped:
            return [self._outcome(edits, True) for edits in flipped[:FINALISTS]]
        for size in range(2, 4):
            sets = self._sets(
                size, lambda part: sum(s.effect + 0.25 * s.fluency + 0.25 * s.evidence for s in part), limit
            )
            if outcomes := self._minimal(sets, self.flips):
                return outcomes
        for share in (0.5, 4.0):  # by effects on this text first, which do not add up; then by what words say
            order = sorted(self.singles, key=lambda single: -single.effect - share * single.evidence)
            if outcomes := self._large(self.flips, order, self.limits.most_edits):
                return outcomes
        return []

    def _climbed(self, made: Candidates) -> list[Outcome]:
        """Return a set that is made edit by edit, each time the one after which the margin is highest.

        The gradient is taken anew after each edit: where a text says the same twice, it is flat until one of them goes.
        """
        edits: Edits = ()
        while len(edits) < self.limits.most_edits and self.texts.free > CLIMBED + 2:
            further = made.after(edits, CLIMBED, CLIMB)
            self._single_of |= {(c.edit,): Single(c, c.forecast, c.meaning) for c in further}
            sets = self._affordable([_in_order((*edits, candidate.edit)) for candidate in further])
            if not sets:
                break
            edits = sets[int(self.texts.margins(sets).argmax())]
            if self.flips(edits):
                return [self._pruned(edits, self.flips)]
        return []

    def _robust(self) -> list[Outcome]:
        """Return minimal robust sets, of the fewest edits that are."""
        order = sorted(self.singles, key=lambda s: -s.evidence - 0.5 * s.fluency)
        for size in range(1, min(3, self.limits.robust_edits) + 1):
            sets = self._sets(
                size,
                lambda part: sum(s.evidence + 0.5 * s.fluency + 0.25 * s.effect for s in part),
                self.limits.margin,
                self._evidence_wanted,
            )
            if outcomes := self._minimal(sets, self.is_robust):
                return outcomes
        return self._large(self.is_robust, order, self.limits.robust_edits)

    def _sets(
        self, size: int, worth: Callable[[Sequence[Single]], float], margin: float, evidence: float = -np.inf
    ) -> list[Edits]:
        """Return the most worthy sets of a size; a margin that their effects add up short of counts against."""
        pool = sorted(self.singles, key=lambda single: -worth([single]))[: 36 if size < 3 else 20]
        ranked = []
        for part in combinations(pool, size):
            if len({single.candidate.place for single in part}) < size:
                continue
            if sum(single.evidence for single in part) < evidence:
                continue
            short = max(0.0, margin - self.before - sum(single.effect for single in part))
            ranked.append((worth(part) - short, part))
        ranked.sort(key=lambda row: -row[0])
        return [_in_order(single.candidate.edit for single in part) for _, part in ranked[:RUN_AT_ONCE]]

    def _minimal(self, sets: Sequence[Edits], accepts: Accepts) -> list[Outcome]:
        """Run sets, and return what is left of the accepted ones when needless edits are dropped."""
        if not (sets := self._affordable(sets)):
            return []
        self.texts.margins(sets)
        accepted = [edits for edits in sets if accepts(edits)][:FINALISTS]
        outcomes = [self._pruned(edits, accepts) for edits in accepted]
        return list({outcome.edits: outcome for outcome in outcomes}.values())

    def _large(self, accepts: Accepts, order: Sequence[Single], most: int) -> list[Outcome]:
        """Return the smallest accepted set of the best edits, a place each, pruned; of four edits or more."""
        best: dict[int, Single] = {}
        for single in order:
            best.setdefault(single.candidate.place, single)
        chain = [single for single in best.values() if single.evidence > 0 or single.effect > 0]
        sizes = [size for size in LARGE if size <= min(most, len(chain))] or []
        if len(chain) > 3 and min(most, len(chain)) not in sizes and most > 3:
            sizes.append(min(most, len(chain)))
        for size in sizes:
            edits = _in_order(single.candidate.edit for single in chain[:size])
            if not self._affordable([edits]):
                return []
            if accepts(edits):
                return [self._pruned(edits, accepts)]
        return []

    def _pruned(self, edits: Edits, accepts: Accepts) -> Outcome:
        """Return the smallest accepted part of a set: of all its parts up to five edits, above by one at a time."""
        while len(edits) > CERTIFIED:
            parts = [edits[:number] + edits[number + 1 :] for number in range(len(edits))]
            if self.texts.free < self._fresh(parts):
                return self._outcome(edits, False, untried=True)
            margins = self.texts.margins(parts)
            kept = [number for number in np.argsort(-margins) if accepts(parts[number])]
            if not kept:
                return self._outcome(edits, False)
            edits = parts[int(kept[0])]
        smaller = [part for size in range(1, len(edits)) for part in combinations(edits, size)]
        if self.texts.free < self._fresh(smaller):
            return self._outcome(edits, False, untried=True)
        if smaller:
            self.texts.margins(smaller)
        return self._outcome(next((part for part in smaller if accepts(part)), edits), True)

    def _affordable(self, sets: Sequence[Edits]) -> list[Edits]:
        """Return the sets that the budget has room for, each with the evidence of its words; in order."""
        free, affordable = self.texts.free, []
        paid: set[tuple[int, str]] = set()  # words whose evidence is counted already
        for edits in sets:
            words = {word for edit in edits for word in _words_of(edit)} - paid
            passes = self._fresh([edits]) + sum(not self.texts.read(word) for word in words)
            if passes <= free:
                free -= passes
                paid |= words
                affordable.append(edits)
        return affordable

    def _fresh(self, sets: Sequence[Edits]) -> int:
        """Return how many sets were not run before: the passes that their margins take."""
        return sum(not self.texts.known(edits) for edits in sets)

    def _outcome(self, edits: Edits, certified: bool, *, untried: bool = False) -> Outcome:
        fluency = sum(self._single_of[(edit,)].fluency for edit in edits)
        return Outcome(edits, certified, self.evidence(edits), fluency, untried)


def _words_of(edit: TextEdit) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return the new and the old word of an edit, each with the number of its text; a full stop for no word."""
    return (edit.segment, edit.after.lower() or "."), (edit.segment, edit.before.lower() or ".")


def _in_order(edits: Iterable) -> Edits:
    return tuple(sorted(edits, key=lambda edit: (edit.segment, edit.span)))

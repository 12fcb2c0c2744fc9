"""Key phrases: neighbouring words that act together, ranked by the effect of removing them.

    D(P) = F(text) - F(text without P)                      effect of a phrase
    I(a, b) = D(ab) - D(a) - D(b)                           interaction of two neighbours

Bottom-up: neighbours merge when |I(a, b)| is at least a quarter of the larger of |D(a)| and |D(b)|; the merged phrase
replaces its parts and may merge again. No phrase crosses punctuation or has more than six words. At most 4 W + 8
sequences for W words, counted here. In a long text only the sentences whose removal moves the target most are searched.
The source of the quarter: docs/decisions/0007-a-quarter.md.

Borders: no phrase ends with a function word that another word follows ("stars for" waits for "families"). A function
word that merged with nothing goes with the phrase after it ("in Paris"). See `explain.text.function_words`.

A phrase below a tenth of the largest effect is not listed.

A part that was removed on the way is listed below its phrase if its effect is half again as large, and not negligible:

    |D(part)| >= 1.5 |D(P)|  and  |D(part)| >= 0.1 max |D|, over all that was removed; signs play no part

So "bad" is listed below "but it is so bad as", whose words work against each other. Where they cancel out, and the
phrase falls below the tenth, "bad" is listed in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from explain.core.settings import check_settings, setting
from explain.datatypes import Phrase, Tokens
from explain.text.function_words import LEADING_WORDS
from explain.text.units import units_of
from explain.text.words import is_punctuation

NOTHING = 1e-6  # a smaller effect may be rounding, so such phrases are not listed
OUTWEIGHS = 1.5  # times the phrase's effect, from which on a part of it is listed too
TRIFLE = 0.1  # of the largest effect, below which no part is listed

Range = tuple[int, int]  # half-open, of word indices


@dataclass(frozen=True)
class Effect:
    """The target's value and the decision for a variant of the text (equal numbers, equal decisions)."""

    output: float
    decision: int


@dataclass(frozen=True, kw_only=True)
class PhraseSettings:
    """The settings of the search for key phrases."""

    operator: str = setting(
        "auto",
        choices=("auto", "mask", "delete", "attention_off", "zero", "unk"),
        help="How words are removed, as for occlusion.",
    )
    threshold: float = setting(
        0.25,
        low=0.0,
        high=2.0,
        help="Neighbours merge if their interaction is at least this share of the larger one's effect.",
    )
    longest: int = setting(6, low=1, high=12, help="The largest number of words in a phrase.")
    function_words: bool = setting(
        True,
        help="No phrase ends with an English article, preposition, conjunction or auxiliary verb; each goes with the "
        "words after it.",
    )
    top: int = setting(8, low=1, high=30, help="The number of phrases listed.")
    least_share: float = setting(
        0.1, low=0.0, high=1.0, help="The smallest effect listed, as a share of the largest. 0 lists all."
    )
    parts: bool = setting(True, help="Below a phrase, list the part of it that moves the target more, by half or over.")
    most_words: int = setting(
        90,
        low=10,
        high=1000,
        help="The largest number of words searched. In a longer text only the most important sentences are.",
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Variants:
    """Phrases to remove from the text, and phrases to keep alone; an empty range stands for the whole text."""

    without: tuple[Range, ...] = ()
    only: tuple[Range, ...] = ()


Measure = Callable[[Variants], tuple[Sequence[Effect], Sequence[Effect]]]


def budget(words: int, settings: PhraseSettings) -> int:
    """Return the most sequences that a search among so many words takes."""
    return 4 * words + settings.top


def find_phrases(
    tokens: Tokens,
    measure: Measure,
    settings: PhraseSettings,
    removable: Callable[[int], bool] = lambda word: True,
    *,
    direction: int = 0,
    empty_differs: bool = False,
) -> tuple[Phrase, ...]:
    """Find and rank the key phrases of a text.

    Args:
        measure: runs variants; returns the effects of `without` and of `only`, in order. `without=((0, 0),)` is the
            whole text.
        removable: whether a word may be removed (words that the target is read from may not).
        direction: 1 if a positive score speaks for the decision, -1 if against it, 0 if neither, or if nothing is
            decided: then no phrase is sufficient or necessary.
        empty_differs: whether the text without any words has another decision; else no phrase is sufficient for it.

    Returns:
        At most `settings.top` phrases, each followed by its parts that outweigh it; the largest effect of a phrase or
        a part of it first. None is smaller than `settings.least_share` of the largest.
    """
    words = tokens.word_units()
    usable = [
        number
        for number in range(len(words))
        if removable(number) and not is_punctuation(tokens.unit_text(words[number]))
    ]
    if not usable:
        return ()
    search = _Search(tokens, words, _Counter(measure, budget(len(words), settings)), settings)
    if len(usable) > settings.most_words:
        usable = search.most_important(usable)
    ranked = search.ranked(search.merged(usable))
    listed = [(words, whole if words != whole else None) for whole, parts in ranked for words in (whole, *parts)]
    sufficient = search.sufficient([whole for whole, _ in ranked], direction) if empty_differs else {}
    return tuple(
        search.phrase(phrase, whole, sufficient.get(phrase), search.necessary(phrase, direction), rank)
        for rank, (phrase, whole) in enumerate(listed, 1)
    )


class _Search:
    """The effects of removing phrases, each run once."""

    def __init__(
        self, tokens: Tokens, words: Sequence[tuple[int, ...]], counted: "_Counter", settings: PhraseSettings
    ) -> None:
        self._tokens, self._words, self._counted, self._settings = tokens, words, counted, settings
        self._full = counted.without([(0, 0)])[0]
        self._removed: dict[Range, Effect] = {}

    def effect(self, phrase: Range) -> float:
        """Return D(phrase), see the module's docstring."""
        return self._full.output - self._removed[phrase].output

    def most_important(self, usable: list[int]) -> list[int]:
        """Return the words of the sentences that move the target most, as many as are searched."""
        return _most_important(self._tokens, usable, self._counted, self._full, self._settings.most_words)

    def merged(self, usable: Sequence[int]) -> list[Range]:
        """Merge neighbours until no interaction is large enough, then function words with what follows them."""
        nodes: list[Range] = [(number, number + 1) for number in usable]
        leading = self._leading(nodes) if self._settings.function_words else set()
        self._measure(nodes)
        while True:
            pairs = [pair for pair in pairwise(nodes) if self._may_merge(*pair) and pair[1][1] - 1 not in leading]
            self._measure([(left[0], right[1]) for left, right in pairs])
            merging = _pairs_to_merge(pairs, self.effect, self._settings.threshold)
            if not merging:
                break
            nodes = _merged(nodes, merging)
        nodes = self._led(nodes, leading)
        self._measure(nodes)
        return nodes

    def _measure(self, phrases: Sequence[Range]) -> None:
        unknown = [phrase for phrase in phrases if phrase not in self._removed]
        self._removed.update(zip(unknown, self._counted.without(unknown)))

    def _may_merge(self, left: Range, right: Range) -> bool:
        return right[1] - left[0] <= self._settings.longest and self._touch(left, right)

    def _touch(self, left: Range, right: Range) -> bool:
        """Return whether nothing stands between two phrases: no punctuation, protected word or end of a segment."""
        segment = self._tokens.segment
        return left[1] == right[0] and bool(segment[self._words[left[0]][0]] == segment[self._words[right[0]][0]])

    def _leading(self, nodes: Sequence[Range]) -> set[int]:
        """Return the function words that another word follows: no phrase ends with one of them."""
        return {
            left[0]
            for left, right in pairwise(nodes)
            if self._touch(left, right) and self._tokens.unit_text(self._words[left[0]]).casefold() in LEADING_WORDS
        }

    def _led(self, nodes: Sequence[Range], leading: set[int]) -> list[Range]:
        """Join each function word that is still alone with the phrase after it, while that is not too long."""
        joined: list[Range] = []
        for node in reversed(nodes):
            if joined and node[1] - 1 in leading and self._may_merge(node, joined[-1]):
                joined[-1] = (node[0], joined[-1][1])
            else:
                joined.append(node)
        return joined[::-1]

    def ranked(self, phrases: Sequence[Range]) -> list[tuple[Range, list[Range]]]:
        """Return phrases with their parts that outweigh them, by the largest effect among these.

        A phrase that is too small to be listed gives its place to these parts.
        """
        groups = [(phrase, self._outweighing(phrase) if self._settings.parts else []) for phrase in phrases]
        sizes = {part: abs(self.effect(part)) for phrase, parts in groups for part in (phrase, *parts)}
        least = max(self._settings.least_share * max(sizes.values()), NOTHING)
        if self._settings.least_share:
            small = [group for group in groups if sizes[group[0]] < least]
            groups = [group for group in groups if group not in small]
            groups += [(part, []) for _, parts in small for part in parts if sizes[part] >= least]
        largest = {phrase: max(sizes[part] for part in (phrase, *parts)) for phrase, parts in groups}
        moving = [group for group in groups if largest[group[0]] > NOTHING]
        return sorted(moving, key=lambda group: (-largest[group[0]], group[0]))[: self._settings.top]

    def _outweighing(self, phrase: Range) -> list[Range]:
        """Return disjoint parts of a phrase that outweigh it: the largest effects, of equal ones the shortest."""
        largest = max(abs(self.effect(part)) for part in self._removed)
        least = max(OUTWEIGHS * abs(self.effect(phrase)), TRIFLE * largest, NOTHING)
        inside = [part for part in self._removed if phrase[0] <= part[0] and part[1] <= phrase[1] and part != phrase]
        heavy = [part for part in inside if abs(self.effect(part)) >= least]
        parts: list[Range] = []
        for part in sorted(heavy, key=lambda part: (-abs(self.effect(part)), part[1] - part[0], part)):
            if all(part[1] <= other[0] or other[1] <= part[0] for other in parts):
                parts.append(part)
        return parts

    def sufficient(self, phrases: Sequence[Range], direction: int) -> dict[Range, bool]:
        """Return whether each phrase that speaks for the decision keeps it alone."""
        supporting = [phrase for phrase in phrases if direction * self.effect(phrase) > 0]
        alone = self._counted.only(supporting)
        return {phrase: kept.decision == self._full.decision for phrase, kept in zip(supporting, alone)}

    def necessary(self, phrase: Range, direction: int) -> bool | None:
        """Return whether a phrase speaks for the decision, and the decision changes without it; None: undecided."""
        if not direction:
            return None
        return direction * self.effect(phrase) > 0 and self._removed[phrase].decision != self._full.decision

    def phrase(
        self, phrase: Range, whole: Range | None, sufficient: bool | None, necessary: bool | None, rank: int
    ) -> Phrase:
        """Return an entry of the list."""
        unit = tuple(token for word in self._words[phrase[0] : phrase[1]] for token in word)
        segment, start, stop = self._tokens.unit_span(unit)
        score = self.effect(phrase)
        single = sum(self.effect((word, word + 1)) for word in range(*phrase))
        return Phrase(
            words=phrase,
            segment=segment,
            span=(start, stop),
            text=self._tokens.unit_text(unit),
            score=score,
            interaction=score - single if phrase[1] - phrase[0] > 1 else None,
            sufficient=sufficient,
            necessary=necessary,
            rank=rank,
            part_of=whole,
        )


def _most_important(tokens: Tokens, usable: list[int], counted: "_Counter", full: Effect, most: int) -> list[int]:
    """Return about `most` words: those of the sentences that move the target most."""
    first_word = {unit[0]: number for number, unit in enumerate(tokens.word_units())}
    parts: list[Range] = []
    for unit in units_of(tokens, "sentence"):
        begin = first_word[unit[0]]
        parts.append((begin, begin + sum(token in first_word for token in unit)))
    # Measuring sentences costs passes, so fewer words are searched.
    most = min(most, len(first_word) - -(-len(parts) // 4))
    effects = [abs(full.output - effect.output) for effect in counted.without(parts)]
    searched: set[int] = set()
    for _, part in sorted(zip(effects, parts), key=lambda entry: (-entry[0], entry[1])):
        if len(searched) < most:
            searched.update(range(*part))
    return [word for word in usable if word in searched][:most]


class _Counter:
    """A counter of the sequences spent; passing the budget is a mistake in this file."""

    def __init__(self, measure: Measure, most: int) -> None:
        self._measure = measure
        self._left = most

    def without(self, phrases: Sequence[Range]) -> Sequence[Effect]:
        self._spend(len(phrases))
        return self._measure(Variants(without=tuple(phrases)))[0] if phrases else ()

    def only(self, phrases: Sequence[Range]) -> Sequence[Effect]:
        self._spend(len(phrases))
        return self._measure(Variants(only=tuple(phrases)))[1] if phrases else ()

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise AssertionError("Finding phrases took more sequences than its bound promises.")


def _pairs_to_merge(
    pairs: Sequence[tuple[Range, Range]], effect: Callable[[Range], float], threshold: float
) -> list[tuple[Range, Range]]:
    """Return disjoint pairs over the threshold, the strongest interaction first."""
    strengths = []
    for left, right in pairs:
        interaction = abs(effect((left[0], right[1])) - effect(left) - effect(right))
        larger = max(abs(effect(left)), abs(effect(right)))
        if interaction > 0 and interaction >= threshold * larger:
            strengths.append((interaction, left, right))
    merging: list[tuple[Range, Range]] = []
    taken: set[Range] = set()
    for _, left, right in sorted(strengths, key=lambda entry: (-entry[0], entry[1])):
        if left not in taken and right not in taken:
            merging.append((left, right))
            taken |= {left, right}
    return merging


def _merged(nodes: Sequence[Range], merging: Sequence[tuple[Range, Range]]) -> list[Range]:
    parts = {part for pair in merging for part in pair}
    return sorted([node for node in nodes if node not in parts] + [(left[0], right[1]) for left, right in merging])

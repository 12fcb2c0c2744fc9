"""Key phrases: words that act together, found by removing neighbours together, and ranked by what removing them does.

    D(P) = F(text) - F(text without P)                      effect of a phrase
    I(a, b) = D(ab) - D(a) - D(b)                           interaction of two neighbours

Bottom-up: neighbours merge when |I(a, b)| is at least a quarter of the larger of |D(a)| and |D(b)|; the merged phrase
replaces its parts and may merge again. So "not good" is listed, and "not" is not. No phrase crosses punctuation or
has more than six words. At most 4 W + 8 sequences for W words, counted here. In a long text only the sentences
whose removal moves the target most are searched. Where the quarter comes from: docs/decisions/0007-a-quarter.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from explain.datatypes import Phrase, Tokens
from explain.knobs import check_knobs, knob
from explain.text.units import units_of
from explain.text.words import is_punctuation

NOTHING = 1e-6  # an effect of rounding; such phrases are not listed

Range = tuple[int, int]  # half-open, of word indices


@dataclass(frozen=True)
class Effect:
    """What one variant of the text gave: the target's value, and what was decided (equal numbers, equal decisions)."""

    value: float
    decision: int


@dataclass(frozen=True, kw_only=True)
class PhraseSettings:
    """How phrases are found."""

    operator: str = knob(
        "auto",
        choices=("auto", "mask", "delete", "attention_off", "zero", "unk"),
        help="What removing means, as for occlusion.",
    )
    threshold: float = knob(
        0.25, low=0.0, high=2.0, help="Neighbours merge when their interaction is this part of the larger one's effect."
    )
    longest: int = knob(6, low=1, high=12, help="Most words in a phrase.")
    top: int = knob(8, low=1, high=30, help="How many phrases are listed.")
    most_words: int = knob(
        90, low=10, high=1000, help="In a longer text, only its most important sentences are searched, so many words."
    )

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True)
class Variants:
    """Phrases to remove from the text, and phrases to keep alone; an empty pair asks for the text as it is."""

    without: tuple[Range, ...] = ()
    only: tuple[Range, ...] = ()


Measure = Callable[[Variants], tuple[Sequence[Effect], Sequence[Effect]]]


def budget(words: int, settings: PhraseSettings) -> int:
    """Most sequences that finding phrases among so many words takes."""
    return 4 * words + settings.top


def find_phrases(
    tokens: Tokens,
    measure: Measure,
    settings: PhraseSettings,
    removable: Callable[[int], bool] = lambda word: True,
    *,
    decides: bool = True,
) -> tuple[Phrase, ...]:
    """Find and rank the key phrases of a text.

    Args:
        measure: runs variants; gives the effects of `without` and of `only`, in order. `without=((0, 0),)` is the
            whole text.
        removable: whether a word may be taken out (not where the target is read).
        decides: whether the model decides anything; else phrases are neither sufficient nor necessary, but None.

    Returns:
        At most `settings.top` phrases, largest effect first.
    """
    words = tokens.word_units()
    usable = [
        number
        for number in range(len(words))
        if removable(number) and not is_punctuation(tokens.unit_text(words[number]))
    ]
    if not usable:
        return ()
    counted = _Counter(measure, budget(len(words), settings))
    full = counted.without([(0, 0)])[0]
    if len(usable) > settings.most_words:
        usable = _most_important(tokens, usable, counted, full, settings.most_words)
    nodes: list[Range] = [(number, number + 1) for number in usable]
    removed = dict(zip(nodes, counted.without(nodes)))

    def effect(phrase: Range) -> float:
        return full.value - removed[phrase].value

    while True:
        pairs = [pair for pair in pairwise(nodes) if _may_merge(tokens, words, *pair, settings.longest)]
        unknown = [(left[0], right[1]) for left, right in pairs if (left[0], right[1]) not in removed]
        removed.update(zip(unknown, counted.without(unknown)))
        merging = _pairs_to_merge(pairs, effect, settings.threshold)
        if not merging:
            break
        nodes = _merged(nodes, merging)

    ranked = sorted(
        (node for node in nodes if abs(effect(node)) > NOTHING), key=lambda node: (-abs(effect(node)), node)
    )
    ranked = ranked[: settings.top]
    alone = counted.only(ranked)
    single = {number: effect((number, number + 1)) for number in usable}
    return tuple(
        _phrase(
            tokens,
            words,
            phrase,
            effect(phrase),
            single,
            sufficient=kept.decision == full.decision if decides else None,
            necessary=removed[phrase].decision != full.decision if decides else None,
            rank=rank,
        )
        for rank, (phrase, kept) in enumerate(zip(ranked, alone), 1)
    )


def _most_important(tokens: Tokens, usable: list[int], counted: "_Counter", full: Effect, most: int) -> list[int]:
    """About `most` words: those of the sentences that move the target most."""
    first_word = {unit[0]: number for number, unit in enumerate(tokens.word_units())}
    parts: list[Range] = []
    for unit in units_of(tokens, "sentence"):
        begin = first_word[unit[0]]
        parts.append((begin, begin + sum(token in first_word for token in unit)))
    most = min(most, len(first_word) - -(-len(parts) // 4))  # weighing sentences is paid for by searching fewer words
    effects = [abs(full.value - one.value) for one in counted.without(parts)]
    chosen: set[int] = set()
    for _, part in sorted(zip(effects, parts), key=lambda entry: (-entry[0], entry[1])):
        if len(chosen) < most:
            chosen.update(range(*part))
    return [word for word in usable if word in chosen][:most]


class _Counter:
    """Counts the sequences spent; going over the budget is a mistake in this file."""

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


def _may_merge(tokens: Tokens, words: Sequence[tuple[int, ...]], left: Range, right: Range, longest: int) -> bool:
    if left[1] != right[0] or right[1] - left[0] > longest:  # a word between them is punctuation, or stays
        return False
    return tokens.segment[words[left[0]][0]] == tokens.segment[words[right[0]][0]]


def _pairs_to_merge(
    pairs: Sequence[tuple[Range, Range]], effect: Callable[[Range], float], threshold: float
) -> list[tuple[Range, Range]]:
    """Pairs over the threshold, the strongest interaction first, none sharing a part with another."""
    strengths = []
    for left, right in pairs:
        interaction = abs(effect((left[0], right[1])) - effect(left) - effect(right))
        larger = max(abs(effect(left)), abs(effect(right)))
        if interaction > 0 and interaction >= threshold * larger:
            strengths.append((interaction, left, right))
    chosen: list[tuple[Range, Range]] = []
    taken: set[Range] = set()
    for _, left, right in sorted(strengths, key=lambda entry: (-entry[0], entry[1])):
        if left not in taken and right not in taken:
            chosen.append((left, right))
            taken |= {left, right}
    return chosen


def _merged(nodes: Sequence[Range], merging: Sequence[tuple[Range, Range]]) -> list[Range]:
    gone = {part for pair in merging for part in pair}
    return sorted([node for node in nodes if node not in gone] + [(left[0], right[1]) for left, right in merging])


def _phrase(
    tokens: Tokens,
    words: Sequence[tuple[int, ...]],
    phrase: Range,
    score: float,
    single: dict[int, float],
    *,
    sufficient: bool | None,
    necessary: bool | None,
    rank: int,
) -> Phrase:
    unit = tuple(token for word in words[phrase[0] : phrase[1]] for token in word)
    segment, start, stop = tokens.unit_span(unit)
    interaction = None
    if phrase[1] - phrase[0] > 1:
        interaction = score - sum(single[word] for word in range(*phrase))
    return Phrase(
        phrase, segment, (start, stop), tokens.unit_text(unit), score, interaction, sufficient, necessary, rank
    )

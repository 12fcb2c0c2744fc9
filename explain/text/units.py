"""Parts of a text as sets of tokens: tokens, words, phrases, sentences, sliding windows of words.

A phrase here is the text between punctuation marks inside a sentence, with the marks that end it. It follows from the
text alone, unlike the key phrases of `explain.text.phrases`, which follow from a model's outputs.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Union

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError, TextError
from explain.datatypes import Attribution, Tokens
from explain.text.sentences import sentence_spans
from explain.text.words import is_punctuation

LONGEST_SENTENCE = 60  # words

Units = tuple[tuple[int, ...], ...]
Tree = tuple[Union[int, "Tree"], ...]  # numbers of units, in groups of groups


def units_of(tokens: Tokens, granularity: str, window: int = 3) -> Units:
    """Return the parts of a text, special tokens left out.

    Args:
        granularity: "token", "word", "phrase", "sentence" or "window".
        window: words in a sliding window; a text of fewer words is one window.

    Raises:
        ValueError: another granularity.
    """
    if granularity == "token":
        return tuple((int(token),) for token in tokens.ordinary)
    words = tokens.word_units()
    if granularity == "word":
        return words
    if granularity == "phrase":
        return tuple(_phrases(tokens, words))
    if granularity == "sentence":
        return _sentences(tokens, words)
    if granularity == "window":
        return _windows(tokens, words, window)
    raise ValueError(f"There are no units of granularity {granularity!r}.")


def few_units(tokens: Tokens, most: int) -> tuple[str, Units]:
    """Return the granularity and the units: the finest of words, phrases and sentences with at most `most` units.

    If there are more sentences, neighbors of a text are joined until there are not (two texts keep a unit each).
    """
    for granularity in ("word", "phrase", "sentence"):
        units = units_of(tokens, granularity)
        if len(units) <= most:
            return granularity, units
    texts = [list(of_text) for _, of_text in groupby(units, key=lambda unit: tokens.segment[unit[0]])]
    joined = []
    for of_text in texts:
        count = max(1, most * len(of_text) // len(units))
        cuts = [round(number * len(of_text) / count) for number in range(count + 1)]
        joined += [sum(of_text[start:stop], ()) for start, stop in pairwise(cuts)]
    return "sentence", tuple(joined)


def word_start(tokens: Tokens, word: str) -> int:
    """Return the first piece of a word, named by its text or by its number, from 0.

    Raises:
        TextError: there is no such word, or there are several.
    """
    texts = [tokens.unit_text(unit) for unit in tokens.word_units()]
    if word.isdecimal() and word not in texts:
        matches = [int(word)] if len(word) < 10 and int(word) < len(texts) else []
    else:
        matches = [number for number, text in enumerate(texts) if text == word]
        matches = matches or [number for number, text in enumerate(texts) if text.casefold() == word.casefold()]
    if len(matches) > 1:
        raise TextError(f"{word!r} stands there {len(matches)} times; give its number: {', '.join(map(str, matches))}.")
    if not matches:
        raise TextError(
            f"There is no word {word[:60]!r}. Give one as it is written, or a number, 0 to {len(texts) - 1}."
        )
    return int(tokens.heads[matches[0]])


def unit_named(tokens: Tokens, word: str) -> tuple[int, ...]:
    """Return the tokens of a word, see `word_start`, or the first special token of that name ("[CLS]").

    Raises:
        TextError: there is no such word, or there are several.
    """
    special = [int(place) for place in np.flatnonzero(tokens.special) if tokens.pieces[place] == word]
    return tuple(special[:1]) or tokens.word_around(word_start(tokens, word))


def hierarchy(tokens: Tokens, units: Sequence[Sequence[int]]) -> Tree:
    """Return units by word, phrase and sentence, as numbers in nested tuples; a group of a single unit is left out.

    The words of "Slow, but good! See it." give (((0, 1), (2, 3, 4)), (5, 6, 7)).
    """
    owners = [
        {token: number for number, group in enumerate(units_of(tokens, level)) for token in group}
        for level in ("sentence", "phrase", "word")
    ]
    return _nested([(number, tuple(owner.get(unit[0], -1) for owner in owners)) for number, unit in enumerate(units)])


def _nested(members: Sequence[tuple[int, tuple[int, ...]]]) -> Tree:
    """Nest numbers by their groups, from the outermost group on."""
    groups = [list(group) for _, group in groupby(members, key=lambda member: member[1][:1])]
    if len(groups) > 1:
        return tuple(
            group[0][0] if len(group) == 1 else _nested([(number, path[1:]) for number, path in group])
            for group in groups
        )
    if not members or not members[0][1]:
        return tuple(number for number, _ in members)
    return _nested([(number, path[1:]) for number, path in members])


def _phrases(tokens: Tokens, words: Units) -> list[tuple[int, ...]]:
    """Return sentences cut after punctuation marks; opening marks belong to the phrase they open."""
    word_at = {word[0]: word for word in words}
    phrases: list[tuple[int, ...]] = []
    for sentence in _sentences(tokens, words):
        run: tuple[int, ...] = ()
        holds_word = ends = False
        for word in (word_at[token] for token in sentence if token in word_at):
            mark = is_punctuation(tokens.unit_text(word))
            if ends and not mark:
                phrases.append(run)
                run, holds_word = (), False
            run += word
            holds_word |= not mark
            ends = mark and holds_word
        phrases.append(run)
    return phrases


def _sentences(tokens: Tokens, words: Units) -> Units:
    """Group words by the sentence they begin in; a sentence of more than sixty words is cut up."""
    groups: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    read = [text[:cut] for text, cut in zip(tokens.texts, tokens.truncated_at)]
    stops = [np.array([stop for _, stop in sentence_spans(text)]) for text in read]
    for word in words:
        segment, start, _ = tokens.unit_span(word)
        sentence = int(np.searchsorted(stops[segment], start, side="right"))
        groups.setdefault((segment, sentence), []).append(word)
    runs = [run for group in groups.values() for run in _runs(group)]
    return tuple(tuple(token for word in run for token in word) for run in runs)


def _runs(words: list[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Return the words of a sentence, cut into runs of about thirty if it is too long."""
    if len(words) <= LONGEST_SENTENCE:
        return [words]
    count = -(-len(words) // (LONGEST_SENTENCE // 2))
    cuts = [round(number * len(words) / count) for number in range(count + 1)]
    return [words[start:stop] for start, stop in pairwise(cuts)]


def _windows(tokens: Tokens, words: Units, width: int) -> Units:
    """Return runs of `width` words, each a word further, within each text."""
    windows: list[tuple[int, ...]] = []
    for number in range(len(tokens.texts)):
        mine = [word for word in words if tokens.segment[word[0]] == number]
        for start in range(max(1, len(mine) - width + 1) if mine else 0):
            windows.append(tuple(token for word in mine[start : start + width] for token in word))
    return tuple(windows)


def scores_of(attribution: Attribution, units: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """Return scores (U,) for other units of the same text, so that methods can be compared.

    Token scores are summed if the method's are additive. Otherwise a unit takes the score of largest size among those
    that touch it: a word has the score of its phrase or sentence. Units without a score have zero.

    Raises:
        MetricError: the attribution's own units overlap.
    """
    if attribution.granularity == "window":
        raise MetricError("Windows overlap, so their scores put words in no order. Use words or sentences.")
    adds = attribution.granularity == "token" and attribution.additive
    owner = {token: number for number, unit in enumerate(attribution.units) for token in unit}
    unit_scores = np.zeros(len(units))
    for number, unit in enumerate(units):
        scores = attribution.scores[sorted({owner[token] for token in unit if token in owner})]
        if len(scores):
            unit_scores[number] = scores.sum() if adds else scores[np.abs(scores).argmax()]
    return unit_scores

"""Parts of a text as sets of tokens: tokens, words, sentences, sliding windows of words."""

from itertools import pairwise

import numpy as np

from explain.datatypes import Tokens
from explain.text.sentences import sentence_spans

LONGEST_SENTENCE = 60  # words

Units = tuple[tuple[int, ...], ...]


def units_of(tokens: Tokens, granularity: str, window: int = 3) -> Units:
    """The parts of a text, special tokens left out.

    Args:
        granularity: "token", "word", "sentence" or "window".
        window: words in a sliding window; a text of fewer words is one window.

    Raises:
        ValueError: another granularity.
    """
    if granularity == "token":
        return tuple((int(token),) for token in tokens.ordinary)
    words = tokens.word_units()
    if granularity == "word":
        return words
    if granularity == "sentence":
        return _sentences(tokens, words)
    if granularity == "window":
        return _windows(tokens, words, window)
    raise ValueError(f"There are no units of granularity {granularity!r}.")


def _sentences(tokens: Tokens, words: Units) -> Units:
    """Words by sentence; a word belongs to the sentence it begins in. Sixty words without a stop are cut up."""
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
    """One sentence, or runs of about thirty words of what has no end."""
    if len(words) <= LONGEST_SENTENCE:
        return [words]
    count = -(-len(words) // (LONGEST_SENTENCE // 2))
    cuts = [round(number * len(words) / count) for number in range(count + 1)]
    return [words[start:stop] for start, stop in pairwise(cuts)]


def _windows(tokens: Tokens, words: Units, width: int) -> Units:
    """Runs of `width` words, each beginning one word further; none crosses from one text into the other."""
    found: list[tuple[int, ...]] = []
    for number in range(len(tokens.texts)):
        mine = [word for word in words if tokens.segment[word[0]] == number]
        for start in range(max(1, len(mine) - width + 1) if mine else 0):
            found.append(tuple(token for word in mine[start : start + width] for token in word))
    return tuple(found)

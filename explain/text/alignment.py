"""Words of two texts, or of one text cut in two ways, as rows: each holds a word of A, a word of B, or both."""

from collections.abc import Sequence

import numpy as np

from explain.datatypes import AlignedWords, Tokens
from explain.text.subsequence import common_subsequence

LONGEST_REPLACEMENT = 3  # words; of longer stretches nobody can say which word stands for which

Span = tuple[int, int]
Rows = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def align(words_a: Sequence[str], words_b: Sequence[str]) -> tuple[tuple[int | None, int | None], ...]:
    """Return rows of word numbers of two texts, None where a text has no word in a row.

    Words are paired that are equal but for case, as many as possible in order. Between these, up to three words of A
    are paired with as many words of B, one by one: they are replaced. All others have a row of their own, those of A
    first. A word that was moved has a row at each of its places.

    >>> align(["A", "good", "film"], ["a", "bad", "film", "!"])
    ((0, 0), (1, 1), (2, 2), (None, 3))
    """
    codes: dict[str, int] = {}
    coded = [np.array([codes.setdefault(word.casefold(), len(codes)) for word in side]) for side in (words_a, words_b)]
    rows: list[tuple[int | None, int | None]] = []
    at_a = at_b = 0
    for next_a, next_b in [*common_subsequence(*coded).tolist(), (len(words_a), len(words_b))]:
        gap_a, gap_b = range(at_a, next_a), range(at_b, next_b)
        if len(gap_a) == len(gap_b) <= LONGEST_REPLACEMENT:
            rows += zip(gap_a, gap_b)
        else:
            rows += [(number, None) for number in gap_a]
            rows += [(None, number) for number in gap_b]
        rows.append((next_a, next_b))
        at_a, at_b = next_a + 1, next_b + 1
    return tuple(rows[:-1])


def overlapping(spans_a: Sequence[Span], spans_b: Sequence[Span]) -> Rows:
    """Return rows of numbers of spans of one text, cut in two ways: spans that share a character are in one row.

    Args:
        spans_a, spans_b: half-open character ranges, each in reading order and apart from each other.

    >>> overlapping([(0, 3), (4, 9)], [(0, 3), (4, 6), (6, 9)])
    (((0,), (0,)), ((1,), (1, 2)))
    """
    rows: list[tuple[list[int], list[int]]] = []
    ends = [-1, -1]  # of the last row's spans, in A and in B
    sides = [(span, side, number) for side, spans in enumerate((spans_a, spans_b)) for number, span in enumerate(spans)]
    for (start, stop), side, number in sorted(sides):
        if start >= max(ends) or not rows:
            rows.append(([], []))
            ends = [-1, -1]
        rows[-1][side].append(number)
        ends[side] = max(ends[side], stop)
    return tuple((tuple(row_a), tuple(row_b)) for row_a, row_b in rows)


def align_tokens(tokens_a: Tokens, tokens_b: Tokens) -> tuple[AlignedWords, ...]:
    """Return the words of two encodings as rows: by characters where their texts are the same, else by words.

    Of two texts that are read together, each is aligned with its counterpart.
    """
    rows: list[AlignedWords] = []
    units_a, units_b = tokens_a.word_units(), tokens_b.word_units()
    for number in range(max(len(tokens_a.texts), len(tokens_b.texts))):
        words_a, words_b = _words_of(tokens_a, number), _words_of(tokens_b, number)
        of_a, of_b = [units_a[word] for word in words_a], [units_b[word] for word in words_b]
        if tokens_a.texts[number : number + 1] == tokens_b.texts[number : number + 1]:
            numbers = _by_characters(_spans(tokens_a, of_a), _spans(tokens_b, of_b))
        else:
            pairs = align([*map(tokens_a.unit_text, of_a)], [*map(tokens_b.unit_text, of_b)])
            numbers = tuple((_numbers(number_a), _numbers(number_b)) for number_a, number_b in pairs)
        for row_a, row_b in numbers:
            text_a = _text(tokens_a, [of_a[place] for place in row_a])
            text_b = _text(tokens_b, [of_b[place] for place in row_b])
            numbers_a, numbers_b = (words_a[place] for place in row_a), (words_b[place] for place in row_b)
            rows.append(AlignedWords(tuple(numbers_a), tuple(numbers_b), text_a, text_b, number))
    return tuple(rows)


def _by_characters(spans_a: list[Span], spans_b: list[Span]) -> Rows:
    if spans_a == spans_b:  # one tokenizer, or two that cut alike
        return tuple(((number,), (number,)) for number in range(len(spans_a)))
    return overlapping(spans_a, spans_b)


def _numbers(number: int | None) -> tuple[int, ...]:
    return () if number is None else (number,)


def _text(tokens: Tokens, units: Sequence[Sequence[int]]) -> str | None:
    """Return the text from the first to the last of some words; None where there are none."""
    return tokens.unit_text([token for unit in units for token in unit]) if units else None


def _words_of(tokens: Tokens, segment: int) -> list[int]:
    """Return the numbers of a text's words."""
    return np.flatnonzero(tokens.segment[tokens.words[:, 0]] == segment).tolist() if len(tokens.words) else []


def _spans(tokens: Tokens, units: Sequence[Sequence[int]]) -> list[Span]:
    return [tokens.unit_span(unit)[1:] for unit in units]

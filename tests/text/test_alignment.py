"""Words of two texts as rows: after any edit, what was left untouched stands in one row."""

import doctest
import functools
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.testing import TOY_MODELS
from explain.text import alignment, subsequence
from explain.text.alignment import LONGEST_REPLACEMENT, align, align_tokens, overlapping
from explain.text.subsequence import common_subsequence

FEW = st.lists(st.integers(0, 3), max_size=9)  # few different words, so that they are repeated
WORDS = st.lists(st.sampled_from(["a", "b", "the", "The", "film", ",", "Straße", "STRASSE"]), max_size=12)
EDITS = st.sampled_from(["insert", "delete", "replace", "move", "repeat"])


@functools.cache
def best(a: tuple[int, ...], b: tuple[int, ...], beside: bool) -> tuple[int, int]:
    """The most pairs of two sequences, and the most neighboring pairs among these, by trying everything."""
    if not a or not b:
        return 0, 0
    options = [best(a[1:], b, False), best(a, b[1:], False)]
    if a[0] == b[0]:
        pairs, neighbors = best(a[1:], b[1:], True)
        options.append((pairs + 1, neighbors + beside))
    return max(options)


@given(FEW, FEW)
def test_a_subsequence_is_longest_and_its_pairs_are_together(a: list[int], b: list[int]) -> None:
    pairs = common_subsequence(np.array(a, dtype=np.int64), np.array(b, dtype=np.int64)).tolist()
    assert all(a[left] == b[right] for left, right in pairs)
    assert all(left < more and right < further for (left, right), (more, further) in pairwise(pairs))
    neighbors = sum(two == [one[0] + 1, one[1] + 1] for one, two in pairwise(pairs))
    assert (len(pairs), neighbors) == best(tuple(a), tuple(b), False)


def test_a_very_long_pair_is_aligned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsequence, "MOST_CELLS", 10)
    assert align(list("abcde"), list("acdef")) == ((0, 0), (1, None), (2, 1), (3, 2), (4, 3), (None, 4))


def check_rows(words_a: list[str], words_b: list[str]) -> int:
    """Every word is in one row, in order; returns the number of words that both have."""
    rows = align(words_a, words_b)
    assert [a for a, _ in rows if a is not None] == list(range(len(words_a)))
    assert [b for _, b in rows if b is not None] == list(range(len(words_b)))
    assert (None, None) not in rows
    both = [(words_a[a], words_b[b]) for a, b in rows if a is not None and b is not None]
    return sum(one.casefold() == other.casefold() for one, other in both)


@given(WORDS, WORDS)
def test_rows_hold_every_word_once(words_a: list[str], words_b: list[str]) -> None:
    same = check_rows(words_a, words_b)
    assert same == check_rows(words_b, words_a)
    assert check_rows(words_a, words_a) == len(words_a)


@given(WORDS, st.lists(st.tuples(st.integers(0, 11), EDITS)))
def test_untouched_words_stay_together_after_any_edits(words: list[str], edits: list[tuple[int, str]]) -> None:
    edited = [(number, word) for number, word in enumerate(words)]
    untouched = set(range(len(words)))
    for place, edit in edits:
        at = place % (len(edited) + 1)
        if edit == "insert":
            edited.insert(at, (-1, "new"))
        elif at < len(edited):
            number, word = edited[at]
            if edit == "repeat":
                edited.insert(at, (-1, word))
                continue
            untouched.discard(number)
            if edit == "replace":
                edited[at] = (-1, "other")
            else:
                edited.pop(at)
            if edit == "move":
                edited.insert((at * 7 + 3) % (len(edited) + 1), (-1, word))
    same = check_rows(words, [word for _, word in edited])
    assert same >= len(untouched)
    assert same <= (Counter(map(str.casefold, words)) & Counter(word.casefold() for _, word in edited)).total()


@pytest.mark.parametrize(
    ("a", "b", "rows"),
    [
        ("so good", "not so good", [(None, 0), (0, 1), (1, 2)]),
        ("not so good", "so good", [(0, None), (1, 0), (2, 1)]),
        ("so good", "so bad", [(0, 0), (1, 1)]),
        ("so good", "so very bad", [(0, 0), (1, None), (None, 1), (None, 2)]),
        ("good it is", "it is good", [(0, None), (1, 0), (2, 1), (None, 2)]),
        ("very good", "very very good", [(None, 0), (0, 1), (1, 2)]),
        ("the good film", "the bad the good film", [(None, 0), (None, 1), (0, 2), (1, 3), (2, 4)]),
        ("a b c d", "w x y z", [(0, None), (1, None), (2, None), (3, None), *((None, n) for n in range(4))]),
        ("", "a", [(None, 0)]),
        ("a", "", [(0, None)]),
    ],
)
def test_edits(a: str, b: str, rows: list[tuple[int | None, int | None]]) -> None:
    assert list(align(a.split(), b.split())) == rows
    assert LONGEST_REPLACEMENT == 3


def cuts(length: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """A text of some characters, cut into spans that need not touch."""
    places = st.lists(st.integers(0, length), unique=True, min_size=2).map(sorted)
    return places.flatmap(
        lambda at: st.lists(st.booleans(), min_size=len(at) - 1, max_size=len(at) - 1).map(
            lambda keep: [span for span, kept in zip(pairwise(at), keep) if kept]
        )
    )


@given(cuts(14), cuts(14))
def test_spans_that_share_a_character_are_in_one_row(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    rows = overlapping(a, b)
    assert [number for row, _ in rows for number in row] == list(range(len(a)))
    assert [number for _, row in rows for number in row] == list(range(len(b)))
    covered = [
        {character for spans, numbers in zip((a, b), row) for number in numbers for character in range(*spans[number])}
        for row in rows
    ]
    for characters, more in pairwise(covered):
        assert max(characters) < min(more)  # no character is in two rows
    for row, characters in zip(rows, covered):  # and no row could be two: every inner border lies within a span
        for character in sorted(characters)[1:]:
            if character - 1 in characters:
                inside = any(a[n][0] < character < a[n][1] for n in row[0])
                assert inside or any(b[n][0] < character < b[n][1] for n in row[1])


def test_pairs_are_aligned_text_by_text() -> None:
    model = TOY_MODELS["sequel"]
    a, b = model.encode("one two", "two three"), model.encode("one", "two three four")
    rows = align_tokens(a, b)
    assert [(row.word_a, row.word_b, row.segment) for row in rows] == [
        ("one", "one", 0),
        ("two", None, 0),
        ("two", "two", 1),
        ("three", "three", 1),
        (None, "four", 1),
    ]
    assert [row.kind for row in rows] == ["same", "only_a", "same", "same", "only_b"]
    single = align_tokens(TOY_MODELS["planted"].encode("one two"), a)
    assert [row.word_a for row in single] == ["one", "two", None, None]


def test_examples_run() -> None:
    assert doctest.testmod(alignment).failed == doctest.testmod(subsequence).failed == 0

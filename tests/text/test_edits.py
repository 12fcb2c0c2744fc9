"""Edits of words on characters: what may be edited, and how edited texts are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.datatypes import TextEdit
from explain.testing import TOY_MODELS
from explain.text.edits import (
    deletion,
    editable_places,
    edited_with_spans,
    in_case_of,
    insertion,
    replacement,
)

MODEL = TOY_MODELS["linear"]


def places(text: str) -> list[str]:
    return [place.text for place in editable_places(MODEL.encode(text), (0,))]


def test_contractions_are_whole_and_parts_behind_apostrophes_stay() -> None:
    assert places("It isn't good, can't be") == ["It", "isn't", "good", "can't", "be"]
    assert places("late marriage 's stiffness does n't work !") == [
        *("late", "marriage", "stiffness", "does", "n't", "work"),
    ]
    assert places("2 : 0 ... 😍 - x2") == ["x2"]
    assert places("They called it 'good' and ‘great’, it 's 'so'.") == [
        *("They", "called", "it", "good", "and", "great", "it", "so"),
    ]


def test_only_the_named_texts_are_edited() -> None:
    tokens = MODEL.encode("A man sits.", "He sleeps.")
    assert [place.text for place in editable_places(tokens, (1,))] == ["He", "sleeps"]
    assert len(editable_places(tokens, (0, 1))) == 5


def test_what_is_not_edited_stays_as_it_was() -> None:
    text = "  It\tISN'T  good,\n but  Fine."
    by_text = {place.text: place for place in editable_places(MODEL.encode(text), (0,))}
    edits = [
        replacement(by_text["ISN'T"], "was"),
        insertion(by_text["but"], "never"),
        replacement(by_text["Fine"], "bad"),
    ]
    assert edited_with_spans(text, edits)[0] == "  It\tWAS  good,\n never but  Bad."
    assert edited_with_spans(text, [deletion(by_text["good"])])[0] == "  It\tISN'T  ,\n but  Fine."
    assert edited_with_spans("a b c", [TextEdit("delete", 0, (2, 3), "b", "")])[0] == "a c"


def test_edits_may_not_overlap() -> None:
    edits = [TextEdit("replace", 0, (0, 4), "good", "bad"), TextEdit("replace", 0, (2, 6), "od f", "x")]
    with pytest.raises(ValueError, match="overlap"):
        edited_with_spans("good film", edits)


def test_case() -> None:
    assert [in_case_of(word, "bad") for word in ("good", "Good", "GOOD", "I", "'Good")] == [
        *("bad", "Bad", "BAD", "bad", "bad"),
    ]


@given(st.lists(st.text("ab'é 😍", min_size=1), min_size=1), st.text("xyz", min_size=1, max_size=4), st.randoms())
def test_spans_hold_the_new_words(words: list[str], new: str, random: object) -> None:
    text = " ".join(words)
    starts = [sum(len(word) + 1 for word in words[:number]) for number in range(len(words))]
    edits = [
        TextEdit("replace", 0, (start, start + len(word)), word, new)
        if number % 2
        else TextEdit("insert", 0, (start, start), "", new)
        for number, (start, word) in enumerate(zip(starts, words))
    ]
    edited, spans = edited_with_spans(text, edits[::-1])
    assert [edited[start:stop] for start, stop in spans] == [new] * len(edits)
    assert edited == " ".join(new if number % 2 else f"{new} {word}" for number, word in enumerate(words))

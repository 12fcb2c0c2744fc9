import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.models.transformer import EncoderModel
from explain.text.words import is_visible, word_ranges, word_spans


def words(text: str) -> list[str]:
    return [text[start:stop] for start, stop in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It isn't top-notch, no!", ["It", "isn't", "top-notch", ",", "no", "!"]),
        ("don’t stop rock'n'roll", ["don’t", "stop", "rock'n'roll"]),
        ("-x- 'quoted'", ["-", "x", "-", "'", "quoted", "'"]),
        ("3.5 e\u0301te\u0301", ["3", ".", "5", "e\u0301te\u0301"]),
        ("我喜欢 ラーメン hello世界", ["我", "喜", "欢", "ラ", "ー", "メ", "ン", "hello", "世", "界"]),
        ("👨‍👩‍👧👍🏽🇩🇪🇫🇷ok", ["👨‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "ok"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("a_b @user", ["a", "_", "b", "@", "user"]),
        ("\u200b\u0000 \n", []),
    ],
)
def test_words_as_a_reader_cuts_them(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_every_visible_character_is_in_exactly_one_word(text: str) -> None:
    spans = word_spans(text)
    covered = [place for start, stop in spans for place in range(start, stop)]
    assert covered == sorted(set(covered))
    assert {place for place, character in enumerate(text) if is_visible(character)} <= set(covered)
    assert all(is_visible(text[start]) for start, _ in spans)


def test_tokens_over_several_words_make_one_word_of_them() -> None:
    # One unknown token covers two emoji; bytes of one emoji are three tokens.
    spans = np.array([[0, 2], [3, 5], [6, 7], [6, 7], [6, 7]])
    segment, special = np.zeros(5, int), np.zeros(5, bool)
    assert word_ranges(["😀😀 ok 😍"], spans, segment, special) == ((0, 1), (1, 2), (2, 5))


def test_a_token_without_text_joins_the_word_after_it() -> None:
    spans = np.array([[0, 0], [0, 2], [2, 2], [3, 6], [6, 6]])
    segment, special = np.zeros(5, int), np.zeros(5, bool)
    assert word_ranges(["ab cde"], spans, segment, special) == ((0, 2), (2, 5))


@given(st.text(min_size=1, max_size=60))
def test_words_of_a_real_tokenizer_partition_its_tokens(tiny_bert: EncoderModel, text: str) -> None:
    try:
        tokens = tiny_bert.encode(text)
    except ValueError:  # nothing visible
        return
    covered = [token for unit in tokens.word_units() for token in unit]
    assert covered == tokens.ordinary.tolist()
    for unit in tokens.word_units():
        start, stop = tokens.unit_span(unit)[1:]
        assert tokens.unit_text(unit) == text[start:stop] or start == stop

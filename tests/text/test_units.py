import pytest

from explain.testing import TOY_MODELS
from explain.text.units import units_of

MODEL = TOY_MODELS["linear"]


def texts(granularity: str, text: str, pair: str | None = None, window: int = 3) -> list[str]:
    tokens = MODEL.encode(text, pair)
    return [tokens.unit_text(unit) for unit in units_of(tokens, granularity, window)]


def test_tokens_words_sentences() -> None:
    assert texts("token", "a three b") == ["a", "thre", "e", "b"]
    assert texts("word", "a three b") == ["a", "three", "b"]
    assert texts("sentence", "It is bad. I left! Really") == ["It is bad.", "I left!", "Really"]


def test_windows_slide_by_one_word_and_stay_in_their_text() -> None:
    assert texts("window", "a b c d") == ["a b c", "b c d"]
    assert texts("window", "a b", window=5) == ["a b"]
    assert texts("window", "a b c", "x y", window=2) == ["a b", "b c", "x y"]


def test_sentences_of_a_pair_do_not_mix() -> None:
    assert texts("sentence", "One. Two.", "Three. Four.") == ["One.", "Two.", "Three.", "Four."]


def test_unknown_granularity() -> None:
    with pytest.raises(ValueError, match="granularity"):
        texts("chapter", "a")

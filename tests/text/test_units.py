import pytest

from explain.testing import TOY_MODELS, LinearModel
from explain.text.units import units_of


class LongToy(LinearModel):
    max_tokens = 200


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


def test_what_has_no_end_is_cut_up() -> None:
    model = LongToy()
    tokens = model.encode("word " * 100)
    lengths = [len(unit) for unit in units_of(tokens, "sentence")]
    assert lengths == [25, 25, 25, 25]
    assert [len(unit) for unit in units_of(model.encode("word " * 60), "sentence")] == [60]


def test_unknown_granularity() -> None:
    with pytest.raises(ValueError, match="granularity"):
        texts("chapter", "a")

import pytest

from explain.testing import TOY_MODELS, LinearModel
from explain.text.units import few_units, hierarchy, units_of


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


def test_phrases_are_cut_behind_punctuation() -> None:
    assert texts("phrase", "Slow, but good! See it.") == ["Slow,", "but good!", "See it."]
    assert texts("phrase", '"Ha!" he said. (no) - So?') == ['"Ha!"', "he said.", "(no) -", "So?"]
    assert texts("phrase", "isn't top-notch") == ["isn't top-notch"]


def test_hierarchy_is_sentences_of_phrases_of_words_of_pieces() -> None:
    tokens = MODEL.encode("Slow, but good! See it.")
    assert hierarchy(tokens, tokens.word_units()) == (((0, 1), (2, 3, 4)), (5, 6, 7))
    assert hierarchy(tokens, units_of(tokens, "phrase")) == ((0, 1), 2)
    assert hierarchy(tokens, units_of(tokens, "sentence")) == (0, 1)
    assert hierarchy(tokens, tokens.word_units()[2:4]) == (0, 1)
    pieces = MODEL.encode("lovely film")
    assert hierarchy(pieces, units_of(pieces, "token")) == ((0, 1), 2)
    assert hierarchy(pieces, ()) == ()
    pair = MODEL.encode("one two", "three. four")
    assert hierarchy(pair, pair.word_units()) == ((0, 1), (2, 3), 4)


def test_few_units_are_the_finest_that_are_few() -> None:
    tokens = MODEL.encode("Slow, but good! See it. Now", "Me too, sir")
    found = {most: few_units(tokens, most) for most in (20, 7, 5, 3, 1)}
    assert {most: (name, len(units)) for most, (name, units) in found.items()} == {
        20: ("word", 13),
        7: ("phrase", 6),
        5: ("sentence", 4),
        3: ("sentence", 3),
        1: ("sentence", 2),
    }
    for _, units in found.values():  # every word once, in order, and none of both texts
        assert [token for unit in units for token in unit] == [token for word in tokens.word_units() for token in word]
        assert all(len({int(tokens.segment[token]) for token in unit}) == 1 for unit in units)


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

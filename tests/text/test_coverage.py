from explain.testing import TOY_MODELS
from explain.text.coverage import coverage, doubt, script_of

MODEL = TOY_MODELS["linear"]


def test_foreign_scripts_are_named() -> None:
    read = coverage(MODEL.encode("Этот фильм"), None, ("Latin",))
    assert read.poor and read.script == "Cyrillic" and read.foreign == 1.0
    assert not coverage(MODEL.encode("This film, ü é"), None, ("Latin",)).poor
    assert not coverage(MODEL.encode("Этот фильм"), None, None).poor  # nobody said what the model read
    assert not coverage(MODEL.encode("123 !!"), None, ("Latin",)).poor


def test_unknown_pieces_are_counted() -> None:
    tokens = MODEL.encode("a b c d")
    assert coverage(tokens, int(tokens.ids[1]), None).unknown == 0.25
    assert coverage(tokens, int(tokens.ids[1]), None).poor


def test_why_an_answer_may_mean_little_is_a_sentence() -> None:
    tokens = MODEL.encode("a b c d")
    assert "25% of the pieces are unknown" in doubt(coverage(tokens, int(tokens.ids[1]), None), None)
    assert "Most letters are Cyrillic" in doubt(coverage(MODEL.encode("фильм"), None, ("Latin",)), ("Latin",))
    assert doubt(coverage(tokens, None, ("Latin",)), ("Latin",)) == ""


def test_scripts() -> None:
    assert [script_of(letter) for letter in "aЖ我あ한א"] == ["Latin", "Cyrillic", "Han", "Hiragana", "Hangul", "Hebrew"]

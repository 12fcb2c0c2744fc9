import pytest

from explain.testing import TOY_MODELS
from explain.views.base import VIEWS, visible
from explain.views.word_marks import fingerprint

MODEL = TOY_MODELS["curved"]
MARKS = VIEWS["word_marks"]


@pytest.mark.parametrize("text", ["Good  film,\nisn't it? ", "坏 film 😀!", "a", "\x00good\x07", ":red[a] *b* $c$"])
def test_the_text_is_drawn_as_it_was_written(text: str) -> None:
    data = MARKS.data(MODEL.encode(text))["texts"][0]
    assert "".join(unit["gap"] + unit["text"] for unit in data["units"]) + data["tail"] == visible(text)


def test_words_that_can_not_be_marked_are_only_text() -> None:
    tokens = MODEL.encode("one two three", "four")
    data = MARKS.data(tokens, among=[0, 2, 3], marked=[3, 0])
    assert [[unit["number"] for unit in text["units"]] for text in data["texts"]] == [[0, 2], [3]]
    assert data["texts"][0]["units"][1]["gap"] == " two " and data["count"] == 3 and data["marked"] == [0, 3]


def test_a_fingerprint_is_of_texts_and_words() -> None:
    one, other = MODEL.encode("one two"), MODEL.encode("two one")
    assert fingerprint(one, [0, 1]) == fingerprint(MODEL.encode("one two"), (0, 1))
    assert len({fingerprint(one, [0, 1]), fingerprint(one, [0]), fingerprint(other, [0, 1])}) == 3

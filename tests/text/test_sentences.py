import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.text.sentences import sentence_spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. Dr. No slept!  Why?", ["It rained.", "Dr. No slept!", "Why?"]),
        (
            "U.S. troops i.e. the army. 3.5 million.\n\nNew line",
            ["U.S. troops i.e. the army.", "3.5 million.", "New line"],
        ),
        ("it 's good . but bad ! and wow... ok", ["it 's good .", "but bad !", "and wow... ok"]),
        ("好。很好！ok", ["好。", "很好！", "ok"]),
        ("it was bad. really bad.", ["it was bad.", "really bad."]),
        ("wow... ok. Well... No", ["wow... ok.", "Well...", "No"]),
        ("no stop", ["no stop"]),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:stop] for start, stop in sentence_spans(text)] == expected


@given(st.text())
def test_sentences_hold_everything_but_white_space(text: str) -> None:
    kept = "".join(text[start:stop] for start, stop in sentence_spans(text))
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize("part", ["!", ".", " ", "\n", ". ", "!)", ".  \t", "…", "a.", '"', "。"])
def test_long_runs_of_marks_take_no_longer_than_their_number(part: str) -> None:
    """A rule that looks back over the run at every mark would need hours here."""
    text = part * 100_000
    kept = sum(len(text[start:stop]) for start, stop in sentence_spans(text))
    assert kept <= len(text)

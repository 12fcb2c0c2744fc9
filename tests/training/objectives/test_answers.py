import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explain.core.errors import DataError
from explain.training.objectives.answers import (
    LONGEST_QUESTION,
    Answers,
    Question,
    Window,
    best_span,
    covering_pieces,
    windows,
)
from tests.tiny_models import wordpiece

CONTEXT = "The film saves it. " * 30 + "Two people walk along the beach. " + "Not one joke works. " * 30
QUESTION = Question("who walk?", CONTEXT, (("Two people", CONTEXT.index("Two people")),))


@given(arrays.arrays(float, 9, elements=st.floats(-5, 5)), arrays.arrays(float, 9, elements=st.floats(-5, 5)))
def test_the_best_span_is_the_best_of_all(starts: np.ndarray, ends: np.ndarray) -> None:
    score, first, last = best_span(starts, ends, longest=4)
    spans = [(i, j) for i in range(9) for j in range(i, min(9, i + 4))]
    assert (first, last) in spans and score == starts[first] + ends[last]
    assert score == max(starts[i] + ends[j] for i, j in spans)


def test_windows_cover_the_context_and_overlap() -> None:
    tokenizer = wordpiece()
    cut = windows([QUESTION], tokenizer, longest=160, stride=64)
    assert len(cut) > 2 and all(len(window.feature["input_ids"]) <= 160 for window in cut)
    covered = np.zeros(len(CONTEXT), dtype=int)
    for window in cut:
        assert window.feature["token_type_ids"][window.context[0]] == 1
        for start, stop in window.spans[window.context]:
            covered[start:stop] += 1
    assert all(covered[place] > 0 for place, character in enumerate(CONTEXT) if character != " ")
    shared = set(map(tuple, cut[0].spans[cut[0].context])) & set(map(tuple, cut[1].spans[cut[1].context]))
    assert len(shared) == 64


def test_an_answer_is_marked_where_a_window_holds_all_of_it() -> None:
    tokenizer = wordpiece()
    text, start = QUESTION.answers[0]
    held = 0
    for window in windows([QUESTION], tokenizer, longest=160, stride=64):
        found = covering_pieces(window, start, start + len(text))
        begin, end = window.spans[window.context[0], 0], window.spans[window.context[-1], 1]
        assert (found is not None) == (begin <= start and start + len(text) <= end)
        if found is not None:
            held += 1
            assert CONTEXT[window.spans[found[0], 0] : window.spans[found[1], 1]] == text
    features = Answers().encode([QUESTION, QUESTION], tokenizer)
    assert held >= 1 and len(features) == 2  # one window of each question
    marked = features[0]
    pieces = marked["input_ids"][marked["start_positions"] : marked["end_positions"] + 1]
    assert tokenizer.decode(pieces) == "two people"


def test_an_answer_inside_a_piece_takes_the_whole_piece() -> None:
    spans = np.array([[-1, -1], [0, 3], [4, 8], [8, 9], [-1, -1]])  # [CLS] the film ! [SEP]
    window = Window(0, {}, spans)
    assert covering_pieces(window, 4, 7) == (2, 2) and covering_pieces(window, 1, 9) == (1, 3)
    assert covering_pieces(window, 5, 12) is None  # goes on outside


def test_an_answer_longer_than_a_window_is_not_trained_on() -> None:
    assert Answers().encode([Question("who?", CONTEXT, ((CONTEXT.strip(), 0),))], wordpiece()) == []


def test_long_questions_are_cut_and_short_windows_refused() -> None:
    long = Question("who " * 500, CONTEXT, QUESTION.answers)
    for window in windows([long], wordpiece(), longest=160, stride=64):
        assert window.context[0] == LONGEST_QUESTION + 2
    with pytest.raises(DataError, match="Windows of 100 pieces are too short"):
        windows([QUESTION], wordpiece(), longest=100, stride=64)

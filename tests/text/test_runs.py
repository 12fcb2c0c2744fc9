"""Runs of words with one sign: what a headline names."""

import random

from explain.text.runs import LEAST_AGAINST, LEAST_FOR, MOST_WORDS, Run, leading_runs, runs_of


def test_neighbours_of_one_sign_are_one_run_and_weak_ends_are_cut() -> None:
    assert [run.words for run in runs_of([0.1, 2.0, 1.8, -1.0, -0.1])] == [(1, 2), (3,)]
    assert runs_of([0.1, 2.0, 1.8, -1.0, -0.1])[0].score == 3.8


def test_a_weak_word_between_two_runs_is_left_out_and_a_strong_one_parts_them() -> None:
    assert [run.words for run in runs_of([2.0, -0.1, 1.9])] == [(0, 2)]
    assert [run.words for run in runs_of([2.0, 0.0, 1.9])] == [(0, 2)]
    assert [run.words for run in runs_of([2.0, -1.5, 1.9])] == [(0,), (1,), (2,)]


def test_no_run_goes_over_the_border_of_two_texts() -> None:
    assert [run.words for run in runs_of([2.0, 1.9], breaks=[1])] == [(0,), (1,)]
    assert [run.words for run in runs_of([2.0, -0.1, 1.9], breaks=[1])] == [(0,), (1,), (2,)]


def test_punctuation_neither_begins_nor_ends_a_run() -> None:
    assert [run.words for run in runs_of([0.9, 2.0, 1.0], marks=[0, 2])] == [(1,)]
    assert runs_of([1.0, 0.5], marks=[0, 1]) == [] and runs_of([]) == [] and runs_of([0.0, 0.0]) == []


def test_every_run_has_one_sign_whatever_the_scores() -> None:
    draw = random.Random(0)
    for _ in range(300):
        scores = [draw.choice([0.0, draw.gauss(0, 1), draw.gauss(0, 0.1)]) for _ in range(draw.randint(0, 30))]
        runs = runs_of(scores, marks=[draw.randrange(30)])
        for run in runs:
            assert run.score == sum(scores[number] for number in run.words) and len(run.words) <= MOST_WORDS
            assert all(scores[number] * run.score >= 0 for number in run.words)
        supports, opposes = leading_runs(runs)
        strongest = max((run.score for run in runs), default=0.0)
        assert all(run.score >= LEAST_FOR * strongest > 0 for run in supports)
        assert all(-run.score >= LEAST_AGAINST * max(strongest, 0.0) and run.score < 0 for run in opposes)


def test_at_most_two_of_each_side_are_named_the_strongest_first() -> None:
    runs = [Run((0,), 1.0), Run((2,), -2.0), Run((4,), 3.0), Run((6,), 2.0), Run((8,), 0.1)]
    supports, opposes = leading_runs(runs)
    assert [run.score for run in supports] == [3.0, 2.0] and [run.score for run in opposes] == [-2.0]

"""Runs of neighbouring words whose scores have one sign: what a headline says a decision is because of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

WEAK_END = 0.3  # of a run's largest score: weaker words at its ends are cut off
LEAST_FOR = 0.3  # of the strongest run that speaks for the target: weaker ones are not named
LEAST_AGAINST = 0.25  # of the strongest run for it, too: what speaks against counts against that
MOST_WORDS = 4  # a longer run is named by its strongest words alone


@dataclass(frozen=True)
class Run:
    """Neighbouring words whose scores have one sign.

    Attributes:
        words: the numbers of its words, rising; where one is missing, the words around it belong together.
        score: the sum of their scores.
    """

    words: tuple[int, ...]
    score: float


def runs_of(scores: Sequence[float], breaks: Sequence[int] = (), marks: Collection[int] = ()) -> list[Run]:
    """Return the runs of neighbouring words with one sign, in reading order, weak ends cut off.

    Two runs of one sign with one weak word between them are one run without that word: "not as bad" is "not", "bad".

    Args:
        scores (W,): of all words, in reading order.
        breaks: numbers of words that begin a new text.
        marks: numbers of punctuation marks, which neither begin nor end a run.

    >>> [run.words for run in runs_of([0.1, 2.0, 1.8, -1.0, -0.1])]
    [(1, 2), (3,)]
    >>> [run.words for run in runs_of([2.0, -0.1, 1.9])]
    [(0, 2)]
    """
    runs: list[list[int]] = []
    for number, score in enumerate(scores):
        last = runs[-1] if runs else None
        if last and number not in breaks and score * scores[last[-1]] > 0:
            last.append(number)
        else:
            runs.append([number])
    cut = [kept for run in runs if (kept := _without_weak_ends(run, scores, marks))]
    joined: list[list[int]] = []
    for run in cut:
        joined.append(run)
        if len(joined) > 2 and len(joined[-2]) == 1 and _belong_together(joined[-3], run, scores, breaks):
            joined[-3:] = [[*joined[-3], *run]]
        elif len(joined) > 1 and _belong_together(joined[-2], run, scores, breaks):
            joined[-2:] = [[*joined[-2], *run]]
    return [Run(tuple(run), float(sum(scores[number] for number in run))) for run in joined]


def _without_weak_ends(run: list[int], scores: Sequence[float], marks: Collection[int]) -> list[int]:
    """Return a run from its first strong word to its last; none where all scores are zero.

    A long run keeps its strongest word with the strong words right beside it.
    """
    words = [number for number in run if number not in marks]
    most = max((abs(scores[number]) for number in words), default=0.0)
    if not most:
        return []
    strong = [number for number in words if abs(scores[number]) >= WEAK_END * most]
    kept = list(range(strong[0], strong[-1] + 1))
    if len(kept) <= MOST_WORDS:
        return kept
    top = max(strong, key=lambda number: abs(scores[number]))
    first = last = top
    while last - first + 1 < MOST_WORDS:
        before = abs(scores[first - 1]) if first - 1 in strong else 0.0
        after = abs(scores[last + 1]) if last + 1 in strong else 0.0
        if not before and not after:
            break
        first, last = (first - 1, last) if before >= after else (first, last + 1)
    return list(range(first, last + 1))


def _belong_together(left: list[int], right: list[int], scores: Sequence[float], breaks: Sequence[int]) -> bool:
    """Return whether a single weak word stands between two runs of one sign."""
    between = right[0] - 1  # cut off as a weak end, or a run of its own
    if right[0] - left[-1] != 2 or scores[left[-1]] * scores[right[0]] <= 0:
        return False
    if between in breaks or right[0] in breaks or len(left) + len(right) > MOST_WORDS:
        return False
    weakest = min(max(abs(scores[number]) for number in run) for run in (left, right))
    return abs(scores[between]) < WEAK_END * weakest


def leading_runs(runs: Sequence[Run], most: int = 2) -> tuple[list[Run], list[Run]]:
    """Return the runs worth naming, for and against, at most so many of each; the strongest first.

    Args:
        runs: of one text, or of one pair.
    """
    strongest = max((run.score for run in runs), default=0.0)
    largest = max((abs(run.score) for run in runs), default=0.0)
    supports = [run for run in runs if run.score > 0 and run.score >= LEAST_FOR * strongest]
    opposes = [run for run in runs if run.score < 0 and -run.score >= LEAST_AGAINST * (strongest or largest)]
    return (
        sorted(supports, key=lambda run: -run.score)[:most],
        sorted(opposes, key=lambda run: run.score)[:most],
    )

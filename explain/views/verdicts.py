"""Verdicts in the words of a reader."""

from explain.datatypes import Verdict

VERDICTS = {"green": "it holds", "amber": "with care", "red": "don't rely on it", "grey": "too short to tell"}
TESTING = "testing …"


def verdict_word(verdict: Verdict) -> str:
    """Return the color of a verdict in words, or that its tests are running.

    >>> verdict_word(Verdict("occlusion", "amber", "Random orders do as well."))
    'with care'
    """
    return TESTING if verdict.pending else VERDICTS[verdict.color]

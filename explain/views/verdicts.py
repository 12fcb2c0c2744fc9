"""Verdicts in the words of a reader."""

from explain.datatypes import Verdict

VERDICTS = {"green": "it holds", "amber": "with care", "red": "don't rely on it", "grey": "too short to tell"}


def verdict_word(verdict: Verdict) -> str:
    """Return the color of a verdict in words.

    >>> verdict_word(Verdict("occlusion", "amber", "Random orders do as well."))
    'with care'
    """
    return VERDICTS[verdict.color]

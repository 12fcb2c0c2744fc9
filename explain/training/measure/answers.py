"""Figures of answers to questions: F1 of words and exact match, as SQuAD counts them."""

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.numerics.statistics import bootstrap_ratio, wilson


def normalized(answer: str) -> str:
    """Return an answer as SQuAD compares it: lower case, no punctuation, no articles, single spaces.

    Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, section 6.1.

    >>> normalized("The  U.S. Army's")
    'us armys'
    """
    plain = "".join(character for character in answer.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def word_f1(answer: str, right: str) -> float:
    """Return the F1 of the words that two answers share, each counted as often as both have it; 0 for none."""
    words, right_words = normalized(answer).split(), normalized(right).split()
    shared = sum((Counter(words) & Counter(right_words)).values())
    return 2 * shared / (len(words) + len(right_words)) if shared else 0.0


def answer_figures(answers: Sequence[str], right: Sequence[Sequence[str]], contexts: Sequence[str]) -> dict[str, Any]:
    """Return the figures of predicted answers, each scored by the human answer it is nearest to.

    Args:
        answers (N): predicted answer of each question.
        right (N): human answers to each question.
        contexts (N): context of each question.

    Returns:
        `word_f1` with its 95 % interval (bootstrap over contexts, with all their questions), `exact_match` with its
        own (Wilson), `contexts`, `count`.
    """
    pairs = list(zip(answers, right))
    scores = np.array([max(word_f1(answer, human) for human in humans) for answer, humans in pairs])
    exact = sum(any(normalized(answer) == normalized(human) for human in humans) for answer, humans in pairs)
    _, context = np.unique(np.array(contexts, dtype=object), return_inverse=True)
    sums = np.bincount(context, weights=scores).astype(np.float64)
    counts = np.bincount(context).astype(np.float64)
    return {
        "count": len(answers),
        "contexts": len(counts),
        "word_f1": float(scores.mean()),
        "word_f1_interval": list(bootstrap_ratio(sums, counts)),
        "exact_match": exact / len(answers),
        "exact_match_interval": list(wilson(exact, len(answers))),
    }

"""What a model is worth beside what is simpler: the most frequent label, and a bag of words with logistic regression.

Both learn from the training rows alone, as the model does; how strongly the regression is held back is chosen on the
dev rows, where the model's training is stopped. Neither knows word order; words are weighted by tf-idf, with pairs of
neighbouring words.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from explain.training.measure.classification import Flags, Floats

Texts = Sequence[tuple[str, ...]]  # of each row one text, or two

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # of the regression, the inverse of what holds it back
MOST_WORDS = 50_000  # and pairs of words, the most frequent ones


def majority(right: Flags, count: int) -> Floats:
    """How often each label is right, said of every text alike.

    Args:
        right (N, C): of the training rows.
        count: of texts to be told.

    Returns:
        Probabilities (count, C).
    """
    columns = [_fitted(DummyClassifier(strategy="prior"), np.zeros((len(right), 1)), column) for column in right.T]
    return np.column_stack([_of_true(one, np.zeros((count, 1))) for one in columns])


def bag_of_words(
    training: tuple[Texts, Flags], dev: tuple[Texts, Flags], texts: Texts, *, exclusive: bool
) -> tuple[Floats, float]:
    """A logistic regression on tf-idf weighted words and pairs of words; each text of a pair has words of its own.

    Args:
        training, dev: texts, and which labels are right (N, C).
        texts: to be told.
        exclusive: exactly one label is right; else there is a regression for each.

    Returns:
        Probabilities (N, C), and the strength that was best on dev.
    """
    vectorizers = {}
    for place in range(len(training[0][0])):
        with contextlib.suppress(ValueError):  # no text of that column holds a word of two letters
            words = TfidfVectorizer(ngram_range=(1, 2), max_features=MOST_WORDS)
            vectorizers[place] = words.fit(_column(training[0], place))
    if not vectorizers:
        return majority(training[1], len(texts)), 0.0

    def words_of(given: Texts) -> Any:
        return sparse.hstack([one.transform(_column(given, place)) for place, one in vectorizers.items()]).tocsr()

    known = words_of(training[0])
    held, asked = words_of(dev[0]), words_of(texts)
    tried = [_regressions(known, training[1], strength, exclusive) for strength in STRENGTHS]
    labels = training[1].shape[1]
    losses = [_loss(dev[1], _told(one, held, labels, exclusive), exclusive) for one in tried]
    best = int(np.argmin(losses))
    return _told(tried[best], asked, labels, exclusive), STRENGTHS[best]


def _column(texts: Texts, place: int) -> list[str]:
    return [row[place] for row in texts]


def _regressions(words: Any, right: Flags, strength: float, exclusive: bool) -> list[Any]:
    targets = [right.argmax(axis=1)] if exclusive else list(right.T)
    return [_fitted(LogisticRegression(C=strength, max_iter=1000), words, target) for target in targets]


def _fitted(classifier: Any, words: Any, target: npt.NDArray[Any]) -> Any:
    if len(np.unique(target)) == 1:  # a label that is always right, or never, in these rows
        classifier = DummyClassifier(strategy="prior")
    return classifier.fit(words, target)


def _told(fitted: list[Any], words: Any, labels: int, exclusive: bool) -> Floats:
    if exclusive:
        told = np.zeros((words.shape[0], labels))
        told[:, fitted[0].classes_] = fitted[0].predict_proba(words)  # a label that no training row has gets none
        return told
    return np.column_stack([_of_true(one, words) for one in fitted])


def _of_true(fitted: Any, words: Any) -> Floats:
    """The probability of True, which a column that never holds has none of."""
    told = fitted.predict_proba(words)
    known = list(fitted.classes_)
    return told[:, known.index(True)] if True in known else np.zeros(len(told))


def _loss(right: Flags, told: Floats, exclusive: bool) -> float:
    if exclusive:
        return float(log_loss(right.argmax(axis=1), told, labels=range(right.shape[1])))
    return float(np.mean([log_loss(asked, column, labels=[False, True]) for asked, column in zip(right.T, told.T)]))

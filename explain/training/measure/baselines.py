"""Simpler models to compare a trained model with: label frequencies, and logistic regression on a bag of words.

Both are fitted on the training rows, as the model is; the strength of the regression is chosen on the dev rows, which
also end the model's training. The features are words and pairs of adjacent words, weighted by tf-idf.
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

Texts = Sequence[tuple[str, ...]]  # one text for each row, or two

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # inverse regularization of the regression
MOST_WORDS = 50_000  # the most frequent words and pairs of words


def majority(right: Flags, count: int) -> Floats:
    """Return the label frequencies of the training rows as the probabilities of every text.

    Args:
        right (N, C): correct labels of the training rows.
        count: number of texts.

    Returns:
        Probabilities (count, C).
    """
    columns = [_fitted(DummyClassifier(strategy="prior"), np.zeros((len(right), 1)), column) for column in right.T]
    return np.column_stack([_of_true(classifier, np.zeros((count, 1))) for classifier in columns])


def bag_of_words(
    training: tuple[Texts, Flags], dev: tuple[Texts, Flags], texts: Texts, *, exclusive: bool
) -> tuple[Floats, float]:
    """Return the probabilities of a logistic regression on tf-idf features, separate ones for each text of a pair.

    Args:
        training, dev: texts, and which labels are correct (N, C).
        texts: texts to predict.
        exclusive: exactly one label is correct; otherwise each label has its own regression.

    Returns:
        Probabilities (N, C), and the strength with the lowest loss on the dev rows.
    """
    vectorizers = {}
    for place in range(len(training[0][0])):
        with contextlib.suppress(ValueError):  # raised if no text of the column has a word of two letters
            words = TfidfVectorizer(ngram_range=(1, 2), max_features=MOST_WORDS)
            vectorizers[place] = words.fit(_column(training[0], place))
    if not vectorizers:
        return majority(training[1], len(texts)), 0.0

    def features(rows: Texts) -> Any:
        columns = [vectorizer.transform(_column(rows, place)) for place, vectorizer in vectorizers.items()]
        return sparse.hstack(columns).tocsr()

    training_features, dev_features = features(training[0]), features(dev[0])
    candidates = [_regressions(training_features, training[1], strength, exclusive) for strength in STRENGTHS]
    labels = training[1].shape[1]
    losses = [
        _loss(dev[1], _probabilities(classifiers, dev_features, labels, exclusive), exclusive)
        for classifiers in candidates
    ]
    best = int(np.argmin(losses))
    return _probabilities(candidates[best], features(texts), labels, exclusive), STRENGTHS[best]


def _column(texts: Texts, place: int) -> list[str]:
    return [row[place] for row in texts]


def _regressions(words: Any, right: Flags, strength: float, exclusive: bool) -> list[Any]:
    targets = [right.argmax(axis=1)] if exclusive else list(right.T)
    return [_fitted(LogisticRegression(C=strength, max_iter=1000), words, target) for target in targets]


def _fitted(classifier: Any, words: Any, target: npt.NDArray[Any]) -> Any:
    if len(np.unique(target)) == 1:  # all of these rows have the label, or none has
        classifier = DummyClassifier(strategy="prior")
    return classifier.fit(words, target)


def _probabilities(classifiers: list[Any], words: Any, labels: int, exclusive: bool) -> Floats:
    if exclusive:
        probabilities = np.zeros((words.shape[0], labels))  # 0 for a label that no training row has
        probabilities[:, classifiers[0].classes_] = classifiers[0].predict_proba(words)
        return probabilities
    return np.column_stack([_of_true(classifier, words) for classifier in classifiers])


def _of_true(classifier: Any, words: Any) -> Floats:
    """Return the probability of True; 0 if no training row has the label."""
    probabilities = classifier.predict_proba(words)
    known = list(classifier.classes_)
    return probabilities[:, known.index(True)] if True in known else np.zeros(len(probabilities))


def _loss(right: Flags, probabilities: Floats, exclusive: bool) -> float:
    if exclusive:
        return float(log_loss(right.argmax(axis=1), probabilities, labels=range(right.shape[1])))
    columns = zip(right.T, probabilities.T)
    return float(np.mean([log_loss(has_label, column, labels=[False, True]) for has_label, column in columns]))

"""How good a classifier is: accuracy with its interval, precision, recall, F1, area under the curve, calibration."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn import metrics

from explain.numerics.intervals import wilson

Floats = npt.NDArray[np.float64]
Labels = Sequence[int] | npt.NDArray[np.integer]
CALIBRATION_BINS = 15


def classification_figures(
    logits: Floats, labels: Labels, temperature: float = 1.0
) -> dict[str, float | list[float] | list[list[int]]]:
    """Figures of a single-label classifier.

    Args:
        logits (N, C); labels (N): the right columns.
        temperature: what logits are divided by for the calibrated figures.

    Returns:
        `accuracy`, its 95 % interval (Wilson), `precision`, `recall`, `f1` (of column 1 where there are two labels,
        else macro), `roc_auc`, `calibration_error` and `calibration_error_calibrated` (expected calibration error, 15
        equal bins), `log_loss`, `confusion` (rows right, columns predicted), `count`.
    """
    right = np.asarray(labels)
    probabilities = softmax(logits, axis=-1)
    predicted = probabilities.argmax(axis=-1)
    two = logits.shape[1] == 2
    average = "binary" if two else "macro"
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        right, predicted, average=average, zero_division=0
    )
    if len(np.unique(right)) < logits.shape[1]:
        area = float("nan")  # undefined where a label never occurs
    elif two:
        area = metrics.roc_auc_score(right, probabilities[:, 1])
    else:
        area = metrics.roc_auc_score(right, probabilities, multi_class="ovr", average="macro")
    hits = int((predicted == right).sum())
    return {
        "count": len(right),
        "accuracy": hits / len(right),
        "accuracy_interval": list(wilson(hits, len(right))),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(area),
        "log_loss": negative_log_likelihood(logits, right),
        "calibration_error": calibration_error(probabilities, right),
        "calibration_error_calibrated": calibration_error(softmax(logits / temperature, axis=-1), right),
        "confusion": metrics.confusion_matrix(right, predicted, labels=range(logits.shape[1])).tolist(),
    }


def calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3): how far confidence is
    from accuracy, over 15 equal bins of confidence, weighted by how many fall in each."""
    confidence = probabilities.max(axis=-1)
    right = probabilities.argmax(axis=-1) == np.asarray(labels)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    total = 0.0
    for number in np.unique(bins):
        members = bins == number
        total += members.mean() * abs(right[members].mean() - confidence[members].mean())
    return float(total)


def negative_log_likelihood(logits: Floats, labels: Labels) -> float:
    """Mean of -log p(right label), in nats."""
    return float(-log_softmax(logits, axis=-1)[np.arange(len(logits)), np.asarray(labels)].mean())


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The constant to divide logits by so that held-out log-likelihood is best (Guo et al. 2017, section 4.2)."""
    found = minimize_scalar(
        lambda log_temperature: negative_log_likelihood(logits / math.exp(log_temperature), labels),
        bounds=(-2.0, 2.5),
        method="bounded",
    )
    return math.exp(found.x)

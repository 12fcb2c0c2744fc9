"""Figures of classifiers with 95 % intervals, curves, thresholds and temperature."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

from explain.numerics.statistics import bootstrap_ratio, wilson

Floats = npt.NDArray[np.float64]
Labels = Sequence[int] | npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]
CALIBRATION_BINS = 15


def classification_figures(
    logits: Floats, labels: Labels, temperature: float = 1.0, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the figures of a single-label classifier.

    Args:
        logits (N, C); labels (N): columns of the correct labels.
        temperature: divides the logits for the calibrated figures.
        names (C): names of the labels.

    Returns:
        `accuracy` with its 95 % interval (Wilson), which equals the micro averages; `precision`, `recall`, `f1` (of
        column 1 for two labels, else macro); `macro_precision`, `macro_recall`, `macro_f1` (means over labels) with its
        95 % interval (bootstrap over texts); `roc_auc`, `average_precision` (area under the precision-recall curve; of
        column 1, or the mean over labels); `calibration_error` and `calibration_error_calibrated` (expected
        calibration error, 15 equal bins); `log_loss`; `confusion` (rows correct, columns predicted); `count`; and
        `by_label` where there are more than two labels and they have names.
    """
    right = np.asarray(labels)
    probabilities = softmax(logits, axis=-1)
    predicted = probabilities.argmax(axis=-1)
    two = logits.shape[1] == 2
    average = "binary" if two else "macro"
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        right, predicted, average=average, zero_division=0
    )
    macro = metrics.precision_recall_fscore_support(right, predicted, average="macro", zero_division=0)
    is_right = right[:, None] == np.arange(logits.shape[1])
    area, average_precision = _areas(is_right, probabilities, [1] if two else range(logits.shape[1]))
    hits = int((predicted == right).sum())
    confusion = metrics.confusion_matrix(right, predicted, labels=range(logits.shape[1]))
    by_label = (
        {}
        if two or not names
        else {"by_label": _by_label(is_right, predicted[:, None] == np.arange(len(names)), names)}
    )
    of_label = {"of_label": names[1]} if two and names else {}
    return {
        "count": len(right),
        "accuracy": hits / len(right),
        "accuracy_interval": list(wilson(hits, len(right))),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "macro_precision": float(macro[0]),
        "macro_recall": float(macro[1]),
        "macro_f1": float(macro[2]),
        "macro_f1_interval": _known(macro_f1_interval(confusion)),
        "roc_auc": area,
        "average_precision": average_precision,
        "log_loss": negative_log_likelihood(logits, right),
        "calibration_error": calibration_error(probabilities, right),
        "calibration_error_calibrated": calibration_error(softmax(logits / temperature, axis=-1), right),
        "confusion": confusion.tolist(),
        **of_label,
        **by_label,
    }


def macro_f1_interval(confusion: npt.NDArray[np.integer], draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of macro F1 by a bootstrap over texts (Efron 1979; percentiles).

    The draws are of cells of the confusion matrix, which is equivalent and needs no texts.

    Args:
        confusion (C, C): number of texts by correct label (rows) and predicted label.
    """
    cells, size = confusion.ravel() / confusion.sum(), len(confusion)
    drawn = np.random.default_rng(seed).multinomial(confusion.sum(), cells, size=draws).reshape(draws, size, size)
    both = drawn.sum(axis=1) + drawn.sum(axis=2)  # correct plus predicted, of each label
    f1 = 2 * np.diagonal(drawn, axis1=1, axis2=2) / np.maximum(both, 1)
    occurs = both > 0  # a label neither correct nor predicted has no F1
    means = (f1 * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _by_label(right: Flags, predicted: Flags, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and count of each label. right (N, C), predicted (N, C)."""
    hits, positives, predictions = (right & predicted).sum(axis=0), right.sum(axis=0), predicted.sum(axis=0)
    counts = zip(hits, positives, predictions)
    return {name: rates(*map(int, column)) for name, column in zip(names, counts, strict=True)}


def rates(hits: int, positives: int, predictions: int) -> dict[str, float]:
    """Return precision, recall and F1 of correct predictions (`hits`); 0 where undefined. `count` is of positives."""
    return {
        "precision": hits / max(1, predictions),
        "recall": hits / max(1, positives),
        "f1": 2 * hits / max(1, positives + predictions),
        "count": positives,
    }


def _areas(right: Flags, probabilities: Floats, columns: Sequence[int]) -> tuple[float | None, float | None]:
    """Return the mean areas under the ROC and the precision-recall curve of some labels; None where undefined.

    Labels that all texts have, or none has, have no area.
    """
    defined = [column for column in columns if 0 < right[:, column].sum() < len(right)]
    if not defined:
        return None, None
    area, average_precision = (
        float(np.mean([score(right[:, column], probabilities[:, column]) for column in defined]))
        for score in (metrics.roc_auc_score, metrics.average_precision_score)
    )
    return area, average_precision


def calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Return the expected calibration error: the mean distance of confidence from accuracy over 15 equal bins.

    Bins are weighted by their number of texts (Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3).
    """
    confidence = probabilities.max(axis=-1)
    right = probabilities.argmax(axis=-1) == np.asarray(labels)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    total = 0.0
    for number in np.unique(bins):
        members = bins == number
        total += members.mean() * abs(right[members].mean() - confidence[members].mean())
    return float(total)


def negative_log_likelihood(logits: Floats, labels: Labels) -> float:
    """Return the mean of -log p(correct label), in nats."""
    return float(-log_softmax(logits, axis=-1)[np.arange(len(logits)), np.asarray(labels)].mean())


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Return the temperature of the highest held-out log-likelihood (Guo et al. 2017, section 4.2)."""
    optimum = minimize_scalar(
        lambda log_temperature: negative_log_likelihood(logits / math.exp(log_temperature), labels),
        bounds=(-2.0, 2.5),
        method="bounded",
    )
    return math.exp(optimum.x)


def best_thresholds(probabilities: Floats, right: Flags) -> Floats:
    """Return the threshold of each label that together give the highest micro F1.

    For a share s, the predictions that maximize (hits - s * predictions) are independent over labels. s is half of the
    F1 that they give, and rises until it converges (Dinkelbach 1967, "On nonlinear fractional programming"). A label
    whose predictions would lower micro F1 gets a threshold above its largest probability.

    Args:
        probabilities (N, C), right (N, C).

    Returns:
        Thresholds (C): half way between the last probability that is predicted and the next.
    """
    order = np.argsort(-probabilities, axis=0, kind="stable")
    edge = np.ones((1, probabilities.shape[1]))
    falling = np.concatenate([edge, np.take_along_axis(probabilities, order, axis=0), 0 * edge])  # (N + 2, C)
    hits = np.cumsum(np.concatenate([0 * edge, np.take_along_axis(right, order, axis=0)]), axis=0)  # (N + 1, C)
    predictions = np.arange(len(hits))[:, None]
    apart = falling[:-1] > falling[1:]  # no threshold separates equal probabilities
    labels = np.arange(probabilities.shape[1])
    share = 0.0
    while True:
        last = np.where(apart, hits - share * predictions, -np.inf).argmax(axis=0)
        better = float(hits[last, labels].sum() / max(1.0, right.sum() + last.sum()))  # half of F1
        if better <= share:
            return (falling[last, labels] + falling[last + 1, labels]) / 2
        share = better


def multi_label_figures(
    probabilities: Floats, right: Flags, thresholds: Floats, names: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of a multi-label classifier.

    Args:
        probabilities (N, C), right (N, C).
        thresholds (C): probabilities from which on each label is predicted.
        names (C): names of the labels.

    Returns:
        `micro_f1` (over all texts and labels) with its 95 % interval (bootstrap over texts), `micro_precision`,
        `micro_recall`, `macro_precision`, `macro_recall`, `macro_f1` (means over labels), `micro_f1_at_half` (all
        thresholds 0.5), `roc_auc` and `average_precision` (means over the labels that occur), `log_loss` (mean over
        labels and texts, in nats), `by_label`, `count`.
    """
    predicted = probabilities >= thresholds
    hits, positives, predictions = right & predicted, right.sum(axis=1), predicted.sum(axis=1)
    micro = rates(int(hits.sum()), int(positives.sum()), int(predictions.sum()))
    at_half = probabilities >= 0.5
    by_label = _by_label(right, predicted, names)
    area, average_precision = _areas(right, probabilities, range(len(names)))
    bounded = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return {
        "count": len(right),
        "micro_f1": micro["f1"],
        "micro_f1_interval": _known(
            bootstrap_ratio(2.0 * hits.sum(axis=1, dtype=float), (positives + predictions).astype(float))
        ),
        "micro_precision": micro["precision"],
        "micro_recall": micro["recall"],
        **{
            f"macro_{name}": float(np.mean([of_label[name] for of_label in by_label.values()]))
            for name in ("precision", "recall", "f1")
        },
        "micro_f1_at_half": rates(int((right & at_half).sum()), int(right.sum()), int(at_half.sum()))["f1"],
        "roc_auc": area,
        "average_precision": average_precision,
        "log_loss": float(-np.where(right, np.log(bounded), np.log(1 - bounded)).mean()),
        "by_label": by_label,
    }


def _known(interval: tuple[float, float]) -> list[float] | None:
    """Return a bootstrap interval; None where it is undefined: no cases, or cases that are all equal."""
    return None if math.isnan(interval[0]) or interval[0] == interval[1] else list(interval)


MOST_POINTS = 80  # of a stored curve


def curves(probabilities: Floats, right: Flags, names: Sequence[str], *, exclusive: bool) -> dict[str, Any]:
    """Return the curves of a classifier over all thresholds.

    Args:
        probabilities (N, C), right (N, C); names (C): names of the labels.
        exclusive: exactly one label of each text is correct; confidence is the highest probability of a text.

    Returns:
        `by_label`: of each label that some texts have and some have not, `roc` (false positive rate, recall),
        `precision_recall` (recall, precision), their areas `roc_auc` and `average_precision`, and `share`, the share
        of texts that have the label; `calibration`: (mean confidence, share correct) of groups of equal size.
    """
    by_label = {}
    for column, name in enumerate(names):
        has_label, scores = right[:, column], probabilities[:, column]
        if has_label.all() or not has_label.any():
            continue
        false_positives, roc_recall, _ = metrics.roc_curve(has_label, scores)
        precision, recall, _ = metrics.precision_recall_curve(has_label, scores)
        by_label[name] = {
            "roc": _points(false_positives, roc_recall),
            "precision_recall": _points(recall[::-1], precision[::-1]),
            "roc_auc": float(metrics.roc_auc_score(has_label, scores)),
            "average_precision": float(metrics.average_precision_score(has_label, scores)),
            "share": float(has_label.mean()),
        }
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(right))
    hits, confidence = (right[rows, predicted], probabilities[rows, predicted]) if exclusive else (right, probabilities)
    groups = max(2, min(10, len(right) // 20))
    shares, means = calibration_curve(hits.ravel(), confidence.ravel(), n_bins=groups, strategy="quantile")
    return {"by_label": by_label, "calibration": _points(means, shares)}


def _points(across: Floats, up: Floats) -> list[list[float]]:
    """Return the points of a curve, thinned evenly; the ends stay."""
    kept = np.unique(np.linspace(0, len(across) - 1, min(len(across), MOST_POINTS)).round().astype(int))
    return np.round(np.column_stack([across[kept], up[kept]]), 5).tolist()
